import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ldapConfigSchema } from '../../adapters/ldap/config.js';
import { entitySchema } from '../../adapters/ldap/entity-config.js';
import { repositoryRoot, type TestGateway, type TestServer } from '../support/gateway.js';
import { startServer } from '../support/in-process-server.js';
import { describeOnLdap, startLdap } from '../support/ldap/available.js';
import type { LdapServer } from '../support/ldap/ldap-server.js';

const core = 'urn:ietf:params:scim:schemas:core:2.0';
const enterprise = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';

describe('docs/configuration.md', () => {
  it('names every key of an LDAP adapter and of its entities', () => {
    const text = readFileSync(join(repositoryRoot, 'docs/configuration.md'), 'utf8');
    const { type: _, ...keys } = ldapConfigSchema.properties;
    const below = { ...keys.tls.properties, ...keys.pool.properties, ...entitySchema.properties };
    for (const key of [...Object.keys(keys), ...Object.keys(below)]) expect(text, key).toContain(`\`${key}\``);
  });
});

await describeOnLdap('openldap', 'what the guide says', () => {
  let directory: LdapServer;
  let server: TestServer;
  let scim: TestGateway;

  beforeAll(async () => {
    directory = await startLdap('openldap', {
      ldif: ['sales', 'research']
        .map((ou) => `dn: ou=${ou},ou=people,dc=example,dc=org\nobjectClass: organizationalUnit\nou: ${ou}\n`)
        .join('\n'),
    });
    process.env.TEST_GUIDE_PASSWORD = directory.password;
    const config = readFileSync(join(repositoryRoot, 'deploy/gateway.yaml'), 'utf8')
      .replace('ldaps://openldap:1636', directory.urls.ldaps)
      .replace('/run/directory/ca.crt', directory.caFile)
      .replace('cn=scimbridge,ou=services,dc=example,dc=org', directory.bindDn)
      .replace('file:/run/directory/password', 'env:TEST_GUIDE_PASSWORD')
      .replace('uid={uid},ou=people', 'uid={uid},ou={departmentNumber},ou=people');
    server = await startServer({ config });
    scim = await server.gateway();
  });
  afterAll(async () => {
    await server?.close();
    await directory.close();
    delete process.env.TEST_GUIDE_PASSWORD;
  });

  it('moves a person when a field changes that stands further up in the name, and keeps the id', async () => {
    const created = await scim.request('POST', '/Users', {
      body: { schemas: [`${core}:User`, enterprise], userName: 'ann', [enterprise]: { department: 'sales' } },
    });
    expect(created.status).toBe(201);
    const change = (value: string) =>
      scim.request('PATCH', `/Users/${created.body.id}`, {
        body: {
          schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
          Operations: [{ op: 'replace', path: `${enterprise}:department`, value }],
        },
      });
    expect(await change('research')).toMatchObject({ status: 200, body: { id: created.body.id } });
    const where = async () => (await directory.search({ filter: '(uid=ann)' })).map(({ dn }) => dn);
    expect(await where()).toEqual(['uid=ann,ou=research,ou=people,dc=example,dc=org']);
    expect((await change('nowhere')).status).toBe(400);
    expect(await where()).toEqual(['uid=ann,ou=research,ou=people,dc=example,dc=org']);
  });

  it('does not create a person whose password is refused', async () => {
    await directory.modify(
      'dn: cn=default,ou=policies,dc=example,dc=org\nchangetype: modify\nadd: pwdMinLength\npwdMinLength: 8\n-\nadd: pwdCheckQuality\npwdCheckQuality: 2\n',
    );
    const body = {
      schemas: [`${core}:User`, enterprise],
      userName: 'bob',
      password: 'short',
      [enterprise]: { department: 'sales' },
    };
    const refused = await scim.request('POST', '/Users', { body });
    expect([refused.status, refused.body.scimType]).toEqual([400, 'invalidValue']);
    expect(refused.text).not.toContain('short"');
    expect(await directory.search({ filter: '(uid=bob)' })).toEqual([]);
  });
});
