import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTarget, type Target } from './target.js';
import { AnswerReader, expectScimError, openSocket, requestBytes, type WireAnswer } from './wire.js';

/** As many as can be opened here, the server's and ours together being of one system: 10,000 where it allows them. */
const manyConnections = ((): number => {
  const files = Number(/^Max open files +(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1] ?? 1024);
  return Math.min(10_000, Math.floor(files * 0.8) - 200);
})();

interface Attacker {
  readonly socket: Socket;
  readonly answers: readonly WireAnswer[];
  readonly closed: Promise<void>;
  isClosed(): boolean;
}

async function attack(origin: string, bytes: string | Buffer): Promise<Attacker> {
  const socket = openSocket(origin);
  const reader = new AnswerReader();
  socket.on('data', (data) => reader.add(data));
  let isClosed = false;
  const closed = new Promise<void>((resolve) =>
    socket.once('close', () => {
      isClosed = true;
      resolve();
    }),
  );
  await new Promise<void>((resolve) => {
    socket.once('connect', () => resolve());
    socket.once('close', () => resolve());
  });
  if (bytes.length > 0) socket.write(bytes);
  return { socket, answers: reader.answers, closed, isClosed: () => isClosed };
}

function median(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? Number.NaN;
}

describe(`${manyConnections} connections`, () => {
  let target: Target;
  beforeAll(async () => {
    target = await startTarget();
  });
  afterAll(async () => {
    await target.expectUnharmed();
    await target.server.close();
  });

  it('that say nothing, or say it slowly, are held, cost little, keep nobody out, and are ended in time', async () => {
    const before = target.memoryBytes();
    const half = `GET /scim/Users HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${target.token}\r\n`;
    const body = `POST /scim/Users HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${target.token}\r\nContent-Length: 1000\r\n\r\n{`;
    const startedAtMs = performance.now();
    const slowHeads = await Promise.all(Array.from({ length: 50 }, () => attack(target.origin, `${half}X: `)));
    const slowBodies = await Promise.all(Array.from({ length: 50 }, () => attack(target.origin, body)));
    const attackers = [...slowHeads, ...slowBodies];
    while (attackers.length < manyConnections) {
      const next = Array.from({ length: Math.min(500, manyConnections - attackers.length) }, (_, index) =>
        attack(target.origin, index % 2 === 0 ? '' : half),
      );
      attackers.push(...(await Promise.all(next)));
    }
    // One byte a second each.
    const trickle = setInterval(() => {
      for (const { socket } of [...slowHeads, ...slowBodies]) if (socket.writable) socket.write('x');
    }, 1000);
    const good: number[] = [];
    const everybodyClosed = Promise.all(attackers.map(({ closed }) => closed));
    let isOver = false;
    void everybodyClosed.then(() => {
      isOver = true;
    });
    let highest = 0;
    while (!isOver) {
      good.push(await target.expectGood());
      highest = Math.max(highest, target.memoryBytes());
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    clearInterval(trickle);
    // 20 seconds for a head, and 25 for a request, looked at every 5.
    expect(performance.now() - startedAtMs).toBeLessThan(45_000);
    expect(median(good)).toBeLessThan(100);
    expect((highest - before) / manyConnections).toBeLessThan(40_000);
    const answered = attackers.filter(({ answers }) => answers.length > 0);
    for (const { answers } of answered) expectScimError(answers[0], 408);
    expect(answered.length).toBeGreaterThan(manyConnections * 0.9);
  }, 90_000);

  it('beyond the bound make room for those who have something to say', async () => {
    const silent: Attacker[] = [];
    for (let n = 0; n < manyConnections + 500; n += 500) {
      silent.push(...(await Promise.all(Array.from({ length: 500 }, () => attack(target.origin, '')))));
      await target.expectGood();
    }
    for (const { socket } of silent) socket.destroy();
  }, 60_000);
});

describe('large bodies', () => {
  let target: Target;
  beforeAll(async () => {
    // What is held of them at the same time has to fit.
    target = await startTarget({ nodeOptions: ['--max-old-space-size=1024'] });
  });
  afterAll(async () => {
    await target.expectUnharmed();
    await target.server.close();
  });

  it('are worked on a few at a time; the others are told to come again', async () => {
    const body = Buffer.from(`{"userName":"large","emails":[${'{"value":"a@example.com"},'.repeat(1_000_000)}1]}`);
    const bytes = requestBytes(target.token, { path: '/scim/Users', body });
    const answers = await Promise.all(Array.from({ length: 20 }, async () => (await target.raw(bytes)).answers[0]));
    // On a busy machine some do not arrive in the time that a body may take.
    for (const answer of answers) expectScimError(answer, [400, 408, 429]);
    expect(answers.some((answer) => answer?.status === 429)).toBe(true);
    expect(answers.some((answer) => answer?.status === 400)).toBe(true);
  }, 180_000);
});

describe('refusals', () => {
  let target: Target;
  beforeAll(async () => {
    target = await startTarget();
  });
  afterAll(async () => {
    await target.expectUnharmed();
    await target.server.close();
  });

  it('are slowed and bounded, and valid credentials of the same address are served as ever [7644-7.7-02]', async () => {
    const guess = async (n: number): Promise<{ status: number; durationMs: number }> => {
      const { answers, durationMs } = await target.raw(requestBytes(`guess-${n}`, { path: '/scim/Users' }));
      expectScimError(answers[0], [401, 429]);
      return { status: answers[0]?.status ?? 0, durationMs };
    };
    const first = [];
    for (let n = 0; n < 10; n++) first.push(await guess(n));
    expect(first.every(({ status }) => status === 401)).toBe(true);
    expect(median(first.map(({ durationMs }) => durationMs))).toBeLessThan(100);
    const later = [];
    for (let n = 0; n < 5; n++) later.push(await guess(n));
    expect(later.at(-1)?.status).toBe(401);
    expect(later.at(-1)?.durationMs).toBeGreaterThan(1000);

    const flood = Array.from({ length: 300 }, (_, n) => guess(n));
    const good: number[] = [];
    for (let n = 0; n < 20; n++) good.push(await target.expectGood());
    const flooded = await Promise.all(flood);
    expect(median(good)).toBeLessThan(100);
    const refusedAtOnce = flooded.filter(({ status }) => status === 429);
    expect(refusedAtOnce.length).toBeGreaterThan(250);
    expect(flooded.filter(({ status }) => status === 401).length).toBeGreaterThan(0);
  });

  it('are logged once a minute, not one by one', () => {
    const lines = target.server
      .log()
      .split('\n')
      .filter((line) => line.includes('was refused'));
    expect(lines.length).toBeGreaterThan(0);
    expect(lines.length).toBeLessThan(20);
  });
});

describe('more requests than a gateway serves', () => {
  const gateway = (address: string, requestsPerSecond: number): string => `
    address: ${address}
    limits: { requestsPerSecond: ${requestsPerSecond}, burst: 5 }
    resources:
      User: { adapter: store, use: [scim] }`;
  const config = `version: 1
adapters:
  store: { type: sqlite }
gateways:
  default:${gateway('/scim', 20)}
  other:${gateway('/other', 20)}
`;

  let target: Target;
  beforeAll(async () => {
    target = await startTarget({ config });
  });
  afterAll(async () => {
    await target.server.close();
  });

  it('are slowed when they come one after another, and never refused', async () => {
    const startedAtMs = performance.now();
    for (let n = 0; n < 45; n++) {
      const answer = await target.send({ path: '/scim/Users?count=0' });
      expect(answer?.status, answer?.body).toBe(200);
    }
    // Five at once, the others at 20 a second.
    expect(performance.now() - startedAtMs).toBeGreaterThan(1500);
  });

  it('are 429 with Retry-After when they come at once, while another gateway is served as ever [9865-5.3-01]', async () => {
    const other = await target.server.gateway('other');
    const flood = Array.from({ length: 200 }, () => target.send({ path: '/scim/Users?cursor&count=1' }));
    const startedAtMs = performance.now();
    expect((await other.request('GET', '/Users', { query: { count: 0 } })).status).toBe(200);
    expect(performance.now() - startedAtMs).toBeLessThan(900);
    const answers = await Promise.all(flood);
    const refused = answers.filter((answer) => answer?.status === 429);
    expect(refused.length).toBeGreaterThan(150);
    for (const answer of refused) {
      expectScimError(answer, 429);
      expect(Number(answer?.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
    }
    const served = answers.filter((answer) => answer?.status === 200);
    expect(served.length + refused.length).toBe(200);
    expect(served.length).toBeGreaterThanOrEqual(20);
  });

  it('of strangers use up nothing of it', async () => {
    await new Promise((resolve) => setTimeout(resolve, 300));
    const strangers = Array.from({ length: 100 }, () => target.raw(requestBytes('stranger', { path: '/scim/Users' })));
    const answer = await target.send({ path: '/scim/Users?count=0' });
    expect(answer?.status).toBe(200);
    await Promise.all(strangers);
  });
});
