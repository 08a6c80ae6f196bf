import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTarget, type Target } from './target.js';
import { KeptConnection, openSocket, requestBytes } from './wire.js';

/** An hour of ten requests a second, in as little time as it takes, at most. */
const hourOfRequests = 36_000;
const longestMs = 35_000;
/** What the process does once and keeps: compiled code, caches, pages of the database. */
const warmUpShare = 0.35;

const patchUri = 'urn:ietf:params:scim:api:messages:2.0:PatchOp';

let target: Target;
beforeAll(async () => {
  // A tight heap is collected often, and tells each time what is left.
  target = await startTarget({ nodeOptions: ['--max-old-space-size=64', '--trace-gc'] });
});
afterAll(async () => {
  await target.server.close();
});

/** A number below `bound`, the same in every run. */
function createRandom(seed: number): (bound: number) => number {
  let state = seed;
  return (bound) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * bound);
  };
}

interface Load {
  /** Requests that were sent so far, by all. */
  sent: number;
  isOver(): boolean;
}

/** What an identity provider does all day: looks up, creates, changes, reads, lists, deletes. */
async function provision(worker: number, load: Load): Promise<void> {
  const connection = new KeptConnection(target.origin);
  const ask = async (parts: Parameters<typeof requestBytes>[1], status: number): Promise<string> => {
    load.sent++;
    const answer = await connection.ask(requestBytes(target.token, parts));
    expect(answer?.status, answer?.body).toBe(status);
    return answer?.body ?? '';
  };
  for (let round = 0; !load.isOver(); round++) {
    const userName = `user-${worker}-${round}@example.com`;
    const lookUp = `/scim/Users?filter=${encodeURIComponent(`userName eq "${userName}"`)}`;
    await ask({ path: lookUp }, 200);
    const user = { userName, name: { familyName: 'Jensen' }, emails: [{ value: userName, type: 'work' }] };
    const created = await ask({ path: '/scim/Users', body: JSON.stringify(user) }, 201);
    const { id } = JSON.parse(created) as { id: string };
    const path = `/scim/Users/${id}`;
    for (let n = 0; n < 4; n++) await ask({ path }, 200);
    const change = { schemas: [patchUri], Operations: [{ op: 'Replace', path: 'title', value: `Guide ${round}` }] };
    await ask({ method: 'PATCH', path, body: JSON.stringify(change) }, 200);
    const group = { displayName: `group-${worker}-${round}`, members: [{ value: id }] };
    const grouped = JSON.parse(await ask({ path: '/scim/Groups', body: JSON.stringify(group) }, 201)) as { id: string };
    await ask({ path: '/scim/Users?count=20' }, 200);
    await ask({ method: 'DELETE', path: `/scim/Groups/${grouped.id}` }, 204);
    await ask({ method: 'DELETE', path }, 204);
    await ask({ path }, 404);
  }
  connection.close();
}

