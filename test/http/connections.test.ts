import { createServer } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Authenticate } from '../../src/auth/authentication.js';
import { mostConnections } from '../../src/http/connections.js';
import { type HttpServer, type Patience, startServer } from '../../src/http/server.js';
import { createFakeService } from './fake-service.js';
import { acceptAny, createTestApp } from './test-app.js';

const host = '127.0.0.1';
const servers: HttpServer[] = [];
const sockets: Socket[] = [];

interface Started {
  readonly server: HttpServer;
  /** Requests that wait in the service, to be let go. */
  readonly waiting: (() => void)[];
  /** How many requests have come as far as their credentials. */
  arrived(): number;
}

async function start(options: { maxConnections?: number; patience?: Partial<Patience> } = {}): Promise<Started> {
  const waiting: (() => void)[] = [];
  const service = createFakeService({
    search: async () => {
      await new Promise<void>((resolve) => waiting.push(resolve));
      return { schemas: [], totalResults: 0 };
    },
  });
  let arrived = 0;
  const authenticate: Authenticate = (authorization) => {
    arrived++;
    return acceptAny(authorization);
  };
  const { fetch } = createTestApp({ service, gateway: { authenticate } }).app;
  const server = await startServer({ host, port: 0, fetch, ...options });
  servers.push(server);
  return { server, waiting, arrived: () => arrived };
}

interface Client {
  readonly socket: Socket;
  received(): string;
  readonly closed: Promise<void>;
}

async function open({ server }: Started): Promise<Client> {
  let received = '';
  const socket = connect(server.port, host);
  sockets.push(socket);
  socket.on('data', (data) => {
    received += String(data);
  });
  // Being reset is one way to be closed.
  socket.on('error', () => undefined);
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  await new Promise<void>((resolve) => {
    socket.once('connect', () => resolve());
    socket.once('close', () => resolve());
  });
  return { socket, received: () => received, closed };
}

const head = 'GET /scim/Users/1 HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer t\r\n';
const answered = (client: Client, times = 1): Promise<void> =>
  vi.waitFor(() => expect(client.received().split('HTTP/1.1 200').length - 1).toBe(times), { interval: 2 });

async function ask(client: Client): Promise<void> {
  const before = client.received().split('HTTP/1.1 200').length - 1;
  client.socket.write(`${head}\r\n`);
  await answered(client, before + 1);
}

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await Promise.all(servers.splice(0).map((server) => server.stop(0)));
});

describe('slow clients', () => {
  const patience: Partial<Patience> = { headMs: 60, requestMs: 200, checkEveryMs: 10 };

  it.each([
    ['says nothing', ''],
    ['begins a head and stops', head],
    ['stops in the first line', 'GET /scim/Us'],
  ])('are ended with 408 when their head is not there in time: one that %s', async (_name, text) => {
    const client = await open(await start({ patience }));
    client.socket.write(text);
    await client.closed;
    expect(client.received()).toMatch(/^HTTP\/1\.1 408 /);
    expect(client.received()).toContain('"status":"408"');
  });

  it('are ended with 408 when the head trickles', async () => {
    const client = await open(await start({ patience }));
    const trickle = setInterval(() => client.socket.write('X'), 5);
    client.socket.write(`${head}X-Long: `);
    await client.closed;
    clearInterval(trickle);
    expect(client.received()).toMatch(/^HTTP\/1\.1 408 /);
  });

  it('are ended with 408 when the body trickles', async () => {
    const client = await open(await start({ patience }));
    const trickle = setInterval(() => client.socket.write(' '), 5);
    client.socket.write(
      'POST /scim/Users HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer t\r\nContent-Type: application/json\r\nContent-Length: 900\r\n\r\n{',
    );
    await client.closed;
    clearInterval(trickle);
    expect(client.received()).toMatch(/^HTTP\/1\.1 408 /);
  });

  it('that take nothing of their answer are ended, those that wait for one are not', async () => {
    const bytes = 64 * 1024 * 1024;
    const large = createFakeService({
      search: async () => ({ schemas: [], text: 'x'.repeat(bytes) }) as never,
    });
    const server = await startServer({
      host,
      port: 0,
      fetch: createTestApp({ service: large }).app.fetch,
      patience: { stalledMs: 100 },
    });
    servers.push(server);
    const reader = connect(server.port, host);
    sockets.push(reader);
    reader.pause().write('GET /scim/Users HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer t\r\n\r\n');
    await vi.waitFor(() => expect(server.connections()).toBe(1), { interval: 2 });
    await vi.waitFor(() => expect(server.connections()).toBe(0), { interval: 5, timeout: 5000 });

    const started = await start({ patience: { stalledMs: 30 } });
    const waiter = await open(started);
    waiter.socket.write('GET /scim/Users HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer t\r\n\r\n');
    await vi.waitFor(() => expect(started.waiting.length).toBe(1), { interval: 2 });
    // Another connection lives through several of its time-outs meanwhile.
    for (let n = 0; n < 5; n++) {
      const silent = connect(started.server.port, host);
      sockets.push(silent);
      silent.on('error', () => undefined);
      await new Promise((resolve) => silent.setTimeout(40, () => resolve(undefined)));
    }
    started.waiting[0]?.();
    await answered(waiter);
  });
});

