import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Hono } from 'hono';
import { type Logger, pino } from 'pino';
import { onTestFinished } from 'vitest';
import { loadConfig } from '../../config/load.js';
import { issueToken } from '../../src/auth/tokens.js';
import { compileGateway } from '../../src/composition.js';
import { createApp } from '../../src/http/app.js';
import type { HttpEnv } from '../../src/http/exchange.js';
import type { ConfigChanges } from '../../src/serving/config-changes.js';
import type { Configuration } from '../../src/serving/configuration.js';
import { LiveGateways, type UsableConfiguration } from '../../src/serving/live-gateways.js';
import { createSealer } from '../../src/state/sealer.js';
import { openState } from '../../src/state/sqlite/sqlite-state.js';
import type { State } from '../../src/state/state.js';
import { createGatedModule, type GatedModule } from '../support/gated-adapter.js';

/** Gateways over gated adapters, without a process and a port. */
export interface LiveSetup {
  readonly live: LiveGateways;
  readonly app: Hono<HttpEnv>;
  readonly gated: GatedModule;
  readonly state: State;
  readonly log: Logger;
  /** Where gateway.yaml is. */
  readonly folder: string;
  /** Reads gateway.yaml as it is now, with all its problems. */
  readonly configure: Configure;
  /** Lines of the log. */
  readonly logged: readonly Readonly<Record<string, unknown>>[];
  /** Writes gateway.yaml, reads it, and takes it. */
  change(text: string): Promise<ConfigChanges>;
  read(text: string): UsableConfiguration;
  token(gateway: string): Promise<string>;
  /** A request with the gateway's token. */
  send(path: string, token: string, init?: RequestInit): Promise<Response>;
}

type Configure = (texts?: Configuration['texts']) => Configuration;

/** @param files beside gateway.yaml */
export async function startLive(text: string, files: Readonly<Record<string, string>> = {}): Promise<LiveSetup> {
  const folder = mkdtempSync(join(tmpdir(), 'live-'));
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
  const gated = createGatedModule();
  const modules = new Map([['gated', gated.module]]);
  const logged: Record<string, unknown>[] = [];
  const log = pino({ level: 'debug', base: null }, { write: (line: string) => logged.push(JSON.parse(line)) });
  const state = openState(join(folder, 'data'));
  const configure: Configure = (texts) => configureIn(folder, modules, texts);
  const read = (yaml: string): UsableConfiguration => {
    writeFileSync(join(folder, 'gateway.yaml'), yaml);
    const { config, problems, ...rest } = configure();
    if (config === undefined) throw new Error(JSON.stringify(problems));
    return { ...rest, config };
  };
  const live = await LiveGateways.open(read(text), {
    modules,
    sealer: createSealer(await state.key('cursor')),
    metaSchemas: [],
    state,
    oauthKey: await state.key('oauth'),
    log,
  });
  const recorder = { finished: () => {}, act: () => {}, flush: async () => {}, close: async () => {} };
  const health = () => ({ ready: true, gateways: live.health() });
  const app = createApp({ served: () => live.served, log, recorder, health });
  onTestFinished(async () => {
    await live.close();
    await state.close();
    rmSync(folder, { recursive: true, force: true });
  });
  return {
    live,
    app,
    gated,
    state,
    log,
    folder,
    configure,
    logged,
    read,
    change: (yaml) => live.change(read(yaml)),
    token: async (gateway) => (await issueToken(state.tokens, { gateway, label: 'test' })).token,
    send: async (path, token, init = {}) =>
      app.request(`http://localhost${path}`, {
        ...init,
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/scim+json' },
      }),
  };
}

function configureIn(
  folder: string,
  modules: Configuration['modules'],
  texts: Configuration['texts'] | undefined,
): Configuration {
  const adapterSchemas = new Map([...modules].map(([type, { configSchema }]) => [type, configSchema]));
  const file = join(folder, 'gateway.yaml');
  const loaded = loadConfig({ file, adapterSchemas, ...(texts === undefined ? {} : { texts }) });
  const plans = new Map((loaded.draft?.gateways ?? []).map((gateway) => [gateway.id, compileGateway(gateway).plans]));
  return { ...loaded, plans, modules };
}
