import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { pino } from 'pino';
import { loadAdapterModules } from '../../adapters/registry.js';
import { discoverySchemas } from '../../config/core-schemas.js';
import { loadConfig } from '../../config/load.js';
import { issueToken } from '../../src/auth/tokens.js';
import type { AdapterModule } from '../../src/backend/adapter.js';
import { compileGateway } from '../../src/composition.js';
import { createApp } from '../../src/http/app.js';
import { LiveGateways, type UsableConfiguration } from '../../src/serving/live-gateways.js';
import { createSealer } from '../../src/state/sealer.js';
import { openState } from '../../src/state/sqlite/sqlite-state.js';
import { createTestGateway, type ServerOptions, type TestServer } from './gateway.js';

const origin = 'http://gateway.example';

/** The same gateways as the program's, without a process and a port: requests go straight to the app. */
export async function startServer(options: ServerOptions = {}): Promise<TestServer> {
  const dataDir = await mkdtemp(join(tmpdir(), 'scimbridge-'));
  const own = (options.modules ?? []).map((module) => [module.type, module] as const);
  const modules = new Map([...(await loadAdapterModules()), ...own]);
  const configuration = await readConfiguration(options, dataDir, modules);
  const { config } = configuration;
  const state = openState(dataDir);
  const { log, lines } = recordingLog();
  const live = await LiveGateways.open(configuration, {
    modules,
    sealer: createSealer(await state.key('cursor')),
    metaSchemas: discoverySchemas,
    state,
    oauthKey: await state.key('oauth'),
    log,
  }).catch(async (error: unknown) => {
    await state.close();
    await rm(dataDir, { recursive: true, force: true });
    throw error;
  });
  const app = createApp({ served: () => live.served, log, health: () => ({ ready: true, gateways: live.health() }) });
  const createToken = async (gateway: string, label: string): Promise<string> =>
    (await issueToken(state.tokens, { gateway, label })).token;
  return {
    dataDir,
    createToken,
    gateway: async (id = 'default') => {
      const address = config.gateways.find((gateway) => gateway.id === id)?.address;
      if (address === undefined) throw new Error(`There is no gateway "${id}".`);
      const token = await createToken(id, 'test');
      return createTestGateway(origin + address, token, async (url, init) => app.request(url, init));
    },
    log: () => lines.join(''),
    close: async () => {
      await live.close();
      await state.close();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

async function readConfiguration(
  { config: text, baseDir }: ServerOptions,
  dataDir: string,
  modules: ReadonlyMap<string, AdapterModule>,
): Promise<UsableConfiguration> {
  const file = join(baseDir ?? dataDir, 'gateway.yaml');
  if (text !== undefined) await writeFile(file, text);
  const { config, problems, sources } = loadConfig({
    ...(text === undefined ? {} : { file }),
    adapterSchemas: new Map([...modules].map(([type, { configSchema }]) => [type, configSchema])),
  });
  if (config === undefined) throw new Error(problems.map((problem) => JSON.stringify(problem)).join('\n'));
  const compiled = config.gateways.map((gateway) => ({ id: gateway.id, ...compileGateway(gateway) }));
  const errors = compiled.flatMap(({ problems: found }) => found.filter(({ severity }) => severity === 'error'));
  if (errors.length > 0) throw new Error(errors.map(({ message }) => message).join('\n'));
  const plans = new Map(compiled.map((one) => [one.id, one.plans]));
  return { config: { ...config, dataDir }, plans, sources };
}

/** A logger of everything, and what it wrote. */
function recordingLog(): { readonly log: pino.Logger; readonly lines: readonly string[] } {
  const lines: string[] = [];
  const sink = new Writable({
    write: (chunk, _, done) => {
      lines.push(String(chunk));
      done();
    },
  });
  return { log: pino({ level: 'debug' }, sink), lines };
}
