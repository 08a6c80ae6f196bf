import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { composeGateway, type RunningGateway } from '../composition.js';
import type { TypeRuntime } from '../provisioning/type-runtime.js';
import type { Configuration } from '../serving/configuration.js';
import { createSealer } from '../state/sealer.js';
import { UsageError } from './cli.js';

const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

/**
 * Opens one gateway to look at, not to serve: a managed store is made in an empty folder that goes again, so that nothing
 * of the real data is touched.
 * @throws UsageError when there is no such gateway
 */
export async function openForTrial(configuration: Configuration, gatewayId: string): Promise<RunningGateway> {
  const { config, plans, modules } = configuration;
  const gateway = config?.gateways.find(({ id }) => id === gatewayId);
  const own = plans.get(gatewayId);
  if (config === undefined || gateway === undefined || own === undefined) {
    const known = config?.gateways.map(({ id }) => id).join(', ') ?? '';
    throw new UsageError(`There is no gateway "${gatewayId}" in the configuration; it has ${known}.`);
  }
  const dataDir = mkdtempSync(join(tmpdir(), 'scimbridge-'));
  const parts = { modules, sealer: createSealer(randomBytes(32)), metaSchemas: [], log: silent };
  const running = await composeGateway({ ...config, dataDir }, gateway, own, parts);
  const close = async (): Promise<void> => {
    await running.close();
    rmSync(dataDir, { recursive: true, force: true });
  };
  return { ...running, close };
}

/** @throws UsageError when the gateway has no such type */
export function typeOf(running: RunningGateway, name: string): TypeRuntime {
  const found = running.types.find(({ type }) => type.name.toLowerCase() === name.toLowerCase());
  if (found !== undefined) return found;
  const known = running.types.map(({ type }) => type.name).join(', ');
  throw new UsageError(`The gateway "${running.gateway.id}" has no resource type "${name}"; it has ${known}.`);
}
