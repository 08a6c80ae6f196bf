import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { syncedBefore } from './system-calls.js';

const script = fileURLToPath(new URL('./adapter-child.mjs', import.meta.url));
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'durability-'));
});
afterEach(() => rm(folder, { recursive: true }));

/** What the child said that it had been promised, line by line; it is killed so long after the first promise. */
async function linesUntilKilled(child: ChildProcess, afterMs: number): Promise<readonly string[]> {
  let output = '';
  child.stdout?.on('data', (chunk) => {
    const isFirst = !output.includes('created');
    output += chunk;
    if (isFirst && output.includes('created')) setTimeout(() => child.kill('SIGKILL'), afterMs);
  });
  await once(child, 'close');
  return output.split('\n').slice(1, -1); // the first says that it is ready, and the last is not whole
}

interface Row {
  readonly id: string;
  readonly doc: string;
  readonly revision: number;
  readonly friends: number;
  readonly rows: string;
}

/** All records of the file, each with what other tables have of it. */
function recordsIn(file: string): ReadonlyMap<string, Row> {
  const db = new Database(file);
  try {
    expect(db.pragma('integrity_check', { simple: true })).toBe('ok');
    const rows = db.prepare<[], Row>(
      `SELECT id, doc, revision, (SELECT count(*) FROM link WHERE owner = seq) AS friends,
         (SELECT group_concat(key, ' ' ORDER BY field) FROM value v WHERE v.seq = record.seq) AS rows FROM record`,
    );
    const records = new Map(rows.all().map((row) => [row.id, row]));
    expect(db.prepare('SELECT sum(count) FROM bucket').pluck().get() ?? 0).toBe(records.size);
    return records;
  } finally {
    db.close();
  }
}

describe('durability of the managed store', () => {
  it('keeps every acknowledged write, and nothing by halves, through 20 kills in the middle of a load', async () => {
    const created = new Map<string, string>();
    const updated = new Map<string, number>();
    for (let round = 0; round < 20; round++) {
      const child = spawn(process.execPath, [script, folder, 'load', `r${round}`], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      for (const line of await linesUntilKilled(child, round * 4)) {
        const [what, id = '', detail = ''] = line.split(' ');
        if (what === 'created') created.set(id, detail);
        else updated.set(id, Number(detail));
      }
    }
    expect(created.size).toBeGreaterThan(100);
    const records = recordsIn(join(folder, 'store.db'));
    for (const [id, login] of created) {
      const record = records.get(id);
      expect(record, `${login} was acknowledged`).toBeDefined();
      expect(Number(JSON.parse(record?.doc ?? '{}').first)).toBeGreaterThanOrEqual(updated.get(id) ?? 0);
    }
    for (const { doc, revision, friends, rows } of records.values()) {
      const { login, first, second } = JSON.parse(doc);
      expect(rows).toBe(`${login} ${first} ${second}`);
      expect([Number(first), Number(second), friends]).toEqual([revision - 1, revision - 1, revision - 1]);
    }
  });

  it('answers a write only after its log has reached the disk', async ({ skip }) => {
    const isMissing = spawnSync('strace', ['-V']).error !== undefined;
    if (isMissing && process.env.CI !== undefined) throw new Error('This test needs strace.');
    skip(isMissing, 'strace is not installed');
    const trace = join(folder, 'trace');
    const options = ['-f', '-y', '-s', '16', '-e', 'trace=write,pwrite64,fdatasync,fsync', '-o', trace];
    const child = spawn('strace', [...options, process.execPath, script, folder, 'sequence', 's'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    child.stdout.resume();
    const [code] = await once(child, 'close');
    expect(code).toBe(0);
    const answers = syncedBefore(await readFile(trace, 'utf8'), /store\.db-wal/, /^"(created|updated) /);
    expect(answers).toHaveLength(40);
    expect(answers.every(({ writes, syncs, isSynced }) => writes > 0 && syncs > 0 && isSynced)).toBe(true);
  });
});
