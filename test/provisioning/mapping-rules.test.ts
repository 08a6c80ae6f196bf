import { describe, expect, it } from 'vitest';
import type { MappingConfig } from '../../src/mapping/rule.js';
import { compileRules, groupType, userType } from '../support/test-service.js';
import { refusal, userGateway } from './rule-effects.js';

const enterprise = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';

describe('what is known and not mapped', () => {
  const rules: MappingConfig = { 'name.givenName': 'gn', displayName: { field: 'cn', readOnly: true } };

  it('is dropped and reported, in bodies and in PATCH paths alike', async () => {
    const gateway = await userGateway(rules);
    const { id } = await gateway.create({
      nickName: 'Babs',
      name: { givenName: 'B', familyName: 'J' },
      displayName: 'BJ',
    });
    const expected = ['name.familyName: not mapped', 'displayName: mapped for reading only', 'nickName: not mapped'];
    expect(gateway.notes.toSorted()).toEqual(expected.toSorted());
    gateway.notes.length = 0;
    await gateway.patch(
      String(id),
      { op: 'replace', path: 'nickName', value: 'Babs' },
      { op: 'add', path: 'name.familyName', value: 'J' },
      { op: 'replace', value: { displayName: 'BJ', name: { givenName: 'B', middleName: 'X' } } },
    );
    expect(gateway.notes.toSorted()).toEqual([
      'displayName: mapped for reading only',
      'name.familyName: not mapped',
      'name.middleName: not mapped',
      'nickName: not mapped',
    ]);
  });

  it('is refused where the mapping says so', async () => {
    const gateway = await userGateway(rules, { unmapped: 'reject' });
    const { id } = await gateway.create({ name: { givenName: 'B' } });
    for (const body of [{ nickName: 'x' }, { name: { familyName: 'x' } }, { displayName: 'x' }]) {
      expect(await refusal(gateway.create(body))).toMatchObject({ status: 400, scimType: 'invalidValue' });
      expect(await refusal(gateway.put(String(id), body))).toMatchObject({ status: 400, scimType: 'invalidValue' });
      const patch = gateway.patch(String(id), { op: 'replace', value: body });
      expect(await refusal(patch)).toMatchObject({ status: 400, scimType: 'invalidValue' });
    }
  });

  it('is no loss when it is put back as it was got', async () => {
    const gateway = await userGateway(rules, {
      unmapped: 'reject',
      records: { users: [{ $id: '1', uid: 'bjensen', cn: 'BJ' }] },
    });
    expect(await gateway.put('1', { displayName: 'BJ' })).toMatchObject({ displayName: 'BJ' });
    expect(gateway.notes).toEqual([]);
  });

  it('may be removed: it is not there', async () => {
    const gateway = await userGateway(rules, { unmapped: 'reject' });
    const { id } = await gateway.create({});
    await gateway.patch(String(id), { op: 'remove', path: 'nickName' }, { op: 'remove', path: 'name.familyName' });
    expect(gateway.notes).toEqual([]);
  });

  it.each(['nickName eq "a"', 'name.familyName pr', 'name[familyName eq "a"]', 'emails[type eq "work"].value eq "a"'])(
    'is refused in a filter, with the rule to add: %s [7644-3.4.2.2-31]',
    async (filter) => {
      const gateway = await userGateway(rules);
      const error = await refusal(gateway.search(filter));
      expect(error).toMatchObject({ status: 400, scimType: 'invalidFilter' });
      expect(error.message).toMatch(
        /Add a rule for it to the mapping: (nickName|name\.familyName|emails\[type eq "work"\]\.value): <field>\./,
      );
    },
  );
});

describe('what is in no schema', () => {
  it('is ignored in a body and refused in a PATCH path [7644-3.5.2-27]', async () => {
    const gateway = await userGateway({});
    const { id } = await gateway.create({ shoeSize: 43 });
    expect(gateway.notes).toEqual(['shoeSize: in no schema']);
    const error = await refusal(gateway.patch(String(id), { op: 'add', path: 'shoeSize', value: 43 }));
    expect(error).toMatchObject({ status: 400, scimType: 'invalidPath' });
  });
});

