import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePort, stop } from '../servers.js';
import { baseDn, bindDn, groupsDn, peopleDn, seedLdif } from './seed.js';

/** A real OpenLDAP server that writes to the disk before it answers. */
export interface Slapd {
  readonly url: string;
  readonly pid: number;
  readonly version: string;
  stop(): Promise<void>;
}

export interface SeedSize {
  readonly users: number;
  readonly groups: number;
  readonly membersEach: number;
}

const program = '/usr/sbin/slapd';
const neededFiles = [
  program,
  '/usr/sbin/slapadd',
  '/usr/lib/ldap/back_mdb.so',
  '/etc/ldap/schema/inetorgperson.schema',
];
const startLimitMs = 30_000;
const run = promisify(execFile);

/** Undefined when an OpenLDAP server can be started here. */
export function whyNoSlapd(): string | undefined {
  const missing = neededFiles.filter((file) => !existsSync(file));
  return missing.length === 0 ? undefined : `OpenLDAP's server is not installed (no ${missing.join(', ')})`;
}

export async function startSlapd(folder: string, size: SeedSize): Promise<Slapd> {
  mkdirSync(join(folder, 'db'));
  const config = join(folder, 'slapd.conf');
  const seed = join(folder, 'seed.ldif');
  writeFileSync(config, slapdConfig(folder));
  writeFileSync(seed, seedLdif(size));
  await run('/usr/sbin/slapadd', ['-q', '-f', config, '-b', baseDn, '-l', seed]);
  const port = await freePort();
  const url = `ldap://127.0.0.1:${port}`;
  const child = spawn(program, ['-f', config, '-h', url, '-d', '0'], { stdio: ['ignore', 'ignore', 'inherit'] });
  // So that a benchmark that is broken off leaves no server behind.
  process.once('exit', () => child.kill('SIGKILL'));
  await untilListening(child, port);
  const { pid } = child;
  if (pid === undefined) throw new Error('slapd did not start.');
  return { url, pid, version: await versionOf(), stop: () => stop(child) };
}

/** What an organisation's directory has: indexes, unique names, groups that users know of, locked accounts. */
function slapdConfig(folder: string): string {
  return `include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
pidfile ${folder}/slapd.pid
modulepath /usr/lib/ldap
moduleload back_mdb.so
moduleload memberof.so
moduleload refint.so
moduleload unique.so
moduleload ppolicy.so
moduleload sssvlv.so
sizelimit size.soft=500 size.hard=5000 size.prtotal=unlimited
sortvals member
database mdb
suffix "${baseDn}"
directory ${folder}/db
rootdn "cn=admin,${baseDn}"
maxsize 4294967296
index objectClass,entryUUID,entryCSN,member,memberOf eq
index uid,mail,cn,sn,givenName,displayName,employeeNumber eq,sub,pres
limits dn.exact="${bindDn}" size=unlimited time=unlimited
access to attrs=userPassword by dn.exact="${bindDn}" write by anonymous auth by * none
access to * by dn.exact="${bindDn}" manage by * none
overlay ppolicy
overlay memberof
memberof-group-oc groupOfNames
memberof-refint TRUE
overlay refint
refint_attributes member memberOf
refint_nothing "${bindDn}"
overlay unique
unique_uri ldap:///${peopleDn}?uid?sub
unique_uri ldap:///${peopleDn}?mail?sub
unique_uri ldap:///${groupsDn}?cn?sub
overlay sssvlv
sssvlv-max 16
sssvlv-maxperconn 16
database monitor
access to * by dn.exact="${bindDn}" read by * none
`;
}

async function untilListening(child: ChildProcess, port: number): Promise<void> {
  const giveUpAt = performance.now() + startLimitMs;
  while (!(await isListening(port))) {
    if (child.exitCode !== null) throw new Error(`slapd ended with ${child.exitCode}.`);
    if (performance.now() > giveUpAt) throw new Error('slapd was not ready in time.');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

/** It says so on standard error, and ends with 1. */
async function versionOf(): Promise<string> {
  const text = await run(program, ['-VV']).then(
    ({ stderr }) => stderr,
    (error: unknown) => String((error as { readonly stderr?: unknown }).stderr),
  );
  return /slapd ([\d.]+)/.exec(text)?.[1] ?? 'of unknown version';
}
