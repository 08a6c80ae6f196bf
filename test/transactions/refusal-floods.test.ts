import { describe, expect, it } from 'vitest';
import { BatchDecoder, BatchEncoder, type NotedRequest } from '../../src/transactions/batch.js';
import { RefusalFloods } from '../../src/transactions/refusal-floods.js';
import { RequestRecord } from '../../src/transactions/request-record.js';

/** A refused request at a second, as it arrives in the thread. */
function refused(second: number, differs: Partial<NotedRequest> = {}): NotedRequest {
  const record = new RequestRecord('corp', 'r', 'GET', 'collection', 0);
  record.address = '192.0.2.1';
  record.reason = 'expired';
  const finished = { record, status: 401, endedAtMs: 1, recordsValues: false, bodyLeftOut: 0, repeats: 0 };
  const [request] = new BatchDecoder().decode(new BatchEncoder().encode([finished]));
  return { ...(request as NotedRequest), atMs: second * 1000, ...differs };
}

describe('RefusalFloods', () => {
  it('tells the first of each minute, and how many more there were once the minute is over', () => {
    const floods = new RefusalFloods();
    const told = [0, 1, 2, 59, 60, 61, 130].filter((second) => floods.add(refused(second)) !== undefined);
    expect(told).toEqual([0, 60, 130]);
    expect(floods.take(131_000, 'over')).toMatchObject([
      { at: 1000, count: 3, durationUs: 58_000_000 },
      { at: 61_000, count: 1 },
    ]);
    expect(floods.take(1_000_000, 'over')).toEqual([]);
  });

  it('tells what is counted so far when it has to, and goes on counting', () => {
    const floods = new RefusalFloods();
    for (const second of [0, 1, 2]) floods.add(refused(second));
    expect(floods.take(3000, 'over')).toEqual([]);
    expect(floods.take(3000, 'all')).toMatchObject([{ count: 2 }]);
    expect(floods.add(refused(4))).toBeUndefined();
    expect(floods.take(5000, 'all')).toMatchObject([{ at: 4000, count: 1 }]);
  });

  it.each<[string, Partial<NotedRequest>]>([
    ['gateway', { gateway: 'lab' }],
    ['address', { address: '192.0.2.2' }],
    ['caller', { caller: 'token:x' }],
    ['reason', { reason: 'unknown' }],
    ['status', { status: 403 }],
  ])('tells those of another %s apart', (_, differs) => {
    const floods = new RefusalFloods();
    floods.add(refused(0));
    expect(floods.add(refused(1, differs))).toBeDefined();
  });

  it('counts every one, however many kinds there are, in bounded memory and few rows', () => {
    const floods = new RefusalFloods();
    let told = 0;
    for (let count = 0; count < 50_000; count++) {
      const differs = { address: `2001:db8::${count % 9000}`, gateway: `g${count % 3}`, repeats: count % 2 };
      if (floods.add(refused(count / 1000, differs)) !== undefined) told++;
    }
    const rows = floods.take(1_000_000, 'over');
    const counted = rows.reduce((sum, { count }) => sum + (count ?? 0), 0);
    expect(told + counted).toBe(75_000);
    expect(told + rows.length).toBeLessThan(1500);
  });
});
