import type { FieldUse, FilterOp } from '../../../src/backend/adapter.js';
import type { CompareValue } from '../../../src/scim/filter.js';
import { indexKey } from './document.js';
import { Sql, sql } from './sql.js';
import { loneSurrogate } from './values.js';

/** How much of an index a test walks through: one place, a range of it, or all of the field's part. */
export type Reach = 'point' | 'range' | 'all';

export interface KeyTest {
  readonly test: Sql;
  readonly reach: Reach;
}

const lastCharacter = 0x10ffff;

/**
 * `column op literal`, where the column holds comparison keys and is never NULL.
 * @returns undefined when no key can ever match
 */
export function keyTest(
  column: Sql,
  use: Pick<FieldUse, 'type' | 'comparison'>,
  op: FilterOp,
  literal: CompareValue,
): KeyTest | undefined {
  if (op === 'pr') return { test: sql`${column} IS NOT ''`, reach: 'all' };
  const key = indexKey(use, literal);
  if (key === null || (typeof key === 'string' && loneSurrogate.test(key))) return undefined;
  switch (op) {
    case 'eq':
      return { test: sql`${column} = ${key}`, reach: 'point' };
    case 'gt':
      return { test: sql`${column} > ${key}`, reach: 'range' };
    case 'ge':
      return { test: sql`${column} >= ${key}`, reach: 'range' };
    case 'lt':
      return { test: sql`${column} < ${key}`, reach: 'range' };
    case 'le':
      return { test: sql`${column} <= ${key}`, reach: 'range' };
  }
  return typeof key === 'string' ? partTest(column, op, key) : undefined;
}

function partTest(column: Sql, op: 'co' | 'sw' | 'ew', part: string): KeyTest {
  if (part === '') return { test: sql`${column} IS NOT NULL`, reach: 'all' };
  switch (op) {
    case 'sw': {
      const end = endOfPrefix(part);
      const test = end === undefined ? sql`${column} >= ${part}` : sql`(${column} >= ${part} AND ${column} < ${end})`;
      return { test, reach: 'range' };
    }
    case 'ew': {
      // As bytes: text functions stop at a NUL. In UTF-8 no character ends within another.
      const bytes = Buffer.byteLength(part);
      return { test: sql`substr(CAST(${column} AS BLOB), ${-bytes}) = CAST(${part} AS BLOB)`, reach: 'all' };
    }
    case 'co':
      return { test: sql`instr(${column}, ${part}) > 0`, reach: 'all' };
  }
}

/** The first text after all those that start with the prefix. */
function endOfPrefix(prefix: string): string | undefined {
  const characters = [...prefix];
  for (let last = characters.pop(); last !== undefined; last = characters.pop()) {
    const code = last.codePointAt(0) ?? 0;
    if (code < lastCharacter) return characters.join('') + String.fromCodePoint(code === 0xd7ff ? 0xe000 : code + 1);
  }
  return undefined;
}

/** Text of one column, without parameters. */
export function column(name: string): Sql {
  return new Sql(name, []);
}
