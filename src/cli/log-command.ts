import { resolve } from 'node:path';
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { GatewayConfig } from '../../config/gateway-config.js';
import { openState } from '../state/open-state.js';
import type { StatePlace } from '../state/state-place.js';
import { openTransactionReader } from '../transactions/open-transactions.js';
import { toReplayableCase } from '../transactions/replayable-case.js';
import type { Outcome, Transaction, TransactionQuery } from '../transactions/transaction.js';
import type { TransactionReader } from '../transactions/transaction-store.js';
import { type AddCommand, type CliEnvironment, requireConfig, UsageError } from './cli.js';
import { type PlaceOptions, withPlace } from './gateway-state.js';
import { statePlace } from './state-place.js';
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
  const config = await findConfig(options, environment);
  const place = config === undefined ? { dataDir: resolve(options.data ?? '') } : statePlace(config, options.data);
  const reader = await openTransactionReader(place, await keyFor(options, place));
  try {
    if (gateway !== undefined) await checkGateway(gateway, config, reader);
    if (options.exportTest !== undefined) await exportTest(options.exportTest, reader, config, environment);
    else await showFound(toQuery(gateway, options), reader, options, environment);
  } finally {
    await reader.close();
  }
}

async function showFound(
  query: TransactionQuery,
  reader: TransactionReader,
  options: LogOptions,
  environment: CliEnvironment,
): Promise<void> {
  const latest = await reader.latestId();
  const found = (await reader.search(query)).toReversed();
  for (const transaction of found) show(transaction, options, environment);
  if (options.follow === true) {
    const shown = new Set(found.map(({ id }) => id));
    const more = (afterId: string) => reader.search({ ...query, afterId, limit: followLimit });
    const showNew = (transaction: Transaction): void => {
      if (!shown.has(transaction.id)) show(transaction, options, environment);
    };
    await follow(latest, more, showNew, environment);
  } else if (found.length === 0 && options.json === undefined) {
    environment.stdout.write('There are no such transactions.\n');
  }
}

/** A configuration with errors is no reason not to show what happened, nor is one that cannot be read beside `--data`. */
async function findConfig(options: LogOptions, environment: CliEnvironment): Promise<GatewayConfig | undefined> {
  const { config, draft } = await environment.configure(options.config);
  if (config !== undefined || draft !== undefined || options.data !== undefined) return config ?? draft;
  return (await requireConfig(environment, options.config)).config;
}

/** One that the configuration has no more may still have its transactions. */
async function checkGateway(
  gateway: string,
  config: GatewayConfig | undefined,
  reader: TransactionReader,
): Promise<void> {
  const known = new Set([...(config?.gateways.map(({ id }) => id) ?? []), ...(await reader.activity()).keys()]);
  if (!known.has(gateway)) throw new UsageError(`There is no gateway "${gateway}", but ${[...known].join(', ')}.`);
}

/** Only what is looked for by its hash needs the key. */
async function keyFor({ user, resource }: LogOptions, place: StatePlace): Promise<Uint8Array> {
  if (user === undefined && resource === undefined) return new Uint8Array(32);
  const state = await openState(place);
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
  search: (afterId: string) => Promise<readonly Transaction[]>,
  showOne: (transaction: Transaction) => void,
  environment: CliEnvironment,
): Promise<void> {
  let last = afterId;
  const stopped = environment.stopRequested().then(() => true);
  for (;;) {
    for (let more = await search(last); more.length > 0; more = await search(last)) {
      for (const transaction of more) showOne(transaction);
      last = more.at(-1)?.id ?? last;
    }
    const wait = new Promise<false>((done) => setTimeout(() => done(false), followMs));
    if (await Promise.race([stopped, wait])) return;
  }
}

async function exportTest(
  id: string,
  reader: TransactionReader,
  config: GatewayConfig | undefined,
  { stdout }: CliEnvironment,
): Promise<void> {
  const [transaction] = await reader.search({ id, limit: 1 });
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
