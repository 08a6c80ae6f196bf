import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestCertificates, testCertificates } from './certificates.js';
import { freePorts, type LdapServer, type LdapServerOptions, runLdapServer } from './ldap-server.js';
import { runTool } from './run-tool.js';
import { instanceFolder } from './workspace.js';

const baseDn = 'dc=example,dc=org';
const bindDn = `cn=scim,${baseDn}`;
const password = 'Scim.Secret-1';

export interface OpenLdapOptions extends LdapServerOptions {
  /** Attributes that the overlay "unique" guards below ou=people. Default: uid and mail. */
  readonly unique?: readonly string[];
  /** Lines for the end of slapd.conf, which is the section of the suffix. */
  readonly extraConfig?: string;
}

/** Starts an OpenLDAP server of its own on free ports: no root needed, about 0.2 s. */
export async function startOpenLdap(options: OpenLdapOptions = {}): Promise<LdapServer> {
  const certificates = await testCertificates();
  const folder = await instanceFolder();
  for (const name of ['db', 'accesslog', 'run']) mkdirSync(join(folder, name));
  const config = join(folder, 'slapd.conf');
  writeFileSync(config, slapdConfig(folder, certificates, options));
  const seed = join(folder, 'seed.ldif');
  writeFileSync(seed, `${seedLdif}\n${options.ldif ?? ''}`);
  await runTool('/usr/sbin/slapadd', ['-q', '-f', config, '-b', baseDn, '-l', seed]);
  const ports = await freePorts();
  const listen = `ldap://127.0.0.1:${ports.ldap} ldaps://127.0.0.1:${ports.ldaps}`;
  return runLdapServer({
    kind: 'openldap',
    folder,
    host: '127.0.0.1',
    ports,
    baseDn,
    bindDn,
    password,
    caFile: certificates.caFile,
    command: ['/usr/sbin/slapd', '-f', config, '-h', listen, '-d', options.logOperations ? 'stats' : '0'],
  });
}

const seedLdif = `dn: ${baseDn}
objectClass: organization
objectClass: dcObject
dc: example
o: Example

dn: ${bindDn}
objectClass: organizationalRole
objectClass: simpleSecurityObject
cn: scim
userPassword: ${password}

${['people', 'groups', 'disabled', 'policies']
  .map((ou) => `dn: ou=${ou},${baseDn}\nobjectClass: organizationalUnit\nou: ${ou}\n`)
  .join('\n')}
dn: cn=default,ou=policies,${baseDn}
objectClass: device
objectClass: pwdPolicy
cn: default
pwdAttribute: userPassword
pwdLockout: TRUE
`;

/** Comments at the end of a line are not possible in this file; in Debian, mdb and every overlay are modules. */
function slapdConfig(folder: string, certificates: TestCertificates, options: OpenLdapOptions): string {
  const unique = (options.unique ?? ['uid', 'mail'])
    .map((name) => `unique_uri ldap:///ou=people,${baseDn}?${name}?sub`)
    .join('\n');
  return `include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/nis.schema
include /etc/ldap/schema/inetorgperson.schema
pidfile ${folder}/run/slapd.pid
modulepath /usr/lib/ldap
moduleload back_mdb.so
moduleload memberof.so
moduleload refint.so
moduleload unique.so
moduleload ppolicy.so
moduleload sssvlv.so
moduleload syncprov.so
moduleload accesslog.so
moduleload deref.so
TLSCACertificateFile ${certificates.caFile}
TLSCertificateFile ${certificates.certificateFile}
TLSCertificateKeyFile ${certificates.keyFile}
sizelimit size.soft=500 size.hard=5000 size.prtotal=unlimited
sortvals member uniqueMember memberUid
database mdb
suffix "cn=accesslog"
directory ${folder}/accesslog
rootdn "cn=admin,${baseDn}"
index objectClass,reqStart,reqResult,entryCSN eq
database mdb
suffix "${baseDn}"
directory ${folder}/db
rootdn "cn=admin,${baseDn}"
rootpw secret
maxsize 4294967296
dbnosync
index objectClass,entryUUID,entryCSN,createTimestamp,modifyTimestamp,member,memberOf,uniqueMember,memberUid eq
index uid,mail,cn,sn,givenName,displayName,employeeNumber eq,sub,pres
limits dn.exact="${bindDn}" size=unlimited time=unlimited
access to attrs=userPassword by dn.exact="${bindDn}" write by anonymous auth by * none
access to * by dn.exact="${bindDn}" manage by * read
overlay syncprov
overlay accesslog
logdb cn=accesslog
logops writes
logsuccess TRUE
overlay ppolicy
ppolicy_default "cn=default,ou=policies,${baseDn}"
overlay memberof
memberof-group-oc groupOfNames
memberof-refint TRUE
overlay refint
refint_attributes member memberOf manager uniqueMember owner
refint_nothing "${bindDn}"
overlay unique
${unique}
overlay deref
overlay sssvlv
${options.extraConfig ?? ''}
`;
}
