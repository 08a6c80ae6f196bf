import type { Condition, FieldUse, FilterOp } from '../../../src/backend/adapter.js';
import { assertNever } from '../../../src/scim/assert-never.js';
import { keyOf } from '../../../src/scim/comparison.js';
import type { CompareValue } from '../../../src/scim/filter.js';
import { type CompiledCondition, never, type Selection } from './compiled-condition.js';
import { unknownChild } from './element-condition.js';
import { column, type KeyTest, keyTest, type Reach } from './key-test.js';
import type { InverseField, LinkField, ManagedEntity } from './layout.js';
import { joined, type Sql, sql } from './sql.js';

/** A test of one row `l` of `link`, or of the record `o` that refers. */
export type RowTest = { readonly kind: 'never' } | { readonly kind: 'always' } | ({ readonly kind: 'test' } & KeyTest);

const always: RowTest = { kind: 'always' };
const idUse: Pick<FieldUse, 'type' | 'comparison'> = { type: 'string', comparison: 'exact' };

/** `members eq "…"`, where values are the ids themselves. */
export function compileLinkTest(field: LinkField, op: FilterOp, literal: CompareValue): CompiledCondition {
  const key = keyTest(column('l.key'), { type: 'string', comparison: field.comparison }, op, literal);
  return key === undefined ? never : linkCondition(field, { kind: 'test', ...key });
}

/** `members[value eq "…" and type eq "User"]`: one row meets it all. */
export function compileLinkCondition(field: LinkField, condition: Condition): CompiledCondition {
  return linkCondition(field, compileLinkRow(field, condition));
}

/** @param condition in negation normal form */
export function compileLinkRow(field: LinkField, condition: Condition): RowTest {
  return compileRow(condition, (name, op, literal) => {
    const use = field.use.children?.find((child) => child.name === name);
    if (use === undefined) throw unknownChild(field.use.name, name);
    if (name === field.child) return keyTest(column('l.key'), use, op, literal);
    const key = keyTest(sql`rest_key(l.rest, ${name}, ${use.comparison})`, use, op, literal);
    if (key === undefined) return undefined;
    const isThere = op === 'pr' ? sql`rest_key(l.rest, ${name}, ${use.comparison}) IS NOT NULL AND ` : sql``;
    return { test: sql`(${isThere}${key.test}) IS TRUE`, reach: 'all' };
  });
}

function linkCondition(field: LinkField, row: RowTest): CompiledCondition {
  if (row.kind === 'never') return never;
  const test = row.kind === 'test' ? sql` AND ${row.test}` : sql``;
  const reach = row.kind === 'test' ? row.reach : 'all';
  const selection: Selection = {
    query: sql`SELECT DISTINCT l.owner AS seq FROM link l WHERE l.field = ${field.id}${test}`,
    reach,
    isUnique: false,
    probe: sql`SELECT 1 FROM link l WHERE l.field = ${field.id}${test}`,
  };
  return {
    kind: 'test',
    test: sql`EXISTS (SELECT 1 FROM link l WHERE l.owner = c.seq AND l.field = ${field.id}${test})`,
    selections: [selection],
  };
}

/** `groups eq "…"`, where values are the ids of the records that refer to this one. */
export function compileInverseTest(
  entity: ManagedEntity,
  field: InverseField,
  op: FilterOp,
  literal: CompareValue,
): CompiledCondition {
  const key = keyTest(column('o.id'), idUse, op, literal);
  return key === undefined ? never : inverseCondition(entity, field, { kind: 'test', ...key });
}

export function compileInverseCondition(
  entity: ManagedEntity,
  field: InverseField,
  condition: Condition,
): CompiledCondition {
  const row = compileRow(condition, (name, op, literal) =>
    name === field.child ? keyTest(column('o.id'), idUse, op, literal) : undefined,
  );
  return inverseCondition(entity, field, row);
}

