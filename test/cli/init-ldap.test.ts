import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { TestGateway, TestServer } from '../support/gateway.js';
import { startServer } from '../support/in-process-server.js';
import { describeOnLdap, startLdap } from '../support/ldap/available.js';
import type { LdapServer } from '../support/ldap/ldap-server.js';
import { runInitCli } from './init-cli.js';

const core = 'urn:ietf:params:scim:schemas:core:2.0';
const patch = 'urn:ietf:params:scim:api:messages:2.0:PatchOp';

/** From nothing to a served directory: what `init` writes passes `check --connect` and works. */
for (const kind of ['openldap', 'samba', '389-ds'] as const) {
  await describeOnLdap(kind, 'init', () => {
    const folder = mkdtempSync(join(tmpdir(), 'scimbridge-init-'));
    const file = join(folder, 'gateway.yaml');
    let directory: LdapServer;
    let server: TestServer | undefined;
    let gateway: TestGateway;

    beforeAll(async () => {
      directory = await startLdap(kind);
      copyFileSync(directory.caFile, join(folder, 'ca.crt'));
      writeFileSync(join(folder, 'password'), `${directory.password}\n`, { mode: 0o600 });
    });
    afterAll(async () => {
      await server?.close();
      await directory.close();
      rmSync(folder, { recursive: true });
    });

    it('writes a configuration without the password, which check --connect accepts', async () => {
      const made = await runInitCli(...initArgs(directory, folder), '--out', file);
      expect(made).toMatchObject({ code: 0, stderr: '' });
      const text = readFileSync(file, 'utf8');
      expect(text + made.stdout).not.toContain(directory.password);
      expect(text).toContain(`password: '\${file:./password}'`);
      expect(text).toContain('tls: { ca: ./ca.crt }');
      const checked = await runInitCli('check', '--connect', file);
      expect(checked).toEqual({ code: 0, stdout: `${file}: no errors, 0 warnings.\n`, stderr: '' });
    });

    it('takes the preset of the server for all that it says, and writes what differs', async () => {
      const text = readFileSync(file, 'utf8');
      const preset = { openldap: 'openldap', samba: 'active-directory', '389-ds': '389-ds' }[kind];
      expect(text.match(/^ +use: .*?]/gm)?.map((line) => line.trim())).toEqual([
        `use: [${preset}]`,
        `use: [${preset}]`,
      ]);
      expect(text).toMatch(/^ +externalId: /m);
      for (const path of ['userName', 'active', 'members', 'name.givenName']) expect(text).not.toContain(` ${path}:`);
    });

    it('of which explain shows the search that is sent', async () => {
      const args = ['explain', 'filter', 'User', 'userName eq "ann"', '--config', file];
      expect((await runInitCli(...args)).stdout).toMatch(/Sent to the backend +Known with --connect only/);
      const { code, stdout } = await runInitCli(...args, '--connect');
      const name = kind === 'samba' ? 'userPrincipalName' : 'uid';
      expect([code, stdout]).toEqual([0, expect.stringContaining(`(${name}=ann)`)]);
      const nowhere = join(folder, 'nowhere.yaml');
      writeFileSync(nowhere, readFileSync(file, 'utf8').replace(/ url: \S+/, ' url: ldaps://127.0.0.1:1'));
      const refused = await runInitCli(...args.with(-1, nowhere), '--connect');
      expect([refused.code, refused.stderr]).toEqual([
        1,
        expect.stringContaining('The backend "directory" cannot be asked: The directory cannot be reached'),
      ]);
    });

    it('which serves users and groups', async () => {
      server = await startServer({ config: readFileSync(file, 'utf8'), baseDir: folder });
      gateway = await server.gateway();
      const userName = `jensen@${kind === 'samba' ? 'samdom.test' : 'example.org'}`;
      const created = await gateway.request('POST', '/Users', {
        body: {
          schemas: [`${core}:User`],
          userName,
          externalId: 'b-17',
          displayName: 'Bärbel Jensen',
          name: { givenName: 'Bärbel', familyName: 'Jensen' },
          emails: [{ type: 'work', value: 'jensen@example.org' }],
          active: true,
        },
      });
      expect(created.text).toContain('b-17');
      expect(created.status).toBe(201);
      const { id } = created.body;
      const found = await gateway.request('GET', '/Users', { query: { filter: `userName eq "${userName}"` } });
      expect(found.body.Resources?.map((user) => user.id)).toEqual([id]);
      const disabled = await gateway.request('PATCH', `/Users/${id}`, {
        body: { schemas: [patch], Operations: [{ op: 'replace', path: 'active', value: false }] },
      });
      expect(disabled).toMatchObject({ status: 200, body: { active: false } });

      const group = await gateway.request('POST', '/Groups', {
        body: { schemas: [`${core}:Group`], displayName: 'Guides', externalId: 'g-1', members: [{ value: id }] },
      });
      expect(group.status).toBe(201);
      const member = await gateway.request('GET', `/Users/${id}`);
      expect(member.body.groups?.map(({ value }) => value)).toEqual([group.body.id]);
      const emptied = await gateway.request('PATCH', `/Groups/${group.body.id}`, {
        body: { schemas: [patch], Operations: [{ op: 'remove', path: `members[value eq "${id}"]` }] },
      });
      expect(emptied.status).toBe(204);
      const empty = await gateway.request('GET', '/Groups', { query: { filter: 'displayName eq "guides"' } });
      expect(empty.body.Resources?.map(({ members = [] }) => members)).toEqual([[]]);
      const again = await gateway.request('POST', '/Users', { body: { schemas: [`${core}:User`], userName } });
      expect([again.status, again.body.detail]).toEqual([409, expect.stringMatching(/has this "userName" already\./)]);
      for (const path of [`/Groups/${group.body.id}`, `/Users/${id}`]) {
        expect((await gateway.request('DELETE', path)).status).toBe(204);
      }
    });

    it.runIf(kind === 'samba')('names the account name where another account outside has it', async () => {
      const body = { schemas: [`${core}:Group`], displayName: 'Administrators' };
      const { status, body: answer } = await (gateway as TestGateway).request('POST', '/Groups', { body });
      expect(status).toBe(409);
      expect(answer.detail).toMatch(/^"displayName": .*\(sAMAccountName\) already/);
    });
  });
}

