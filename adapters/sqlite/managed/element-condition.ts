import type { Condition } from '../../../src/backend/adapter.js';
import { AdapterError } from '../../../src/backend/adapter-error.js';
import { assertNever } from '../../../src/scim/assert-never.js';
import { bestOf, type CompiledCondition, never, type Selection } from './compiled-condition.js';
import { column, type KeyTest, keyTest, type Reach } from './key-test.js';
import type { RecordsField } from './layout.js';
import { joined, type Sql, sql } from './sql.js';

/** What must hold for one child record, whose row is `e`. */
type ElementTest =
  | { readonly kind: 'never' }
  | { readonly kind: 'always' }
  | {
      readonly kind: 'test';
      readonly test: Sql;
      /** Index rows, instead of all child records, to start from. */
      readonly starts: readonly Start[];
    };

interface Start {
  /** Selects the rows `e`. */
  readonly rows: Sql;
  /** What else must hold for them. */
  readonly rest: readonly Sql[];
  readonly reach: Reach;
  readonly isUnique: false;
}

/** One and the same child record meets the whole condition (RFC 7644 §3.4.2.2, grouping by brackets). */
export function compileElementCondition(field: RecordsField, condition: Condition): CompiledCondition {
  const element = compileElement(field, condition);
  if (element.kind === 'never') return never;
  const every: Start = {
    rows: sql`e.field = ${field.id}`,
    rest: element.kind === 'test' ? [element.test] : [],
    reach: 'all',
    isUnique: false,
  };
  const starts = element.kind === 'test' && element.starts.length > 0 ? element.starts : [every];
  const best = bestOf(starts) ?? every;
  return {
    kind: 'test',
    test: sql`EXISTS (SELECT 1 FROM value e WHERE e.seq = c.seq AND ${allOf(best)})`,
    selections: starts.map(
      (start): Selection => ({
        query: sql`SELECT DISTINCT e.seq AS seq FROM value e WHERE ${allOf(start)}`,
        reach: start.reach,
        isUnique: false,
        probe: sql`SELECT 1 FROM value e WHERE ${start.rows}`,
      }),
    ),
  };
}

function allOf({ rows, rest }: Start): Sql {
  return joined([rows, ...rest], ' AND ');
}

function compileElement(field: RecordsField, condition: Condition): ElementTest {
  switch (condition.kind) {
    case 'compare':
    case 'present': {
      const part = field.children.get(condition.path);
      if (part === undefined) throw unknownChild(field.use.name, condition.path);
      const on = (key: Sql): KeyTest | undefined =>
        condition.kind === 'present'
          ? keyTest(key, part.use, 'pr', null)
          : keyTest(key, part.use, condition.op === 'ne' ? 'eq' : condition.op, condition.value);
      return compilePart(part.id, on);
    }
    case 'not': {
      const operand = compileElement(field, condition.operand);
      if (operand.kind === 'never') return { kind: 'always' };
      return operand.kind === 'always'
        ? { kind: 'never' }
        : { kind: 'test', test: sql`NOT ${operand.test}`, starts: [] };
    }
    case 'and':
      return compileAnd(condition.operands.map((operand) => compileElement(field, operand)));
    case 'or':
      return compileOr(condition.operands.map((operand) => compileElement(field, operand)));
    case 'valuePath':
      return { kind: 'never' }; // child records have no children
    default:
      return assertNever(condition);
  }
}

function compilePart(id: number, on: (key: Sql) => KeyTest | undefined): ElementTest {
  const inner = on(column('b.key'));
  const start = on(column('e.key'));
  if (inner === undefined || start === undefined) return { kind: 'never' };
  return {
    kind: 'test',
    test: sql`EXISTS (SELECT 1 FROM value b WHERE b.seq = e.seq AND b.field = ${id} AND b.ord = e.ord AND ${inner.test})`,
    starts: [{ rows: sql`e.field = ${id} AND ${start.test}`, rest: [], reach: start.reach, isUnique: false }],
  };
}

function compileAnd(operands: readonly ElementTest[]): ElementTest {
  if (operands.some(({ kind }) => kind === 'never')) return { kind: 'never' };
  const parts = operands.flatMap((operand) => (operand.kind === 'test' ? [operand] : []));
  if (parts.length === 0) return { kind: 'always' };
  const starts = parts.flatMap((part) => {
    const others = parts.filter((other) => other !== part).map(({ test }) => test);
    return part.starts.map((start) => ({ ...start, rest: [...start.rest, ...others] }));
  });
  const tests = parts.map(({ test }) => test);
  return { kind: 'test', test: sql`(${joined(tests, ' AND ')})`, starts };
}

function compileOr(operands: readonly ElementTest[]): ElementTest {
  if (operands.some(({ kind }) => kind === 'always')) return { kind: 'always' };
  const tests = operands.flatMap((operand) => (operand.kind === 'test' ? [operand.test] : []));
  if (tests.length === 0) return { kind: 'never' };
  return { kind: 'test', test: sql`(${joined(tests, ' OR ')})`, starts: [] };
}

export function unknownChild(field: string, child: string): AdapterError {
  return new AdapterError('unsupported', `"${field}" has no child field "${child}".`, { field });
}
