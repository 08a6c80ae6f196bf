import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { recordAct } from '../../src/transactions/acts.js';
import { openTransactionWriter } from '../../src/transactions/open-transactions.js';
import { describeOnPostgresql } from '../state/state-places.js';
import { startTcpFaultProxy, type TcpFaultProxy } from '../support/tcp-fault-proxy.js';
import { Recording, someId } from './recording.js';

await describeOnPostgresql('transactions', (fixture) => {
  let recording: Recording;
  const others: Recording[] = [];
  beforeEach(() => {
    recording = new Recording(fixture.place);
  });
  afterEach(async () => {
    for (const other of [recording, ...others.splice(0)]) await other.end();
  });

  it('of several replicas are followed without one left out, whichever is written when', async () => {
    const recorders = [1, 2, 3].map(() => {
      const other = new Recording(fixture.place);
      others.push(other);
      return { recorder: other.start(), other };
    });
    let last = '';
    const seen = new Set<string>();
    const follow = async (): Promise<number> => {
      const more = await recording.find({ afterId: last });
      for (const { id } of more) {
        expect(seen.has(id)).toBe(false);
        seen.add(id);
      }
      last = more.at(-1)?.id ?? last;
      return more.length;
    };
    for (let round = 0; round < 20; round++) {
      for (const { recorder, other } of recorders) {
        for (let count = 0; count < 25; count++) recorder.finished(other.noted({ resourceId: someId }), 200);
      }
      const flushed = Promise.all(recorders.map(({ recorder }) => recorder.flush()));
      await follow();
      await flushed;
    }
    while ((await follow()) > 0);
    expect(seen.size).toBe(1500);
    expect((await recording.activity()).get('corp')?.counts.ok).toBe(1500);
  });

  it('wait while the database is away, and are written once when it is back', async () => {
    const recorder = recording.start();
    recorder.finished(recording.noted(), 200);
    await recorder.flush();
    await fixture.server.stop();
    try {
      recorder.finished(recording.noted(), 200);
      await expect(recorder.flush()).rejects.toThrow(/could not be written/);
      recorder.finished(recording.noted(), 200);
    } finally {
      await fixture.server.restart();
    }
    await recorder.flush();
    expect((await recording.find()).map(({ requestId }) => requestId)).toEqual(['request-3', 'request-2', 'request-1']);
    expect(recording.said).toHaveLength(1);
    expect(JSON.stringify(recording.said)).not.toContain(fixture.server.password);
  });

  it('keep a text that PostgreSQL has no room for, without what it cannot hold', async () => {
    const recorder = recording.start();
    recorder.finished(recording.noted({ reason: 'zero \0 and half \ud800 of a pair', resourceId: 'a\\u0000' }), 200);
    recorder.finished(recording.noted({ backend: ['SELECT \0', 1] }), 200);
    await recorder.flush();
    const [second, first] = await recording.find();
    expect(first).toMatchObject({ reason: 'zero \ufffd and half \ufffd of a pair', resourceId: 'a\\u0000' });
    expect(second?.backend).toEqual([{ operation: 'SELECT \ufffd', durationMs: 1 }]);
    expect(recording.said).toEqual([]);
  });

  it('are not lost with one among them that cannot be stored', async () => {
    await recordAct(fixture.place, { gateway: 'corp', operation: 'token create', meant: [] });
    await fixture.database.run(
      "ALTER TABLE scimbridge.transactions ADD CHECK (request_id <> 'request-2'), ADD CHECK (operation <> 'reload')",
    );
    const recorder = recording.start();
    for (let count = 0; count < 4; count++) recorder.finished(recording.noted(), 200);
    recorder.act({ gateway: 'corp', operation: 'reload', meant: [] });
    recorder.finished(recording.noted(), 200);
    await recorder.flush();
    const found = (await recording.find({ outcome: ['ok'] })).map(({ requestId }) => requestId);
    expect(found).toEqual(['request-5', 'request-4', 'request-3', 'request-1']);
    expect((await recording.activity()).get('corp')?.counts.ok).toBe(5);
    await recorder.close();
    expect(recording.said.reduce((sum, { fields }) => sum + fields.lost, 0)).toBe(2);
  });

  it('are deleted when they are too old, by one replica at a time', async () => {
    await recordAct(fixture.place, { gateway: 'corp', operation: 'token create', meant: [] });
    const oldMs = Date.now() - 8 * 86_400_000;
    await fixture.database.run(
      `INSERT INTO scimbridge.transactions (at, duration_us, gateway, operation, outcome, status, request_id, hashes)
       SELECT ${oldMs}, 0, 'corp', 'read', 'ok', 200, 'old', ARRAY[n] FROM generate_series(1, 1600) AS n`,
    );
    const writers = [await openTransactionWriter(fixture.place), await openTransactionWriter(fixture.place)];
    try {
      const results = await Promise.all(writers.map((writer) => writer.deleteSome(Date.now() - 7 * 86_400_000)));
      expect(results).toContain(true);
    } finally {
      for (const writer of writers) await writer.close();
    }
    recording.start(7);
    const other = new Recording(fixture.place);
    others.push(other);
    other.start(7);
    while ((await recording.find({ requestId: 'old' })).length > 0) await delay(20);
    expect(await recording.find()).toHaveLength(1);
  });
});

await describeOnPostgresql('transactions over a network that fails', (fixture) => {
  let proxy: TcpFaultProxy;
  let recording: Recording;
  beforeEach(async () => {
    proxy = await startTcpFaultProxy(fixture.server);
    const database = { ...fixture.place.database, port: proxy.port };
    recording = new Recording({ dataDir: '/nowhere', database });
  });
  afterEach(async () => {
    proxy.heal();
    await recording.end();
    await proxy.close();
  });

  it.each(['cut', 'silence'] as const)(
    'are written once when the answer to their commit is lost (%s)',
    async (by) => {
      const recorder = recording.start();
      recorder.finished(recording.noted(), 200);
      await recorder.flush();
      // The deletion of old ones may be the first to come across it.
      const fault = proxy.inject({ when: 'COMMIT', kind: 'loseAnswer', by }, 2);
      for (let count = 0; count < 10; count++) recorder.finished(recording.noted(), 200);
      await fault.happened;
      for (let isWritten = false; !isWritten; ) {
        isWritten = await recorder.flush().then(
          () => true,
          () => delay(100).then(() => false),
        );
      }
      const ids = (await recording.find()).map(({ requestId }) => requestId);
      expect(ids).toHaveLength(11);
      expect(new Set(ids).size).toBe(11);
      expect((await recording.activity()).get('corp')?.counts.ok).toBe(11);
      expect(fault.hits).toBe(2);
    },
    90_000,
  );
});
