import { describe, expect, it } from 'vitest';
import type { Change, Condition, EntityUse } from '../../src/backend/adapter.js';
import { context, field, openOn, type PeopleConfig, startTarget, type Told } from './small-target.js';

const enterprise = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';
const entities: readonly EntityUse[] = [
  {
    entity: 'people',
    fields: [
      field('login', { unique: true }),
      field('family'),
      field('department'),
      field('age', { type: 'number', comparison: 'number' }),
      field('mails', { type: 'records', multiple: true, children: [field('value'), field('type')] }),
      field('members', { multiple: true, comparison: 'exact', reference: { targets: ['people'], by: '$id' } }),
    ],
  },
];
const scim: Partial<PeopleConfig> = {
  revision: { pointer: '/meta/version' },
  modified: '/meta/lastModified',
  fields: {
    login: '/userName',
    family: '/name/familyName',
    department: `/${enterprise}/department`,
    age: '/age',
    mails: { pointer: '/emails', children: { value: '/value', type: '/type' } },
    members: { pointer: '/members', item: '/value' },
  },
  select: { parameter: 'excludedAttributes', exclude: true, names: { members: 'members' } },
  get: 'GET /Users/{id}',
  search: {
    request: 'GET /Users',
    records: '/Resources',
    filters: { style: 'scim', match: 'exact' },
    paging: { kind: 'offset', offsetParam: 'startIndex', sizeParam: 'count', first: 1, total: '/totalResults' },
  },
  update: { request: 'PATCH /Users/{id}', body: 'scim-patch' },
};
const section = { mediaType: 'application/scim+json' };
const compare = (path: string, op: 'eq' | 'sw' | 'gt', value: string | number): Condition => ({
  kind: 'compare',
  path,
  op,
  value,
});

describe('filters of SCIM (RFC 7644 §3.4.2.2)', () => {
  const filters: readonly (readonly [Condition, string])[] = [
    [compare('login', 'eq', 'a "b" \\c'), 'userName eq "a \\"b\\" \\\\c"'],
    [compare('department', 'sw', 'x'), `${enterprise}:department sw "x"`],
    [compare('age', 'gt', 5), 'age gt 5'],
    [compare('members', 'eq', '7'), 'members.value eq "7"'],
    [compare('$modified', 'gt', '2026-01-01T01:00:00+01:00'), 'meta.lastModified gt "2026-01-01T00:00:00Z"'],
    [{ kind: 'present', path: 'family' }, 'name.familyName pr'],
    [
      {
        kind: 'valuePath',
        path: 'mails',
        filter: { kind: 'and', operands: [compare('type', 'eq', 'work'), compare('value', 'sw', 'a')] },
      },
      'emails[type eq "work" and value sw "a"]',
    ],
    [
      {
        kind: 'and',
        operands: [
          compare('login', 'sw', 'a'),
          {
            kind: 'or',
            operands: [compare('family', 'eq', 'x'), { kind: 'not', operand: compare('family', 'eq', 'y') }],
          },
        ],
      },
      'userName sw "a" and (name.familyName eq "x" or not (name.familyName eq "y"))',
    ],
  ];
  it.each(filters)('%j', async (filter, text) => {
    const target = await startTarget(() => ({ json: { Resources: [], totalResults: 0 } }));
    const adapter = await openOn(target.url, scim, { entities, section });
    const query = { entity: 'people', filter, fields: [], limit: 5, wantTotal: true };
    expect(await adapter.search(query, context())).toEqual({ records: [], total: 0 });
    expect(target.asked[0]?.query.get('filter')).toBe(text);
    expect(target.asked[0]?.headers.accept).toBe('application/scim+json');
  });

  it('ask for many values with "or"', async () => {
    const target = await startTarget(() => ({
      json: {
        Resources: [
          { id: '1', userName: 'a' },
          { id: '3', userName: 'c' },
        ],
        totalResults: 2,
      },
    }));
    const adapter = await openOn(target.url, scim, { entities, section });
    const found = await adapter.lookup('people', { by: '$id', values: ['1', '2', '3'], fields: ['login'] }, context());
    expect(found).toEqual([
      { $id: '1', login: 'a' },
      { $id: '3', login: 'c' },
    ]);
    expect(target.asked[0]?.query.get('filter')).toBe('id eq "1" or id eq "2" or id eq "3"');
  });
});

