import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { CreateStore, Store } from '../../adapters/sqlite/store.js';
import type { WorkerReply } from '../../adapters/sqlite/worker-client.js';
import { type WriteCall, Writer } from '../../adapters/sqlite/writer.js';
import { AdapterError } from '../../src/backend/adapter-error.js';
import { expectKind } from '../contract/contract-fixture.js';
import { context, openManaged, testFolder } from './managed-fixture.js';

const unused = (): never => {
  throw new Error('not used here');
};

/** Creates rows of `t`; a name says what goes wrong. */
const createStore: CreateStore = (db): Store => ({
  capabilities: {},
  get: unused,
  search: unused,
  isScan: unused,
  lookup: unused,
  update: unused,
  delete: unused,
  inspect: unused,
  describe: unused,
  create(_entity, { name, parent }) {
    db.prepare('INSERT INTO t (name, parent) VALUES (?, ?)').run(name, parent ?? null);
    if (name === 'refused') throw new AdapterError('rejected', 'no');
    if (name === 'lost') db.exec('ROLLBACK'); // as SQLite does by itself when the disk is full
    if (name === 'lost') throw new Error('the transaction is gone');
    return { $id: String(name) };
  },
});

async function openWriter() {
  const file = join(await testFolder(), 'rows.db');
  const db = new Database(file);
  onTestFinished(() => {
    db.close();
  });
  db.pragma('journal_mode = WAL');
  db.exec('CREATE TABLE t (name TEXT UNIQUE, parent TEXT REFERENCES t (name) DEFERRABLE INITIALLY DEFERRED)');
  const replies: WorkerReply[] = [];
  const clock = { now: 0 };
  const send = (some: readonly WorkerReply[]): void => {
    replies.push(...some);
  };
  const definition = { kind: 'managed', file, gateway: 'g', entities: [] } as const;
  const writer = new Writer(definition, createStore, send, () => clock.now);
  onTestFinished(() => writer.finish(() => undefined));
  const write = (names: readonly string[], parent?: string) => {
    const call = (name: string): WriteCall => {
      const record = parent === undefined ? { name } : { name, parent };
      return { kind: 'create', entity: 't', record, options: { fields: [] } };
    };
    writer.add(names.map((name, index) => ({ id: index, call: call(name) })));
  };
  const names = () => db.prepare('SELECT name FROM t ORDER BY name').pluck().all();
  return { db, file, writer, replies, write, names, clock };
}

const kinds = (replies: readonly WorkerReply[]) =>
  [...replies]
    .sort((a, b) => a.id - b.id)
    .map((reply) => ('error' in reply ? `${reply.error.kind} ${reply.error.details.applied}` : 'done'));

/** Frames of the write-ahead log that end a transaction. */
async function commitsIn(file: string): Promise<number> {
  const log = await readFile(`${file}-wal`);
  const [headerBytes, frameHeaderBytes] = [32, 24];
  const pageBytes = log.readUInt32BE(8);
  let commits = 0;
  for (let at = headerBytes; at + frameHeaderBytes <= log.length; at += frameHeaderBytes + pageBytes) {
    if (log.readUInt32BE(at + 4) > 0) commits += 1;
  }
  return commits;
}

describe('the writer', () => {
  it('carries out all writes that wait in one transaction', async () => {
    const { file, writer, write, replies } = await openWriter();
    const before = await commitsIn(file);
    write(Array.from({ length: 100 }, (_, n) => `n${n}`));
    writer.run();
    expect(kinds(replies)).toEqual(Array(100).fill('done'));
    expect(await commitsIn(file)).toBe(before + 1);
  });

  it('rolls back alone what fails, and commits the others', async () => {
    const { writer, write, replies, names } = await openWriter();
    write(['a', 'refused', 'b', 'a', 'c']);
    writer.run();
    expect(kinds(replies)).toEqual(['done', 'rejected no', 'done', 'conflict no', 'done']);
    expect(names()).toEqual(['a', 'b', 'c']);
  });

  it('finds out which write a constraint forbids that is checked at the end', async () => {
    const { writer, write, replies, names } = await openWriter();
    write(['a', 'b']);
    write(['c'], 'nobody');
    writer.run();
    expect(kinds(replies)).toEqual(['done', 'rejected no', 'done']);
    expect(names()).toEqual(['a', 'b']);
  });

  it('answers that nothing was done when the database gives up the transaction, and goes on', async () => {
    const { writer, write, replies, names } = await openWriter();
    write(['a', 'lost', 'b']);
    writer.run();
    await expect.poll(() => replies.length).toBe(3);
    expect(kinds(replies)).toEqual(['unavailable no', 'unavailable no', 'done']);
    expect(names()).toEqual(['b']);
  });

  it('waits while another process writes', async () => {
    const { db, writer, write, replies } = await openWriter();
    db.exec('BEGIN IMMEDIATE');
    write(['a']);
    writer.run();
    expect(replies).toEqual([]);
    db.exec('COMMIT');
    await expect.poll(() => kinds(replies)).toEqual(['done']);
  });

  it('gives up in the end when the other process does not', async () => {
    const { db, writer, write, replies, clock } = await openWriter();
    db.exec('BEGIN IMMEDIATE');
    write(['a']);
    writer.run();
    clock.now = 60_000;
    await expect.poll(() => kinds(replies)).toEqual(['unavailable no']);
    db.exec('ROLLBACK');
  });

  it('leaves out a waiting write that nobody wants any more', async () => {
    const { db, writer, write, replies, names } = await openWriter();
    db.exec('BEGIN IMMEDIATE');
    write(['a', 'b']);
    writer.run();
    writer.cancel(0);
    db.exec('COMMIT');
    await expect.poll(() => kinds(replies)).toEqual(['unavailable no', 'done']);
    expect(names()).toEqual(['b']);
  });
});

describe('a write through the adapter', () => {
  it('is given up when its caller is gone while another process writes, and was not applied', async () => {
    const folder = await testFolder();
    const adapter = await openManaged(folder);
    await adapter.create('people', { login: 'first' }, { fields: [] }, context());
    const other = new Database(join(folder, 'store.db'));
    onTestFinished(() => {
      other.close();
    });
    other.exec('BEGIN IMMEDIATE');
    const gone = AbortSignal.timeout(60);
    const error = await expectKind(
      adapter.create('people', { login: 'a' }, { fields: [] }, context(gone)),
      'unavailable',
    );
    expect(error.applied).toBe('no');
    const read = await adapter.search({ entity: 'people', fields: [], limit: 5, wantTotal: true }, context());
    expect(read.total).toBe(1); // reads go on
    other.exec('ROLLBACK');
    await adapter.create('people', { login: 'a' }, { fields: [] }, context());
  });
});