describe('what must never be dropped', () => {
  const group = { type: groupType, rules: { displayName: 'cn' } } as const;

  it.each([
    ['unmapped', {}],
    ['only read', { active: { field: 'a', readOnly: true } }],
    ['always true', { active: { constant: true } }],
  ] satisfies [string, MappingConfig][])('"active: false" is refused where active is %s', async (_, rules) => {
    const gateway = await userGateway(rules);
    const { id } = await gateway.create({ active: true });
    for (const attempt of [
      gateway.create({ userName: 'b', active: false }),
      gateway.put(String(id), { active: 'False' }),
      gateway.patch(String(id), { op: 'replace', path: 'active', value: false }),
      gateway.patch(String(id), { op: 'Replace', value: { active: 'False' } }),
    ]) {
      const error = await refusal(attempt);
      expect(error).toMatchObject({ status: 400 });
      expect(error.message).toContain('Add "active: <field>" to the mapping of User.');
    }
  });

  it.each([
    { op: 'add', path: 'members', value: [{ value: '1' }] },
    { op: 'remove', path: 'members[value eq "1"]' },
    { op: 'replace', path: 'members', value: [] },
  ])('a change of members is refused where they are unmapped: $op', async (operation) => {
    const gateway = await userGateway({ displayName: 'cn' }, { others: [group] });
    const { service, context, id } = await groupIn(gateway);
    const error = await refusal(service.patch('Group', id, { Operations: [operation] }, {}, {}, context));
    expect(error.message).toContain('Add "members: <field>" to the mapping of Group.');
  });
});

describe('defaults and made-up values', () => {
  it('are given on create to what is absent, not to what is null [7643-2.5-01]', async () => {
    const gateway = await userGateway({
      userType: { field: 'kind', default: 'Employee' },
      active: { field: 'enabled', default: true },
      'emails[type eq "work"].value': { field: 'mail', fallbackOnCreate: '{userName}@example.com' },
      displayName: { field: 'cn', fallbackOnCreate: '{name.givenName} {name.familyName}', default: 'Somebody' },
    });
    const given = await gateway.create({});
    expect(await gateway.record(String(given.id))).toEqual({
      uid: 'bjensen',
      kind: 'Employee',
      enabled: true,
      mail: 'bjensen@example.com',
      cn: 'Somebody',
    });
    const refused = await gateway.create({ userName: 'b', userType: null, emails: [], name: { givenName: 'B' } });
    expect(await gateway.record(String(refused.id))).toEqual({ uid: 'b', enabled: true, cn: 'B' });
  });

  it('are not given by a PUT or a PATCH', async () => {
    const gateway = await userGateway({ userType: { field: 'kind', default: 'Employee' } });
    const { id } = await gateway.create({});
    await gateway.put(String(id), {});
    expect(await gateway.record(String(id))).toEqual({ uid: 'bjensen' });
  });

  it('are shown on reading by a fallback while the field is empty, and never stored', async () => {
    const gateway = await userGateway({
      'name.givenName': 'gn',
      'name.formatted': { field: 'full', fallback: '{name.givenName} ({userName})' },
      displayName: { field: 'cn', fallback: '{name.formatted ?? userName}' },
      'emails[type eq "work"].value': { field: 'mail', fallback: '{userName}@example.com' },
    });
    const { id, ...shown } = await gateway.create({ name: { givenName: 'Babs' } });
    expect(shown).toEqual({
      userName: 'bjensen',
      displayName: 'bjensen',
      name: { givenName: 'Babs', formatted: 'Babs (bjensen)' },
      emails: [{ type: 'work', value: 'bjensen@example.com' }],
    });
    expect(await gateway.put(String(id), shown)).toEqual({ id, ...shown });
    expect(await gateway.record(String(id))).toEqual({ uid: 'bjensen', gn: 'Babs' });
    expect(await gateway.search('displayName eq "bjensen"')).toEqual(['bjensen']);
    expect(await gateway.search('emails[type eq "work" and value sw "bjensen@"]')).toEqual(['bjensen']);
  });

  it('show nothing else than what was asked for', async () => {
    const gateway = await userGateway({ displayName: { field: 'cn', fallback: '{title}' }, title: 'title' });
    await gateway.create({ title: 'Boss' });
    expect(await gateway.search('displayName eq "Boss"')).toEqual(['bjensen']);
  });
});

