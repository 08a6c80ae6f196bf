import { readFileSync } from 'node:fs';
import { expect } from 'vitest';
import { type SpawnedServer, type SpawnOptions, spawnServer } from '../support/spawned-server.js';
import {
  type Exchanged,
  type ExchangeOptions,
  exchange,
  type RequestParts,
  requestBytes,
  type WireAnswer,
} from './wire.js';

/** The managed store, without a bound on the rate: how much one caller may do is not the matter here. */
const config = `version: 1
adapters:
  store: { type: sqlite }
gateways:
  default:
    address: /scim
    limits: { requestsPerSecond: 0 }
    resources:
      User: { adapter: store, use: [scim] }
      Group: { adapter: store, use: [scim] }
`;

/** The program as an operator runs it, with one good user, and somebody who attacks it. */
export interface Target {
  readonly server: SpawnedServer;
  readonly origin: string;
  readonly token: string;
  readonly userId: string;
  /** Bytes as they are. */
  raw(bytes: string | Buffer, options?: ExchangeOptions): Promise<Exchanged>;
  /** A well-formed request around hostile parts. */
  send(parts: RequestParts): Promise<WireAnswer | undefined>;
  /** A good request is served as ever. @returns its milliseconds */
  expectGood(): Promise<number>;
  /** The process lives, and nothing that came was taken for a fault of its own. */
  expectUnharmed(): Promise<void>;
  /**
   * What the main thread's heap held after each full garbage collection so far, in bytes. Only where Node was started
   * with `--trace-gc`.
   */
  heapsAfterCollection(): readonly number[];
  /** Memory of the process, in bytes, without the pages of its files that the system keeps at hand. */
  memoryBytes(): number;
}

export async function startTarget(options: SpawnOptions = {}): Promise<Target> {
  const server = await spawnServer({ config, ...options });
  const { base, token, request } = await server.gateway();
  const { origin } = new URL(base);
  const created = await request('POST', '/Users', { body: { userName: 'good@example.com' } });
  const userId = created.body.id;
  const send = async (parts: RequestParts): Promise<WireAnswer | undefined> =>
    (await exchange(origin, requestBytes(token, parts))).answers[0];
  const expectGood = async (): Promise<number> => {
    const startedAtMs = performance.now();
    const answer = await send({ path: `/scim/Users/${userId}` });
    expect(answer?.status, answer?.body).toBe(200);
    expect(JSON.parse(answer?.body ?? '')).toMatchObject({ id: userId, userName: 'good@example.com' });
    return performance.now() - startedAtMs;
  };
  return {
    server,
    origin,
    token,
    userId,
    raw: (bytes, exchangeOptions) => exchange(origin, bytes, exchangeOptions),
    send,
    expectGood,
    expectUnharmed: async () => {
      expect(server.hasEnded()).toBe(false);
      await expectGood();
      const faults = server
        .log()
        .split('\n')
        // Lines of --trace-gc begin with a bracket.
        .filter((line) => /"level":"(error|fatal)"/.test(line) || !/^[{[]/.test(line));
      expect(faults).toEqual([]);
    },
    heapsAfterCollection: () => {
      const collections = [...server.log().matchAll(/^\[\d+:(\w+)\].*Mark-Compact.*?-> ([\d.]+) \(/gm)];
      // Each thread has an isolate of its own; the main thread's came first.
      const main = collections[0]?.[1];
      return collections.filter(([, isolate]) => isolate === main).map(([, , megabytes]) => Number(megabytes) * 1e6);
    },
    memoryBytes: () => {
      const kilobytes = /^RssAnon:\s+(\d+) kB/m.exec(readFileSync(`/proc/${server.pid}/status`, 'utf8'))?.[1];
      return Number(kilobytes) * 1024;
    },
  };
}
