import { resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { InvalidArgumentError } from 'commander';
import { discoverySchemas } from '../../config/core-schemas.js';
import type { GatewayConfig } from '../../config/gateway-config.js';
import { createApp } from '../http/app.js';
import type { Metrics } from '../http/metrics.js';
import { startMetricsServer } from '../http/metrics-server.js';
import { type HttpServer, startServer } from '../http/server.js';
import { containLateFaults } from '../plug-in/late-faults.js';
import type { Configuration } from '../serving/configuration.js';
import { startExpiryWarnings } from '../serving/expiry-warnings.js';
import { LiveGateways } from '../serving/live-gateways.js';
import { Reloader } from '../serving/reload.js';
import { openState } from '../state/open-state.js';
import { createSealer } from '../state/sealer.js';
import type { State } from '../state/state.js';
import type { StatePlace } from '../state/state-place.js';
import { openTransactionReader } from '../transactions/open-transactions.js';
import { openTransactionRecorder } from '../transactions/recorder.js';
import type { TransactionRecorder } from '../transactions/request-record.js';
import { type AnnounceOptions, announce, announceChanges } from './announce.js';
import { type AddCommand, type CliEnvironment, requireConfig } from './cli.js';
import { createLog, type Log } from './log.js';
import { tellServedAt } from './served-at.js';
import { statePlace } from './state-place.js';

interface ServeOptions {
  readonly config?: string;
  readonly listen?: GatewayConfig['listen'];
  readonly data?: string;
  readonly printToken?: true;
  readonly grace: number;
  readonly drain: number;
}

/** As Docker's: it kills after ten seconds. */
const usualGraceSeconds = 10;

export const addServe: AddCommand = (program, environment) => {
  program
    .command('serve')
    .description('Serve the gateways. Without --config: one gateway at /scim with a store of its own.')
    .option('--config <file>', 'the configuration, gateway.yaml (default: the built-in one)')
    .option('--listen <host:port>', 'listen here instead of where the configuration says', parseListen)
    .option('--data <folder>', "the gateway's own state, instead of where the configuration says")
    .option('--print-token', 'print the first token also when stdout is not a terminal')
    .option(
      '--drain <seconds>',
      'serve on so long when asked to end, but answer 503 at /health/ready, so that balancers turn away',
      parseSeconds,
      0,
    )
    .option('--grace <seconds>', 'how long requests under way may then take', parseSeconds, usualGraceSeconds)
    .action((options: ServeOptions) => serve(options, environment));
};

/** @throws UsageError for a wrong configuration, Error when something cannot be opened */
async function serve(options: ServeOptions, environment: CliEnvironment): Promise<void> {
  trustNoFirstGuess();
  const configuration = await requireConfig(environment, options.config);
  const override = (config: GatewayConfig): GatewayConfig => ({
    ...config,
    ...(options.listen === undefined ? {} : { listen: options.listen }),
    ...(options.data === undefined ? {} : { dataDir: resolve(options.data) }),
  });
  const config = override(configuration.config);
  const log = createLog(config.log.level, environment.stdout);
  for (const problem of configuration.problems) log.logger.warn(environment.formatProblem(problem));
  try {
    const place = statePlace(config, undefined);
    await run({ config, place, override, configuration, options, environment, log });
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
  /** As the process starts with it. */
  readonly config: GatewayConfig;
  readonly place: StatePlace;
  /** Puts what the command line says over a configuration. */
  readonly override: (config: GatewayConfig) => GatewayConfig;
  readonly configuration: Configuration;
  readonly options: ServeOptions;
  readonly environment: CliEnvironment;
  readonly log: Log;
}

/** What is open, to be closed in the opposite order. */
type Closers = (() => unknown)[];

/** From the opened state to the closed one. */
async function run(parts: Run): Promise<void> {
  const { environment, log } = parts;
  const closers: Closers = [];
  // Asked for first, so that a signal that comes during the start is not lost.
  const stopRequested = environment.stopRequested();
  try {
    const serving = await start(parts, closers, stopRequested);
    const signal = await stopRequested;
    await drain(parts, serving, signal);
    log.logger.info({ signal }, 'Stopping: no new connections, requests in flight finish.');
  } finally {
    await closeAll(closers, log);
  }
}

/** A second signal ends the process meanwhile. */
async function drain({ options, log }: Run, serving: Opened, signal: string): Promise<void> {
  if (options.drain === 0) return;
  log.logger.info({ signal, seconds: options.drain }, 'Draining: requests are served, but /health/ready answers 503.');
  serving.isDraining = true;
  serving.server?.drain();
  await delay(options.drain * 1000);
}

async function closeAll(closers: Closers, { logger }: Log): Promise<void> {
  for (const close of closers.reverse()) {
    try {
      await close();
    } catch (error) {
      logger.warn({ err: error }, 'Something was not closed in order.');
    }
  }
}

async function start(parts: Run, closers: Closers, stopRequested: Promise<unknown>): Promise<Opened> {
  const { config, place, configuration, environment, options, override, log } = parts;
  let isReloadDue = false;
  let reload = (): void => {
    isReloadDue = true;
  };
  closers.push(environment.onReloadRequest(() => reload()));
  // The modules of later configurations come into the same map.
  closers.push(containLateFaults(() => configuration.modules.values(), log.logger));
  const stopped = new AbortController();
  void stopRequested.then(() => stopped.abort());
  const state = await openState(place, { log: log.logger, signal: stopped.signal });
  closers.push(() => state.close());
  const opened: Opened = {};
  const metrics = await loadMetrics(parts, state, opened, closers);
  const live = await openGateways(parts, state, metrics);
  opened.live = live;
  closers.push(() => live.close());
  const recorder = await openRecorder(parts, state, live);
  closers.push(() => recorder.close());
  if (metrics !== undefined) await serveMetrics(parts, metrics, closers);
  const server = await listen(parts, { state, opened, live, recorder, metrics });
  opened.server = server;
  closers.push(() => server.stop(options.grace * 1000));
  // Replicas that share a database may have no folder of their own.
  if (place.database === undefined) {
    closers.push(tellServedAt(place.dataDir, { host: config.listen.host, port: server.port }));
  }
  const announcing = toAnnounce(parts, server, state);
  await announce(config, announcing);
  const reloader = new Reloader({
    environment,
    file: options.config,
    configuration,
    live,
    override,
    log: log.logger,
    recorder,
    reloadTls: () => server.reloadTls(),
    onChanged: (changes) => announceChanges(live.config, changes, announcing),
  });
  closers.push(() => reloader.close());
  reload = () => void reloader.reload('SIGHUP');
  if (isReloadDue) reload();
  const gateways = () => live.gateways.map(({ gateway, http }) => ({ id: gateway.id, log: http.log }));
  closers.push(startExpiryWarnings({ gateways, tokens: state.tokens, log: log.logger }));
  return opened;
}

/** What metrics are looked up in, once it is there. */
interface Opened {
  isDraining?: boolean;
  live?: LiveGateways;
  server?: HttpServer;
}

/** Where nobody reads them nothing is counted, and what counts is not even loaded. */
async function loadMetrics(
  { config, place, environment }: Run,
  state: State,
  opened: Opened,
  closers: Closers,
): Promise<Metrics | undefined> {
  if (config.metrics === undefined) return undefined;
  const { metricsOf } = await import('../serving/metrics-of.js');
  const reader = await openTransactionReader(place, new Uint8Array(32));
  closers.push(() => reader.close());
  return metricsOf({
    version: environment.version,
    activity: () => reader.activity(),
    state,
    live: () => opened.live,
    connections: () => opened.server?.connections() ?? 0,
    certificateExpiresAtMs: () => opened.server?.certificateExpiresAtMs(),
  });
}

/** @throws Error with a sentence for the operator when the address cannot be listened on */
async function serveMetrics({ config, log }: Run, metrics: Metrics, closers: Closers): Promise<void> {
  if (config.metrics === undefined) return;
  const { host } = config.metrics;
  const server = await startMetricsServer({ ...config.metrics, metrics });
  closers.push(() => server.stop());
  log.logger.info({ host, port: server.port }, 'Metrics are served at /metrics.');
}

async function openRecorder(
  { config, place, log }: Run,
  state: State,
  live: LiveGateways,
): Promise<TransactionRecorder> {
  const { transactions } = config;
  return openTransactionRecorder({
    place,
    key: await state.key('transactions'),
    keepDays: transactions.keepDays,
    recordsValues: (id) => live.recordsValues(id),
    log: log.logger,
  });
}

async function openGateways(
  { config, configuration, log }: Run,
  state: State,
  metrics: Metrics | undefined,
): Promise<LiveGateways> {
  const { plans, sources, modules } = configuration;
  return LiveGateways.open(
    { config, plans, sources },
    {
      modules,
      sealer: createSealer(await state.key('cursor')),
      metaSchemas: discoverySchemas,
      state,
      oauthKey: await state.key('oauth'),
      log: log.logger,
      ...(metrics !== undefined && {
        observeAdapter: (gateway, adapter) => (outcome, durationMs) =>
          metrics.gateway(gateway).backendCalled(adapter, outcome, durationMs),
      }),
    },
  );
}

/** What requests are answered with. */
interface Serving {
  readonly state: State;
  readonly opened: Opened;
  readonly live: LiveGateways;
  readonly recorder: TransactionRecorder;
  readonly metrics: Metrics | undefined;
}

async function listen({ config, log }: Run, { state, opened, live, recorder, metrics }: Serving): Promise<HttpServer> {
  const { logger } = log;
  const app = createApp({
    served: () => live.served,
    log: logger,
    recorder,
    ...(metrics !== undefined && { metrics }),
    // There is no port before everything is composed, so that whoever is answered is served.
    health: () => ({ ready: opened.isDraining !== true, state: state.isUp() ? 'up' : 'down', gateways: live.health() }),
  });
  const { listen: address, tls } = config;
  return startServer({ ...address, fetch: app.fetch, log: logger, ...(tls === undefined ? {} : { tls }) });
}

function toAnnounce({ options, environment, log }: Run, { port }: HttpServer, { tokens }: State): AnnounceOptions {
  const given = [
    ...(options.config === undefined ? [] : [` --config ${options.config}`]),
    ...(options.data === undefined ? [] : [` --data ${options.data}`]),
  ];
  const { stdout } = environment;
  const printToken = options.printToken === true;
  return { port, tokens, log: log.logger, stdout, printToken, place: given.join('') };
}

/** @throws InvalidArgumentError */
function parseSeconds(text: string): number {
  const seconds = Number(text);
  if (text.trim() === '' || !(seconds >= 0 && seconds <= 3600))
    throw new InvalidArgumentError('It is 0 to 3600 seconds.');
  return seconds;
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
