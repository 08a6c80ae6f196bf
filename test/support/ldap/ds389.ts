import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestCertificates, testCertificates } from './certificates.js';
import { freePorts, type LdapServer, type LdapServerOptions, runLdapServer } from './ldap-server.js';
import { packageState, runTool } from './run-tool.js';
import { instanceFolder, removeInstance, template } from './workspace.js';

const baseDn = 'dc=example,dc=org';
const bindDn = `cn=scim,${baseDn}`;
const password = 'Scim.Secret-1';
const root = { dn: 'cn=Directory Manager', password: 'Root.Secret-1' };

/** Instances may not be made by root, nor by a user who cannot read the package's files: this is the package's own. */
const user = 'dirsrv';

/**
 * Starts a 389 Directory Server of its own on free ports, from a copy of an instance that is made once on this
 * machine: 1 s, and 15 s more for the first. It needs root.
 */
export async function start389Ds(options: LdapServerOptions = {}): Promise<LdapServer> {
  const certificates = await testCertificates();
  const original = await madeInstance(certificates);
  const folder = await instanceFolder();
  try {
    await copyInstance(original, folder);
    const ports = await freePorts();
    adaptConfig(original, folder, ports, options);
    await runTool('chown', ['-R', `${user}:`, folder]);
    const server = await runLdapServer({
      kind: '389-ds',
      folder,
      host: '127.0.0.1',
      ports,
      baseDn,
      bindDn,
      password,
      caFile: certificates.caFile,
      command: ['/usr/sbin/ns-slapd', '-D', configFolder(folder), '-i', join(folder, 'pid'), '-d', '0'],
      user,
      logFiles: ['errors', 'access'].map((name) => join(folder, 'var/log/dirsrv/slapd-lab', name)),
    });
    if (options.ldif !== undefined) await server.add(options.ldif);
    return server;
  } catch (error) {
    await removeInstance(folder);
    throw error;
  }
}

async function madeInstance(certificates: TestCertificates): Promise<string> {
  const version = await packageState('389-ds-base');
  const key = [version, readFileSync(import.meta.filename, 'utf8'), certificates.ca].join(' ');
  const made = await template('389-ds', key, async (folder) => {
    await makeInstance(folder, certificates);
  });
  return join(made, 'root');
}

/**
 * `dscreate` as it comes asks systemd to start the server, and refuses to be root here. Its subcommand `ds-root` makes
 * commands that keep everything in one folder.
 */
async function makeInstance(folder: string, certificates: TestCertificates): Promise<void> {
  const ports = await freePorts();
  writeFileSync(join(folder, 'ds.inf'), instanceInf(ports));
  for (const [name, from] of [
    ['server.key', certificates.keyFile],
    ['server.crt', certificates.certificateFile],
    ['ca.crt', certificates.caFile],
  ] as const) {
    writeFileSync(join(folder, name), readFileSync(from), { mode: 0o600 });
  }
  mkdirSync(join(folder, 'bin'));
  await runTool('chown', ['-R', `${user}:`, folder]);

  const bin = join(folder, 'bin');
  const as = [`--reuid=${user}`, `--regid=${user}`, '--clear-groups'];
  const env = { HOME: folder, PATH: `${bin}:/usr/sbin:/usr/bin:/sbin:/bin` };
  const run = (...command: readonly string[]) => runTool('setpriv', [...as, '--', ...command], { cwd: folder, env });
  await run('/usr/sbin/dscreate', 'ds-root', join(folder, 'root'), bin);
  await run(join(bin, 'dscreate'), 'from-file', join(folder, 'ds.inf'));
  const dsctl = (...args: readonly string[]) => run(join(bin, 'dsctl'), 'lab', ...args);
  try {
    const url = `ldap://127.0.0.1:${ports.ldap}`;
    await runTool('ldapmodify', ['-x', '-H', url, '-D', root.dn, '-w', root.password], { input: configLdif });
    await runTool('ldapadd', ['-x', '-H', url, '-D', root.dn, '-w', root.password], { input: seedLdif });
  } finally {
    await dsctl('stop');
  }
  await dsctl('tls', 'import-server-key-cert', 'server.crt', 'server.key');
  await dsctl('tls', 'import-ca', 'ca.crt', 'test-ca');
  // Shared memory of the database, 100 MB that a start makes anew; the logs are about the making.
  const waste = 'rm -f "$0"/var/lib/dirsrv/slapd-lab/db/__db.* "$0"/var/log/dirsrv/slapd-lab/*';
  await runTool('sh', ['-c', waste, join(folder, 'root')]);
}

async function copyInstance(original: string, folder: string): Promise<void> {
  await runTool('cp', ['-a', `${original}/.`, folder]);
}

