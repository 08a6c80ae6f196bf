import { existsSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe } from 'vitest';
import type { LdapKind, LdapServer, LdapServerOptions } from './ldap-server.js';
import { runTool } from './run-tool.js';
import { withLock, workspace } from './workspace.js';

interface Requirement {
  readonly name: string;
  /** Debian packages; .ci/run installs the same. */
  readonly packages: readonly string[];
  readonly files: readonly string[];
  /** Why only root can start it. */
  readonly needsRoot?: string;
}

const client = '/usr/bin/ldapadd';

const requirements: Readonly<Record<LdapKind, Requirement>> = {
  openldap: {
    name: 'OpenLDAP',
    packages: ['slapd', 'slapd-contrib', 'ldap-utils'],
    files: ['/usr/sbin/slapd', '/usr/lib/ldap/deref.so', client],
  },
  samba: {
    name: 'Samba',
    packages: [
      ...['samba', 'samba-ad-provision', 'samba-dsdb-modules', 'samba-vfs-modules', 'winbind', 'ldb-tools'],
      'ldap-utils',
    ],
    files: ['/usr/sbin/samba', '/usr/bin/samba-tool', '/usr/share/samba/setup/provision.ldif', client],
    needsRoot: 'only root can provision a domain and listen on port 389',
  },
  '389-ds': {
    name: '389 Directory Server',
    packages: ['389-ds-base', 'python3-lib389', 'ldap-utils'],
    files: ['/usr/sbin/ns-slapd', '/usr/sbin/dscreate', client],
    needsRoot: 'only root becomes the user of its package, who may read what instances are made from',
  },
};

/**
 * Tests on a real server. Where its packages are absent they are installed, if we may (root on Debian or Ubuntu, and
 * TEST_INSTALL is not "never"); otherwise the tests are skipped and their title says why. With CI=true that is a failure.
 */
export async function describeOnLdap(
  kind: LdapKind,
  title: string,
  body: (name: string) => void | Promise<void>,
): Promise<void> {
  const { name } = requirements[kind];
  const reason = await whyUnavailable(kind);
  if (reason === undefined) {
    describe(`${name}: ${title}`, () => body(name));
    return;
  }
  if (process.env.CI === 'true') throw new Error(`${name} cannot be tested: ${reason}`);
  describe.skip(`${name}: ${title} (skipped: ${reason})`, () => body(name));
}

/** Starts a server of that kind. Each kind's code is loaded only when it is used. */
export async function startLdap(kind: LdapKind, options: LdapServerOptions = {}): Promise<LdapServer> {
  switch (kind) {
    case 'openldap':
      return (await import('./openldap.js')).startOpenLdap(options);
    case 'samba':
      return (await import('./samba.js')).startSamba(options);
    case '389-ds':
      return (await import('./ds389.js')).start389Ds(options);
  }
}

/** Why the server cannot run here, or undefined when it can; installs it where that is allowed. */
export async function whyUnavailable(kind: LdapKind): Promise<string | undefined> {
  const required = requirements[kind];
  if (process.platform !== 'linux') return 'it is started as Debian packages it';
  if (required.needsRoot !== undefined && process.getuid?.() !== 0) return required.needsRoot;
  return whyNotInstalled(required);
}

/** Why a program of Debian packages is not here, or undefined when it is; installs it where that is allowed. */
export async function whyNotInstalled(required: Pick<Requirement, 'packages' | 'files'>): Promise<string | undefined> {
  if (isInstalled(required)) return undefined;
  const missing = `${required.packages.join(', ')} not installed`;
  if (process.env.TEST_INSTALL === 'never') return missing;
  if (process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) return missing;
  return withLock('install', async () => {
    if (isInstalled(required)) return undefined;
    const failed = join(workspace(), 'install-failed');
    if (hasJustFailed(failed)) return `${missing}, and installing failed a moment ago`;
    const problem = await install(required.packages);
    if (problem === undefined && isInstalled(required)) return undefined;
    writeFileSync(failed, problem ?? '');
    return `${missing}, and installing failed`;
  });
}

function isInstalled({ files }: Pick<Requirement, 'files'>): boolean {
  return files.every((file) => existsSync(file));
}

function hasJustFailed(marker: string): boolean {
  return existsSync(marker) && Date.now() - statSync(marker).mtimeMs < 600_000;
}

/** @returns what went wrong */
async function install(packages: readonly string[]): Promise<string | undefined> {
  // Asked by the packages' own scripts: no service is to start on the machine of whoever runs tests.
  const policy = '/usr/sbin/policy-rc.d';
  const isOurs = !existsSync(policy);
  if (isOurs) writeFileSync(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  const apt = (...args: readonly string[]) =>
    runTool('apt-get', ['-qq', '-o', 'DPkg::Lock::Timeout=300', ...args], {
      env: { DEBIAN_FRONTEND: 'noninteractive' },
    });
  try {
    await apt('update');
    await apt('install', '-y', '--no-install-recommends', ...packages);
    return undefined;
  } catch (error) {
    return String(error);
  } finally {
    if (isOurs) rmSync(policy);
  }
}
