import { type HttpAnswer, HttpConnection } from './http-connection.js';

/** A server under measurement, and how to talk to it. */
export interface Target {
  readonly name: string;
  readonly port: number;
  readonly pid: number;
  readonly token: string;
}

export type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE';

/** The bytes of a request. @param path below /scim */
export function encodeRequest({ port, token }: Target, method: Method, path: string, body?: string): Buffer {
  const head = [
    `${method} /scim${path} HTTP/1.1`,
    `Host: 127.0.0.1:${port}`,
    `Authorization: Bearer ${token}`,
    'Accept: application/scim+json',
  ];
  if (body !== undefined) {
    head.push('Content-Type: application/scim+json', `Content-Length: ${Buffer.byteLength(body)}`);
  }
  return Buffer.from(`${head.join('\r\n')}\r\n\r\n${body ?? ''}`);
}

export function byUserName(userName: string): string {
  return `/Users?filter=${encodeURIComponent(`userName eq "${userName}"`)}`;
}

export interface Json {
  readonly [attribute: string]: unknown;
}

/** A connection with the answers parsed: for preparing and for checking, not for load. */
export class Client {
  readonly target: Target;
  readonly #connection: HttpConnection;

  private constructor(target: Target, connection: HttpConnection) {
    this.target = target;
    this.#connection = connection;
  }

  static async open(target: Target): Promise<Client> {
    return new Client(target, await HttpConnection.open(target.port));
  }

  /** @throws Error with the answer when its status is another */
  async json(method: Method, path: string, status: number, body?: unknown): Promise<Json> {
    const answer = await this.#send(method, path, body);
    expectStatus(answer, status, `${method} ${path}`);
    return answer.body.length === 0 ? {} : (JSON.parse(answer.body.toString('utf8')) as Json);
  }

  /** Milliseconds until the answer was there. */
  async time(request: Buffer, status: number): Promise<number> {
    const startedAt = performance.now();
    const answer = await this.#connection.send(request);
    const ms = performance.now() - startedAt;
    expectStatus(answer, status, 'the request');
    return ms;
  }

  /** The answer, and milliseconds until it was there, its parsing not counted. */
  async timedJson(request: Buffer, status: number): Promise<{ readonly ms: number; readonly body: Json }> {
    const startedAt = performance.now();
    const answer = await this.#connection.send(request, true);
    const ms = performance.now() - startedAt;
    expectStatus(answer, status, 'the request');
    return { ms, body: JSON.parse(answer.body.toString('utf8')) as Json };
  }

  close(): void {
    this.#connection.close();
  }

  #send(method: Method, path: string, body: unknown): Promise<HttpAnswer> {
    const text = body === undefined ? undefined : JSON.stringify(body);
    return this.#connection.send(encodeRequest(this.target, method, path, text), true);
  }
}

export function expectStatus(answer: HttpAnswer, status: number, what: string): void {
  if (answer.status === status) return;
  throw new Error(`${what}: status ${answer.status} instead of ${status}. ${answer.body.toString('utf8', 0, 500)}`);
}

/** The ids of all users, in the server's order. */
export async function listIds(client: Client): Promise<readonly string[]> {
  const ids: string[] = [];
  for (;;) {
    const page = await client.json('GET', `/Users?startIndex=${ids.length + 1}&count=1000`, 200);
    const resources = page.Resources as readonly { readonly id: string }[] | undefined;
    for (const { id } of resources ?? []) ids.push(id);
    if (resources === undefined || resources.length === 0 || ids.length >= Number(page.totalResults)) return ids;
  }
}
