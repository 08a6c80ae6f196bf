import { resolve } from 'node:path';
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { GatewayConfig } from '../../config/gateway-config.js';
import { openState } from '../state/sqlite/sqlite-state.js';
import { toReplayableCase } from '../transactions/replayable-case.js';
import { latestTransactionId, readActivity, searchTransactions } from '../transactions/search.js';
import type { Outcome, Transaction, TransactionQuery } from '../transactions/transaction.js';
import { type AddCommand, type CliEnvironment, requireConfig, UsageError } from './cli.js';
import { type PlaceOptions, withPlace } from './gateway-state.js';
import { type LogLevel, toBackendLines, toDetails, toJson, toLine } from './transaction-text.js';

interface LogOptions extends PlaceOptions {
  readonly user?: string;
  readonly resource?: string;
  readonly outcome?: readonly Outcome[];
  readonly request?: string;
  readonly caller?: string;
  readonly since?: number;
  readonly until?: number;
  readonly limit: number;
  readonly level: LogLevel;
  readonly follow?: true;
  readonly json?: true;
  readonly exportTest?: string;
}

const outcomes: readonly Outcome[] = ['ok', 'refused', 'rejected', 'failed', 'act'];
/** What the level `warning` shows: warnings and errors. */
const troubled: readonly Outcome[] = ['refused', 'rejected', 'failed'];
const followMs = 500;
const followLimit = 1000;

export const addLog: AddCommand = (program, environment) => {
  const level = new Option('--level <level>', 'warnings and errors; all; all with the operations of the backend')
    .choices(['warning', 'information', 'debug'])
    .default('information');
  const command = program
    .command('log')
    .description('Show what was asked of the gateways, what it meant and what came of it. Times are UTC.')
    .argument('[gateway]', 'only this one');
  withFilters(withPlace(command))
    .addOption(level)
    .option('--limit <n>', 'how many, the latest', parseLimit, 50)
    .option('--follow', 'go on with those that come')
    .option('--json', 'print JSON, one object a line')
    .option('--export-test <id>', 'print this one as a case that can be replayed, without personal values')
    .action((gateway: string | undefined, options: LogOptions) => log(gateway, options, environment));
};

function withFilters(command: Command): Command {
  return command
    .option('--user <text>', 'only about the user with this userName, externalId or e-mail address')
    .option('--resource <id>', "only on the resource with this id, the answer's `id`")
    .option('--outcome <list>', `only with these outcomes: ${outcomes.join(', ')}`, parseOutcomes)
    .option('--request <id>', 'only the request with this id (X-Request-Id), with all details')
    .option(
      '--caller <id>',
      'only of this caller: token:LABEL, client:ID, jwt:SUBJECT, os:USER, or the part behind ":"',
    )
    .option('--since <time>', 'only from then on: 30m, 2h, 7d, or a time in ISO 8601', parseTime)
    .option('--until <time>', 'only before then', parseTime);
}

async function log(gateway: string | undefined, options: LogOptions, environment: CliEnvironment): Promise<void> {
  const { dataDir, config } = await findPlace(options, environment);
  if (gateway !== undefined) checkGateway(gateway, config, dataDir);
  const key = await keyFor(options, dataDir);
  if (options.exportTest !== undefined) {
    exportTest(options.exportTest, dataDir, key, config, environment);
    return;
  }
  const query = toQuery(gateway, options);
  const latest = latestTransactionId(dataDir);
  const found = searchTransactions(dataDir, key, query).toReversed();
  for (const transaction of found) show(transaction, options, environment);
  if (options.follow === true) {
    const shown = new Set(found.map(({ id }) => id));
    const more = (afterId: string) => searchTransactions(dataDir, key, { ...query, afterId, limit: followLimit });
    const showNew = (transaction: Transaction): void => {
      if (!shown.has(transaction.id)) show(transaction, options, environment);
    };
    await follow(latest, more, showNew, environment);
  } else if (found.length === 0 && options.json === undefined) {
    environment.stdout.write('There are no such transactions.\n');
  }
}

interface Place {
  readonly dataDir: string;
  readonly config: GatewayConfig | undefined;
}

/** A configuration with errors is no reason not to show what happened. */
async function findPlace(options: LogOptions, environment: CliEnvironment): Promise<Place> {
  const configuration = await environment.configure(options.config);
  const config = configuration.config ?? configuration.draft;
  if (options.data !== undefined) return { dataDir: resolve(options.data), config };
  if (config !== undefined) return { dataDir: config.dataDir, config };
  return requireConfig(environment, options.config).then((required) => ({
    dataDir: required.config.dataDir,
    config: required.config,
  }));
}