/** What must cost the others nothing. */
async function attack(worker: number, load: Load): Promise<void> {
  const random = createRandom(worker);
  const { token, origin } = target;
  const post = (body: string | Buffer, headers: readonly string[] = []): Buffer =>
    requestBytes(token, { path: '/scim/Users', body, headers });
  const hostile: readonly (() => string | Buffer)[] = [
    () => post('{"userName":'),
    () => post('['.repeat(1 + random(20_000))),
    () => post(`{"userName":"${'x'.repeat(random(50_000))}`),
    () => post(`{"__proto__":{"admin":true},"constructor":{"prototype":{}},"name":${random(1000)}}`),
    () => post(Buffer.from(Array.from({ length: 500 }, () => random(256)))),
    () => post(gzipSync('{}'), ['Content-Encoding: gzip']),
    () => post('{}', ['Content-Type: text/plain']),
    () => requestBytes(token, { path: `/scim/Users?filter=${encodeURIComponent('('.repeat(random(4000)))}` }),
    () => requestBytes(token, { path: `/scim/Users?filter=${'userName%20co%20%22a%22%20or%20'.repeat(random(100))}` }),
    () => requestBytes(token, { path: `/scim/Users/${'%2e%2e%2f'.repeat(random(200))}${random(1e9)}` }),
    () => requestBytes(token, { path: `/scim/${random(1e9)}/${random(1e9)}` }),
    () => requestBytes(token, { method: 'DELETE', path: `/scim/Users/${random(1e9)}` }),
    () => `GET /${'x'.repeat(random(40_000))} HTTP/1.1\r\nHost: a\r\n\r\n`,
    () => `GET / HTTP/1.1\r\nHost: a\r\nX-Request-Id: ${random(1e9)}\r\nTransfer-Encoding: x\r\n\r\n`,
    () => `POST /scim/Users HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    () => `${'\0'.repeat(random(2000))}`,
  ];
  const connection = new KeptConnection(origin);
  while (!load.isOver()) {
    load.sent++;
    const bytes = hostile[random(hostile.length)]?.() ?? '';
    if (random(4) === 0) {
      // Leaves in the middle.
      const socket = openSocket(origin);
      await new Promise((resolve) => socket.write(bytes.slice(0, random(bytes.length)), resolve));
      socket.destroy();
    } else if (bytes.length > 0) {
      const answer = await connection.ask(bytes);
      if (answer !== undefined) expect(answer.status, answer.body).toBeLessThan(502);
    }
  }
  connection.close();
}

/** Tries tokens, and is slowed down. */
async function guess(worker: number, load: Load): Promise<void> {
  const random = createRandom(1000 + worker);
  const connection = new KeptConnection(target.origin);
  while (!load.isOver()) {
    load.sent++;
    const answer = await connection.ask(requestBytes(`guess-${random(1e9)}`, { path: '/scim/Users' }));
    expect([401, 429]).toContain(answer?.status);
  }
  connection.close();
}

/** The median of reading the good user, in the calmest of ten moments: this machine may do other things, too. */
async function medianReadMs(): Promise<number> {
  const connection = new KeptConnection(target.origin);
  const bytes = requestBytes(target.token, { path: `/scim/Users/${target.userId}` });
  const medians: number[] = [];
  for (let moment = 0; moment < 10; moment++) {
    const times: number[] = [];
    for (let n = 0; n < 50; n++) {
      const startedAtMs = performance.now();
      const answer = await connection.ask(bytes);
      expect(answer?.status).toBe(200);
      times.push(performance.now() - startedAtMs);
    }
    medians.push(median(times));
  }
  connection.close();
  return Math.min(...medians);
}

function median(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? Number.NaN;
}

/** The medians of both halves of what was measured after the warm-up. */
function halves(values: readonly number[]): readonly [before: number, after: number] {
  const measured = values.slice(Math.ceil(values.length * warmUpShare));
  expect(measured.length).toBeGreaterThanOrEqual(4);
  const middle = Math.ceil(measured.length / 2);
  return [median(measured.slice(0, middle)), median(measured.slice(middle))];
}

describe('an hour of good and hostile requests', () => {
  it('leaves memory flat, and the last good request as fast as the first', async () => {
    const startedAtMs = performance.now();
    const elapsed = (): number => Math.max(load.sent / hourOfRequests, (performance.now() - startedAtMs) / longestMs);
    const load: Load = { sent: 0, isOver: () => elapsed() >= 1 };
    await medianReadMs();
    const first = await medianReadMs();

    const memory: number[] = [];
    const sampling = setInterval(() => memory.push(target.memoryBytes()), 100);
    try {
      await Promise.all([
        ...Array.from({ length: 6 }, (_, worker) => provision(worker, load)),
        ...Array.from({ length: 6 }, (_, worker) => attack(worker, load)),
        ...Array.from({ length: 2 }, (_, worker) => guess(worker, load)),
      ]);
    } finally {
      clearInterval(sampling);
    }
    const last = await medianReadMs();

    expect(load.sent).toBeGreaterThan(3000);
    const [heapBefore, heapAfter] = halves(target.heapsAfterCollection());
    expect(heapAfter).toBeLessThan(heapBefore + 3_000_000);
    const [memoryBefore, memoryAfter] = halves(memory);
    expect(memoryAfter).toBeLessThan(memoryBefore * 1.2 + 10_000_000);
    expect(last).toBeLessThan(first * 1.5 + 0.5);
    await target.expectUnharmed();
  }, 90_000);
});
