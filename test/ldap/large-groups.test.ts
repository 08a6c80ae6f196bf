import { afterAll, expect, it } from 'vitest';
import { ldapModule } from '../../adapters/ldap/module.js';
import type { EntityUse, OperationContext, TraceEntry } from '../../src/backend/adapter.js';
import { idOf, scalarsOf } from '../../src/backend/record.js';
import { contractEntities, environmentIn } from '../contract/contract-entities.js';
import { adapterConfig, entityDefaults, standardGroups } from '../support/ldap/adapter-config.js';
import { describeOnLdap } from '../support/ldap/available.js';
import { startOpenLdap } from '../support/ldap/openldap.js';

const size = 5_000;
function only(entity: string, ...names: readonly string[]): EntityUse {
  const use = contractEntities.find((candidate) => candidate.entity === entity);
  return { entity, fields: use?.fields.filter(({ name }) => names.includes(name)) ?? [] };
}
const entities = [only('people', 'login', 'memberOf'), only('groups', 'title', 'members')];

await describeOnLdap('openldap', 'large groups', async () => {
  const people = 'ou=people,dc=example,dc=org';
  const numbers = Array.from({ length: size }, (_, n) => n);
  const ldif = [
    ...numbers.map((n) => `dn: uid=u${n},${people}\nobjectClass: inetOrgPerson\nuid: u${n}\ncn: u${n}\nsn: u${n}\n`),
    `dn: cn=all,ou=groups,dc=example,dc=org\nobjectClass: groupOfNames\ncn: all`,
    ...numbers.slice(1).map((n) => `member: uid=u${n},${people}`),
    '',
  ].join('\n');
  const server = await startOpenLdap({ ldif });
  const config = adapterConfig(server, 30_000, {
    people: {
      ...entityDefaults,
      base: 'ou=people',
      fields: { login: 'uid' },
      create: { dn: 'uid={login},ou=people', objectClasses: ['inetOrgPerson'] },
    },
    groups: standardGroups,
  });
  const adapter = await ldapModule.open(config, environmentIn('/', entities));
  afterAll(async () => {
    await adapter.close();
    await server.close();
  });
  const context = (trace?: TraceEntry[]): OperationContext => ({
    signal: AbortSignal.timeout(30_000),
    requestId: 'large',
    ...(trace && { trace: (entry: TraceEntry) => trace.push(entry) }),
  });

  async function idBy(entity: string, by: string, value: string): Promise<string> {
    const [record] = await adapter.lookup(entity, { by, values: [value], fields: [] }, context());
    return idOf(record ?? { $id: '' });
  }

  it('adds and removes a member without reading the others', async () => {
    const [group, first] = [await idBy('groups', 'title', 'all'), await idBy('people', 'login', 'u0')];
    for (const op of ['add', 'remove'] as const) {
      for (const changed of [true, false]) {
        const trace: TraceEntry[] = [];
        const changes = [{ op, field: 'members', values: [first] }];
        const result = await adapter.update('groups', group, changes, { fields: [] }, context(trace));
        expect(result.changed).toBe(changed);
        expect(trace.length).toBeLessThanOrEqual(5);
        expect(trace.map(({ operation }) => operation).join('\n')).not.toMatch(/all pages/);
      }
    }
  });

  it('reads the members of a group in a few searches, and the group without them in one', async () => {
    const group = await idBy('groups', 'title', 'all');
    const trace: TraceEntry[] = [];
    const whole = await adapter.get('groups', group, { fields: ['members'] }, context(trace));
    expect(new Set(scalarsOf(whole ?? {}, 'members')).size).toBe(size - 1);
    expect(trace.length).toBeLessThanOrEqual(4);
    const bare: TraceEntry[] = [];
    expect(await adapter.get('groups', group, { fields: ['title'] }, context(bare))).toMatchObject({ title: 'all' });
    expect(bare).toHaveLength(1);
  });

  it('walks all people in pages, with one sweep and a few searches for each page', async () => {
    const trace: TraceEntry[] = [];
    const seen = new Set<string>();
    for (let offset = 0; offset < size; offset += 500) {
      const query = { entity: 'people', fields: ['login'], offset, limit: 500, wantTotal: true };
      const { records, total } = await adapter.search(query, context(trace));
      expect(total).toBe(size);
      for (const record of records) seen.add(idOf(record));
    }
    expect(seen.size).toBe(size);
    const operations = trace.map(({ operation }) => operation);
    expect(operations.filter((operation) => operation.includes('all pages'))).toHaveLength(1);
    expect(operations.length).toBeLessThanOrEqual(1 + 6 * (size / 500));
  });

  it('takes thousands of members at once', async () => {
    const ids: string[] = [];
    for await (const record of adapter.scan({ entity: 'people', fields: [] }, context())) ids.push(idOf(record));
    const created = await adapter.create('groups', { title: 'copy', members: ids }, { fields: [] }, context());
    const read = await adapter.get('groups', idOf(created), { fields: ['members'] }, context());
    expect(new Set(scalarsOf(read ?? {}, 'members')).size).toBe(size);
    const changes = [{ op: 'remove', field: 'members', values: ids.slice(0, 3_000) } as const];
    await adapter.update('groups', idOf(created), changes, { fields: [] }, context());
    const after = await adapter.get('groups', idOf(created), { fields: ['members'] }, context());
    expect(new Set(scalarsOf(after ?? {}, 'members'))).toEqual(new Set(ids.slice(3_000)));
  });
});
