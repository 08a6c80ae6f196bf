import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTarget, type Target } from './target.js';
import type { WireAnswer } from './wire.js';

/** No body, however odd, holds the others up for longer. Pair by pair, these lists would take minutes. */
const longestMs = 5000;
const patchUri = 'urn:ietf:params:scim:api:messages:2.0:PatchOp';

let target: Target;
beforeAll(async () => {
  target = await startTarget();
});
afterAll(async () => {
  await target.expectUnharmed();
  await target.server.close();
});

const emails = (count: number, from = 0): readonly object[] =>
  Array.from({ length: count }, (_, n) => ({ value: `a${from + n}@example.com`, type: `t${from + n}` }));
const addresses = (count: number): readonly object[] =>
  Array.from({ length: count }, (_, n) => ({ locality: `a${n}`, type: `t${n}` }));

async function quickly(method: string, body: object): Promise<WireAnswer | undefined> {
  const path = `/scim/Users/${target.userId}?attributes=userName`;
  let isOver = false;
  const sent = target.send({ method, path, body: JSON.stringify(body) }).finally(() => {
    isOver = true;
  });
  let longest = 0;
  while (!isOver) longest = Math.max(longest, await target.expectGood());
  expect(longest).toBeLessThan(longestMs);
  return sent;
}

const patch = (...Operations: readonly object[]): Promise<WireAnswer | undefined> =>
  quickly('PATCH', { schemas: [patchUri], Operations });

describe('lists of 20,000 elements', () => {
  it('grow by a thousand operations', async () => {
    const operations = Array.from({ length: 1000 }, (_, n) => ({
      op: 'add',
      path: 'emails',
      value: emails(20, n * 20),
    }));
    expect((await patch(...operations))?.status).toBe(200);
  });

  it('are changed in all elements, and in one after another', async () => {
    expect((await patch({ op: 'replace', path: 'emails[value pr].display', value: 'x' }))?.status).toBe(200);
    const operations = Array.from({ length: 100 }, (_, n) => ({
      op: 'replace',
      path: `emails[type eq "t${n * 100}"].display`,
      value: 'y',
    }));
    expect((await patch(...operations))?.status).toBe(200);
  });

  it('are replaced by themselves in another order', async () => {
    const body = { userName: 'good@example.com', emails: emails(20_000).toReversed() };
    expect((await quickly('PUT', body))?.status).toBe(200);
  });

  it('are removed by a list in another order', async () => {
    expect((await patch({ op: 'remove', path: 'emails', value: emails(20_000) }))?.status).toBe(200);
    const answer = await target.send({ path: `/scim/Users/${target.userId}` });
    expect(answer?.body).not.toContain('emails');
  });

  it('are added twice and removed where elements have no value', async () => {
    expect((await patch({ op: 'add', path: 'addresses', value: addresses(20_000) }))?.status).toBe(200);
    expect((await patch({ op: 'add', path: 'addresses', value: addresses(20_000).toReversed() }))?.status).toBe(200);
    const answer = await target.send({ path: `/scim/Users/${target.userId}` });
    expect(JSON.parse(answer?.body ?? '').addresses.length).toBe(20_000);
    const remove = { op: 'remove', path: 'addresses', value: addresses(20_000).toReversed() };
    expect((await patch(remove))?.status).toBe(200);
  });
});

describe('lists of 150,000 elements', () => {
  it('are more than a call takes arguments, and are created all the same', async () => {
    const body = JSON.stringify({ userName: 'long', emails: emails(150_000) });
    const answer = await target.send({ path: '/scim/Users?attributes=userName', body });
    expect(answer?.status, answer?.body.slice(0, 500)).toBe(201);
  });
});
