import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { type ConnectionTarget, nodeTlsOptions } from '../connection-target.js';

const timeoutMs = 3_000;
const sslRequest = message(80_877_103);

/** What the server said of a connection when it was made: who knows it may end what runs there. */
export interface CancelKey {
  readonly processId: number;
  readonly secret: number;
}

/**
 * Asks the server, on a connection of its own, to end what runs on another one. It answers nothing, so nobody waits.
 * @see PostgreSQL documentation, "Canceling Requests in Progress"
 */
export function sendCancelRequest(target: ConnectionTarget, { processId, secret }: CancelKey): void {
  const { host, port, tls } = target;
  const request = message(80_877_102, processId, secret);
  const socket = host.startsWith('/') ? connect(`${host}/.s.PGSQL.${port}`) : connect(port, host);
  guard(socket);
  socket.once('connect', () => {
    if (tls === undefined) {
      socket.end(request);
      return;
    }
    socket.write(sslRequest);
    socket.once('data', (answer) => {
      if (answer.toString('latin1') !== 'S') {
        socket.destroy();
        return;
      }
      const secure = connectTls({ ...nodeTlsOptions(tls), socket }, () => secure.end(request));
      guard(secure);
    });
  });
}

function guard(socket: Socket): void {
  socket.unref();
  socket.setTimeout(timeoutMs, () => socket.destroy());
  socket.on('error', () => socket.destroy());
}

function message(...numbers: readonly number[]): Buffer {
  const bytes = Buffer.alloc(4 + 4 * numbers.length);
  bytes.writeInt32BE(bytes.length);
  for (const [index, number] of numbers.entries()) bytes.writeInt32BE(number, 4 + 4 * index);
  return bytes;
}
