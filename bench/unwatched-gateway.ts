/**
 * The gateway of the benchmark with everybody let in and nothing recorded or counted: what authentication and transactions
 * cost is the difference. It is put together here, since the program itself offers no such thing.
 */
import { parseArgs } from 'node:util';
import { pino } from 'pino';
import { loadAdapterModules } from '../adapters/registry.js';
import { discoverySchemas } from '../config/core-schemas.js';
import { loadConfig } from '../config/load.js';
import { compileGateway, composeGateway } from '../src/composition.js';
import { createAdmission } from '../src/http/admission.js';
import { createApp } from '../src/http/app.js';
import { InFlight } from '../src/http/in-flight.js';
import { startServer } from '../src/http/server.js';
import { tolerantDialect } from '../src/scim/dialect.js';
import { createSealer } from '../src/state/sealer.js';

const { values: options } = parseArgs({ options: { config: { type: 'string' }, data: { type: 'string' } } });
const { config: file, data } = options;
if (file === undefined || data === undefined) throw new Error('--config and --data are needed.');

const modules = await loadAdapterModules();
const adapterSchemas = new Map([...modules].map(([type, module]) => [type, module.configSchema]));
const { config } = loadConfig({ file, adapterSchemas });
const [gateway] = config?.gateways ?? [];
if (config === undefined || gateway === undefined) throw new Error(`${file} has problems: run "scimbridge check".`);

const log = pino({ level: 'info' }, pino.destination({ dest: 2, sync: false }));
const { service } = await composeGateway({ ...config, dataDir: data }, gateway, compileGateway(gateway).plans, {
  modules,
  sealer: createSealer(new Uint8Array(32)),
  metaSchemas: discoverySchemas,
  log,
});
const caller = { caller: { id: 'everybody' } };
const served = {
  gateways: [
    {
      id: gateway.id,
      address: gateway.address,
      service,
      authenticate: () => caller,
      admission: createAdmission(gateway.limits),
      log,
      inFlight: new InFlight(),
      limits: gateway.limits,
      dialect: tolerantDialect,
      enabled: () => true,
      publicDiscovery: false,
      sensitiveFilters: [],
      requireIfMatch: false,
    },
  ],
};
const app = createApp({ served: () => served, log, health: () => ({ ready: true, gateways: [] }) });
const server = await startServer({ host: '127.0.0.1', port: 0, fetch: app.fetch, log });
process.stdout.write(`${JSON.stringify({ url: `http://127.0.0.1:${server.port}` })}\n`);
process.once('SIGTERM', () => void server.stop(1000).then(() => process.exit(0)));
