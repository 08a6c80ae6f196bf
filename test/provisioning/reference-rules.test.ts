import { describe, expect, it } from 'vitest';
import type { MappingConfig, RuleConfig } from '../../src/mapping/rule.js';
import type { Resource } from '../../src/scim/schema.js';
import { type RecordingAdapter, recording } from '../support/recording-adapter.js';
import { createTestService, groupType, userType } from '../support/test-service.js';
import { refusal } from './rule-effects.js';

const enterprise = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';
const base = 'https://example.com/scim';

const people = [
  { $id: '1', uid: 'anna', dn: 'cn=Anna,dc=x' },
  { $id: '2', uid: 'ben', dn: 'cn=Ben,dc=x' },
  { $id: '3', uid: 'cleo', dn: 'cn=Cleo,dc=x' },
];

interface Rules {
  readonly user?: MappingConfig;
  readonly group?: MappingConfig;
  readonly records?: Readonly<Record<string, readonly object[]>>;
  readonly lookupField?: string;
}

async function gatewayOf({ user = {}, group = {}, records = { users: people }, lookupField }: Rules) {
  const test = await createTestService({
    types: [
      { type: userType, rules: { userName: 'uid', ...user }, ...(lookupField === undefined ? {} : { lookupField }) },
      {
        type: groupType,
        rules: { displayName: 'cn', ...group },
        ...(lookupField === undefined ? {} : { lookupField }),
      },
    ],
    // Lookup fields are the backend's own; here the test lays them out.
    entities: (entities) =>
      entities.map((use) => ({
        ...use,
        fields: use.fields.map((field) => ({ ...field, written: field.inverseOf === undefined })),
      })),
    records,
    wrap: recording,
  });
  const adapter = test.adapter as RecordingAdapter;
  const context = test.context();
  const { service } = test;
  return {
    adapter,
    notes: context.notes,
    read: async (type: string, id: string) => (await service.read(type, id, {}, {}, context)).resource as Resource,
    create: async (type: string, body: object) => (await service.create(type, body, {}, context)).resource as Resource,
    put: async (type: string, id: string, body: object) =>
      (await service.replace(type, id, body, {}, {}, context)).resource as Resource,
    patch: async (type: string, id: string, ...Operations: readonly object[]) =>
      service.patch(type, id, { Operations }, {}, {}, context),
    find: async (type: string, filter: string) =>
      (((await service.search(type, { filter }, context)).Resources ?? []) as readonly { readonly id: string }[]).map(
        ({ id }) => id,
      ),
    field: async (entity: string, id: string, name: string) =>
      (await adapter.get(entity, id, { fields: [name] }, context))?.[name],
  };
}

const ways: readonly {
  readonly kept: string;
  readonly members: MappingConfig[string];
  readonly lookupField?: string;
  readonly stored: unknown;
}[] = [
  { kept: 'ids', members: { field: 'member', reference: { to: ['User'] } }, stored: ['1', '2'] },
  {
    kept: 'what `by` names',
    members: { field: 'member', reference: { to: ['User'], by: 'dn' } },
    stored: ['cn=Anna,dc=x', 'cn=Ben,dc=x'],
  },
  {
    kept: "what the type's lookupField names",
    members: { field: 'member', reference: { to: ['User', 'Group'] } },
    lookupField: 'dn',
    stored: ['cn=Anna,dc=x', 'cn=Ben,dc=x'],
  },
  {
    kept: 'child records with their type',
    members: { field: 'rows', records: { value: 'ref' }, reference: { to: ['User', 'Group'], type: 'kind' } },
    stored: [
      { ref: '1', kind: 'User' },
      { ref: '2', kind: 'User' },
    ],
  },
];

