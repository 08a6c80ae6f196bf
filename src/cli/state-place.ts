import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { GatewayConfig, StateConfig } from '../../config/gateway-config.js';
import type { DatabasePlace, DatabaseTls, StatePlace } from '../state/state-place.js';
import { UsageError } from './cli.js';

/**
 * Where the configuration, and `--data` over it, say that the state lies.
 * @throws UsageError when that cannot be told: what was then done elsewhere would not hold for the gateway
 */
export function statePlace(config: GatewayConfig, data: string | undefined): StatePlace {
  const dataDir = data === undefined ? config.dataDir : resolve(data);
  if (config.isStateFaulty)
    throw new UsageError('The section "state" has to be correct: it says where the state lies.');
  return { dataDir, ...(config.state === undefined ? {} : { database: toDatabase(config.state) }) };
}

function toDatabase({ password, tls, graceSeconds: _, ...place }: StateConfig): DatabasePlace {
  return { ...place, ...(password === undefined ? {} : { password }), tls: tls && readTls(tls) };
}

function readTls({ ca, certificate, key, serverName }: NonNullable<StateConfig['tls']>): DatabaseTls {
  return {
    ...(ca === undefined ? {} : { ca: read(ca) }),
    ...(certificate === undefined ? {} : { certificate: read(certificate) }),
    ...(key === undefined ? {} : { key: read(key) }),
    ...(serverName === undefined ? {} : { serverName }),
  };
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new UsageError(`"state.tls": the file ${file} cannot be read (${(error as NodeJS.ErrnoException).code}).`);
  }
}
