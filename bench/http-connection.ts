import { connect, type Socket } from 'node:net';

export interface HttpAnswer {
  readonly status: number;
  /** Empty where the request said that nobody wants it. */
  readonly body: Buffer;
}

interface Waiting {
  readonly keepBody: boolean;
  readonly resolve: (answer: HttpAnswer) => void;
  readonly reject: (error: Error) => void;
}

interface Head {
  readonly status: number;
  /** Length of the head and the body. */
  readonly bytes: number;
  readonly headBytes: number;
}

const headEnd = '\r\n\r\n';
const nothing: Buffer = Buffer.alloc(0);

/**
 * One kept-alive HTTP/1.1 connection on a bare socket. Requests come as finished bytes and of an answer only its status and
 * length are parsed: that costs less processor time than autocannon, undici and `node:http` (in this order), which on a
 * machine with few cores would be taken from the server that is measured. Answers need a Content-Length.
 */
export class HttpConnection {
  readonly #socket: Socket;
  #waiting: Waiting | undefined;
  #head: Head | undefined;
  #chunks: Buffer[] = [];
  #received = 0;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (chunk) => this.#take(chunk));
    socket.on('error', (error) => this.#fail(error));
    socket.on('close', () => this.#fail(new Error('The server closed the connection.')));
  }

  static open(port: number): Promise<HttpConnection> {
    return new Promise((resolve, reject) => {
      const socket = connect({ port, host: '127.0.0.1' });
      socket.once('error', reject);
      socket.once('connect', () => {
        socket.off('error', reject);
        resolve(new HttpConnection(socket));
      });
    });
  }

  /** One request at a time. */
  send(request: Buffer, keepBody = false): Promise<HttpAnswer> {
    return new Promise((resolve, reject) => {
      this.#waiting = { keepBody, resolve, reject };
      this.#socket.write(request);
    });
  }

  close(): void {
    this.#waiting = undefined;
    this.#socket.destroy();
  }

  #take(chunk: Buffer): void {
    this.#received += chunk.length;
    if (this.#head === undefined) {
      const start = this.#chunks.length === 0 ? chunk : Buffer.concat([...this.#chunks, chunk]);
      try {
        this.#head = parseHead(start);
      } catch (error) {
        this.#fail(error as Error);
        return;
      }
      this.#chunks = [start];
    } else if (this.#waiting?.keepBody === true) {
      this.#chunks.push(chunk);
    }
    const head = this.#head;
    if (head !== undefined && this.#received >= head.bytes) this.#finish(head);
  }

  #finish({ status, headBytes }: Head): void {
    const waiting = this.#waiting;
    const body = waiting?.keepBody === true ? Buffer.concat(this.#chunks).subarray(headBytes) : nothing;
    this.#waiting = undefined;
    this.#head = undefined;
    this.#chunks = [];
    this.#received = 0;
    waiting?.resolve({ status, body });
  }

  #fail(error: Error): void {
    this.#waiting?.reject(error);
    this.#waiting = undefined;
  }
}

/** @returns undefined while the head is incomplete */
function parseHead(bytes: Buffer): Head | undefined {
  const end = bytes.indexOf(headEnd);
  if (end < 0) return undefined;
  const text = bytes.toString('latin1', 0, end);
  const status = Number(text.slice(9, 12));
  const headBytes = end + headEnd.length;
  const length = /\r\ncontent-length: *(\d+)/i.exec(text)?.[1];
  if (length === undefined && status !== 204 && status !== 304) {
    throw new Error(`The answer has no Content-Length:\n${text}`);
  }
  return { status, headBytes, bytes: headBytes + Number(length ?? 0) };
}
