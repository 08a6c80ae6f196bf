import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { pino } from 'pino';
import { sqliteModule } from '../../adapters/sqlite/adapter.js';
import { sqliteConfigSchema } from '../../adapters/sqlite/config.js';
import { loadConfig } from '../../config/load.js';
import { createAuthentication } from '../../src/auth/authentication.js';
import { createTokenAuthenticator, issueToken } from '../../src/auth/tokens.js';
import type { AdapterModule } from '../../src/backend/adapter.js';
import { compileGateway, composeGateway, type RunningGateway } from '../../src/composition.js';
import { createApp } from '../../src/http/app.js';
import type { HttpGateway } from '../../src/http/http-gateway.js';
import { strictDialect, tolerantDialect } from '../../src/scim/dialect.js';
import { createSealer } from '../../src/state/sealer.js';
import { openState } from '../../src/state/sqlite-state.js';
import { createTestGateway, repositoryRoot, type ServerOptions, type TestServer } from './gateway.js';

const origin = 'http://gateway.example';
const metaSchemas = ['ServiceProviderConfig', 'ResourceType', 'Schema'].map((name) =>
  JSON.parse(readFileSync(join(repositoryRoot, `schemas/rfc7643/${name}.json`), 'utf8')),
);

/** The same gateways as the program's, without a port. */
export async function startServer(options: ServerOptions = {}): Promise<TestServer> {
  const dataDir = await mkdtemp(join(tmpdir(), 'scimbridge-'));
  const file = join(options.baseDir ?? dataDir, 'gateway.yaml');
  if (options.config !== undefined) await writeFile(file, options.config);
  const { config, problems } = loadConfig({
    ...(options.config === undefined ? {} : { file }),
    adapterSchemas: new Map([['sqlite', sqliteConfigSchema]]),
  });
  if (config === undefined) throw new Error(JSON.stringify(problems, null, 2));
  const state = openState(dataDir);
  const lines: string[] = [];
  const sink = new Writable({
    write: (chunk, _, done) => {
      lines.push(String(chunk));
      done();
    },
  });
  const log = pino({ level: 'debug' }, sink);
  const parts = {
    modules: new Map<string, AdapterModule>([['sqlite', sqliteModule as AdapterModule]]),
    sealer: createSealer(await state.key('cursor')) as never,
    metaSchemas,
    log,
  };
  const running: RunningGateway[] = [];
  const gateways: HttpGateway[] = [];
  for (const gateway of config.gateways) {
    const { plans, problems: found } = compileGateway(gateway);
    if (found.some(({ severity }) => severity === 'error')) throw new Error(JSON.stringify(found, null, 2));
    const composed = await composeGateway({ ...config, dataDir }, gateway, plans, parts);
    running.push(composed);
    gateways.push({
      id: gateway.id,
      address: gateway.address,
      service: composed.service,
      authenticate: createAuthentication({
        realm: gateway.id,
        authenticators: [createTokenAuthenticator({ gateway: gateway.id, store: state.tokens })],
      }),
      limits: gateway.limits,
      dialect: gateway.strict ? strictDialect : tolerantDialect,
      enabled: () => true,
      publicDiscovery: false,
      sensitiveFilters: gateway.sensitiveFilters,
      requireIfMatch: gateway.requireIfMatch,
    });
  }
  const app = createApp({ gateways, log, health: () => ({ ready: true, gateways: [] }) });
  const createToken = async (gateway: string, label: string): Promise<string> =>
    (await issueToken(state.tokens, { gateway, label })).token;
  return {
    dataDir,
    createToken,
    gateway: async (id = 'default') => {
      const address = gateways.find((gateway) => gateway.id === id)?.address;
      if (address === undefined) throw new Error(`There is no gateway "${id}".`);
      return createTestGateway(origin + address, await createToken(id, 'test'), async (url, init) =>
        app.request(url, init),
      );
    },
    log: () => lines.join(''),
    close: async () => {
      for (const each of running) await each.close();
      await state.close();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}
