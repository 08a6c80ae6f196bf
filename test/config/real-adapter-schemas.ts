import { loadAdapterModules } from '../../adapters/registry.js';

/** The schemas of the adapters that are built in, by type. */
export async function realAdapterSchemas(): Promise<ReadonlyMap<string, object>> {
  const modules = [...(await loadAdapterModules())].sort();
  return new Map(modules.map(([type, { configSchema }]) => [type, configSchema]));
}