function inverseCondition(entity: ManagedEntity, { link }: InverseField, row: RowTest): CompiledCondition {
  if (row.kind === 'never') return never;
  const test = row.kind === 'test' ? row.test : sql`TRUE`;
  const reach: Reach = row.kind === 'test' ? row.reach : 'all';
  const isPoint = reach === 'point';
  const order = column(
    isPoint ? 'record o CROSS JOIN link l CROSS JOIN record r' : 'link l CROSS JOIN record o CROSS JOIN record r',
  );
  const rows = sql`o.seq = l.owner AND l.field = ${link.id} AND ${test}`;
  const key = heldKey(entity, link);
  const selection: Selection = {
    query: sql`SELECT DISTINCT r.seq AS seq FROM ${order} WHERE ${rows} AND r.id = l.key AND r.scope = ${entity.scope}`,
    reach,
    isUnique: false,
    probe: sql`SELECT 1 FROM ${column(isPoint ? 'record o CROSS JOIN link l' : 'link l CROSS JOIN record o')} WHERE ${rows}`,
  };
  const correlated = column(
    isPoint ? 'record r CROSS JOIN record o CROSS JOIN link l' : 'record r CROSS JOIN link l CROSS JOIN record o',
  );
  return {
    kind: 'test',
    test: sql`EXISTS (SELECT 1 FROM ${correlated} WHERE r.seq = c.seq AND ${rows} AND l.key = ${key.sql})`,
    selections: key.isId ? [selection] : [],
  };
}

/** The key by which a link names the record `r`. */
function heldKey(entity: ManagedEntity, { by, comparison }: LinkField): { readonly sql: Sql; readonly isId: boolean } {
  if (by !== '$id' && by !== entity.idField) {
    return { sql: sql`comparison_key(json_extract(r.doc, ${`$."${by}"`}), ${comparison})`, isId: false };
  }
  // Ids made here are their own keys: lower case, behind the prefix.
  const { idField, idPrefix } = entity;
  const isId =
    by === '$id' && (comparison === 'exact' || (idField === undefined && keyOf(comparison, idPrefix) === idPrefix));
  if (isId) return { sql: column('r.id'), isId };
  const id = by === '$id' ? column('r.id') : column(`substr(r.id, ${idPrefix.length + 1})`);
  return { sql: sql`comparison_key(${id}, ${comparison})`, isId };
}

type PartTest = (name: string, op: FilterOp, literal: CompareValue) => KeyTest | undefined;

function compileRow(condition: Condition, part: PartTest): RowTest {
  switch (condition.kind) {
    case 'compare':
    case 'present': {
      const test =
        condition.kind === 'present'
          ? part(condition.path, 'pr', null)
          : part(condition.path, condition.op === 'ne' ? 'eq' : condition.op, condition.value);
      return test === undefined ? { kind: 'never' } : { kind: 'test', ...test };
    }
    case 'not': {
      const operand = compileRow(condition.operand, part);
      if (operand.kind === 'never') return always;
      return operand.kind === 'always'
        ? { kind: 'never' }
        : { kind: 'test', test: sql`NOT (${operand.test})`, reach: 'all' };
    }
    case 'and':
    case 'or': {
      const operands = condition.operands.map((operand) => compileRow(operand, part));
      return condition.kind === 'and' ? everyOf(operands) : anyOf(operands);
    }
    case 'valuePath':
      return { kind: 'never' };
    default:
      return assertNever(condition);
  }
}

function everyOf(operands: readonly RowTest[]): RowTest {
  if (operands.some(({ kind }) => kind === 'never')) return { kind: 'never' };
  const tests = operands.flatMap((operand) => (operand.kind === 'test' ? [operand] : []));
  if (tests.length === 0) return always;
  const reach = tests.some((test) => test.reach === 'point') ? 'point' : 'all';
  return { kind: 'test', test: joinedTests(tests, ' AND '), reach };
}

function anyOf(operands: readonly RowTest[]): RowTest {
  if (operands.some(({ kind }) => kind === 'always')) return always;
  const tests = operands.flatMap((operand) => (operand.kind === 'test' ? [operand] : []));
  return tests.length === 0 ? { kind: 'never' } : { kind: 'test', test: joinedTests(tests, ' OR '), reach: 'all' };
}

function joinedTests(tests: readonly KeyTest[], separator: string): Sql {
  const parts = tests.map(({ test }) => test);
  return sql`(${joined(parts, separator)})`;
}
