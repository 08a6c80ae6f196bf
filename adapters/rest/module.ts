import { type AdapterModule, contractVersion } from '../../src/backend/adapter.js';
import { declaredFields } from '../declared-fields.js';
import { type RestConfig, restConfigSchema } from './config.js';

/**
 * Services that speak HTTP and JSON. Every configuration is checked against the schemas of all adapters, so this file is
 * read at each start; what speaks HTTP is loaded where there is a target.
 */
export const restModule: AdapterModule<RestConfig> = {
  contractVersion,
  type: 'rest',
  configSchema: restConfigSchema,
  pacedBy: 'requests',
  declared: ({ entities }) => declaredFields(entities),
  async open(config, environment) {
    const { openRestAdapter } = await import('./adapter.js');
    return openRestAdapter(config, environment);
  },
};
