import { describe, expect, it } from 'vitest';
import type { BackendRecord, Condition } from '../../src/backend/adapter.js';
import { compileChildCondition, compileCondition } from '../../src/backend/condition.js';
import type { Comparison } from '../../src/scim/comparison.js';
import type { CompareOp, CompareValue } from '../../src/scim/filter.js';

const cmp = (path: string, op: CompareOp, value: CompareValue): Condition => ({ kind: 'compare', path, op, value });
const pr = (path: string): Condition => ({ kind: 'present', path });
const not = (operand: Condition): Condition => ({ kind: 'not', operand });
const and = (...operands: Condition[]): Condition => ({ kind: 'and', operands });
const or = (...operands: Condition[]): Condition => ({ kind: 'or', operands });
const within = (path: string, filter: Condition): Condition => ({ kind: 'valuePath', path, filter });

const comparisons: Readonly<Record<string, Comparison>> = {
  uid: 'fold',
  dn: 'exact',
  code: 'asciiFold',
  age: 'number',
  size: 'number',
  active: 'boolean',
  $created: 'instant',
  mail: 'fold',
  photo: 'exact',
  'members.id': 'exact',
  'members.kind': 'fold',
  'members.level': 'number',
};
const comparisonFor = (field: string, child?: string): Comparison =>
  comparisons[child === undefined ? field : `${field}.${child}`] ?? 'fold';

const record: BackendRecord = {
  $id: '7',
  $created: '2011-05-13T04:42:34.5Z',
  uid: 'BJensen',
  dn: 'cn=B',
  code: 'AÉ',
  age: 9,
  size: 9007199254740991n,
  active: false,
  mail: ['b@example.com', 'babs@jensen.org'],
  photo: new Uint8Array([1, 2, 3]),
  empty: '',
  members: [
    { id: 'a', kind: 'User', level: 1 },
    { id: 'b', kind: 'Group' },
  ],
};
const matches = (condition: Condition): boolean => compileCondition(condition, comparisonFor)(record);

describe('compileCondition', () => {
  it.each<[name: string, rows: string, condition: Condition, expected: boolean]>([
    ["eq by the field's comparison", '7644-3.4.2.2-06', cmp('uid', 'eq', 'BJENSEN'), true],
    ['eq exactly', '7644-3.4.2.2-28', cmp('dn', 'eq', 'CN=B'), false],
    ['eq by ASCII letters', '7644-3.4.2.2-06', cmp('code', 'eq', 'aÉ'), true],
    ['eq by ASCII letters only', '7644-3.4.2.2-06', cmp('code', 'eq', 'aé'), false],
    ['eq of a whole number of a database', '7644-3.4.2.2-06', cmp('size', 'eq', Number.MAX_SAFE_INTEGER), true],
    ['eq of a boolean', '7644-3.4.2.2-06', cmp('active', 'eq', false), true],
    [
      'eq of an instant in another spelling',
      '7644-3.4.2.2-12',
      cmp('$created', 'eq', '2011-05-13T06:42:34.50+02:00'),
      true,
    ],
    ['eq of any of many values', '7644-3.4.2.2-24', cmp('mail', 'eq', 'BABS@jensen.org'), true],
    ['eq of no value', '7644-3.4.2.2-24', cmp('mail', 'eq', 'x'), false],
    ['eq of bytes as base64', '7643-2.3.6-02', cmp('photo', 'eq', 'AQID'), true],
    ['ne of many values', '7644-3.4.2.2-07', cmp('mail', 'ne', 'b@example.com'), false],
    ['ne of an absent field', '7644-3.4.2.2-07', cmp('title', 'ne', 'x'), true],
    ['not eq of an absent field', '7644-3.4.2.2-07', not(cmp('title', 'eq', 'x')), true],
    ['eq null of an absent field', '7643-2.5-01', cmp('title', 'eq', null), true],
    ['ne null of a field with a value', '7643-2.5-01', cmp('uid', 'ne', null), true],
    ['gt null', '7643-2.5-01', cmp('age', 'gt', null), false],
    ['co', '7644-3.4.2.2-08', cmp('uid', 'co', 'ENS'), true],
    ['sw', '7644-3.4.2.2-09', cmp('uid', 'sw', 'bj'), true],
    ['ew', '7644-3.4.2.2-10', cmp('mail', 'ew', '@example.com'), true],
    ['sw of a number', '7644-T9-01', cmp('age', 'sw', '9'), false],
    ['lt of numbers', '7644-3.4.2.2-12', cmp('age', 'lt', 10), true],
    ['gt of instants', '7644-3.4.2.2-12', cmp('$created', 'gt', '2011-05-13T04:42:34Z'), true],
    ['ge of text', '7644-3.4.2.2-12', cmp('uid', 'ge', 'bjensen'), true],
    ['a literal of another type', '7644-3.4.2.2-12', cmp('age', 'eq', '9'), false],
    ['pr', '7644-3.4.2.2-11', pr('uid'), true],
    ['pr of false', '7644-3.4.2.2-11', pr('active'), true],
    ['pr of an empty text', '7644-3.4.2.2-11', pr('empty'), false],
    ['pr of an absent field', '7644-3.4.2.2-11', pr('title'), false],
    ['pr of child records', '7644-3.4.2.2-11', pr('members'), true],
    ['pr of bytes', '7644-3.4.2.2-11', pr('photo'), true],
    ['and', '7644-3.4.2.2-14', and(pr('uid'), pr('title')), false],
    ['or', '7644-3.4.2.2-14', or(pr('uid'), pr('title')), true],
    ['not', '7644-3.4.2.2-14', not(or(pr('title'), pr('empty'))), true],
    ['nothing to meet', '7644-3.4.2.2-14', and(), true],
    ['nothing that could match', '7644-3.4.2.2-14', or(), false],
    [
      'one child that meets both',
      '7644-3.4.2.2-18',
      within('members', and(cmp('kind', 'eq', 'user'), cmp('id', 'eq', 'a'))),
      true,
    ],
    [
      'two children that meet one each',
      '7644-3.4.2.2-18',
      within('members', and(cmp('kind', 'eq', 'user'), cmp('id', 'eq', 'b'))),
      false,
    ],
    ['a child by its own comparison', '7644-3.4.2.2-28', within('members', cmp('id', 'eq', 'A')), false],
    ['a child without a field', '7644-3.4.2.2-18', within('members', not(pr('level'))), true],
    ['no child at all', '7644-3.4.2.2-18', within('owners', and()), false],
    ['no child that does not match', '7644-3.4.2.2-18', not(within('members', cmp('level', 'gt', 1))), true],
    ['values that are no children', '7644-3.4.2.2-18', within('mail', and()), false],
  ])('%s [%s]', (_name, _rows, condition, expected) => {
    expect(matches(condition)).toBe(expected);
  });
});

describe('compileChildCondition', () => {
  it('holds one child record against a condition over its fields', () => {
    const predicate = compileChildCondition(and(cmp('kind', 'eq', 'USER'), not(pr('level'))), () => 'fold');
    expect([{ kind: 'user' }, { kind: 'user', level: 1 }, { kind: 'group' }].map(predicate)).toEqual([
      true,
      false,
      false,
    ]);
  });
});
