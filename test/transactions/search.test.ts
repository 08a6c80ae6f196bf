import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readActivity } from '../../src/transactions/sqlite/search.js';
import type { TransactionQuery } from '../../src/transactions/transaction.js';
import { fromTransactionId, toTransactionId } from '../../src/transactions/transaction-id.js';
import { describeOnStates } from '../state/state-places.js';
import { propertyRuns } from '../support/property-runs.js';
import { Recording, someId } from './recording.js';

const otherId = 'c75ad752-64ae-4823-840d-ffa80929976c';
const body = (values: object): string => JSON.stringify({ schemas: [], ...values });

await describeOnStates('transactions', (fixture) => {
  let recording: Recording;
  beforeEach(() => {
    recording = new Recording(fixture.place);
  });
  afterEach(() => recording.end());

  /** A day of two gateways. Request n is called request-n. */
  async function record(): Promise<void> {
    const recorder = recording.start();
    const nowMs = performance.now();
    const at = (minutesAgo: number) => ({ startedAtMs: nowMs - minutesAgo * 60_000 });
    const finish = (record: ReturnType<Recording['noted']>, minutesAgo: number, status: number) =>
      recorder.finished(Object.assign(record, at(minutesAgo)), status);
    const alice = { body: body({ userName: 'Alice@example.com', externalId: 'a-1' }), resourceId: someId };
    finish(recording.noted({ filter: 'userName eq "alice@example.com"' }, 'GET', 'collection'), 60, 200); // 1
    finish(recording.noted(alice, 'POST', 'collection'), 50, 201); // 2
    finish(recording.noted({ resourceId: someId }, 'GET'), 40, 200); // 3
    finish(recording.noted({ resourceId: otherId, caller: { id: 'client:c1' } }, 'GET'), 30, 404); // 4
    finish(recording.noted({ caller: undefined, reason: 'expired' }, 'GET', 'collection', 'lab'), 20, 401); // 5
    finish(recording.noted({ resourceId: someId }, 'DELETE'), 10, 204); // 6
    finish(recording.noted({ caller: { id: 'token:Entra lab' } }, 'GET', 'resource', 'lab'), 5, 503); // 7
    recorder.act({ gateway: 'corp', operation: 'token create', meant: ['label x'] });
    await recorder.flush();
  }

  const found = async (query: Partial<TransactionQuery>): Promise<readonly string[]> =>
    (await recording.find(query)).map(({ requestId }) => requestId.replace('request-', ''));

  describe('a search', () => {
    it('finds by its id the changes of groups that a resource came to or left', async () => {
      const recorder = recording.start();
      const patch = (op: object) => ({ body: JSON.stringify({ Operations: [op] }), resourceId: otherId });
      for (const op of [
        { op: 'add', path: 'members', value: [{ value: someId, display: 'x' }] },
        { op: 'remove', path: `members[value eq "${someId}"]` },
        { op: 'add', path: 'members', value: [{ value: 'another' }] },
        { op: 'replace', path: 'displayName', value: someId },
      ]) {
        recorder.finished(recording.noted(patch(op), 'PATCH'), 204);
      }
      recorder.finished(recording.noted({ filter: `members.value eq "${someId}"` }, 'GET', 'collection'), 200);
      await recorder.flush();
      expect(await found({ resourceId: someId })).toEqual(['5', '2', '1']);
    });

    it('gives the newest first, as many as asked for', async () => {
      await record();
      expect(await found({})).toEqual(['', '7', '6', '5', '4', '3', '2', '1']);
      expect(await found({ limit: 2 })).toEqual(['', '7']);
    });

    it.each<[string, Partial<TransactionQuery>, readonly string[]]>([
      ['gateway', { gateway: 'lab' }, ['7', '5']],
      ['outcome', { outcome: ['ok'] }, ['6', '3', '2', '1']],
      ['several outcomes', { outcome: ['refused', 'failed'] }, ['7', '5']],
      ['act', { outcome: ['act'] }, ['']],
      ['request id', { requestId: 'request-4' }, ['4']],
      ['caller', { caller: 'client:c1' }, ['4']],
      ['the name of a caller alone', { caller: 'Entra lab' }, ['7']],
      ['resource', { resourceId: someId }, ['6', '3', '2']],
      ['resource that there is not, by its hash', { resourceId: otherId }, ['4']],
      [
        'several conditions',
        { resourceId: someId, outcome: ['ok'], gateway: 'corp', caller: 'Entra' },
        ['6', '3', '2'],
      ],
      ['nothing that matches', { gateway: 'corp', outcome: ['failed'] }, []],
    ])('selects by %s [capabilities-97]', async (_, query, expected) => {
      await record();
      expect(await found(query)).toEqual(expected);
    });

    it('selects by time, from then on and before', async () => {
      await record();
      const ago = (minutes: number): number => Date.now() - minutes * 60_000;
      expect(await found({ fromMs: ago(45), toMs: ago(15) })).toEqual(['5', '4', '3']);
    });

    it("finds what was done to a user, by any of the user's names and in any case", async () => {
      await record();
      // Reads and deletes know the id only; the create tells whose it is.
      for (const user of ['alice@example.com', 'ALICE@EXAMPLE.COM'])
        expect(await found({ user })).toEqual(['6', '3', '2', '1']);
      expect(await found({ user: 'a-1' })).toEqual(['6', '3', '2']);
      expect(await found({ user: 'alice@example.com', gateway: 'lab' })).toEqual([]);
      expect(await found({ user: 'bob' })).toEqual([]);
    });

    it('finds nobody with another key', async () => {
      await record();
      const other = Buffer.alloc(32, 8);
      expect(await recording.find({ user: 'alice@example.com' }, other)).toEqual([]);
    });

    it('follows: what was written after one, oldest first, nothing twice and nothing left out', async () => {
      const recorder = recording.start();
      expect(await recording.find({ afterId: '' })).toEqual([]);
      let last = '';
      const seen: string[] = [];
      for (let round = 0; round < 5; round++) {
        // One that began long ago ends among them: it is not behind the others for that.
        recorder.finished(Object.assign(recording.noted(), { startedAtMs: performance.now() - round * 9_000 }), 200);
        recorder.finished(recording.noted(), 200);
        await recorder.flush();
        const more = await recording.find({ afterId: last, limit: 10 });
        seen.push(...more.map(({ requestId }) => requestId));
        last = more.at(-1)?.id ?? last;
      }
      expect(seen).toEqual(Array.from({ length: 10 }, (_, index) => `request-${index + 1}`));
    });

    it('gives one by its id', async () => {
      await record();
      const [, second] = await recording.find({});
      expect(await recording.find({ id: second?.id ?? '' })).toEqual([second]);
      expect(await recording.find({ id: 'no id' })).toEqual([]);
    });
  });
});

