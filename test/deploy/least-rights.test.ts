import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runInitCli } from '../cli/init-cli.js';
import { repositoryRoot } from '../support/gateway.js';
import { startServer } from '../support/in-process-server.js';
import { describeOnLdap, startLdap } from '../support/ldap/available.js';
import type { LdapServer } from '../support/ldap/ldap-server.js';
import { runTool } from '../support/ldap/run-tool.js';
import { type Person, provision } from './provisioning.js';

const guide = readFileSync(join(repositoryRoot, 'docs/backends/ldap.md'), 'utf8');
/** The first block of the guide in that language with that word. */
function blockWith(language: string, word: string): string {
  const blocks = [...guide.matchAll(/```(\w+)\n(.*?)```/gs)].filter(
    ([, own, text = '']) => own === language && text.includes(word),
  );
  return blocks[0]?.[2] ?? '';
}

const password = 'Gateway.Secret-1';
const accountDn = 'cn=scimbridge,ou=services,dc=example,dc=org';
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'scimbridge-rights-'));
  writeFileSync(join(folder, 'password'), password, { mode: 0o600 });
});
afterEach(() => rmSync(folder, { recursive: true }));

/** `init`, `check --connect`, and a whole life of a person and a group, by the account that the guide makes. */
async function workAs(account: string, directory: LdapServer, person: Person): Promise<void> {
  copyFileSync(directory.caFile, join(folder, 'ca.crt'));
  const file = join(folder, 'gateway.yaml');
  const files = ['--password-file', join(folder, 'password'), '--ca', join(folder, 'ca.crt'), '--out', file];
  const made = await runInitCli('init', 'ldap', directory.urls.ldaps, '--bind-dn', account, ...files);
  expect(made).toMatchObject({ code: 0, stderr: '' });
  expect(await runInitCli('check', '--connect', file)).toMatchObject({ code: 0, stderr: '' });
  const server = await startServer({ config: readFileSync(file, 'utf8'), baseDir: folder });
  try {
    await provision(await server.gateway(), person, () => bind(directory, person));
  } finally {
    await server.close();
  }
}

async function bind(directory: LdapServer, { userName, password: secret }: Person): Promise<string> {
  const dn = directory.kind === 'samba' ? userName : `uid=${userName},${directory.peopleDn}`;
  return runTool('ldapsearch', ['-x', '-H', directory.urls.ldaps, '-D', dn, '-w', secret, '-s', 'base', '-b', ''], {
    env: { LDAPTLS_CACERT: directory.caFile },
  }).then(
    () => 'let in',
    () => 'refused',
  );
}

/** What the account may not: anything outside. */
async function expectRefused(directory: LdapServer, account: string, ldif: string): Promise<void> {
  const args = ['-x', '-H', directory.urls.ldaps, '-D', account, '-w', password];
  const changed = runTool('ldapmodify', args, { input: ldif, env: { LDAPTLS_CACERT: directory.caFile } });
  await expect(changed).rejects.toThrow(/Insufficient access/);
}

const described = (dn: string): string => `dn: ${dn}\nchangetype: modify\nreplace: description\ndescription: x\n`;

await describeOnLdap('samba', 'the rights that the guide delegates', () => {
  it('are enough, and none outside', async () => {
    const directory = await startLdap('samba');
    try {
      const env = { DC: directory.urls.ldap, ADMIN: `SAMDOM\\scim%${directory.password}`, PASSWORD: password };
      await runTool('sh', ['-euc', blockWith('sh', 'dsacl')], { env });
      const account = 'scimbridge@samdom.test';
      const person = { userName: 'ann@samdom.test', renamed: 'anna@samdom.test', password: 'Correct.Horse-1' };
      await workAs(account, directory, person);
      await expectRefused(directory, account, described(directory.disabledDn));
      await expectRefused(directory, account, described('CN=Administrator,CN=Users,DC=samdom,DC=test'));
    } finally {
      await directory.close();
    }
  });
});

await describeOnLdap('389-ds', 'the rights that the guide gives', () => {
  it('are enough, and none outside', async () => {
    const directory = await startLdap('389-ds');
    try {
      await directory.add(blockWith('ldif', 'userPassword:').replace('PASSWORD', password));
      const root = ['-x', '-H', directory.urls.ldap, '-D', 'cn=Directory Manager', '-w', 'Root.Secret-1'];
      await runTool('ldapmodify', root, { input: blockWith('ldif', 'aci:') });
      await workAs(accountDn, directory, { userName: 'ann', renamed: 'anna', password: 'Correct.Horse-1' });
      await expectRefused(directory, accountDn, described(directory.disabledDn));
    } finally {
      await directory.close();
    }
  });
});

describe('the rights that the guide gives in OpenLDAP', () => {
  it('are those of the directory of compose.yaml, where they are tried', () => {
    const normal = (text: string): string => text.replaceAll(/\s+/g, ' ');
    const lines = blockWith('text', 'access to dn.children').trim();
    expect(lines).toContain('limits dn.exact');
    expect(normal(readFileSync(join(repositoryRoot, 'deploy/openldap/slapd.conf'), 'utf8'))).toContain(normal(lines));
  });
});