describe('connections', () => {
  it('are bounded: a newcomer takes the place of the one that has said nothing for the longest time', async () => {
    const started = await start({ maxConnections: 5 });
    const silent: Client[] = [];
    for (let n = 0; n < 20; n++) silent.push(await open(started));
    await Promise.all(silent.slice(0, 15).map(({ closed }) => closed));
    expect(started.server.connections()).toBe(5);
    const good = await open(started);
    await ask(good);
    // It has spoken, so it stays while others come and go.
    for (let n = 0; n < 20; n++) await open(started);
    await ask(good);
    expect(started.server.connections()).toBe(5);
  });

  it('that are idle make room when all have spoken', async () => {
    const started = await start({ maxConnections: 3 });
    const idle: Client[] = [];
    for (let n = 0; n < 3; n++) {
      const client = await open(started);
      await ask(client);
      idle.push(client);
    }
    const newcomer = await open(started);
    await ask(newcomer);
    await Promise.all(idle.map(({ closed }) => closed));
  });

  it('that all have work leave no room: the next is refused at once', async () => {
    const started = await start({ maxConnections: 3 });
    const working: Client[] = [];
    for (let n = 0; n < 3; n++) {
      const client = await open(started);
      client.socket.write('GET /scim/Users HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer t\r\n\r\n');
      working.push(client);
    }
    await vi.waitFor(() => expect(started.waiting.length).toBe(3), { interval: 2 });
    const refused = await open(started);
    await refused.closed;
    for (const letGo of started.waiting) letGo();
    for (const client of working) await answered(client);
  });

  it('are 10,000, or four fifths of the files that may be open', () => {
    const limits = (files: number | string): string =>
      `Limit                     Soft Limit           Hard Limit           Units\nMax open files            ${files}                 ${files}               files\n`;
    expect(mostConnections(() => limits(1_048_576))).toBe(10_000);
    expect(mostConnections(() => limits(1024))).toBe(819);
    expect(mostConnections(() => limits('unlimited'))).toBe(10_000);
    expect(
      mostConnections(() => {
        throw new Error('There is no such file.');
      }),
    ).toBe(10_000);
  });
});

describe('stopping with connections', () => {
  it('that are idle, silent or new takes no time', async () => {
    const started = await start();
    const idle = await open(started);
    await ask(idle);
    const silent = await open(started);
    await vi.waitFor(() => expect(started.server.connections()).toBe(2), { interval: 2 });
    await started.server.stop(60_000);
    await idle.closed;
    await silent.closed;
  });

  it('in flight waits for their answers, and for those that are stuck as long as it may', async () => {
    const started = await start();
    const inFlight = await open(started);
    inFlight.socket.write('GET /scim/Users HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer t\r\n\r\n');
    const stuck = await open(started);
    stuck.socket.write(
      'POST /scim/Users HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer t\r\nContent-Type: application/json\r\nContent-Length: 900\r\n\r\n{',
    );
    await vi.waitFor(() => expect(started.arrived()).toBe(2), { interval: 2 });
    const startedAtMs = performance.now();
    const stopped = started.server.stop(300);
    started.waiting[0]?.();
    await answered(inFlight);
    await inFlight.closed;
    await stopped;
    expect(performance.now() - startedAtMs).toBeGreaterThanOrEqual(299);
    await stuck.closed;
    await vi.waitFor(() => expect(started.server.connections()).toBe(0), { interval: 2 });
  });
});

describe('another server on the port', () => {
  it('can listen as soon as the first has stopped', async () => {
    const { server } = await start();
    await server.stop(0);
    const next = createServer().listen(server.port, host);
    await new Promise((resolve) => next.once('listening', resolve));
    expect((next.address() as AddressInfo).port).toBe(server.port);
    next.close();
  });
});
