import type { PoolConfig } from './connection-config.js';
import type { ConnectionsSettings } from './connections.js';

/** The `pool` section, or what holds without one. */
export function poolLimits(
  config: Partial<PoolConfig> = {},
): Pick<ConnectionsSettings, 'connections' | 'waitMs' | 'idleMs' | 'maxAgeMs'> {
  const { connections = 10, waitMs = 5_000, idleMs = 60_000, maxAgeMs = 1_800_000 } = config;
  return { connections, waitMs, idleMs, maxAgeMs };
}
