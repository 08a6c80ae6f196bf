import { describe, expect, it } from 'vitest';
import { planOf } from '../../src/backend/records/entity.js';
import { compilePushDown } from '../../src/mapping/push-down.js';
import type { MappingConfig } from '../../src/mapping/rule.js';
import { tolerantDialect } from '../../src/scim/dialect.js';
import { parseFilter } from '../../src/scim/filter-parser.js';
import { resolveFilter } from '../../src/scim/filter-resolve.js';
import { compileRules, userType } from '../support/test-service.js';
import { refusal, userGateway } from './rule-effects.js';

const mails: MappingConfig = {
  'emails[type eq "work"].value': 'mail',
  'emails[type eq "home"].value': 'mail2',
  'emails[type eq "other"].value': { field: 'mails', multiple: true },
};
const addresses: MappingConfig = {
  'addresses[type eq "work"].locality': 'city',
  'addresses[type eq "work"].country': 'country',
};

describe('slots on reading', () => {
  it('are elements where a mapped field has a value', async () => {
    const gateway = await userGateway(
      { ...mails, ...addresses },
      { records: { users: [{ $id: '1', uid: 'a', mail: 'w@x', mails: ['o@x', 'p@x'], country: 'DE' }] } },
    );
    expect(await gateway.read('1')).toEqual({
      id: '1',
      userName: 'a',
      emails: [
        { type: 'work', value: 'w@x' },
        { type: 'other', value: 'o@x' },
        { type: 'other', value: 'p@x' },
      ],
      addresses: [{ type: 'work', country: 'DE' }],
    });
  });

  it('are no elements where a field holds an empty text', async () => {
    const gateway = await userGateway(mails, { records: { users: [{ $id: '1', uid: 'a', mail: '', mails: [''] }] } });
    expect(await gateway.read('1')).toEqual({ id: '1', userName: 'a' });
  });

  it('carry all their constants', async () => {
    const gateway = await userGateway(
      {
        'emails[type eq "work" and primary eq true].value': 'mail',
        'emails[type eq "work" and primary eq true].display': { constant: 'Office' },
      },
      { records: { users: [{ $id: '1', uid: 'a', mail: 'w@x' }] } },
    );
    expect((await gateway.read('1')).emails).toEqual([
      { value: 'w@x', type: 'work', primary: true, display: 'Office' },
    ]);
  });
});

describe('slots in filters', () => {
  const plan = compileRules([{ type: userType, rules: { userName: 'uid', ...mails, ...addresses } }]).get('User')!;
  const pushDown = compilePushDown(plan, planOf(plan.use).capabilities);
  const split = (text: string) => {
    const filter = resolveFilter(parseFilter(text, tolerantDialect), userType, {
      dialect: tolerantDialect,
      unknown: 'reject',
    });
    return pushDown.split(filter, () => [], 'reject');
  };

  it.each([
    ['emails[type eq "work" and value co "@x"]', { kind: 'compare', path: 'mail', op: 'co', value: '@x' }],
    ['emails[type eq "home"].value eq "a"', { kind: 'compare', path: 'mail2', op: 'eq', value: 'a' }],
    ['emails[type eq "other" and value eq "a"]', { kind: 'compare', path: 'mails', op: 'eq', value: 'a' }],
    ['emails[type eq "work"]', { kind: 'present', path: 'mail' }],
    [
      'emails.value eq "a"',
      {
        kind: 'or',
        operands: ['mail', 'mail2', 'mails'].map((path) => ({ kind: 'compare', path, op: 'eq', value: 'a' })),
      },
    ],
    [
      'addresses[type eq "work" and country eq "DE" and locality eq "Ulm"]',
      {
        kind: 'and',
        operands: [
          { kind: 'compare', path: 'country', op: 'eq', value: 'DE' },
          { kind: 'compare', path: 'city', op: 'eq', value: 'Ulm' },
        ],
      },
    ],
    ['emails[type eq "fax"]', { kind: 'or', operands: [] }],
    ['emails.type eq "fax"', { kind: 'or', operands: [] }],
  ])('fold %s', (text, pushed) => {
    expect(split(text)).toEqual({ pushed, residual: undefined });
  });

  it('leave to the resource what different values of a field could meet', () => {
    const { pushed, residual } = split('emails[type eq "other" and value sw "a" and value ew "b"]');
    expect(pushed).toMatchObject({ kind: 'and' });
    expect(residual).toBeDefined();
  });

  it('refuse a part that no slot has, and name the rule to add [7644-3.4.2.2-31]', () => {
    expect(() => split('emails.display eq "a"')).toThrow(/"emails.display" is not mapped .*: emails.display: <field>/);
    expect(() => split('addresses[type eq "work" and region eq "a"]')).toThrow(/addresses.region: <field>/);
  });
});