describe.each(ways)('references kept as $kept', ({ members, lookupField, stored }) => {
  const rules = { group: { members }, ...(lookupField === undefined ? {} : { lookupField }) };
  const field = typeof members === 'string' ? members : String(members?.field);
  const shown = [
    { value: '1', type: 'User', $ref: `${base}/Users/1` },
    { value: '2', type: 'User', $ref: `${base}/Users/2` },
  ];

  it('are ids on one side and kept so on the other [7643-4.2-03]', async () => {
    const gateway = await gatewayOf(rules);
    const group = await gateway.create('Group', { displayName: 'G', members: [{ value: '1' }, { value: '2' }] });
    expect(group.members).toEqual(shown);
    expect(await gateway.field('groups', String(group.id), field)).toEqual(stored);
    expect(await gateway.read('Group', String(group.id))).toEqual(group);
    expect((await gateway.put('Group', String(group.id), { displayName: 'G', members: shown })).meta).toEqual(
      group.meta,
    );
  });

  it('are found by their id', async () => {
    const gateway = await gatewayOf(rules);
    const group = await gateway.create('Group', { displayName: 'G', members: [{ value: '1' }] });
    await gateway.create('Group', { displayName: 'H', members: [{ value: '2' }] });
    expect(await gateway.find('Group', 'members eq "1"')).toEqual([group.id]);
    expect(await gateway.find('Group', `displayName eq "g" and members[value eq "1"]`)).toEqual([group.id]);
    expect(await gateway.find('Group', 'members.value eq "nobody"')).toEqual([]);
  });

  it('are added and taken away one by one', async () => {
    const gateway = await gatewayOf(rules);
    const { id } = await gateway.create('Group', { displayName: 'G', members: [{ value: '1' }] });
    gateway.adapter.calls.length = 0;
    await gateway.patch(
      'Group',
      String(id),
      { op: 'Add', path: 'members', value: [{ $ref: null, value: '2' }] },
      { op: 'Remove', path: 'members', value: [{ value: '1' }] },
      { op: 'remove', path: 'members[value eq "3"]' },
    );
    expect(gateway.adapter.calls.map(({ method }) => method)).not.toContain('get');
    expect((await gateway.read('Group', String(id))).members).toEqual(shown.slice(1));
  });

  it('follow when what they name is deleted', async () => {
    const gateway = await gatewayOf(rules);
    const { id } = await gateway.create('Group', { displayName: 'G', members: [{ value: '1' }, { value: '2' }] });
    await gateway.adapter.delete('users', '1', {}, { signal: new AbortController().signal, requestId: 't' });
    expect((await gateway.read('Group', String(id))).members).toEqual(shown.slice(1));
  });
});

describe('what is shown of a reference', () => {
  it('is a name only where the rule asks for one, looked up once for a page', async () => {
    const manager: RuleConfig = { field: 'boss', reference: { to: ['User'], by: 'uid', display: 'userName' } };
    const gateway = await gatewayOf({
      user: { manager },
      records: { users: people.map((person, at) => (at === 0 ? person : { ...person, boss: people[at - 1]?.uid })) },
    });
    gateway.adapter.calls.length = 0;
    const cleo = await gateway.read('User', '3');
    expect(cleo[enterprise]).toEqual({ manager: { value: '2', $ref: `${base}/Users/2`, displayName: 'ben' } });
    expect(await gateway.find('User', 'manager pr')).toEqual(['2', '3']);
    expect(gateway.adapter.calls.filter(({ method }) => method === 'lookup')).toHaveLength(2);
  });

  it('is found however the backend spells what is kept', async () => {
    const gateway = await gatewayOf({
      user: { manager: { field: 'boss', reference: { to: ['User'], by: 'uid' } } },
      records: { users: [...people, { $id: '4', uid: 'dora', boss: 'ANNA' }] },
    });
    expect((await gateway.read('User', '4'))[enterprise]).toMatchObject({ manager: { value: '1' } });
  });

  it('is nothing for a value that names nobody here, which stays where it is', async () => {
    const members: RuleConfig = { field: 'member', reference: { to: ['User'], by: 'dn' } };
    const gateway = await gatewayOf({
      group: { members },
      records: { users: people, groups: [{ $id: 'g', cn: 'G', member: ['cn=Anna,dc=x', 'cn=Elsewhere,dc=y'] }] },
    });
    expect((await gateway.read('Group', 'g')).members).toHaveLength(1);
    await gateway.put('Group', 'g', { displayName: 'G', members: [{ value: '2' }] });
    expect(await gateway.field('groups', 'g', 'member')).toEqual(['cn=Elsewhere,dc=y', 'cn=Ben,dc=x']);
  });
});

