import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { recordAct } from '../../src/transactions/acts.js';
import { readActivity } from '../../src/transactions/sqlite/search.js';
import { Recording } from './recording.js';

let recording: Recording;
const children: ChildProcess[] = [];
beforeEach(() => {
  recording = new Recording();
});
afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  await recording.end();
});

function start(mark: string, count: number, end: 'closed' | 'killed'): ChildProcess {
  const script = join(import.meta.dirname, 'record-child.mjs');
  const child = spawn(process.execPath, [script, recording.dataDir, mark, String(count), end], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  return child;
}

describe('transactions of several processes', () => {
  it('are all there when the processes wrote at the same time, and a command did too', async () => {
    const ended = ['a', 'b'].map((mark) => once(start(mark, 3000, 'closed'), 'exit'));
    const problems: (string | undefined)[] = [];
    for (let count = 0; count < 20; count++) {
      problems.push(await recordAct(recording.place, { gateway: 'corp', operation: 'token create', meant: [] }));
    }
    expect(await Promise.all(ended)).toEqual([
      [0, null],
      [0, null],
    ]);
    expect(problems.filter((problem) => problem !== undefined)).toEqual([]);
    const found = recording.search();
    expect(found).toHaveLength(6020);
    expect(new Set(found.map(({ id }) => id)).size).toBe(6020);
    expect(readActivity(recording.dataDir).get('corp')?.counts.ok).toBe(6000);
  });

  it('are lost by a kill -9 only where they were less than half a second old, and the file opens', async () => {
    const child = start('k', 1_000_000, 'killed');
    const reports: { finished: number; atMs: number }[] = [];
    for await (const line of createInterface({ input: child.stdout! })) {
      const [finished, atMs] = line.split(' ').map(Number);
      reports.push({ finished: finished ?? 0, atMs: atMs ?? 0 });
      if (Number(atMs) - (reports[0]?.atMs ?? 0) > 1200) child.kill('SIGKILL');
    }
    const killedAtMs = reports.at(-1)?.atMs ?? 0;
    // A quarter of a second, and as much again for a machine on which the thread has to wait for its turn.
    const old = reports.filter(({ atMs }) => atMs < killedAtMs - 500).at(-1)?.finished ?? 0;
    const found = new Set(recording.search().map(({ requestId }) => requestId));
    expect(old).toBeGreaterThan(100);
    for (let request = 0; request < old; request++) expect(found.has(`k-${request}`)).toBe(true);

    const recorder = recording.start();
    recorder.finished(recording.noted(), 200);
    await recorder.flush();
    expect(recording.search({ requestId: 'request-1' })).toHaveLength(1);
  });
});