describe('slots on writing', () => {
  it('take the elements whose constants match', async () => {
    const gateway = await userGateway(mails);
    const { id } = await gateway.create({
      emails: [
        { value: 'h@x', type: 'HOME' },
        { value: 'w@x', type: 'work' },
        { value: 'o@x', type: 'other' },
        { value: 'p@x', type: 'other' },
      ],
    });
    expect(await gateway.record(String(id))).toEqual({
      uid: 'bjensen',
      mail: 'w@x',
      mail2: 'h@x',
      mails: ['o@x', 'p@x'],
    });
  });

  it('drop and report an element of a type that none has', async () => {
    const gateway = await userGateway(mails);
    const { id } = await gateway.create({ emails: [{ value: 'f@x', type: 'fax' }] });
    expect(await gateway.record(String(id))).toEqual({ uid: 'bjensen' });
    expect(gateway.notes).toEqual(['emails[type eq "fax"]: no rule of "emails" has a place for it']);
  });

  it('of one value take the primary of several elements, else the first, and report the others', async () => {
    const gateway = await userGateway(mails);
    const first = await gateway.create({
      emails: [
        { value: 'a@x', type: 'work' },
        { value: 'b@x', type: 'work', primary: true },
      ],
    });
    expect(await gateway.record(String(first.id))).toMatchObject({ mail: 'b@x' });
    expect(gateway.notes).toContain('emails[type eq "work"]: "emails[type eq "work"]" holds a single value');
    const second = await gateway.put(String(first.id), {
      emails: [
        { value: 'c@x', type: 'work' },
        { value: 'd@x', type: 'work' },
      ],
    });
    expect(second.emails).toEqual([{ value: 'c@x', type: 'work' }]);
  });

  it('give an element without a type to the slot marked so, else to the first', async () => {
    const first = await userGateway(mails);
    const { id } = await first.create({ emails: [{ value: 'a@x' }] });
    expect(await first.record(String(id))).toMatchObject({ mail: 'a@x' });
    const marked = await userGateway({
      ...mails,
      'emails[type eq "home"].value': { field: 'mail2', defaultSlot: true },
    });
    const other = await marked.create({ emails: [{ value: 'a@x', primary: true }] });
    expect(await marked.record(String(other.id))).toMatchObject({ mail2: 'a@x' });
  });

  it('count an element that says it is not primary as one that does not say so [7643-2.4-06]', async () => {
    const gateway = await userGateway({ 'roles[primary eq "True"].value': 'role' });
    const { id } = await gateway.create({ roles: [{ value: 'ADMIN', primary: false }] });
    expect(await gateway.record(String(id))).toMatchObject({ role: 'ADMIN' });
  });

  it('report parts that a slot has no field for, and what is always otherwise', async () => {
    const gateway = await userGateway({ ...mails, 'emails[type eq "work"].primary': { constant: true } });
    await gateway.create({ emails: [{ value: 'w@x', type: 'work', display: 'W', primary: false }] });
    expect(gateway.notes).toEqual([
      'emails[type eq "work" and primary eq true].display: not mapped',
      'emails[type eq "work" and primary eq true].primary: always true here',
    ]);
  });

  it('refuse such parts where the mapping says so', async () => {
    const gateway = await userGateway(mails, { unmapped: 'reject' });
    const error = await refusal(gateway.create({ emails: [{ value: 'w@x', type: 'work', display: 'W' }] }));
    expect(error).toMatchObject({ status: 400, scimType: 'invalidValue' });
    expect(error.message).toContain('emails[type eq "work"].display');
    const untyped = await refusal(gateway.create({ emails: [{ value: 'f@x', type: 'fax' }] }));
    expect(untyped.message).toContain('emails[type eq "fax"]');
  });
});

