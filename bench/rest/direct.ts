import { Agent } from 'undici';
import { type Person, personOf } from './person.js';

interface Listed {
  readonly id: string;
}

/**
 * What a program does that knows the service: each operation one request of undici, over as many connections as the gateway keeps.
 * It knows the ids of all users, and reads nothing before it writes.
 */
export class Direct {
  private readonly agent = new Agent({ connections: 16, pipelining: 1 });
  private readonly origin: string;
  private readonly headers: Readonly<Record<string, string>>;

  constructor(origin: string, token: string) {
    this.origin = origin;
    this.headers = { authorization: `Bearer ${token}`, accept: 'application/json' };
  }

  async close(): Promise<void> {
    await this.agent.close();
  }

  async readById(id: string): Promise<void> {
    await this.ask('GET', `/api/users/${id}`, 200);
  }

  async byUserName(userName: string): Promise<void> {
    const list = (await this.ask('GET', `/api/users?login=${encodeURIComponent(userName)}`, 200)) as readonly Listed[];
    if (list.length !== 1) throw new Error(`A direct look-up gave ${list.length} users.`);
  }

  async setTitle(id: string, title: string): Promise<void> {
    await this.ask('PATCH', `/api/users/${id}`, 200, { title }, 'application/merge-patch+json');
  }

  async create(n: number): Promise<void> {
    await this.ask('POST', '/api/users', 201, personOf(n) satisfies Person);
  }

  /** All users in pages. @returns their ids */
  async importUsers(pageSize: number): Promise<readonly string[]> {
    const ids: string[] = [];
    for (let page = 1; ; page++) {
      const list = (await this.ask('GET', `/api/users?page=${page}&per_page=${pageSize}`, 200)) as readonly Listed[];
      for (const { id } of list) ids.push(id);
      if (list.length < pageSize) return ids;
    }
  }

  /** Requests that the service has answered since it started, questions like this one not counted. */
  async requests(): Promise<number> {
    return Number(await this.ask('GET', '/requests', 200));
  }

  private async ask(
    method: 'GET' | 'POST' | 'PATCH',
    path: string,
    status: number,
    json?: unknown,
    type = 'application/json',
  ): Promise<unknown> {
    const { statusCode, body } = await this.agent.request({
      origin: this.origin,
      path,
      method,
      headers: json === undefined ? this.headers : { ...this.headers, 'content-type': type },
      body: json === undefined ? null : JSON.stringify(json),
    });
    const text = await body.text();
    if (statusCode !== status) throw new Error(`${method} ${path}: status ${statusCode} instead of ${status}.`);
    return JSON.parse(text);
  }
}
