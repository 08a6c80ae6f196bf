import type { Condition, FieldUse, FilterOp } from '../../../src/backend/adapter.js';
import { assertNever } from '../../../src/scim/assert-never.js';
import { instantKey } from '../../../src/scim/comparison.js';
import type { CompareValue } from '../../../src/scim/filter.js';
import {
  always,
  bestOf,
  type CompiledCondition,
  never,
  type Selection,
  type TestedCondition,
  widestOf,
} from './compiled-condition.js';
import { compileElementCondition } from './element-condition.js';
import { column, keyTest } from './key-test.js';
import { fieldIn, type ManagedEntity, type ValueField } from './layout.js';
import {
  compileInverseCondition,
  compileInverseTest,
  compileLinkCondition,
  compileLinkTest,
} from './link-condition.js';
import { joined, sql } from './sql.js';

const maxUnion = 200;

/** @param condition in negation normal form */
export function compileCondition(condition: Condition, entity: ManagedEntity): CompiledCondition {
  switch (condition.kind) {
    case 'compare':
      return compileTest(entity, condition.path, condition.op === 'ne' ? 'eq' : condition.op, condition.value);
    case 'present':
      return compileTest(entity, condition.path, 'pr', null);
    case 'valuePath':
      return compileValuePath(entity, condition.path, condition.filter);
    case 'not':
      return negated(compileCondition(condition.operand, entity));
    case 'and':
      return compileAnd(condition.operands.map((operand) => compileCondition(operand, entity)));
    case 'or':
      return compileOr(condition.operands.map((operand) => compileCondition(operand, entity)));
    default:
      return assertNever(condition);
  }
}

function negated(operand: CompiledCondition): CompiledCondition {
  if (operand.kind === 'never') return always;
  if (operand.kind === 'always') return never;
  return { kind: 'test', test: sql`NOT ${operand.test}`, selections: [] };
}

function compileAnd(operands: readonly CompiledCondition[]): CompiledCondition {
  if (operands.some(({ kind }) => kind === 'never')) return never;
  const parts = operands.flatMap((operand) => (operand.kind === 'test' ? [operand] : []));
  const [first, ...others] = parts;
  if (first === undefined) return always;
  if (others.length === 0) return first;
  const tests = parts.map(({ test }) => test);
  const best = bestOf(parts.flatMap((part) => part.selections.map((selection) => ({ ...selection, part }))));
  return {
    kind: 'test',
    test: sql`(${joined(tests, ' AND ')})`,
    selections: best === undefined ? [] : [narrowed(best, best.part, parts)],
    parts,
  };
}

/** The records of one operand's selection that meet the others as well. */
export function narrowed(
  selection: Selection,
  operand: TestedCondition,
  operands: readonly TestedCondition[],
): Selection {
  const others = operands.filter((other) => other !== operand).map(({ test }) => test);
  if (others.length === 0) return selection;
  const { query, reach, isUnique, probe } = selection;
  const narrow = sql`SELECT c.seq AS seq FROM (${query}) c WHERE ${joined(others, ' AND ')}`;
  return { query: narrow, reach, isUnique, probe };
}

function compileOr(operands: readonly CompiledCondition[]): CompiledCondition {
  if (operands.some(({ kind }) => kind === 'always')) return always;
  const parts = operands.flatMap((operand) => (operand.kind === 'test' ? [operand] : []));
  const [first, ...others] = parts;
  if (first === undefined) return never;
  if (others.length === 0) return first;
  const test = joined(
    parts.map((part) => part.test),
    ' OR ',
  );
  return { kind: 'test', test: sql`(${test})`, selections: unionOf(parts.map(({ selections }) => bestOf(selections))) };
}

/** The records of all operands, when each can be selected by an index. */
function unionOf(selections: readonly (Selection | undefined)[]): readonly Selection[] {
  const present = selections.filter((selection) => selection !== undefined);
  if (present.length < selections.length || present.length > maxUnion) return [];
  const queries = present.map(({ query }) => query);
  const probes = present.map(({ probe }) => probe);
  return [
    {
      query: joined(queries, ' UNION '),
      reach: widestOf(present.map(({ reach }) => reach)),
      isUnique: false,
      probe: joined(probes, ' UNION ALL '),
    },
  ];
}

function compileValuePath(entity: ManagedEntity, name: string, inner: Condition): CompiledCondition {
  const field = fieldIn(entity, name);
  switch (field.kind) {
    case 'records':
      return compileElementCondition(field, inner);
    case 'link':
      return field.child === undefined ? never : compileLinkCondition(field, inner);
    case 'inverse':
      return field.child === undefined ? never : compileInverseCondition(entity, field, inner);
    case 'value':
    case 'absent':
      return never;
  }
}