describe('required rules', () => {
  const rules: MappingConfig = {
    'emails[type eq "work"].value': { field: 'mail', required: true },
    'emails[type eq "home"].value': 'mail2',
    'name.familyName': { field: 'sn', required: true },
  };
  const full = { name: { familyName: 'J' }, emails: [{ type: 'work', value: 'w@x' }] };

  it('are named when they miss their value', async () => {
    const gateway = await userGateway(rules);
    const error = await refusal(gateway.create({ emails: [{ type: 'home', value: 'h@x' }] }));
    expect(error.message).toBe('"emails[type eq "work"].value", "name.familyName" are required for a User.');
    const { id } = await gateway.create(full);
    expect((await refusal(gateway.put(String(id), { name: { familyName: ' ' }, emails: full.emails }))).message).toBe(
      '"name.familyName" is required for a User.',
    );
  });

  it.each([
    { op: 'remove', path: 'name.familyName' },
    { op: 'replace', path: 'name', value: { familyName: null } },
    { op: 'remove', path: 'emails[type eq "work"]' },
    { op: 'remove', path: 'emails[value eq "w@x"].value' },
    { op: 'replace', path: 'emails', value: [{ type: 'home', value: 'h@x' }] },
  ])('cannot lose it by a PATCH: $op $path', async (operation) => {
    const gateway = await userGateway(rules);
    const { id } = await gateway.create(full);
    const error = await refusal(gateway.patch(String(id), operation));
    expect(error).toMatchObject({ status: 400, scimType: 'invalidValue' });
    expect(error.message).toContain('is required and cannot be left without a value');
    expect(await gateway.read(String(id))).toMatchObject(full);
  });
});

describe('allowed values', () => {
  const rules: MappingConfig = { 'roles[primary eq "True"].value': { field: 'role', values: ['OWNER', 'ADMIN'] } };

  it('are kept as they are spelled in the rule; others are refused with the list of them', async () => {
    const gateway = await userGateway(rules);
    const { id } = await gateway.create({ roles: ['admin'] });
    expect(await gateway.record(String(id))).toMatchObject({ role: 'ADMIN' });
    for (const attempt of [
      gateway.create({ userName: 'b', roles: [{ value: 'GUEST' }] }),
      gateway.put(String(id), { roles: [{ value: 'GUEST' }] }),
      gateway.patch(String(id), { op: 'replace', path: 'roles[primary eq "True"].value', value: 'GUEST' }),
      gateway.patch(String(id), { op: 'add', path: 'roles', value: [{ value: 'GUEST', display: 'x' }] }),
    ]) {
      const error = await refusal(attempt);
      expect(error).toMatchObject({ status: 400, scimType: 'invalidValue' });
      expect(error.message).toContain('is one of OWNER, ADMIN.');
    }
  });

  it('may be stood in for by the default', async () => {
    const gateway = await userGateway({
      userType: { field: 'kind', values: ['A', 'B'], onUnknown: 'default', default: 'B' },
    });
    const { id } = await gateway.create({ userType: 'C' });
    expect(await gateway.record(String(id))).toMatchObject({ kind: 'B' });
    await gateway.patch(String(id), { op: 'replace', path: 'userType', value: 'a' });
    expect(await gateway.record(String(id))).toMatchObject({ kind: 'A' });
  });

  it('do not hold for what is there already', async () => {
    const gateway = await userGateway(
      { userType: { field: 'kind', values: ['A'] }, title: 'title' },
      { records: { users: [{ $id: '1', uid: 'bjensen', kind: 'OLD' }] } },
    );
    expect(await gateway.put('1', { userType: 'OLD', title: 'x' })).toMatchObject({ userType: 'OLD', title: 'x' });
    expect(await gateway.patch('1', { op: 'add', path: 'title', value: 'y' })).toMatchObject({
      userType: 'OLD',
      title: 'y',
    });
  });
});

