import { describe, expect, it } from 'vitest';
import type { RequestContext, ScimService } from '../../src/provisioning/service.js';
import { type RecordingAdapter, recording } from '../support/recording-adapter.js';
import { createTestService, groupType, type TestType, userType } from '../support/test-service.js';

const enterprise = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';

const mappings: readonly { readonly mapping: string; readonly types: readonly TestType[] }[] = [
  {
    mapping: 'preset scim',
    types: [
      { type: userType, rules: 'scim' },
      { type: groupType, rules: 'scim' },
    ],
  },
  {
    mapping: 'a directory',
    types: [
      {
        type: userType,
        lookupField: 'dn',
        rules: {
          userName: 'uid',
          title: { field: 'title' },
          'emails[type eq "work"].value': 'mail',
          'phoneNumbers[type eq "mobile"].value': 'mobile',
          active: { field: 'uac', codec: 'adAccountEnabled', default: true },
          manager: { field: 'manager', reference: { to: ['User'], display: 'userName' } },
          groups: {
            field: 'memberOf',
            readOnly: true,
            reference: { to: ['Group'], display: 'displayName', inverseOf: 'Group.members' },
          },
        },
      },
      {
        type: groupType,
        lookupField: 'dn',
        rules: { displayName: 'cn', members: { field: 'member', reference: { to: ['User', 'Group'] } } },
      },
    ],
  },
];

describe.each(mappings)('backend calls with $mapping', ({ types }) => {
  /** Anna with a manager and a group, on a gateway that knows nothing of them yet. */
  async function cold() {
    const test = await createTestService({
      types,
      entities: (entities) =>
        entities.map((use) => ({
          ...use,
          fields: use.fields.map((field) => (field.name === 'dn' ? { ...field, written: true, unique: true } : field)),
        })),
      wrap: recording,
    });
    const adapter = test.adapter as RecordingAdapter;
    const context = test.context();
    const call = { signal: context.signal, requestId: 'test' };
    const hasDn = types[0]?.lookupField === 'dn';
    const named = (name: string): { readonly [field: string]: string } => (hasDn ? { dn: `cn=${name},dc=x` } : {});
    const key = hasDn ? 'uid' : 'userName';
    const create = async (entity: string, record: object): Promise<string> =>
      String((await adapter.create(entity, record as never, { fields: [] }, call)).$id);
    const boss = await create('users', { [key]: 'boss', ...named('boss') });
    const manager = hasDn ? { manager: 'cn=boss,dc=x', uac: 512 } : { [`${enterprise}:manager`]: boss };
    const anna = await create('users', { [key]: 'anna', ...named('anna'), ...manager });
    const ben = await create('users', { [key]: 'ben', ...named('ben') });
    const members = hasDn
      ? { cn: 'G', member: ['cn=anna,dc=x'] }
      : { displayName: 'G', members: [{ value: anna, type: 'User' }] };
    const group = await create('groups', { ...members, ...named('G') });
    return { service: test.service, adapter, context, anna, ben, group };
  }

  type Use = (service: ScimService, context: RequestContext, ids: Awaited<ReturnType<typeof cold>>) => Promise<unknown>;

  const uses: readonly (readonly [string, Use])[] = [
    ['a look-up by userName', (service, context) => service.search('User', { filter: 'userName eq "Anna"' }, context)],
    ['a read by id', (service, context, { anna }) => service.read('User', anna, {}, {}, context)],
    [
      'a PATCH of one user',
      (service, context, { anna }) =>
        service.patch(
          'User',
          anna,
          {
            Operations: [
              { op: 'Replace', path: 'title', value: 'Boss' },
              { op: 'Add', path: 'phoneNumbers', value: [{ type: 'mobile', value: '1' }] },
              { op: 'Replace', path: 'emails[type eq "work"].value', value: 'a@x' },
            ].slice(0, types[0]?.rules === 'scim' ? 1 : 3),
          },
          {},
          {},
          context,
        ),
    ],
    [
      'adding a member',
      (service, context, { group, ben }) =>
        service.patch(
          'Group',
          group,
          { Operations: [{ op: 'add', path: 'members', value: [{ value: ben }] }] },
          {},
          {},
          context,
        ),
    ],
    [
      'removing a member',
      (service, context, { group, anna }) =>
        service.patch(
          'Group',
          group,
          { Operations: [{ op: 'remove', path: `members[value eq "${anna}"]` }] },
          {},
          {},
          context,
        ),
    ],
    ['a page of users', (service, context) => service.search('User', { startIndex: 1, count: 100 }, context)],
  ];

  it.each(uses)('%s takes at most three when nothing is known, and one later', async (_, use) => {
    const { adapter, service, context, ...ids } = await cold();
    adapter.calls.length = 0;
    await use(service, context, { adapter, service, context, ...ids });
    expect(adapter.calls.length).toBeLessThanOrEqual(3);
    adapter.calls.length = 0;
    await use(service, context, { adapter, service, context, ...ids });
    expect(adapter.calls.map(({ method }) => method)).toHaveLength(1);
  });

  it('a member more costs the same in a large group', async () => {
    const { adapter, service, context, group, ben } = await cold();
    const many = Array.from({ length: 2000 }, (_, index) => ({ value: `u${index}` }));
    const patch = (operation: object) => service.patch('Group', group, { Operations: [operation] }, {}, {}, context);
    await patch({ op: 'add', path: 'members', value: many });
    await patch({ op: 'add', path: 'members', value: [{ value: ben }] });
    adapter.calls.length = 0;
    await patch({ op: 'add', path: 'members', value: [{ value: ben }] });
    expect(adapter.calls).toHaveLength(1);
    expect(JSON.stringify(adapter.calls).length).toBeLessThan(300);
  });
});