function compileTest(entity: ManagedEntity, name: string, op: FilterOp, literal: CompareValue): CompiledCondition {
  if (name === '$id' || name === entity.idField) return compileIdTest(entity, name, op, literal);
  if (name === '$created' || name === '$modified') return compileTimeTest(entity, name, op, literal);
  const field = fieldIn(entity, name);
  switch (field.kind) {
    case 'value':
      return compileValueTest(field, op, literal);
    case 'records':
      return op === 'pr' ? compileElementPresent(field.id) : never;
    case 'link':
      return op === 'pr' || field.child === undefined ? compileLinkTest(field, op, literal) : never;
    case 'inverse':
      return op === 'pr' || field.child === undefined ? compileInverseTest(entity, field, op, literal) : never;
    case 'absent':
      return never;
  }
}

function compileValueTest({ id, use }: ValueField, op: FilterOp, literal: CompareValue): CompiledCondition {
  const key = keyTest(column('v.key'), use, op, literal);
  if (key === undefined) return never;
  const distinct = column(use.multiple && key.reach !== 'point' ? 'DISTINCT ' : '');
  const rows = sql`FROM value v WHERE v.field = ${id} AND ${key.test}`;
  return {
    kind: 'test',
    test: sql`EXISTS (SELECT 1 FROM value v WHERE v.seq = c.seq AND v.field = ${id} AND ${key.test})`,
    selections: [
      {
        query: sql`SELECT ${distinct}v.seq AS seq ${rows}`,
        reach: key.reach,
        isUnique: key.reach === 'point' && use.unique,
        probe: sql`SELECT 1 ${rows}`,
      },
    ],
  };
}

function compileElementPresent(id: number): CompiledCondition {
  const rows = sql`FROM value v WHERE v.field = ${id} AND v.key = 1`;
  const query = sql`SELECT DISTINCT v.seq AS seq ${rows}`;
  return {
    kind: 'test',
    test: sql`EXISTS (SELECT 1 FROM value v WHERE v.seq = c.seq AND v.field = ${id} AND v.key = 1)`,
    selections: [{ query, reach: 'all', isUnique: false, probe: sql`SELECT 1 ${rows}` }],
  };
}

const idUse: Pick<FieldUse, 'type' | 'comparison'> = { type: 'string', comparison: 'exact' };

function compileIdTest(entity: ManagedEntity, name: string, op: FilterOp, literal: CompareValue): CompiledCondition {
  if (op === 'pr') return always;
  const prefix = name === '$id' ? '' : entity.idPrefix;
  const isPoint = op === 'eq' && typeof literal === 'string';
  const id = column(prefix === '' || isPoint ? 'r.id' : `substr(r.id, ${prefix.length + 1})`);
  const key = keyTest(id, idUse, op, isPoint ? prefix + literal : literal);
  if (key === undefined) return never;
  const rows = sql`FROM record r WHERE r.scope = ${entity.scope} AND ${key.test}`;
  return {
    kind: 'test',
    test: sql`EXISTS (SELECT 1 FROM record r WHERE r.seq = c.seq AND ${key.test})`,
    selections: [
      {
        query: sql`SELECT r.seq AS seq ${rows}`,
        reach: isPoint ? 'point' : 'all',
        isUnique: isPoint,
        probe: sql`SELECT 1 ${rows}`,
      },
    ],
  };
}

/** Times are kept in milliseconds: what lies between two of them is after the one and before the other. */
function compileTimeTest(
  entity: ManagedEntity,
  name: '$created' | '$modified',
  op: FilterOp,
  literal: CompareValue,
): CompiledCondition {
  if (op === 'pr') return always;
  const timeKey = timeKeyOf(literal);
  if (timeKey === undefined) return never;
  const isCreated = name === '$created';
  const key = keyTest(
    column(isCreated ? 'r.created' : 'r.modified'),
    { type: 'number', comparison: 'number' },
    op,
    timeKey,
  );
  if (key === undefined) return never;
  const index = column(isCreated ? 'record_order' : 'record_modified');
  const rows = sql`FROM record r INDEXED BY ${index} WHERE r.scope = ${entity.scope} AND ${key.test}`;
  return {
    kind: 'test',
    test: sql`EXISTS (SELECT 1 FROM record r WHERE r.seq = c.seq AND ${key.test})`,
    selections: [
      {
        query: sql`SELECT r.seq AS seq ${rows}`,
        reach: isCreated ? 'all' : key.reach,
        isUnique: false,
        probe: sql`SELECT 1 ${rows}`,
      },
    ],
  };
}

const milliseconds = 3;

function timeKeyOf(literal: CompareValue): number | undefined {
  const key = typeof literal === 'string' ? instantKey(literal) : undefined;
  if (key === undefined) return undefined;
  const [seconds = '', fraction = ''] = key.split('.');
  const time = Date.parse(`${seconds}.${fraction.slice(0, milliseconds).padEnd(milliseconds, '0')}Z`);
  return fraction.length > milliseconds ? time + 0.5 : time;
}