describe('values that clear', () => {
  it('mean no value, as the attribute compares', async () => {
    const gateway = await userGateway({
      title: { field: 'title', clearOn: ['-', 'n/a'], default: 'none' },
      'emails[type eq "work"].value': { field: 'mail', clearOn: ['-'] },
      phoneNumbers: { field: 'phones', records: { value: 'number', type: 'kind' }, clearOn: ['-'] },
    });
    const { id, ...shown } = await gateway.create({
      title: 'N/A',
      emails: [{ type: 'work', value: '-' }],
      phoneNumbers: [{ type: '-', value: '1' }],
    });
    expect(shown).toEqual({ userName: 'bjensen', phoneNumbers: [{ value: '1' }] });
    await gateway.patch(String(id), { op: 'add', value: { title: 'Boss', 'emails[type eq "work"].value': 'w@x' } });
    expect(await gateway.record(String(id))).toMatchObject({ title: 'Boss', mail: 'w@x' });
    await gateway.patch(String(id), { op: 'replace', value: { title: '-', 'emails[type eq "work"].value': '-' } });
    expect(Object.keys(await gateway.record(String(id))).toSorted()).toEqual(['phones', 'uid']);
  });
});

describe('templates', () => {
  const rules: MappingConfig = {
    'name.givenName': 'gn',
    'name.familyName': 'sn',
    displayName: { field: 'cn', template: '{name.givenName} {name.familyName|upper}' },
  };

  it('write their field whenever what they show changes', async () => {
    const gateway = await userGateway(rules);
    const { id } = await gateway.create({ name: { givenName: 'Barbara', familyName: 'Jensen' } });
    expect(await gateway.record(String(id))).toMatchObject({ cn: 'Barbara JENSEN' });
    await gateway.patch(String(id), { op: 'replace', path: 'name.givenName', value: 'Babs' });
    expect(await gateway.record(String(id))).toMatchObject({ gn: 'Babs', cn: 'Babs JENSEN' });
    await gateway.put(String(id), { name: { familyName: 'Smith' } });
    expect(await gateway.record(String(id))).toMatchObject({ cn: 'SMITH' });
    await gateway.put(String(id), {});
    expect(await gateway.record(String(id))).toEqual({ uid: 'bjensen' });
  });

  it('are not written by callers, who are told so', async () => {
    const gateway = await userGateway(rules);
    const { id } = await gateway.create({ displayName: 'X', name: { givenName: 'B' } });
    await gateway.patch(String(id), { op: 'replace', path: 'displayName', value: 'X' });
    expect(gateway.notes).toEqual(['displayName: made by a template', 'displayName: made by a template']);
    expect(await gateway.record(String(id))).toMatchObject({ cn: 'B' });
  });
});