function initArgs(directory: LdapServer, folder: string): readonly string[] {
  return [
    ...['init', 'ldap', directory.urls.ldaps, '--bind-dn', directory.bindDn],
    ...['--password-file', join(folder, 'password'), '--ca', join(folder, 'ca.crt')],
  ];
}

await describeOnLdap('openldap', 'init', () => {
  let directory: LdapServer;
  let folder: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'scimbridge-init-'));
    directory = await startLdap('openldap', { ldif: populated });
    const policy = `cn=default,ou=policies,${directory.baseDn}`;
    await directory.modify(`dn: ${policy}\nchangetype: modify\ndelete: pwdLockout\n`);
    copyFileSync(directory.caFile, join(folder, 'ca.crt'));
    writeFileSync(join(folder, 'password'), directory.password);
    writeFileSync(join(folder, 'wrong'), 'not the password');
  });
  afterAll(async () => {
    await directory.close();
    rmSync(folder, { recursive: true });
  });

  it('takes places, names, classes and free attributes from what is there', async () => {
    const { code, stdout } = await runInitCli(...initArgs(directory, folder), '--out', '-');
    expect(code).toBe(0);
    expect(stdout).toContain('# People: 3 in ou=Staff,dc=example,dc=org.\n');
    expect(stdout).toContain('# Groups: 1 in ou=teams,dc=example,dc=org.\n');
    expect(stdout).toContain('# No policy with "pwdLockout: TRUE" was seen');
    for (const line of [
      'base: ou=Staff #',
      "dn: 'cn={cn},ou=Berlin,ou=Staff'",
      'objectClasses: [inetOrgPerson, labeledURIObject]',
      'objectClasses: [groupOfUniqueNames]',
      'use: [openldap] #',
      'members: { field: uniqueMember,',
      'externalId: businessCategory #',
      'inverse: search #',
    ]) {
      expect(stdout).toContain(line);
    }
  });

  it('drafts groups whose members are user names, and makes none, since each needs a number of its own', async () => {
    const posix = await startLdap('openldap', { ldif: posixGroups });
    const own = mkdtempSync(join(tmpdir(), 'scimbridge-init-'));
    const file = join(own, 'posix.yaml');
    copyFileSync(posix.caFile, join(own, 'ca.crt'));
    writeFileSync(join(own, 'password'), posix.password);
    const made = await runInitCli(...initArgs(posix, own), '--out', file);
    expect(made).toMatchObject({ code: 0, stderr: '' });
    const text = readFileSync(file, 'utf8');
    expect(text).toContain('# Members of these groups are user names.');
    expect(text).toContain('filter: (objectClass=posixGroup)');
    expect(text).toContain('members: { field: memberUid, reference: { to: [User], by: uid } }');
    expect(await runInitCli('check', '--connect', file)).toMatchObject({ code: 0, stderr: '' });
    const server = await startServer({ config: text, baseDir: own });
    try {
      const gateway = await server.gateway();
      const { body } = await gateway.request('GET', '/Groups');
      const users = (await gateway.request('GET', '/Users')).body.Resources ?? [];
      const idOf = (name: string) => users.find(({ userName }) => userName === name)?.id;
      expect(body.Resources?.[0]?.members?.map(({ value }) => value)).toEqual([idOf('ann')]);
      const add = { schemas: [patch], Operations: [{ op: 'add', path: 'members', value: [{ value: idOf('bob') }] }] };
      const added = await gateway.request('PATCH', `/Groups/${body.Resources?.[0]?.id}`, { body: add });
      expect(added.status).toBe(204);
      const groups = (await gateway.request('GET', `/Users/${idOf('bob')}`)).body.groups ?? [];
      expect(groups.map(({ value }) => value)).toEqual([body.Resources?.[0]?.id]);
      const refused = await gateway.request('POST', '/Groups', { body: { displayName: 'new' } });
      expect(refused.status).toBe(501);
    } finally {
      await server.close();
      await posix.close();
      rmSync(own, { recursive: true });
    }
  });

  it('takes places from the command line', async () => {
    const args = initArgs(directory, folder);
    const { stdout } = await runInitCli(
      ...args,
      '--out',
      '-',
      '--people',
      'ou=Paris,ou=Staff',
      '--groups',
      'ou=groups',
    );
    expect(stdout).toContain("base: 'ou=Paris,ou=Staff' #");
    expect(stdout).toContain("dn: 'cn={cn},ou=groups'");
  });

  it('names the environment variable that holds the password', async () => {
    process.env.INIT_TEST_PASSWORD = directory.password;
    const args = ['ldap', directory.urls.ldap, '--bind-dn', directory.bindDn, '--password-env', 'INIT_TEST_PASSWORD'];
    const { code, stdout } = await runInitCli('init', ...args, '--out', '-');
    delete process.env.INIT_TEST_PASSWORD;
    expect([code, stdout.includes(directory.password)]).toEqual([0, false]);
    expect(stdout).toContain(`password: '\${env:INIT_TEST_PASSWORD}'`);
  });

  it('says what is wrong and writes nothing', async () => {
    const [, ...args] = initArgs(directory, folder);
    const out = join(folder, 'gateway.yaml');
    const stderrOf = async (...words: readonly string[]) => {
      const { code, stderr } = await runInitCli('init', ...words, '--out', out);
      expect([code > 0, existsSync(out)]).toEqual([true, false]);
      return stderr;
    };
    const wrong = args.map((word) => word.replace(/password$/, 'wrong'));
    expect(await stderrOf(...wrong)).toContain("does not let the gateway's account in");
    expect(await stderrOf(...args, '--base', 'nowhere')).toContain('no distinguished name');
    expect(await stderrOf(...args, '--base', 'dc=elsewhere')).toContain('no such entry');
    expect(await stderrOf('ldap', directory.urls.ldap)).toContain('--bind-dn is missing');
    expect(await stderrOf('ldap', 'https://localhost', ...args.slice(2))).toContain('not the URL of a server');
    expect(await stderrOf('memory', ...args.slice(1))).toContain('possible is ldap, sql');
    expect(await stderrOf(...args.slice(0, 4))).toContain('LDAP_PASSWORD');
  });

  it('says that the certificate is none that it trusts', async () => {
    const args = initArgs(directory, folder).filter((word) => word !== '--ca' && !word.endsWith('ca.crt'));
    const { code, stderr } = await runInitCli(...args, '--out', '-');
    expect([code, stderr]).toEqual([1, expect.stringContaining("The directory's certificate is not accepted")]);
  });

  it('leaves a file alone that is there', async () => {
    const out = join(folder, 'there.yaml');
    writeFileSync(out, 'mine');
    const { code, stderr } = await runInitCli(...initArgs(directory, folder), '--out', out);
    expect([code, readFileSync(out, 'utf8')]).toEqual([2, 'mine']);
    expect(stderr).toContain('--force');
    await runInitCli(...initArgs(directory, folder), '--out', out, '--force');
    expect(readFileSync(out, 'utf8')).toContain('version: 1');
  });
});