describe('an id that names nothing here', () => {
  const body = { displayName: 'G', members: [{ value: 'nobody' }, { value: '1' }] };
  const gatewayWith = (unknownReference?: 'keep' | 'drop' | 'reject', by?: string) =>
    gatewayOf({
      group: {
        members: {
          field: 'member',
          reference: { to: ['User'], ...(unknownReference && { unknownReference }), ...(by && { by }) },
        },
      },
    });

  it('is kept where the rule says so, or where ids are kept and nothing is said', async () => {
    for (const gateway of [await gatewayWith('keep'), await gatewayWith()]) {
      const { id } = await gateway.create('Group', body);
      expect(await gateway.field('groups', String(id), 'member')).toEqual(['nobody', '1']);
      expect(gateway.notes).toEqual([]);
    }
  });

  it('is dropped and reported where the rule says so, or where something else than ids is kept', async () => {
    for (const [gateway, stored] of [
      [await gatewayWith('drop'), '1'],
      [await gatewayWith(undefined, 'dn'), 'cn=Anna,dc=x'],
    ] as const) {
      const { id } = await gateway.create('Group', body);
      expect(await gateway.field('groups', String(id), 'member')).toEqual([stored]);
      expect(gateway.notes).toEqual(['members: names a resource that is not here']);
    }
  });

  it('is refused where the rule says so, unless it is there already', async () => {
    const gateway = await gatewayWith('reject');
    const error = await refusal(gateway.create('Group', body));
    expect(error).toMatchObject({ status: 400, scimType: 'invalidValue' });
    expect(error.message).toContain('names a resource that is not here: nobody');
    const { id } = await gateway.create('Group', { displayName: 'G', members: [{ value: '1' }] });
    const add = gateway.patch('Group', String(id), { op: 'add', path: 'members', value: [{ value: 'nobody' }] });
    expect(await refusal(add)).toMatchObject({ status: 400 });
  });

  it('leaves no manager rather than the one before', async () => {
    const gateway = await gatewayOf({
      user: { manager: { field: 'boss', reference: { to: ['User'], unknownReference: 'drop' } } },
    });
    await gateway.patch('User', '1', { op: 'replace', path: 'manager', value: '2' });
    expect(await gateway.field('users', '1', 'boss')).toBe('2');
    await gateway.patch('User', '1', { op: 'replace', path: 'manager', value: 'nobody' });
    expect(await gateway.field('users', '1', 'boss')).toBeUndefined();
  });
});

describe('the other end of a reference', () => {
  it('is read and filtered, and follows the writing end', async () => {
    const gateway = await gatewayOf({
      user: { groups: { field: 'memberOf', readOnly: true, reference: { to: ['Group'], inverseOf: 'Group.members' } } },
      group: { members: { field: 'member', reference: { to: ['User'] } } },
    });
    const { id } = await gateway.create('Group', { displayName: 'G', members: [{ value: '1' }] });
    expect((await gateway.read('User', '1')).groups).toEqual([
      { value: id, $ref: `${base}/Groups/${id}`, type: 'direct' },
    ]);
    expect(await gateway.find('User', `groups eq "${id}"`)).toEqual(['1']);
  });
});

describe('a manager', () => {
  const gateway = () => gatewayOf({ user: { manager: { field: 'boss', reference: { to: ['User'] } } } });

  it.each([
    ['plain text', '2'],
    ['an object', { value: '2' }],
    ['an object with its address', { value: '2', $ref: '../Users/2' }],
  ])('is taken as %s', async (_, value) => {
    const test = await gateway();
    await test.patch('User', '1', { op: 'add', path: 'manager', value });
    expect(await test.field('users', '1', 'boss')).toBe('2');
  });

  it.each([
    { op: 'remove', path: 'manager' },
    { op: 'replace', path: 'manager', value: '' },
    { op: 'replace', path: 'manager', value: null },
    { op: 'replace', path: 'manager', value: { value: '' } },
    { op: 'remove', path: 'manager.value' },
    { op: 'replace', value: { [enterprise]: { manager: null } } },
  ])('is removed by %j', async (operation) => {
    const test = await gateway();
    await test.patch('User', '1', { op: 'add', path: 'manager', value: '2' });
    await test.patch('User', '1', operation);
    expect(await test.field('users', '1', 'boss')).toBeUndefined();
  });
});