function configFolder(folder: string): string {
  return join(folder, 'etc/dirsrv/slapd-lab');
}

/** The copy listens elsewhere and finds its files in its own folder. */
function adaptConfig(
  original: string,
  folder: string,
  ports: { readonly ldap: number; readonly ldaps: number },
  options: LdapServerOptions,
): void {
  const config = configFolder(folder);
  for (const name of ['dse.ldif', 'pkcs11.txt']) {
    const file = join(config, name);
    const text = readFileSync(file, 'utf8')
      .replaceAll(/\n /g, '') // Lines are folded at any place.
      .replaceAll(original, folder)
      .replace(/^nsslapd-port: .*$/m, `nsslapd-port: ${ports.ldap}`)
      .replace(/^nsslapd-securePort: .*$/im, `nsslapd-securePort: ${ports.ldaps}`)
      .replace(
        /^nsslapd-accesslog-logbuffering: .*$/m,
        `nsslapd-accesslog-logbuffering: ${options.logOperations ? 'off' : 'on'}`,
      );
    writeFileSync(file, text);
  }
  for (const name of ['dse.ldif.bak', 'dse.ldif.startOK']) {
    const file = join(config, name);
    if (existsSync(file)) rmSync(file);
  }
}

function instanceInf(ports: { readonly ldap: number; readonly ldaps: number }): string {
  return `[general]
config_version=2
full_machine_name=localhost
strict_host_checking=False
selinux=False
systemd=False
[slapd]
instance_name=lab
port=${ports.ldap}
secure_port=${ports.ldaps}
root_password=${root.password}
self_sign_cert=True
user=${user}
group=${user}
[backend-userroot]
suffix=${baseDn}
create_suffix_entry=True
`;
}

function plugin(name: string, ...settings: readonly string[]): string {
  const lines = ['nsslapd-pluginEnabled: on', ...settings];
  const changes = lines.map((line) => `replace: ${line.slice(0, line.indexOf(':'))}\n${line}`);
  return `dn: cn=${name},cn=plugins,cn=config\nchangetype: modify\n${changes.join('\n-\n')}\n`;
}

/** It listens on every address and takes a quarter of the memory unless told otherwise. */
const configLdif = `dn: cn=config
changetype: modify
replace: nsslapd-listenhost
nsslapd-listenhost: 127.0.0.1
-
replace: nsslapd-securelistenhost
nsslapd-securelistenhost: 127.0.0.1
-
replace: nsslapd-accesslog-logbuffering
nsslapd-accesslog-logbuffering: on

dn: cn=config,cn=ldbm database,cn=plugins,cn=config
changetype: modify
replace: nsslapd-cache-autosize
nsslapd-cache-autosize: 0

dn: cn=bdb,cn=config,cn=ldbm database,cn=plugins,cn=config
changetype: modify
replace: nsslapd-dbcachesize
nsslapd-dbcachesize: 20000000

${plugin('MemberOf Plugin', 'memberOfAutoAddOC: nsMemberOf')}
${plugin('referential integrity postoperation', 'referint-update-delay: 0')}
${plugin('attribute uniqueness', 'uniqueness-attribute-name: uid', `uniqueness-subtrees: ou=people,${baseDn}`)}
${plugin('Retro Changelog Plugin')}
dn: cn=mail uniqueness,cn=plugins,cn=config
changetype: add
objectClass: top
objectClass: nsSlapdPlugin
objectClass: extensibleObject
cn: mail uniqueness
nsslapd-pluginPath: libattr-unique-plugin
nsslapd-pluginInitfunc: NSUniqueAttr_Init
nsslapd-pluginType: betxnpreoperation
nsslapd-pluginEnabled: on
nsslapd-plugin-depends-on-type: database
nsslapd-pluginId: NSUniqueAttr
nsslapd-pluginVersion: none
nsslapd-pluginVendor: 389 Project
nsslapd-pluginDescription: Enforce unique attribute values
uniqueness-attribute-name: mail
uniqueness-subtrees: ou=people,${baseDn}

dn: ${baseDn}
changetype: modify
add: aci
aci: (targetattr!="aci")(version 3.0; acl "scim"; allow (all) userdn="ldap:///${bindDn}";)
`;

const seedLdif = `${['people', 'groups', 'disabled', 'policies']
  .map((ou) => `dn: ou=${ou},${baseDn}\nobjectClass: organizationalUnit\nou: ${ou}\n`)
  .join('\n')}
dn: ${bindDn}
objectClass: organizationalRole
objectClass: simpleSecurityObject
cn: scim
userPassword: ${password}
nsSizeLimit: -1
nsLookThroughLimit: -1
nsTimeLimit: -1
`;
