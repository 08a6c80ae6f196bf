import { resolve } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { InvalidArgumentError } from 'commander';
import { discoverySchemas } from '../../config/core-schemas.js';
import type { GatewayConfig } from '../../config/gateway-config.js';
import { composeGateway, type RunningGateway } from '../composition.js';
import { createApp } from '../http/app.js';
import { type HttpServer, startServer } from '../http/server.js';
import { createSealer } from '../state/sealer.js';
import { openState } from '../state/sqlite-state.js';
import type { State } from '../state/state.js';
import { type AddCommand, type CliEnvironment, type Configuration, requireConfig } from './cli.js';
import { offerFirstToken } from './first-token.js';
import { GatewayLog } from './gateway-log.js';
import { toGatewayHealth, toHttpGateway } from './http-gateway.js';
import { createLog, type Log } from './log.js';

interface ServeOptions {
  readonly config?: string;
  readonly listen?: GatewayConfig['listen'];
  readonly data?: string;
  readonly printToken?: true;
}

/** Requests in flight may take so long to finish once the process is asked to end. */
const stopGraceMs = 10_000;

export const addServe: AddCommand = (program, environment) => {
  program
    .command('serve')
    .description('Serve the gateways. Without --config: one gateway at /scim with a store of its own.')
    .option('--config <file>', 'the configuration, gateway.yaml (default: the built-in one)')
    .option('--listen <host:port>', 'listen here instead of where the configuration says', parseListen)
    .option('--data <folder>', "the gateway's own state, instead of where the configuration says")
    .option('--print-token', 'print the first token also when stdout is not a terminal')
    .action((options: ServeOptions) => serve(options, environment));
};

/** @throws UsageError for a wrong configuration, Error when something cannot be opened */
async function serve(options: ServeOptions, environment: CliEnvironment): Promise<void> {
  trustNoFirstGuess();
  const configuration = await requireConfig(environment, options.config);
  const config: GatewayConfig = {
    ...configuration.config,
    ...(options.listen === undefined ? {} : { listen: options.listen }),
    ...(options.data === undefined ? {} : { dataDir: resolve(options.data) }),
  };
  const log = createLog(config.log.level, environment.stdout);
  for (const problem of configuration.problems) log.logger.warn(environment.formatProblem(problem));
  try {
    await run({ config, configuration, options, environment, log });
    log.logger.info('Stopped.');
  } finally {
    log.flush();
  }
}

/**
 * V8 guesses early which objects will live long. Requests that arrive together at the start outlive the first garbage
 * collections, and it goes on to create those of all later requests among the long-lived, where they and all that they
 * refer to wait for a full collection. That took a quarter of the time of a read.
 */
function trustNoFirstGuess(): void {
  setFlagsFromString('--no-allocation-site-pretenuring');
}

interface Run {
  readonly config: GatewayConfig;
  readonly configuration: Configuration;
  readonly options: ServeOptions;
  readonly environment: CliEnvironment;
  readonly log: Log;
}

/** From the opened state to the closed one. */
async function run({ config, configuration, options, environment, log }: Run): Promise<void> {
  const state = openState(config.dataDir);
  const gateways: RunningGateway[] = [];
  try {
    for await (const gateway of compose(config, configuration, state, log)) gateways.push(gateway);
    const server = await listen(config, gateways, state, log);
    await announce(config, options, environment, server, state, log);
    const signal = await environment.stopRequested();
    log.logger.info({ signal }, 'Stopping: no new connections, requests in flight finish.');
    await server.stop(stopGraceMs);
  } finally {
    await Promise.all(gateways.map((gateway) => gateway.close()));
    await state.close();
  }
}

/** One by one, so that those that are open can be closed when one cannot be opened. */
async function* compose(
  config: GatewayConfig,
  { plans, modules }: Configuration,
  state: State,
  { logger: log }: Log,
): AsyncGenerator<RunningGateway> {
  const parts = { modules, sealer: createSealer(await state.key('cursor')), metaSchemas: discoverySchemas, log };
  for (const gateway of config.gateways) {
    yield await composeGateway(config, gateway, plans.get(gateway.id) ?? new Map(), parts);
  }
}

async function listen(
  config: GatewayConfig,
  gateways: readonly RunningGateway[],
  state: State,
  { logger: log }: Log,
): Promise<HttpServer> {
  const { tokens, controls } = state;
  const oauthKey = await state.key('oauth');
  const gatewaysOfHttp = gateways.map((one) =>
    toHttpGateway(one, { tokens, controls, oauthKey, log: new GatewayLog(log, one.gateway, controls) }),
  );
  const served = { gateways: gatewaysOfHttp, publicUrl: config.publicUrl };
  const app = createApp({
    served: () => served,
    log,
    // There is no port before everything is composed, so that whoever is answered is served.
    health: () => ({
      ready: true,
      gateways: gateways.map((one) => toGatewayHealth(one, { enabled: () => one.gateway.enabled })),
    }),
  });
  return startServer({ ...config.listen, fetch: app.fetch });
}

/** Says where the gateways are, what endangers their tokens, and how to get a first one. */
async function announce(
  config: GatewayConfig,
  options: ServeOptions,
  { stdout }: CliEnvironment,
  { port }: HttpServer,
  { tokens }: State,
  { logger: log }: Log,
): Promise<void> {
  const { host } = config.listen;
  log.info({ host, port }, 'Listening.');
  const base = config.publicUrl ?? `http://${urlHost(host)}:${port}`;
  if (!isLoopback(host) && !base.startsWith('https:')) {
    log.warn(
      { host },
      'Tokens travel unencrypted: put a proxy with TLS before the gateway, and give its URL as "publicUrl".',
    );
  }
  for (const { id, address, auth } of config.gateways) {
    const tenantUrl = base + address;
    log.info({ gateway: id, tenantUrl }, 'Serving.');
    if (config.file === undefined) {
      const { validityDays } = auth.tokens;
      const { dataDir } = config;
      const print = options.printToken === true;
      await offerFirstToken({ gateway: id, tenantUrl, validityDays, store: tokens, dataDir, stdout, print, log });
    } else if ((await tokens.list(id)).length === 0) {
      const data = options.data === undefined ? '' : ` --data ${options.data}`;
      const command = `scimbridge token create ${id} --config ${options.config}${data} --label …`;
      log.warn({ gateway: id }, `Nobody can call this gateway yet: run "${command}".`);
    }
  }
}

/** `HOST:PORT`, `[::1]:PORT`. @throws InvalidArgumentError, which commander tells with the option's name */
export function parseListen(text: string): GatewayConfig['listen'] {
  const match = /^(\[[0-9A-Fa-f:.]+\]|[^\s:/[\]]+):(\d{1,5})$/.exec(text);
  const port = Number(match?.[2]);
  if (match?.[1] === undefined || port > 65_535) {
    throw new InvalidArgumentError('It is a host and a port, such as 127.0.0.1:8080 or 0.0.0.0:8080.');
  }
  return { host: match[1].replace(/^\[|\]$/g, ''), port };
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.');
}

/** The host in a URL to try. */
function urlHost(host: string): string {
  if (host === '0.0.0.0' || host === '::') return 'localhost';
  return host.includes(':') ? `[${host}]` : host;
}