describe('patches of SCIM (RFC 7644 §3.5.2)', () => {
  async function start(patch: (operations: readonly { op: string; path: string }[], version: number) => Told | number) {
    let version = 1;
    const target = await startTarget((asked): Told => {
      if (asked.method === 'PATCH') {
        const told = patch(JSON.parse(asked.body).Operations, version);
        if (typeof told !== 'number') return told;
        version = told;
        return { status: 204 };
      }
      const mails = [
        { value: 'a@x', type: 'work' },
        { value: 'b@x', type: 'home', display: 'B' },
      ];
      const members = asked.query.get('excludedAttributes') === 'members' ? {} : { members: [{ value: '1' }] };
      const json = { id: 'g', userName: 'u', emails: mails, ...members, meta: { version: `W/"${version}"` } };
      return { json };
    });
    const adapter = await openOn(target.url, scim, { entities, section });
    const update = (...changes: readonly Change[]) => adapter.update('people', 'g', changes, { fields: [] }, context());
    const patches = () => target.asked.filter(({ method }) => method === 'PATCH');
    const operations = () => patches().map(({ body }) => JSON.parse(body).Operations);
    return { target, update, patches, operations };
  }

  it('add and remove members by value, without reading them, and tell by the version whether anything changed', async () => {
    const { target, update, operations, patches } = await start(
      (sent, version) => version + sent.filter(({ op }) => op === 'add').length,
    );
    const added = await update(
      { op: 'remove', field: 'members', values: ['1', '"x"'] },
      { op: 'add', field: 'members', values: ['2', '3'] },
    );
    expect(added.changed).toBe(true);
    expect(operations()[0]).toEqual([
      { op: 'remove', path: 'members[value eq "1"]' },
      { op: 'remove', path: 'members[value eq "\\"x\\""]' },
      { op: 'add', path: 'members', value: [{ value: '2' }, { value: '3' }] },
    ]);
    expect(patches()[0]?.headers['content-type']).toBe('application/scim+json');
    expect((await update({ op: 'remove', field: 'members', values: ['9'] })).changed).toBe(false);
    expect(target.asked.every(({ query }) => query.get('excludedAttributes') === 'members')).toBe(true);
  });

  it('set and clear members as a whole', async () => {
    const { update, operations } = await start((_, version) => version + 1);
    await update({ op: 'set', field: 'members', values: ['5'] });
    await update({ op: 'set', field: 'members', values: [] });
    expect(operations()).toEqual([
      [{ op: 'replace', path: 'members', value: [{ value: '5' }] }],
      [{ op: 'remove', path: 'members' }],
    ]);
  });

  it('read the members where the server refuses to take out what is not there', async () => {
    const { update, operations } = await start((sent, version) =>
      sent.some(({ path }) => path.includes('"9"')) ? { status: 400, json: { scimType: 'noTarget' } } : version + 1,
    );
    const result = await update({ op: 'remove', field: 'members', values: ['1', '9'] });
    expect(result.changed).toBe(true);
    expect(operations().at(-1)).toEqual([{ op: 'remove', path: 'members' }]);
  });

  it('change values one by one where that is certain, and under If-Match', async () => {
    const { update, operations, patches } = await start((_, version) => version + 1);
    await update(
      { op: 'set', field: 'family', values: ['Lee'] },
      { op: 'set', field: 'department', values: ['Sales'] },
      { op: 'remove', field: 'mails', values: [{ value: 'a@x', type: 'work' }] },
      { op: 'add', field: 'mails', values: [{ value: 'c@x', type: 'work' }] },
    );
    expect(operations()[0]).toEqual([
      { op: 'replace', path: 'name.familyName', value: 'Lee' },
      { op: 'replace', path: `${enterprise}:department`, value: 'Sales' },
      { op: 'remove', path: 'emails[value eq "a@x" and type eq "work"]' },
      { op: 'add', path: 'emails', value: [{ value: 'c@x', type: 'work' }] },
    ]);
    expect(patches()[0]?.headers['if-match']).toBe('W/"1"');
  });

  it('replace a list as a whole where a value of it could be taken for another, and keep what is not mapped', async () => {
    const { update, operations } = await start((_, version) => version + 1);
    const where: Condition = { kind: 'compare', path: 'type', op: 'eq', value: 'home' };
    await update({ op: 'add', field: 'mails', values: [{ value: 'a@x', type: 'other' }] });
    await update({ op: 'updateWhere', field: 'mails', where, set: { value: 'new@x' } });
    expect(operations()[0]).toEqual([{ op: 'replace', path: 'emails', value: expect.any(Array) }]);
    expect(JSON.stringify(operations()[1])).toContain('{"value":"new@x","type":"home","display":"B"}');
  });
});
