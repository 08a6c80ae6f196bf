import { resolve } from 'node:path';
import { isLoopback } from '../src/backend/loopback.js';
import type { GatewayFile } from './file-schema.js';
import type { ConfigFile } from './files.js';
import type { AdapterConfig, StateConfig } from './gateway-config.js';
import type { Problem } from './problem.js';

type StateSection = NonNullable<GatewayFile['state']>;

const usualPort = 5432;

/** The section `state`; undefined without one, or when it cannot be used, which is a problem then. */
export function readState(
  section: GatewayFile['state'],
  main: ConfigFile,
  problems: Problem[],
): StateConfig | undefined {
  if (section === undefined) return undefined;
  const url = URL.canParse(section.url) ? new URL(section.url) : undefined;
  const user = decode(url?.username);
  const database = decode(url?.pathname.slice(1));
  if (url === undefined || url.hostname === '' || !user || !database) {
    const message =
      'The URL has to name an account, a host and a database: "postgres://scimbridge@db.example.com/scimbridge".';
    problems.push(main.document.problem('error', ['state', 'url'], message));
    return undefined;
  }
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const { certificate, key } = section.tls ?? {};
  if ((certificate === undefined) !== (key === undefined)) {
    const message = 'A certificate of the gateway and its key go together: name both, or none.';
    problems.push(main.document.problem('error', ['state', 'tls'], message));
    return undefined;
  }
  return {
    host,
    port: url.port === '' ? usualPort : Number(url.port),
    database,
    user,
    password: section.password ?? (decode(url.password) || undefined),
    schema: section.schema,
    connections: section.connections,
    graceSeconds: section.graceSeconds,
    tls: tlsOf(section, host, main),
  };
}

/** Replicas see nothing of each other there. */
export function localAdapters(adapters: ReadonlyMap<string, AdapterConfig>, main: ConfigFile): readonly Problem[] {
  return [...adapters.values()].flatMap(({ name, type }): readonly Problem[] => {
    const where = type === 'memory' ? 'in the memory of one process' : type === 'sqlite' ? 'in a file' : undefined;
    if (where === undefined) return [];
    const message = `The adapter "${name}" keeps its records ${where}: replicas that share "state" do not share them.`;
    return [main.document.problem('warning', ['adapters', name, 'type'], message)];
  });
}

function tlsOf({ tls, allowClearText }: StateSection, host: string, main: ConfigFile): StateConfig['tls'] {
  if (tls === undefined) return allowClearText || isLoopback(host) ? undefined : {};
  const { ca, certificate, key, serverName } = tls;
  return {
    ...(ca === undefined ? {} : { ca: resolve(main.dir, ca) }),
    ...(certificate === undefined ? {} : { certificate: resolve(main.dir, certificate) }),
    ...(key === undefined ? {} : { key: resolve(main.dir, key) }),
    ...(serverName === undefined ? {} : { serverName }),
  };
}

function decode(part: string | undefined): string {
  try {
    return decodeURIComponent(part ?? '');
  } catch {
    return '';
  }
}
