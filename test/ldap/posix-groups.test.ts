import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { startServer } from '../support/in-process-server.js';
import { describeOnLdap, startLdap } from '../support/ldap/available.js';

await describeOnLdap('openldap', 'POSIX groups, whose members are user names', async () => {
  const directory = await startLdap('openldap');
  const folder = await mkdtemp(join(tmpdir(), 'scimbridge-posix-'));
  process.env.TEST_LDAP_PASSWORD = directory.password;
  const server = await startServer({
    baseDir: folder,
    config: `version: 1
adapters:
  directory:
    type: ldap
    url: ${directory.urls.ldaps}
    bind: { dn: "${directory.bindDn}", password: "\${env:TEST_LDAP_PASSWORD}" }
    tls: { ca: ${directory.caFile} }
    base: ${directory.baseDn}
    entities:
      people: { base: ou=people, inverse: search, create: { dn: "uid={uid},ou=people", objectClasses: [inetOrgPerson] } }
      groups:
        base: ou=groups
        create: { dn: "cn={cn},ou=groups", objectClasses: [posixGroup], attributes: { gidNumber: "100" } }
gateways:
  default:
    address: /scim
    resources:
      User:
        adapter: directory
        entity: people
        mapping:
          userName: { field: uid, required: true, unique: true }
          groups: { field: memberOf, readOnly: true, reference: { to: [Group], inverseOf: Group.members } }
      Group:
        adapter: directory
        entity: groups
        mapping:
          displayName: { field: cn, required: true, unique: true }
          members: { field: memberUid, reference: { to: [User], by: uid } }
`,
  });
  const gateway = await server.gateway();
  afterAll(async () => {
    await server.close();
    await directory.close();
    await rm(folder, { recursive: true });
  });
  const namesIn = async (group: string) =>
    (await directory.search({ base: directory.groupsDn, filter: `(cn=${group})`, attributes: ['memberUid'] }))
      .flatMap(({ attributes }) => attributes.memberUid ?? [])
      .sort();
  const operations = (...list: readonly object[]) => ({
    body: { schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'], Operations: list },
  });

  it('are changed by ids, follow a renamed user, and lose a deleted one', async () => {
    const [jane, joe] = await Promise.all(
      ['jane', 'joe'].map((userName) => gateway.request('POST', '/Users', { body: { userName } })),
    );
    const members = [{ value: jane?.body.id }];
    const group = await gateway.request('POST', '/Groups', { body: { displayName: 'staff', members } });
    expect(group.status).toBe(201);
    const path = `/Groups/${group.body.id}`;
    const add = operations({ op: 'add', path: 'members', value: [{ value: joe?.body.id }, { value: jane?.body.id }] });
    expect((await gateway.request('PATCH', path, add)).status).toBe(204);
    expect(await namesIn('staff')).toEqual(['jane', 'joe']);

    const rename = operations({ op: 'replace', path: 'userName', value: 'janet' });
    expect((await gateway.request('PATCH', `/Users/${jane?.body.id}`, rename)).status).toBe(200);
    expect(await namesIn('staff')).toEqual(['janet', 'joe']);
    expect((await gateway.request('GET', path)).body.members).toHaveLength(2);
    const renamed = await gateway.request('GET', `/Users/${jane?.body.id}`);
    expect(renamed.body.groups).toMatchObject([{ value: group.body.id }]);
    const listed = await gateway.request('GET', '/Users');
    expect(listed.body.Resources?.map(({ groups = [] }) => groups.length)).toEqual([1, 1]);

    expect((await gateway.request('DELETE', `/Users/${joe?.body.id}`)).status).toBe(204);
    expect(await namesIn('staff')).toEqual(['janet']);
  });
});