describe('slots in a PATCH', () => {
  const add = (value: unknown) => ({ op: 'add', path: 'emails', value });

  it('that are full give way to an element that is added, as a whole', async () => {
    const gateway = await userGateway(addresses);
    const { id } = await gateway.create({ addresses: [{ type: 'work', locality: 'Ulm', country: 'DE' }] });
    const patched = await gateway.patch(String(id), {
      op: 'add',
      path: 'addresses',
      value: [{ type: 'work', locality: 'Bern' }],
    });
    expect(patched.addresses).toEqual([{ type: 'work', locality: 'Bern' }]);
  });

  it('of many values keep what is there', async () => {
    const gateway = await userGateway(mails);
    const { id } = await gateway.create({ emails: [{ value: 'o@x', type: 'other' }] });
    const patched = await gateway.patch(String(id), add([{ value: 'p@x', type: 'other' }]));
    expect(patched.emails).toEqual([
      { value: 'o@x', type: 'other' },
      { value: 'p@x', type: 'other' },
    ]);
  });

  it('are set by a path to one of them without being read', async () => {
    const gateway = await userGateway({
      'emails[type eq "work"].value': 'mail',
      'emails[type eq "home"].value': 'mail2',
    });
    const { id } = await gateway.create({ emails: [{ value: 'w@x', type: 'work' }] });
    gateway.adapter.calls.length = 0;
    await gateway.patch(
      String(id),
      { op: 'replace', path: 'emails[type eq "work"].value', value: 'new@x' },
      { op: 'remove', path: 'emails[type eq "home"]' },
      add([{ value: 'h@x', type: 'home' }]),
    );
    expect(gateway.adapter.calls).toEqual([
      {
        method: 'update',
        entity: 'users',
        changes: [
          { op: 'set', field: 'mail', values: ['new@x'] },
          { op: 'set', field: 'mail2', values: ['h@x'] },
        ],
      },
    ]);
  });

  it('keep the element that is always primary when another one claims to be', async () => {
    const gateway = await userGateway({
      'emails[type eq "work"].value': 'mail',
      'emails[type eq "work"].primary': { constant: true },
      'emails[type eq "home"].value': 'mail2',
      'emails[type eq "home"].display': 'mail2Text',
    });
    const { id } = await gateway.create({ emails: [{ value: 'w@x', type: 'work', primary: true }] });
    const patched = await gateway.patch(String(id), add([{ value: 'h@x', type: 'home', primary: true }]));
    expect(patched.emails).toEqual([
      { value: 'w@x', type: 'work', primary: true },
      { value: 'h@x', type: 'home' },
    ]);
    expect(gateway.notes).toEqual(['emails[type eq "home"].primary: not mapped']);
  });

  it('are found by conditions on parts that no rule maps, when the path makes the element', async () => {
    const gateway = await userGateway(addresses);
    const { id } = await gateway.create({ addresses: [{ type: 'work', country: 'DE' }] });
    const patched = await gateway.patch(String(id), {
      op: 'replace',
      path: 'addresses[type eq "work" and primary eq true].locality',
      value: 'Ulm',
    });
    expect(patched.addresses).toEqual([{ type: 'work', country: 'DE', locality: 'Ulm' }]);
  });

  it('are not emptied by an element that brings nothing to keep', async () => {
    const gateway = await userGateway(mails);
    const { id } = await gateway.create({ emails: [{ value: 'w@x', type: 'work' }] });
    const patched = await gateway.patch(String(id), add([{ display: 'W', type: 'work' }]));
    expect(patched.emails).toEqual([{ value: 'w@x', type: 'work' }]);
  });

  it('without a place for it leave an element where it is', async () => {
    const gateway = await userGateway({ 'emails[type eq "work"].value': 'mail' });
    const { id } = await gateway.create({ emails: [{ value: 'w@x', type: 'work' }] });
    const patched = await gateway.patch(String(id), {
      op: 'replace',
      path: 'emails[value eq "w@x"].type',
      value: 'home',
    });
    expect(patched.emails).toEqual([{ value: 'w@x', type: 'work' }]);
    expect(gateway.notes).toEqual(['emails[type eq "work"].type: always "work" here']);
  });

  it('pass an element on when it changes its type', async () => {
    const gateway = await userGateway(mails);
    const { id } = await gateway.create({ emails: [{ value: 'w@x', type: 'work' }] });
    await gateway.patch(String(id), { op: 'replace', path: 'emails[value eq "w@x"].type', value: 'home' });
    expect(await gateway.record(String(id))).toEqual({ uid: 'bjensen', mail2: 'w@x' });
  });

  it.each(['replace', 'add'])('refuse %s of an element that is not there [7644-3.5.2.3-08]', async (op) => {
    const gateway = await userGateway(mails);
    const { id } = await gateway.create({});
    const path = 'emails[type eq "work"]';
    const error = await refusal(gateway.patch(String(id), { op, path, value: { value: 'a@x' } }));
    expect(error).toMatchObject({ status: 400, scimType: 'noTarget' });
  });
});