describe('the file of transactions', () => {
  let recording: Recording;
  beforeEach(() => {
    recording = new Recording();
  });
  afterEach(() => recording.end());

  it('makes nothing where there is nothing, and leaves nothing behind', async () => {
    expect(recording.search({})).toEqual([]);
    expect(existsSync(recording.dataDir)).toBe(false);
    const recorder = recording.start();
    recorder.finished(recording.noted(), 200);
    await recorder.close();
    expect(recording.search({})).toHaveLength(1);
    expect(readActivity(recording.dataDir).size).toBe(1);
    expect(readdirSync(recording.dataDir)).toEqual(['transactions.db']);
  });

  it('says what is wrong with a file that cannot be read', () => {
    mkdirSync(recording.dataDir);
    const file = join(recording.dataDir, 'transactions.db');
    writeFileSync(file, 'this is no database, and long enough to be looked at as if it were one. '.repeat(20));
    expect(() => recording.search({})).toThrow(/transactions\.db" cannot be used/);
    writeFileSync(file, '');
    expect(recording.search({})).toEqual([]);
    const db = new Database(file);
    db.pragma('user_version = 99');
    db.close();
    expect(() => recording.search({})).toThrow(/another version of scimbridge/);
  });
});

describe('ids of transactions', () => {
  const part = fc.record({ atMs: fc.nat({ max: 4_102_444_800_000 }), seq: fc.integer({ min: 1, max: 2 ** 48 }) });

  it('sort by time, then by number, and tell both', () => {
    fc.assert(
      fc.property(part, part, (one, other) => {
        const [first, second] = [toTransactionId(one.atMs, one.seq), toTransactionId(other.atMs, other.seq)];
        expect(fromTransactionId(first)).toEqual(one);
        const isBefore = one.atMs < other.atMs || (one.atMs === other.atMs && one.seq < other.seq);
        expect(first < second).toBe(isBefore);
      }),
      { numRuns: propertyRuns(300) },
    );
  });

  it.each(['', 'x', '0mwrdxpsx', '0mwrdxpsx21', '0MWRDXPSX11', '0mwrdxpsx11 '])('%j is none', (text) => {
    expect(fromTransactionId(text)).toBeUndefined();
  });
});
