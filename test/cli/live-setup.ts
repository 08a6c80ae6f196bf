import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Hono } from 'hono';
import { pino } from 'pino';
import { onTestFinished } from 'vitest';
import { loadConfig } from '../../config/load.js';
import { issueToken } from '../../src/auth/tokens.js';
import type { Configuration } from '../../src/cli/cli.js';
import type { ConfigChanges } from '../../src/cli/config-changes.js';
import { LiveGateways, type UsableConfiguration } from '../../src/cli/live-gateways.js';
import { compileGateway } from '../../src/composition.js';
import { createApp } from '../../src/http/app.js';
import type { HttpEnv } from '../../src/http/exchange.js';
import { createSealer } from '../../src/state/sealer.js';
import { openState } from '../../src/state/sqlite-state.js';
import type { State } from '../../src/state/state.js';
import { createGatedModule, type GatedModule } from '../support/gated-adapter.js';

/** Gateways over gated adapters, without a process and a port. */
export interface LiveSetup {
  readonly live: LiveGateways;
  readonly app: Hono<HttpEnv>;
  readonly gated: GatedModule;
  readonly state: State;
  /** Lines of the log. */
  readonly logged: readonly Readonly<Record<string, unknown>>[];
  /** Writes gateway.yaml, reads it, and takes it. */
  change(text: string): Promise<ConfigChanges>;
  read(text: string): UsableConfiguration;
  token(gateway: string): Promise<string>;
  /** A request with the gateway's token. */
  send(path: string, token: string, init?: RequestInit): Promise<Response>;
}

export async function startLive(text: string): Promise<LiveSetup> {
  const folder = mkdtempSync(join(tmpdir(), 'live-'));
  const gated = createGatedModule();
  const modules = new Map([['gated', gated.module]]);
  const logged: Record<string, unknown>[] = [];
  const log = pino({ level: 'debug', base: null }, { write: (line: string) => logged.push(JSON.parse(line)) });
  const state = openState(join(folder, 'data'));
  const read = (yaml: string): UsableConfiguration => readIn(folder, modules, yaml);
  const live = await LiveGateways.open(read(text), {
    modules,
    sealer: createSealer(await state.key('cursor')),
    metaSchemas: [],
    state,
    oauthKey: await state.key('oauth'),
    log,
  });
  const app = createApp({ served: () => live.served, log, health: () => ({ ready: true, gateways: live.health() }) });
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

function readIn(folder: string, modules: Configuration['modules'], text: string): UsableConfiguration {
  const file = join(folder, 'gateway.yaml');
  writeFileSync(file, text);
  const adapterSchemas = new Map([...modules].map(([type, { configSchema }]) => [type, configSchema]));
  const { config, problems, sources } = loadConfig({ file, adapterSchemas });
  if (config === undefined) throw new Error(JSON.stringify(problems));
  const plans = new Map(config.gateways.map((gateway) => [gateway.id, compileGateway(gateway).plans]));
  return { config, plans, sources };
}
