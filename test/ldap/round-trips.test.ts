import { afterAll, expect, it } from 'vitest';
import { ldapModule } from '../../adapters/ldap/module.js';
import type { Change, EntityUse, OperationContext, TraceEntry, UpdateResult } from '../../src/backend/adapter.js';
import { idOf, scalarsOf } from '../../src/backend/record.js';
import { contractEntities, environmentIn } from '../contract/contract-entities.js';
import { adapterConfig, entityDefaults, standardGroups } from '../support/ldap/adapter-config.js';
import { describeOnLdap } from '../support/ldap/available.js';
import { startOpenLdap } from '../support/ldap/openldap.js';

const people = contractEntities.find(({ entity }) => entity === 'people');
const groups = contractEntities.find(({ entity }) => entity === 'groups');
const pick = (use: EntityUse | undefined, entity: string, ...names: readonly string[]): EntityUse => ({
  entity,
  fields: use?.fields.filter(({ name }) => names.includes(name)) ?? [],
});

await describeOnLdap('openldap', 'round trips of a change', async () => {
  const server = await startOpenLdap();
  const config = adapterConfig(server, 30_000, {
    people: {
      ...entityDefaults,
      base: 'ou=people',
      filter: '(&(objectClass=inetOrgPerson)(!(employeeType=robot)))',
      fields: { login: 'uid', name: 'displayName' },
      create: { dn: 'uid={login},ou=people', objectClasses: ['inetOrgPerson'] },
    },
    groups: standardGroups,
  });
  const entities = [pick(people, 'people', 'login', 'name', 'memberOf'), pick(groups, 'groups', 'title', 'members')];
  const adapter = await ldapModule.open(config, environmentIn('/', entities));
  afterAll(async () => {
    await adapter.close();
    await server.close();
  });
  const context = (trace: TraceEntry[] = []): OperationContext => ({
    signal: AbortSignal.timeout(30_000),
    requestId: 'trips',
    trace: (entry: TraceEntry) => trace.push(entry),
  });
  const revised = { fields: ['$revision'] } as const;

  async function create(login: string): Promise<string> {
    return idOf(await adapter.create('people', { login }, revised, context()));
  }
  async function update(
    entity: string,
    id: string,
    change: Change,
    ifRevision?: string,
  ): Promise<UpdateResult & { readonly trips: number }> {
    const trace: TraceEntry[] = [];
    const options = ifRevision === undefined ? revised : { ...revised, ifRevision };
    const result = await adapter.update(entity, id, [change], options, context(trace));
    return { ...result, trips: trace.length };
  }
  const named = (value: string): Change => ({ op: 'set', field: 'name', values: value === '' ? [] : [value] });
  const dnOf = (login: string): string => `uid=${login},${server.peopleDn}`;

  it('are one for a plain value of an entry that was seen, and the answer is what it is then', async () => {
    const id = await create('ann');
    for (const value of ['Annie', 'Anna', '']) {
      const { changed, record, trips } = await update('people', id, named(value));
      expect({ changed, trips }).toEqual({ changed: true, trips: 1 });
      expect(record).toEqual(await adapter.get('people', id, revised, context()));
    }
  });

  it('leave an entry and its revision alone where nothing changes, also in letter case', async () => {
    const id = await create('bea');
    await update('people', id, named('Bea'));
    const before = await adapter.get('people', id, revised, context());
    const again = await update('people', id, named('Bea'));
    expect(again).toMatchObject({ changed: false, record: before });
    expect(await update('people', id, named('BEA'))).toMatchObject({ changed: true });
    expect(await adapter.get('people', id, { fields: ['name'] }, context())).toMatchObject({ name: 'BEA' });
  });

  it('never reach another entry that has the name now, or one that has left the entity', async () => {
    const id = await create('cid');
    const remove = `dn: ${dnOf('cid')}\nchangetype: delete\n`;
    await server.modify(remove);
    await server.add(`dn: ${dnOf('cid')}\nobjectClass: inetOrgPerson\nuid: cid\ncn: other\nsn: other\n`);
    await expect(update('people', id, named('Wrong'))).rejects.toMatchObject({ kind: 'notFound' });
    const robot = await create('dan');
    await server.modify(`dn: ${dnOf('dan')}\nchangetype: modify\nadd: employeeType\nemployeeType: robot\n`);
    await expect(update('people', robot, named('Wrong'))).rejects.toMatchObject({ kind: 'notFound' });
    const found = await server.search({ filter: '(displayName=Wrong)' });
    expect(found).toEqual([]);
  });

  it('follow an entry that somebody renamed', async () => {
    const id = await create('eve');
    await server.modify(`dn: ${dnOf('eve')}\nchangetype: modrdn\nnewrdn: uid=eva\ndeleteoldrdn: 1\n`);
    expect(await update('people', id, named('Eva'))).toMatchObject({ changed: true });
    const read = await adapter.get('people', id, { fields: ['login', 'name'] }, context());
    expect(read).toMatchObject({ login: 'eva', name: 'Eva' });
  });

  it('are three for a member, the first two side by side, and one more to see that who came in has the name still', async () => {
    const [one, other] = [await create('fay'), await create('gus')];
    const group = await adapter.create('groups', { title: 'trips', members: [one] }, revised, context());
    const id = idOf(group);
    const revision = String(group.$revision);
    const added = await update('groups', id, { op: 'add', field: 'members', values: [other] }, revision);
    expect(added).toMatchObject({ changed: true, trips: 4 });
    expect(added.record).toEqual(await adapter.get('groups', id, revised, context()));
    const removed = await update('groups', id, { op: 'remove', field: 'members', values: [one] });
    expect(removed).toMatchObject({ changed: true, trips: 3 });
    const groupsOf = async (person: string): Promise<readonly unknown[]> =>
      scalarsOf((await adapter.get('people', person, { fields: ['memberOf'] }, context())) ?? { $id: '' }, 'memberOf');
    expect(await groupsOf(other)).toEqual([id]);
    expect(await groupsOf(one)).toEqual([]);
    const late = update('groups', id, { op: 'add', field: 'members', values: [one] }, revision);
    await expect(late).rejects.toMatchObject({ kind: 'revisionMismatch' });
  });
});
