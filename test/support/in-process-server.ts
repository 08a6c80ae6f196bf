import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { pino } from 'pino';
import { loadAdapterModules } from '../../adapters/registry.js';
import { discoverySchemas } from '../../config/core-schemas.js';
import type { GatewayConfig } from '../../config/gateway-config.js';
import { loadConfig } from '../../config/load.js';
import { issueToken } from '../../src/auth/tokens.js';
import type { AdapterModule } from '../../src/backend/adapter.js';
import { GatewayLog } from '../../src/cli/gateway-log.js';
import { toGatewayHealth, toHttpGateway } from '../../src/cli/http-gateway.js';
import { type CompositionParts, compileGateway, composeGateway, type RunningGateway } from '../../src/composition.js';
import { createApp } from '../../src/http/app.js';
import { createSealer } from '../../src/state/sealer.js';
import { openState } from '../../src/state/sqlite-state.js';
import { createTestGateway, type ServerOptions, type TestServer } from './gateway.js';

const origin = 'http://gateway.example';

/** The same gateways as the program's, without a process and a port: requests go straight to the app. */
export async function startServer(options: ServerOptions = {}): Promise<TestServer> {
  const dataDir = await mkdtemp(join(tmpdir(), 'scimbridge-'));
  const modules = await loadAdapterModules();
  const config = { ...(await readConfig(options, dataDir, modules)), dataDir };
  const state = openState(dataDir);
  const { log, lines } = recordingLog();
  const sealer = createSealer(await state.key('cursor'));
  const running = await composeAll(config, { modules, sealer, metaSchemas: discoverySchemas, log });
  const { tokens, controls } = state;
  const oauthKey = await state.key('oauth');
  const served = {
    gateways: running.map((one) =>
      toHttpGateway(one, { tokens, controls, oauthKey, log: new GatewayLog(log, one.gateway, controls) }),
    ),
    publicUrl: config.publicUrl,
  };
  const app = createApp({
    served: () => served,
    log,
    health: () => ({
      ready: true,
      gateways: running.map((one) => toGatewayHealth(one, { enabled: () => one.gateway.enabled })),
    }),
  });
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
      for (const gateway of running) await gateway.close();
      await state.close();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

async function readConfig(
  { config: text, baseDir }: ServerOptions,
  dataDir: string,
  modules: ReadonlyMap<string, AdapterModule>,
): Promise<GatewayConfig> {
  const file = join(baseDir ?? dataDir, 'gateway.yaml');
  if (text !== undefined) await writeFile(file, text);
  const { config, problems } = loadConfig({
    ...(text === undefined ? {} : { file }),
    adapterSchemas: new Map([...modules].map(([type, { configSchema }]) => [type, configSchema])),
  });
  if (config === undefined) throw new Error(problems.map((problem) => JSON.stringify(problem)).join('\n'));
  return config;
}

async function composeAll(config: GatewayConfig, parts: CompositionParts): Promise<readonly RunningGateway[]> {
  const running: RunningGateway[] = [];
  for (const gateway of config.gateways) {
    const { plans, problems } = compileGateway(gateway);
    const errors = problems.filter(({ severity }) => severity === 'error');
    if (errors.length > 0) throw new Error(errors.map(({ message }) => message).join('\n'));
    running.push(await composeGateway(config, gateway, plans, parts));
  }
  return running;
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
