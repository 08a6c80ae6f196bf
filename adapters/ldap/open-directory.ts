import type { AdapterLog } from '../../src/backend/adapter.js';
import { readTlsSection } from '../tls-section.js';
import type { LdapConfig } from './config.js';
import type { Directory } from './directory.js';
import { DirectoryPool } from './pool.js';
import { serverAddresses } from './tls-options.js';

export type DirectoryConfig = Pick<LdapConfig, 'url' | 'bind'> &
  Partial<Omit<LdapConfig, 'type' | 'url' | 'bind' | 'entities' | 'base' | 'pageSize'>>;

/**
 * The directory that a configuration describes. Nothing is connected yet.
 * @param baseDir where relative names of files start
 * @throws AdapterError `unsupported` when a file is missing or settings contradict each other
 */
export async function openDirectory(config: DirectoryConfig, baseDir: string, log: AdapterLog): Promise<Directory> {
  const addresses = serverAddresses(config);
  const tls = await readTlsSection(config.tls, baseDir);
  const { bind, kind, features, maxRequestBytes, pool } = config;
  if (addresses.some(({ isConfidential }) => !isConfidential)) {
    log.warn(
      {},
      "allowClearText: the account's password and all data go to the directory readable to anybody in between.",
    );
  }
  if (!tls.rejectUnauthorized) {
    log.warn(
      {},
      "tls.verify: false: the directory's certificate is not checked, so anybody may pose as the directory.",
    );
  }
  return new DirectoryPool({
    addresses,
    tls,
    bind,
    connections: pool?.connections ?? 2,
    pipeline: pool?.pipeline ?? 32,
    leases: pool?.leases ?? 8,
    timeoutMs: config.timeoutMs ?? 10_000,
    connectTimeoutMs: config.connectTimeoutMs ?? 5_000,
    idleProbeMs: config.idleProbeMs ?? 60_000,
    overrides: { kind, features, maxRequestBytes },
    log,
  });
}
