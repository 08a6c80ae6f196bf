import { isIP } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import { AdapterError } from '../../src/backend/adapter-error.js';
import { isLoopback } from '../../src/backend/loopback.js';
import { readTlsSection, type TlsSection, type TlsSettings } from '../tls-section.js';
import type { ConnectionConfig } from './connection-config.js';

/** Where a server is, and who the gateway is there. */
export interface ConnectionTarget {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  readonly password?: string;
  /** Absent: nothing is encrypted. */
  readonly tls?: TlsOptions;
}

export type TlsOptions = Omit<TlsSettings, 'servername'> & {
  /** What the certificate has to name: a host name or an address. */
  readonly expectedName: string;
};

type TargetConfig = Pick<
  Partial<ConnectionConfig>,
  'url' | 'host' | 'port' | 'database' | 'user' | 'password' | 'allowClearText'
> & { readonly tls?: Partial<TlsSection> };

/**
 * Puts `url` and the single keys together, and reads the files of `tls`.
 * @throws AdapterError `unsupported` when something is missing or said twice
 */
export async function connectionTarget(
  config: TargetConfig,
  baseDir: string,
  defaultPort: number,
): Promise<ConnectionTarget> {
  const parts = { ...(config.url === undefined ? {} : partsOfUrl(config.url)) };
  const pick = (key: 'host' | 'database' | 'user'): string => {
    const value = single(key, parts[key], config[key]);
    if (value === undefined) throw unusable(`The section says no ${key}: add it to \`url\`, or as a key of its own.`);
    return value;
  };
  const host = pick('host');
  const password = single('password', parts.password, config.password);
  const tls = await tlsOf(config, host, baseDir);
  return {
    host,
    port: single('port', parts.port, config.port) ?? defaultPort,
    database: pick('database'),
    user: pick('user'),
    ...(password === undefined ? {} : { password }),
    ...(tls === undefined ? {} : { tls }),
  };
}

interface UrlParts {
  readonly host?: string;
  readonly port?: number;
  readonly database?: string;
  readonly user?: string;
  readonly password?: string;
}

/**
 * A password may hold any characters, also those that a URL wants encoded: it often comes from an environment variable as
 * it is.
 */
const urlPattern = /^\w+:\/\/(?:([^:@/]*)(?::(.*))?@)?(\[[^\]]+\]|[^:/?#@]*)(?::(\d+))?(?:\/([^/?#]*))?$/s;

/** @throws AdapterError `unsupported` when it is none */
export function partsOfUrl(url: string): UrlParts {
  const [, user, password, host, port, database] = urlPattern.exec(url) ?? [];
  if (host === undefined) {
    throw unusable('`url` has not the form "scheme://user@host:port/database". Parameters behind "?" are keys here.');
  }
  const some = (key: string, value: string | undefined): object =>
    value === undefined || value === '' ? {} : { [key]: decoded(value) };
  return {
    ...some('host', host.replace(/^\[|\]$/g, '')),
    ...(port === undefined ? {} : { port: Number(port) }),
    ...some('database', database),
    ...some('user', user),
    ...some('password', password),
  };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // A "%" that is meant as it is.
  }
}

function single<T>(key: string, inUrl: T | undefined, own: T | undefined): T | undefined {
  if (inUrl !== undefined && own !== undefined && inUrl !== own) {
    throw unusable(`\`url\` and \`${key}\` say different things: leave one of them out.`);
  }
  return own ?? inUrl;
}

export function isLocal(host: string): boolean {
  return host.startsWith('/') || isLoopback(host);
}

async function tlsOf(config: TargetConfig, host: string, baseDir: string): Promise<TlsOptions | undefined> {
  const { tls, allowClearText = false } = config;
  if (tls === undefined && (isLocal(host) || allowClearText)) return undefined;
  if (tls !== undefined && allowClearText) throw unusable('`tls` and `allowClearText` exclude each other.');
  if (host.startsWith('/')) throw unusable('A local socket is not encrypted: leave `tls` out.');
  const { servername = host, ...settings } = await readTlsSection(tls, baseDir);
  return { ...settings, expectedName: servername };
}

/** For `tls.connect`: the certificate is checked against the name, and a name (not an address) is sent along. */
export function nodeTlsOptions({ expectedName, ...others }: TlsOptions): ConnectionOptions {
  return isIP(expectedName) === 0
    ? { ...others, host: expectedName, servername: expectedName }
    : { ...others, host: expectedName };
}

function unusable(message: string, cause?: unknown): AdapterError {
  return new AdapterError('unsupported', message, cause === undefined ? {} : { cause });
}
