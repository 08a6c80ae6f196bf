import { readFileSync } from 'node:fs';
import { dirname, isAbsolute, relative, resolve } from 'node:path';
import type { DraftRequest } from '../backend/draft.js';
import { UsageError } from './cli.js';

export interface InitOptions {
  readonly bindDn?: string;
  readonly passwordFile?: string;
  readonly passwordEnv?: string;
  readonly base?: string;
  readonly people?: string;
  readonly groups?: string;
  readonly ca?: string;
  readonly out: string;
  readonly force?: boolean;
}

const timeoutMs = 60_000;
const sqlTypes: readonly string[] = ['postgresql', 'mysql', 'sqlite'];

/** The adapter that drafts: `sql` is the one that the URL tells. @throws UsageError */
export function adapterTypeOf(type: string, url: string): string {
  if (type !== 'sql') return type;
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(url)?.[1]?.toLowerCase();
  if (scheme === undefined) return 'sqlite';
  if (scheme === 'postgresql' || scheme === 'postgres') return 'postgresql';
  if (scheme === 'mysql' || scheme === 'mariadb') return 'mysql';
  throw new UsageError(
    `"${scheme}" is none of the databases: postgresql://account@host/database, mysql://account@host/database, or a SQLite file.`,
  );
}

/** @param type the adapter's @throws UsageError */
export function draftRequestOf(type: string, url: string, options: InitOptions): DraftRequest {
  const folder = options.out === '-' ? process.cwd() : dirname(resolve(options.out));
  const account = sqlTypes.includes(type)
    ? sqlAccount(type, url, options, folder)
    : directoryAccount(url, options, folder);
  const { base, people, groups, ca } = options;
  return {
    ...account,
    ...(base === undefined ? {} : { base }),
    places: { ...(people === undefined ? {} : { User: people }), ...(groups === undefined ? {} : { Group: groups }) },
    ...(ca === undefined ? {} : { ca: { file: resolve(ca), written: writtenName(ca, folder) } }),
    log: { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined },
    signal: AbortSignal.timeout(timeoutMs),
  };
}

type Account = Pick<DraftRequest, 'url' | 'written' | 'account' | 'secret'>;

function directoryAccount(url: string, options: InitOptions, folder: string): Account {
  if (!/^ldaps?:\/\/[^/?#@\s]+\/?$/i.test(url)) {
    throw new UsageError(
      `"${url}" is not the URL of a server: ldaps://host or ldap://host, with :port where it is another.`,
    );
  }
  const { bindDn, passwordEnv = 'LDAP_PASSWORD' } = options;
  if (bindDn === undefined) throw new UsageError("--bind-dn is missing: the name of the gateway's account.");
  const secret = secretOf(options, passwordEnv, folder);
  if (secret === undefined) {
    throw new UsageError(
      `The account's password is missing: put it into a file and name it with --password-file, or into the environment variable ${passwordEnv}.`,
    );
  }
  return { url, account: bindDn, secret };
}

/** A local database may want no password. */
function sqlAccount(type: string, url: string, options: InitOptions, folder: string): Account {
  if (type === 'sqlite') return { url: resolve(url), written: writtenName(url, folder) };
  const secret = secretOf(options, options.passwordEnv ?? 'DB_PASSWORD', folder);
  return { url, ...(secret === undefined ? {} : { secret }) };
}

function secretOf({ passwordFile }: InitOptions, passwordEnv: string, folder: string): DraftRequest['secret'] {
  if (passwordFile === undefined) {
    const value = process.env[passwordEnv] ?? '';
    return value === '' ? undefined : { value, reference: `\${env:${passwordEnv}}` };
  }
  const value = readSecret(passwordFile);
  if (value === '') throw new UsageError(`${passwordFile} is empty.`);
  return { value, reference: `\${file:${writtenName(passwordFile, folder)}}` };
}

function readSecret(file: string): string {
  try {
    return readFileSync(file, 'utf8').replace(/\r?\n$/, '');
  } catch (error) {
    throw new UsageError(`${file} cannot be read (${(error as NodeJS.ErrnoException).code}).`);
  }
}

/** As gateway.yaml names a file: relative when it lies beside it or below. */
function writtenName(file: string, folder: string): string {
  const near = relative(folder, resolve(file));
  return near.startsWith('..') || isAbsolute(near) ? resolve(file) : `./${near}`;
}