describe('PUT', () => {
  const rules: MappingConfig = {
    active: 'enabled',
    password: 'secret',
    title: 'title',
    nickName: { field: 'nick', omitted: 'keep' },
    'name.givenName': 'gn',
    'name.middleName': { field: 'mn', omitted: 'keep' },
    'emails[type eq "work"].value': { field: 'mail', omitted: 'keep' },
    'emails[type eq "home"].value': 'mail2',
    externalId: { field: 'ext', readOnly: true },
  };
  const full = {
    active: false,
    password: 'p',
    title: 't',
    nickName: 'n',
    name: { givenName: 'g', middleName: 'm' },
    emails: [
      { type: 'work', value: 'w@x' },
      { type: 'home', value: 'h@x' },
    ],
  };
  // The adapter never gives the password back, so what becomes of it shows in what is asked of the adapter.
  const changed = async (body: object) => {
    const gateway = await userGateway(rules);
    const { id } = await gateway.create(full);
    gateway.adapter.calls.length = 0;
    await gateway.put(String(id), body);
    return gateway.adapter.calls.flatMap(({ changes }) => changes ?? []);
  };

  it('clears what is left out, except active, the password and what a rule keeps [7644-3.5.1-03 7644-3.5.1-11]', async () => {
    const expected = [
      { op: 'set', field: 'title', values: [] },
      { op: 'set', field: 'gn', values: [] },
      { op: 'set', field: 'mail2', values: [] },
    ];
    expect(await changed({})).toEqual(expected);
  });

  it('clears what is null or empty, whatever a rule keeps [7644-3.5.1-04]', async () => {
    const body = { ...full, password: null, nickName: null, name: { givenName: 'g', middleName: null }, emails: [] };
    expect(await changed(body)).toEqual([
      { op: 'set', field: 'secret', values: [] },
      { op: 'set', field: 'nick', values: [] },
      { op: 'set', field: 'mn', values: [] },
      { op: 'set', field: 'mail', values: [] },
      { op: 'set', field: 'mail2', values: [] },
    ]);
  });

  it('is sent as the difference, and as nothing when there is none [7644-3.5.1-12]', async () => {
    const { password: _, ...rest } = full;
    expect(await changed({ ...rest, title: 'u' })).toEqual([{ op: 'set', field: 'title', values: ['u'] }]);
    expect(await changed(rest)).toEqual([]);
  });

  it('adds to and takes from a list what differs', async () => {
    const gateway = await userGateway({ 'emails.value': { field: 'mails', multiple: true } });
    const { id } = await gateway.create({ emails: [{ value: 'a' }, { value: 'b' }] });
    gateway.adapter.calls.length = 0;
    await gateway.put(String(id), { emails: [{ value: 'b' }, { value: 'c' }] });
    expect(gateway.adapter.calls.flatMap(({ changes }) => changes ?? [])).toEqual([
      { op: 'remove', field: 'mails', values: ['a'] },
      { op: 'add', field: 'mails', values: ['c'] },
    ]);
  });

  it('leaves values alone that it cannot read', async () => {
    const gateway = await userGateway(
      {
        title: 'title',
        'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department': 'dept',
        'roles.value': {
          field: 'roles',
          multiple: true,
          codec: { name: 'switch', map: { ADMIN: ['a', 'A1'], USER: 'u' } },
        },
      },
      { records: { users: [{ $id: '1', uid: 'bjensen', roles: ['A1', 'legacy', 'u'] }] } },
    );
    await gateway.put('1', { title: 't', roles: [{ value: 'ADMIN' }, { value: 'USER' }] });
    expect(await gateway.record('1')).toMatchObject({ roles: ['A1', 'legacy', 'u'] });
    await gateway.put('1', { roles: [{ value: 'USER' }] });
    expect(await gateway.record('1')).toMatchObject({ roles: ['legacy', 'u'] });
  });
});

describe('a part set to null', () => {
  it('loses its value, and no other part does [7644-3.5.2.3-05]', async () => {
    const gateway = await userGateway({
      'name.givenName': 'gn',
      'name.familyName': 'sn',
      emails: { field: 'm', records: 'all' },
    });
    const { id } = await gateway.create({
      name: { givenName: 'g', familyName: 'f' },
      emails: [{ value: 'a', type: 'work', display: 'A' }],
    });
    const patched = await gateway.patch(
      String(id),
      { op: 'replace', path: 'name', value: { givenName: null } },
      { op: 'replace', path: 'emails[type eq "work"]', value: { display: null } },
      { op: 'add', path: 'name', value: {} },
      { op: 'add', path: 'name', value: { unknown: 1 } },
    );
    expect(patched).toMatchObject({ name: { familyName: 'f' }, emails: [{ value: 'a', type: 'work' }] });
    expect(patched).not.toHaveProperty('name.givenName');
  });
});

describe('unique rules', () => {
  const uses = (rules: MappingConfig) =>
    compileRules([{ type: userType, rules }])
      .get('User')!
      .use.fields.flatMap(({ name, unique }) => (unique ? [name] : []));

  it('are those that say so, and userName', () => {
    expect(uses({ userName: 'uid', externalId: 'ext', employeeNumber: { field: 'no', unique: true } })).toEqual([
      'uid',
      'no',
    ]);
    expect(uses({ userName: { field: 'uid', unique: false } })).toEqual([]);
  });

  it('refuse a value that is taken, and say by whom [7644-3.3-05]', async () => {
    const gateway = await userGateway({ employeeNumber: { field: 'no', unique: true } });
    const { id } = await gateway.create({ [enterprise]: { employeeNumber: '7' } });
    const error = await refusal(gateway.create({ userName: 'b', [enterprise]: { employeeNumber: '7' } }));
    expect(error).toMatchObject({ status: 409, scimType: 'uniqueness' });
    expect(error.message).toContain(String(id));
  });
});

/** A group beside the users, with what is needed to change it. */
async function groupIn(gateway: Awaited<ReturnType<typeof userGateway>>) {
  const { service, context } = gateway;
  const { resource } = await service.create('Group', { displayName: 'G' }, {}, context);
  return { service, context, id: String(resource?.id) };
}