/** One that the configuration has no more may still have its transactions. */
function checkGateway(gateway: string, config: GatewayConfig | undefined, dataDir: string): void {
  const known = new Set([...(config?.gateways.map(({ id }) => id) ?? []), ...readActivity(dataDir).keys()]);
  if (!known.has(gateway)) throw new UsageError(`There is no gateway "${gateway}", but ${[...known].join(', ')}.`);
}

/** Only what is looked for by its hash needs the key. */
async function keyFor({ user, resource }: LogOptions, dataDir: string): Promise<Uint8Array> {
  if (user === undefined && resource === undefined) return new Uint8Array(32);
  const state = openState(dataDir);
  try {
    return await state.key('transactions');
  } finally {
    await state.close();
  }
}

function toQuery(gateway: string | undefined, options: LogOptions): TransactionQuery {
  const { user, resource, request, caller, since, until, limit, level } = options;
  const outcome = options.outcome ?? (level === 'warning' ? troubled : undefined);
  return {
    limit,
    ...(gateway === undefined ? {} : { gateway }),
    ...(user === undefined ? {} : { user }),
    ...(resource === undefined ? {} : { resourceId: resource }),
    ...(outcome === undefined ? {} : { outcome }),
    ...(request === undefined ? {} : { requestId: request }),
    ...(caller === undefined ? {} : { caller }),
    ...(since === undefined ? {} : { fromMs: since }),
    ...(until === undefined ? {} : { toMs: until }),
  };
}

function show(transaction: Transaction, { json, request, level }: LogOptions, { stdout }: CliEnvironment): void {
  if (json === true) stdout.write(`${JSON.stringify(toJson(transaction))}\n`);
  else if (request !== undefined) stdout.write(`${toDetails(transaction)}\n`);
  else stdout.write(`${[toLine(transaction), ...(level === 'debug' ? toBackendLines(transaction) : [])].join('\n')}\n`);
}

/** Looks for more now and then, until the process is asked to end. */
async function follow(
  afterId: string,
  search: (afterId: string) => readonly Transaction[],
  showOne: (transaction: Transaction) => void,
  environment: CliEnvironment,
): Promise<void> {
  let last = afterId;
  const stopped = environment.stopRequested().then(() => true);
  for (;;) {
    for (let more = search(last); more.length > 0; more = search(last)) {
      for (const transaction of more) showOne(transaction);
      last = more.at(-1)?.id ?? last;
    }
    const wait = new Promise<false>((done) => setTimeout(() => done(false), followMs));
    if (await Promise.race([stopped, wait])) return;
  }
}

function exportTest(
  id: string,
  dataDir: string,
  key: Uint8Array,
  config: GatewayConfig | undefined,
  { stdout }: CliEnvironment,
): void {
  const [transaction] = searchTransactions(dataDir, key, { id, limit: 1 });
  if (transaction?.id !== id) {
    throw new UsageError(`There is no transaction "${id}": its id stands in square brackets at the end of its line.`);
  }
  const types = config?.gateways.find((gateway) => gateway.id === transaction.gateway)?.resources ?? [];
  const endpoints = new Map(types.map(({ type }) => [type.name, type.endpoint]));
  const exported = toReplayableCase(transaction, (type) => endpoints.get(type) ?? `/${type}s`);
  if (typeof exported === 'string') throw new UsageError(exported);
  stdout.write(`${JSON.stringify([exported], null, 1)}\n`);
}

function parseOutcomes(text: string): readonly Outcome[] {
  return text.split(',').map((word) => {
    const outcome = outcomes.find((candidate) => candidate === word.trim().toLowerCase());
    if (outcome === undefined) throw new InvalidArgumentError(`Outcomes are ${outcomes.join(', ')}.`);
    return outcome;
  });
}

const unitMs: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** How long ago, or when: a time without a zone is UTC. */
function parseTime(text: string): number {
  const [, count, unit = ''] = /^(\d{1,6})([smhd])$/.exec(text) ?? [];
  const unitLength = unitMs[unit];
  if (count !== undefined && unitLength !== undefined) return Date.now() - Number(count) * unitLength;
  const hasTime = /^\d{4}-\d\d-\d\dT[\d:.]+$/.test(text);
  const ms = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(hasTime ? `${text}Z` : text) : Number.NaN;
  if (Number.isNaN(ms)) throw new InvalidArgumentError('It is a time such as 30m, 2h, 7d or 2026-11-22T10:00:00Z.');
  return ms;
}

function parseLimit(text: string): number {
  const limit = Number(text);
  if (!Number.isInteger(limit) || limit < 1 || limit > 100_000) {
    throw new InvalidArgumentError('It is a whole number from 1 to 100000.');
  }
  return limit;
}
