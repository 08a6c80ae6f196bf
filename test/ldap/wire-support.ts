import type { Directory, WireContext } from '../../adapters/ldap/directory.js';
import { type DirectoryConfig, openDirectory } from '../../adapters/ldap/open-directory.js';
import type { AdapterLog } from '../../src/backend/adapter.js';
import type { LdapServer } from '../support/ldap/ldap-server.js';

/** A log that keeps its lines. */
export interface KeptLog extends AdapterLog {
  readonly lines: string[];
}

export function keptLog(): KeptLog {
  const lines: string[] = [];
  const keep = (level: string) => (fields: object, message: string) => {
    lines.push(`${level} ${message} ${JSON.stringify(fields)}`);
  };
  return { lines, debug: keep('debug'), info: keep('info'), warn: keep('warn'), error: keep('error') };
}

export function contextFor(ms = 15_000): WireContext {
  return { signal: new AbortController().signal, deadlineMs: performance.now() + ms };
}

/** The directory of a test server, by its service account. */
export function directoryOf(
  server: LdapServer,
  settings: Partial<DirectoryConfig> = {},
  log: AdapterLog = keptLog(),
): Promise<Directory> {
  const config: DirectoryConfig = {
    url: server.urls.ldaps,
    bind: { dn: server.bindDn, password: server.password },
    tls: { ca: server.caFile, verify: true, minVersion: 'TLSv1.2' },
    ...settings,
  };
  return openDirectory(config, '/', log);
}

export function person(uid: string, others: Readonly<Record<string, readonly (string | Uint8Array)[]>> = {}) {
  const attributes = { objectClass: ['inetOrgPerson'], uid: [uid], cn: [uid], sn: [uid], ...others };
  return Object.entries(attributes).map(([name, values]) => ({ name, values }));
}
