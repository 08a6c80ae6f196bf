import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type LdifEntry, parseLdif } from './ldif.js';
import { runTool } from './run-tool.js';
import { removeInstance } from './workspace.js';

export type LdapKind = 'openldap' | 'samba' | '389-ds';

export interface LdapServerOptions {
  /** LDIF to add on top of the suffix, the service account and the folders for people, groups, disabled and policies. */
  readonly ldif?: string;
  /** The log tells of each bind and operation. */
  readonly logOperations?: boolean;
}

/** A real directory server of this test file, listening on a loopback address. */
export interface LdapServer {
  readonly kind: LdapKind;
  readonly host: string;
  readonly ports: { readonly ldap: number; readonly ldaps: number };
  readonly urls: { readonly ldap: string; readonly ldaps: string };
  readonly baseDn: string;
  readonly peopleDn: string;
  readonly groupsDn: string;
  readonly disabledDn: string;
  /** The service account `cn=scim`, which may read and write everything below `baseDn`. */
  readonly bindDn: string;
  readonly password: string;
  /** PEM file of the authority whose certificate the server shows, for ldaps and StartTLS. */
  readonly caFile: string;
  /** Everything that the server logged so far. */
  log(): string;
  /** Adds entries, by OpenLDAP's own client. */
  add(ldif: string): Promise<void>;
  /** Carries out changes (`changetype:` lines), by OpenLDAP's own client. */
  modify(ldif: string): Promise<void>;
  /** What is really there, by OpenLDAP's own client. An absent base is an Error. */
  search(query: DirectoryQuery): Promise<readonly LdifEntry[]>;
  /** Ends the process as an administrator does. Data and ports stay. */
  stop(): Promise<void>;
  /** Ends the process without a word, as a crash does. Data and ports stay. */
  kill(): Promise<void>;
  /** Starts the server again on the same ports, after ending it where it runs. */
  restart(): Promise<void>;
  /** Freezes the process: connections stay open and nothing answers. */
  pause(): void;
  resume(): void;
  /** Ends the process and removes all that it wrote. */
  close(): Promise<void>;
}

export interface DirectoryQuery {
  /** Default: the suffix. */
  readonly base?: string;
  readonly scope?: 'base' | 'one' | 'sub';
  readonly filter?: string;
  readonly attributes?: readonly string[];
}

export interface ServerPlan {
  readonly kind: LdapKind;
  readonly folder: string;
  readonly host: string;
  readonly ports: { readonly ldap: number; readonly ldaps: number };
  readonly baseDn: string;
  readonly bindDn: string;
  readonly password: string;
  readonly caFile: string;
  /** The server's program with its arguments; it stays in the foreground. */
  readonly command: readonly string[];
  /** User and group of the process, of one name; default: ours. */
  readonly user?: string;
  /** Files whose content belongs to the log, beside what the process prints. */
  readonly logFiles?: readonly string[];
  /** Called when the server is gone for good. */
  released?(): void;
}

const startTimeoutMs = 30_000;

/** Starts what the plan says and waits until the service account can bind. */
export async function runLdapServer(plan: ServerPlan): Promise<LdapServer> {
  const { host, ports, baseDn, folder } = plan;
  const output = join(folder, 'server.log');
  let child: ChildProcess | undefined;

  const start = async (): Promise<void> => {
    child = spawnServer(plan, output);
    await untilReady(plan, child).catch(async (error: unknown) => {
      await end('SIGKILL');
      throw new Error(`${plan.kind} did not start.\n${log()}`, { cause: error });
    });
  };
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    child.kill('SIGCONT');
    await ended;
  };
  const log = (): string =>
    [output, ...(plan.logFiles ?? [])].map((file) => (existsSync(file) ? readFileSync(file, 'utf8') : '')).join('');
  const close = async (): Promise<void> => {
    await end('SIGKILL');
    await removeInstance(folder);
    plan.released?.();
  };

  await start().catch(async (error: unknown) => {
    await close();
    throw error;
  });
  return {
    kind: plan.kind,
    host,
    ports,
    urls: { ldap: `ldap://${host}:${ports.ldap}`, ldaps: `ldaps://${host}:${ports.ldaps}` },
    baseDn,
    peopleDn: `ou=people,${baseDn}`,
    groupsDn: `ou=groups,${baseDn}`,
    disabledDn: `ou=disabled,${baseDn}`,
    bindDn: plan.bindDn,
    password: plan.password,
    caFile: plan.caFile,
    log,
    add: async (ldif) => {
      await runClient(plan, 'ldapadd', [], ldif);
    },
    modify: async (ldif) => {
      await runClient(plan, 'ldapmodify', [], ldif);
    },
    search: (query) => searchBy(plan, query),
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
    restart: async () => {
      await end('SIGTERM');
      await start();
    },
    pause: () => {
      child?.kill('SIGSTOP');
    },
    resume: () => {
      child?.kill('SIGCONT');
    },
    close,
  };
}

/** The server ends with the thread that started it, so that a test run that is killed leaves none behind. */
function spawnServer(plan: ServerPlan, output: string): ChildProcess {
  const user = plan.user === undefined ? [] : [`--reuid=${plan.user}`, `--regid=${plan.user}`, '--clear-groups'];
  const log = openSync(output, 'a');
  try {
    return spawn('setpriv', [...user, '--pdeathsig', 'KILL', ...plan.command], { stdio: ['ignore', log, log] });
  } finally {
    closeSync(log);
  }
}

async function untilReady(plan: ServerPlan, child: ChildProcess): Promise<void> {
  const deadline = Date.now() + startTimeoutMs;
  let failure: unknown;
  while (Date.now() < deadline) {
    if (child.exitCode !== null || child.signalCode !== null) throw new Error('It ended.', { cause: failure });
    if ((await isListening(plan.ports.ldap, plan.host)) && (await isListening(plan.ports.ldaps, plan.host))) {
      try {
        await searchBy(plan, { scope: 'base', attributes: ['1.1'] });
        return;
      } catch (error) {
        failure = error;
      }
    }
    await delay(10);
  }
  throw new Error('It does not answer.', { cause: failure });
}

function isListening(port: number, host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, host);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

async function searchBy(plan: ServerPlan, query: DirectoryQuery): Promise<readonly LdifEntry[]> {
  const { base = plan.baseDn, scope = 'sub', filter = '(objectClass=*)', attributes = [] } = query;
  const args = ['-LLL', '-o', 'ldif-wrap=no', '-E', 'pr=500/noprompt', '-b', base, '-s', scope, filter, ...attributes];
  return parseLdif(await runClient(plan, 'ldapsearch', args));
}

function runClient(plan: ServerPlan, tool: string, args: readonly string[], input?: string): Promise<string> {
  const url = `ldaps://${plan.host}:${plan.ports.ldaps}`;
  return runTool(tool, ['-x', '-H', url, '-D', plan.bindDn, '-w', plan.password, ...args], {
    env: { LDAPTLS_CACERT: plan.caFile },
    ...(input === undefined ? {} : { input }),
  });
}

/**
 * Ports that are free on 127.0.0.1, below those that the system gives to outgoing connections, so that a server that
 * is down for a while gets its own back.
 */
export async function freePorts(): Promise<{ readonly ldap: number; readonly ldaps: number }> {
  return { ldap: await freePort(), ldaps: await freePort() };
}

async function freePort(): Promise<number> {
  for (;;) {
    const port = 15_000 + Math.floor(Math.random() * 16_000);
    if (await canListen(port, '127.0.0.1')) return port;
  }
}

export function canListen(port: number, host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, host, () => server.close(() => resolve(true)));
  });
}
