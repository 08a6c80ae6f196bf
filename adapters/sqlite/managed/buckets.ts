import type { Statements } from '../database.js';

/** Records are counted in runs of so many sequence numbers. */
const runLength = 1024;

export function countRecords(statements: Statements, scope: number): number {
  const [count] = statements.rows('SELECT sum(count) FROM bucket WHERE scope = ?').get(scope) as [number | null];
  return count ?? 0;
}

/** Counts a record in (`by` 1) or out (`by` -1). */
export function countIn(statements: Statements, scope: number, seq: number, by: 1 | -1): void {
  statements
    .get(
      'INSERT INTO bucket (scope, run, count) VALUES (?, ?, ?) ' +
        'ON CONFLICT (scope, run) DO UPDATE SET count = count + excluded.count',
    )
    .run(scope, Math.floor(seq / runLength), by);
}

/** Where the record at an offset is: the page starts so many records after the first from this sequence number on. */
export function locate(
  statements: Statements,
  scope: number,
  offset: number,
): { readonly fromSeq: number; readonly skip: number } {
  if (offset < runLength) return { fromSeq: 0, skip: offset };
  const runs = statements
    .rows('SELECT run, count FROM bucket WHERE scope = ? ORDER BY run')
    .all(scope) as readonly (readonly [run: number, count: number])[];
  let before = 0;
  for (const [run, count] of runs) {
    if (before + count > offset) return { fromSeq: run * runLength, skip: offset - before };
    before += count;
  }
  return { fromSeq: Number.MAX_SAFE_INTEGER, skip: 0 };
}
