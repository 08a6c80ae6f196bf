import { describe, expect, it } from 'vitest';
import { type EntityPlan, planEntities } from '../../adapters/ldap/entity-plan.js';
import { compileFilter } from '../../adapters/ldap/filters.js';
import { printFilter } from '../../adapters/ldap/ldap-filter.js';
import type { AttributeType } from '../../adapters/ldap/schema.js';
import type { ServerKind, ServerProfile } from '../../adapters/ldap/server-kind.js';
import type { Condition, FieldUse } from '../../src/backend/adapter.js';
import type { CompareOp, CompareValue } from '../../src/scim/filter.js';

const text: FieldUse = {
  name: '',
  type: 'string',
  multiple: false,
  comparison: 'fold',
  unique: false,
  read: true,
  written: true,
};
const uses: readonly FieldUse[] = [
  { ...text, name: 'cn' },
  { ...text, name: 'code', comparison: 'exact' },
  { ...text, name: 'age', type: 'number', comparison: 'number' },
  { ...text, name: 'flag', type: 'boolean', comparison: 'boolean' },
  { ...text, name: 'since', type: 'instant', comparison: 'instant' },
  { ...text, name: 'boss', comparison: 'exact', reference: { targets: ['people'], by: '$id' } },
];

function attribute(name: string, own: Partial<AttributeType> = {}): AttributeType {
  return {
    oid: name,
    name,
    names: [name],
    superior: undefined,
    equality: 'caseIgnoreMatch',
    ordering: undefined,
    substrings: 'caseIgnoreSubstringsMatch',
    syntax: '1.3.6.1.4.1.1466.115.121.1.15',
    maxLength: undefined,
    isSingleValued: true,
    isReadOnly: false,
    isOperational: false,
    isBinary: false,
    isDn: false,
    ...own,
  };
}

const attributes = [
  attribute('cn'),
  attribute('code'),
  attribute('age', { equality: 'integerMatch', ordering: 'integerOrderingMatch', substrings: undefined }),
  attribute('flag', { equality: 'booleanMatch', substrings: undefined }),
  attribute('since', { equality: 'generalizedTimeMatch', ordering: 'generalizedTimeOrderingMatch' }),
  attribute('boss', { equality: 'distinguishedNameMatch', substrings: undefined, isDn: true }),
  attribute('entryUUID', { equality: 'uuidMatch' }),
];

function planFor(kind: ServerKind = 'openldap', isSamba = false): EntityPlan {
  const byName = new Map(attributes.map((type) => [type.name.toLowerCase(), type]));
  const server = {
    kind,
    isSamba,
    namingContexts: ['dc=x'],
    defaultBase: 'dc=x',
    features: { bitRules: true, emptyGroups: true, treeDelete: false },
    schema: { attribute: (name: string) => byName.get(name.toLowerCase()), objectClass: () => undefined, attributes },
    rootDse: new Map(),
  } as unknown as ServerProfile;
  const config = { base: 'ou=p', scope: 'sub', inverse: 'attribute', deleteSubtree: false, id: 'entryUUID' } as const;
  const plans = planEntities(
    { entities: { people: config }, base: 'dc=x', uses: [{ entity: 'people', fields: uses }] },
    server,
  );
  const plan = plans.get('people');
  if (plan === undefined) throw new Error('no plan');
  return plan;
}

const compare = (path: string, op: CompareOp, value: CompareValue): Condition => ({ kind: 'compare', path, op, value });

/** The filter as text, and whether what comes is looked at again. */
function compiled(condition: Condition, plan = planFor()): readonly [string, boolean] {
  const { filter, residual } = compileFilter(condition, plan, (_, id) => (id === 'known' ? 'uid=k,dc=x' : undefined));
  return [printFilter(filter), residual !== undefined];
}

describe('compileFilter', () => {
  it.each<readonly [string, Condition, string, boolean]>([
    ['texts, which are compared again', compare('cn', 'eq', 'Zoe'), '(cn=zoe)', true],
    ['parts of texts', compare('cn', 'co', 'Oe'), '(cn=*oe*)', true],
    ['starts', compare('cn', 'sw', 'Zo'), '(cn=zo*)', true],
    ['ends', compare('cn', 'ew', 'oe'), '(cn=*oe)', true],
    ['what could be syntax as a value', compare('cn', 'eq', '*)(uid=*'), '(cn=\\2a\\29\\28uid=\\2a)', true],
    ['runs of spaces, which a server may squeeze', compare('cn', 'eq', 'a  b'), '(cn=a*b)', true],
    ['presence', { kind: 'present', path: 'cn' }, '(cn=*)', false],
    ['the empty text, which nothing equals', compare('cn', 'eq', ''), '(!(objectClass=*))', false],
    ['whole numbers', compare('age', 'ge', 6.5), '(age>=7)', false],
    ['numbers below', compare('age', 'lt', 7), '(age<=6)', false],
    ['a number that is none', compare('age', 'eq', 'nine'), '(!(objectClass=*))', false],
    ['booleans', compare('flag', 'eq', true), '(flag=TRUE)', false],
    ['times in UTC', compare('since', 'ge', '2011-05-13T06:42:34+02:00'), '(since>=20110513044234Z)', false],
    ['later times, looked at again', compare('since', 'gt', '2011-05-13T04:42:34Z'), '(since>=20110513044234Z)', true],
    ['a reference by the name of its entry', compare('boss', 'eq', 'known'), '(boss=uid=k,dc=x)', false],
    ['an id that names nothing', compare('boss', 'eq', 'other'), '(!(objectClass=*))', false],
    ['single bits', compare('age&2', 'eq', true), '(age:1.2.840.113556.1.4.803:=2)', false],
    ['an id that could be none', compare('$id', 'eq', '*'), '(!(objectClass=*))', false],
  ])('sends %s', (_, condition, filter, isResidual) => {
    expect(compiled(condition)).toEqual([filter, isResidual]);
  });

  it('negates only what selects exactly [7644-3.4.2.2-14]', () => {
    expect(compiled({ kind: 'not', operand: compare('age', 'eq', 3) })).toEqual(['(!(age=3))', false]);
    expect(compiled({ kind: 'not', operand: compare('cn', 'eq', 'a') })).toEqual(['(objectClass=*)', true]);
  });

  it('looks again only at the part of an "and" that needs it', () => {
    const condition: Condition = { kind: 'and', operands: [compare('age', 'eq', 3), compare('cn', 'eq', 'a')] };
    const { filter, residual } = compileFilter(condition, planFor(), () => undefined);
    expect(printFilter(filter)).toBe('(&(age=3)(cn=a))');
    expect(residual).toEqual(compare('cn', 'eq', 'a'));
  });

  it('leaves letters open that servers fold otherwise', () => {
    expect(compiled(compare('cn', 'eq', 'ΟΔΟΣ'))[0]).toBe('(cn=οδο*)');
    expect(compiled(compare('cn', 'eq', 'René'), planFor('389-ds'))[0]).toBe('(|(cn=ren*)(cn=ｒｅｎ*))');
    expect(compiled(compare('cn', 'eq', 'René'), planFor('openldap'))[0]).toBe('(cn=rené)');
  });
});