await describeOnLdap('samba', 'init', () => {
  let directory: LdapServer;
  let folder: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'scimbridge-init-'));
    directory = await startLdap('samba');
    copyFileSync(directory.caFile, join(folder, 'ca.crt'));
    writeFileSync(join(folder, 'password'), directory.password);
  });
  afterAll(async () => {
    await directory.close();
    rmSync(folder, { recursive: true });
  });

  it('encrypts a connection to this machine where the server demands it', async () => {
    const { ldap, ldaps } = directory.urls;
    const args = initArgs(directory, folder).map((word) => (word === ldaps ? ldap : word));
    const { stderr, stdout } = await runInitCli(...args, '--out', '-');
    expect(stderr).toBe('');
    expect(stdout).toContain('startTls: true\n');
  });

  it('takes the container of the domain itself only where most people are in it', async () => {
    const user = (cn: string, place: string): string =>
      `dn: CN=${cn},${place},${directory.baseDn}\nobjectClass: user\n`;
    const placeOf = async () => (await runInitCli(...initArgs(directory, folder), '--out', '-')).stdout;
    const unit = `dn: OU=Staff,${directory.baseDn}\nobjectClass: organizationalUnit\n`;
    await directory.add([unit, user('ann', 'OU=Staff'), user('bob', 'CN=Users')].join('\n'));
    expect(await placeOf()).toContain(`# People: 1 in OU=Staff,${directory.baseDn}.`);
    const many = Array.from({ length: 20 }, (_, index) => user(`user ${index}`, 'CN=Users'));
    await directory.add(many.join('\n'));
    const text = await placeOf();
    expect(text).toContain(`# People: 22 in CN=Users,${directory.baseDn}; 1 of them elsewhere.`);
    expect(text).toContain('isCriticalSystemObject');
  });
});

