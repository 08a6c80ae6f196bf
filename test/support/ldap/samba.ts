import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sambaAddresses, testCertificates } from './certificates.js';
import { canListen, type LdapServer, type LdapServerOptions, runLdapServer, type ServerPlan } from './ldap-server.js';
import { packageState, runTool } from './run-tool.js';
import { instanceFolder, removeInstance, template, workspace } from './workspace.js';

const baseDn = 'DC=samdom,DC=test';
const bindDn = 'scim@samdom.test';
const password = 'Scim.Secret-1';
const ports = { ldap: 389, ldaps: 636 };

/**
 * Starts a domain controller of its own, on an address of its own since its ports are fixed: 0.5 s, and 5 s more when
 * the domain is provisioned for the first time on this machine. It needs root. A simple bind is only taken over TLS.
 */
export async function startSamba(options: LdapServerOptions = {}): Promise<LdapServer> {
  const domain = await provisionedDomain();
  const { host, release } = await leaseAddress();
  const folder = await instanceFolder();
  try {
    await runTool('cp', ['-a', `${domain}/.`, folder]);
    const server = await runLdapServer({ ...(await planOf(folder, host, options)), released: release });
    if (options.ldif !== undefined) await server.add(options.ldif);
    return server;
  } catch (error) {
    release();
    await removeInstance(folder);
    throw error;
  }
}

async function provisionedDomain(): Promise<string> {
  const key = [await packageState('samba'), readFileSync(import.meta.filename, 'utf8')].join(' ');
  return template('samba', key, async (folder) => {
    await provision(folder);
    await seed(folder);
  });
}

async function provision(folder: string): Promise<void> {
  await runTool('samba-tool', [
    ...['domain', 'provision', '--realm=SAMDOM.TEST', '--domain=SAMDOM', '--server-role=dc', '--dns-backend=NONE'],
    ...['--adminpass=Passw0rd.1', '--host-name=dc1', '--host-ip=127.0.0.1', '--use-rfc2307', `--targetdir=${folder}`],
    ...['--option=interfaces=lo', '--option=bind interfaces only=yes'],
  ]);
  for (const name of ['run', 'cache', 'ncalrpc']) mkdirSync(join(folder, name));
  const config = configFile(folder);
  writeFileSync(config, smbConf(folder, '127.0.0.1', {}));
  await runTool('samba-tool', ['user', 'create', 'scim', password, '-s', config]);
  await runTool('samba-tool', ['group', 'addmembers', 'Domain Admins', 'scim', '-s', config]);
}

/** The folders are added by the server itself, as its tools would leave out what it computes. */
async function seed(folder: string): Promise<void> {
  const { host, release } = await leaseAddress();
  const running = await instanceFolder();
  try {
    const server = await runLdapServer({ ...(await planOf(folder, host, {})), folder: running, released: release });
    const units = ['people', 'groups', 'disabled', 'policies'];
    await server.add(
      units.map((ou) => `dn: OU=${ou},${baseDn}\nobjectClass: organizationalUnit\nou: ${ou}\n`).join('\n'),
    );
    await server.stop();
    await server.close();
  } finally {
    release();
  }
}

async function planOf(folder: string, host: string, options: LdapServerOptions): Promise<ServerPlan> {
  const certificates = await testCertificates();
  const tls = join(folder, 'private', 'tls');
  mkdirSync(tls, { recursive: true });
  copyFileSync(certificates.keyFile, join(tls, 'key.pem'));
  copyFileSync(certificates.certificateFile, join(tls, 'cert.pem'));
  copyFileSync(certificates.caFile, join(tls, 'ca.pem'));
  chmodSync(join(tls, 'key.pem'), 0o600); // Samba refuses a key that others can read.
  writeFileSync(configFile(folder), smbConf(folder, host, options));
  return {
    kind: 'samba',
    folder,
    host,
    ports,
    baseDn,
    bindDn,
    password,
    caFile: certificates.caFile,
    command: ['/usr/sbin/samba', '-s', configFile(folder), '-i', '-M', 'single'],
    logFiles: [join(folder, 'log.samba')],
  };
}

function configFile(folder: string): string {
  return join(folder, 'etc', 'smb.conf');
}

function smbConf(folder: string, host: string, options: LdapServerOptions): string {
  return `[global]
netbios name=DC1
realm=SAMDOM.TEST
workgroup=SAMDOM
server role=active directory domain controller
server services=ldap
interfaces=${host}/8
bind interfaces only=yes
private dir=${folder}/private
lock directory=${folder}
state directory=${folder}/state
cache directory=${folder}/cache
pid directory=${folder}/run
ncalrpc dir=${folder}/ncalrpc
log file=${folder}/log.%m
log level=${options.logOperations ? '1 auth_audit:5 dsdb_audit:5' : '0'}
tls keyfile=${folder}/private/tls/key.pem
tls certfile=${folder}/private/tls/cert.pem
tls cafile=${folder}/private/tls/ca.pem
`;
}

interface Lease {
  readonly host: string;
  release(): void;
}

/** An address that no other test server on this machine has, until it is released or this process ends. */
async function leaseAddress(): Promise<Lease> {
  for (;;) {
    for (const host of sambaAddresses) {
      const lease = await tryLease(host);
      if (lease !== undefined) return lease;
    }
    await once(AbortSignal.timeout(100), 'abort');
  }
}

async function tryLease(host: string): Promise<Lease | undefined> {
  const lock = join(workspace(), `${host}.lock`);
  const holder = spawn('flock', ['-n', lock, 'sh', '-c', 'echo; exec cat'], { stdio: ['pipe', 'pipe', 'ignore'] });
  const locked = await Promise.race([
    once(holder.stdout, 'data').then(() => true),
    once(holder, 'exit').then(() => false),
  ]);
  if (!locked) return undefined;
  const release = (): void => {
    holder.stdin.end();
  };
  if ((await canListen(ports.ldap, host)) && (await canListen(ports.ldaps, host))) return { host, release };
  release();
  return undefined;
}
