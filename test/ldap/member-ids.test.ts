import { afterAll, expect, it } from 'vitest';
import { ldapModule } from '../../adapters/ldap/module.js';
import type { EntityUse, OperationContext, TraceEntry } from '../../src/backend/adapter.js';
import { idOf, scalarsOf } from '../../src/backend/record.js';
import { contractEntities, environmentIn } from '../contract/contract-entities.js';
import { adapterConfig, entityDefaults } from '../support/ldap/adapter-config.js';
import { describeOnLdap, startLdap } from '../support/ldap/available.js';
import type { LdapServer } from '../support/ldap/ldap-server.js';
import { peopleLdif } from './preset-gateway.js';

function only(entity: string, ...names: readonly string[]): EntityUse {
  const use = contractEntities.find((candidate) => candidate.entity === entity);
  return { entity, fields: use?.fields.filter(({ name }) => names.includes(name)) ?? [] };
}
const uses = [only('people', 'login'), only('groups', 'title', 'members')];
const names = Array.from({ length: 200 }, (_, n) => `u${n}`);

/** Beside 200 people: somebody outside the base, a thing that is no person, a group, and a name that leads nowhere. */
function world({ kind, baseDn, peopleDn, groupsDn, disabledDn }: LdapServer): string {
  const isAd = kind === 'samba';
  const group = isAd ? 'group' : 'groupOfNames';
  const others = [
    isAd
      ? `dn: CN=away,${disabledDn}\nobjectClass: user\n`
      : `dn: uid=away,${disabledDn}\nobjectClass: inetOrgPerson\nuid: away\ncn: away\nsn: away\n`,
    isAd
      ? `dn: CN=thing,${peopleDn}\nobjectClass: contact\n`
      : `dn: cn=thing,${peopleDn}\nobjectClass: device\ncn: thing\n`,
    `dn: cn=inner,${groupsDn}\nobjectClass: ${group}\ncn: inner\n${isAd ? '' : `member: ${baseDn}\n`}`,
  ];
  const rdn = isAd ? 'CN' : 'uid';
  const nowhere = isAd ? [] : [`uid=nobody,${peopleDn}`];
  const members = [
    ...names.map((name) => `${rdn}=${name},${peopleDn}`),
    `${rdn}=away,${disabledDn}`,
    `cn=thing,${peopleDn}`,
    `cn=inner,${groupsDn}`,
    ...nowhere,
  ];
  const whole = `dn: cn=all,${groupsDn}\nobjectClass: ${group}\ncn: all\n${members.map((dn) => `member: ${dn}\n`).join('')}`;
  return [peopleLdif({ kind, peopleDn } as LdapServer, names), ...others, whole].join('\n');
}

for (const kind of ['openldap', 'samba', '389-ds'] as const) {
  await describeOnLdap(kind, 'the ids of a large group', async () => {
    const server = await startLdap(kind);
    await server.add(world(server));
    const isAd = kind === 'samba';
    const open = (people: object, deref = true) => {
      const config = adapterConfig(server, 60_000, {
        people: {
          ...entityDefaults,
          base: 'ou=people',
          filter: isAd ? '(&(objectCategory=person)(objectClass=user))' : '(objectClass=person)',
          fields: { login: isAd ? 'userPrincipalName' : 'uid' },
          ...people,
        },
        groups: {
          ...entityDefaults,
          base: 'ou=groups',
          filter: isAd ? '(objectClass=group)' : '(objectClass=groupOfNames)',
          fields: { title: 'cn', members: 'member' },
        },
      });
      return ldapModule.open(deref ? config : { ...config, features: { deref } }, environmentIn('/', uses));
    };
    afterAll(() => server.close());

    async function membersBy(people: object, deref?: boolean) {
      const adapter = await open(people, deref);
      const trace: TraceEntry[] = [];
      const context: OperationContext = {
        signal: AbortSignal.timeout(60_000),
        requestId: 'ids',
        trace: (entry) => trace.push(entry),
      };
      try {
        const [group] = await adapter.lookup('groups', { by: 'title', values: ['all'], fields: [] }, context);
        trace.length = 0;
        const record = await adapter.get('groups', idOf(group ?? { $id: '' }), { fields: ['members'] }, context);
        const operations = trace.map(({ operation }) => operation);
        const everybody = await adapter.lookup('people', { by: 'login', values: wanted, fields: [] }, context);
        const [inner] = await adapter.lookup('groups', { by: 'title', values: ['inner'], fields: [] }, context);
        const expected = [...everybody, ...(inner === undefined ? [] : [inner])].map(idOf).sort();
        return { members: [...scalarsOf(record ?? {}, 'members')].sort(), expected, operations };
      } finally {
        await adapter.close();
      }
    }
    const wanted = names.map((name) => (isAd ? `${name}@samdom.test` : name));

    it('are those of people and groups in their places, whatever else is a member', async () => {
      const { members, expected, operations } = await membersBy({});
      expect(expected).toHaveLength(201);
      expect(members).toEqual(expected);
      const lookedUp = operations.flatMap((operation) => /read (\d+) of/.exec(operation)?.[1] ?? []).map(Number);
      const left = kind === '389-ds' ? 202 : 2;
      expect(Math.max(0, ...lookedUp)).toBeLessThanOrEqual(left);
    });

    it('are the same when the entity is told by more than classes, and where the server is taken for one that tells less', async () => {
      const some = isAd ? '(&(objectClass=user)(!(cn=u7)))' : '(&(objectClass=person)(!(cn=u7)))';
      const { members, expected } = await membersBy({ filter: some });
      expect(expected).toHaveLength(200);
      expect(members).toEqual(expected);
      const plain = await membersBy({}, false);
      expect(plain.members).toEqual(plain.expected);
    });
  });
}