const person = (cn: string, place: string): string => `dn: cn=${cn},ou=${place},ou=Staff,dc=example,dc=org
objectClass: inetOrgPerson
objectClass: labeledURIObject
cn: ${cn}
sn: ${cn}
uid: ${cn}
carLicense: B-${cn}
`;

const posixGroups = `${['ann', 'bob'].map((uid) => `dn: uid=${uid},ou=people,dc=example,dc=org\nobjectClass: inetOrgPerson\nuid: ${uid}\ncn: ${uid}\nsn: ${uid}\n`).join('\n')}
dn: cn=guides,ou=groups,dc=example,dc=org
objectClass: posixGroup
cn: guides
gidNumber: 1000
memberUid: ann
`;

const populated = `dn: ou=Staff,dc=example,dc=org
objectClass: organizationalUnit

dn: ou=Berlin,ou=Staff,dc=example,dc=org
objectClass: organizationalUnit

dn: ou=Paris,ou=Staff,dc=example,dc=org
objectClass: organizationalUnit

${[person('ann', 'Berlin'), person('bob', 'Berlin'), person('cid', 'Paris')].join('\n')}
dn: ou=teams,dc=example,dc=org
objectClass: organizationalUnit

dn: cn=guides,ou=teams,dc=example,dc=org
objectClass: groupOfUniqueNames
cn: guides
uniqueMember: cn=ann,ou=Berlin,ou=Staff,dc=example,dc=org
`;
