import { resolve } from 'node:path';
import type { Command } from 'commander';
import { InvalidArgumentError } from 'commander';
import type { Gateway, GatewayConfig } from '../../config/gateway-config.js';
import { issueToken } from '../auth/tokens.js';
import { openState } from '../state/sqlite-state.js';
import { TokenLabelTakenError, type TokenRecord, type TokenStore } from '../state/state.js';
import { type AddCommand, type CliEnvironment, requireConfig, UsageError } from './cli.js';

interface TokenOptions {
  readonly config?: string;
  readonly data?: string;
  readonly json?: true;
}

interface CreateOptions extends TokenOptions {
  readonly label: string;
  readonly validDays?: number;
}

export const addToken: AddCommand = (program, environment) => {
  const token = program.command('token').description('Tokens that identity providers authenticate with.');
  withPlace(token.command('create'))
    .description('Make a token and show it: this once, as only its hash is kept. Older tokens stay valid.')
    .argument('<gateway>', "the gateway's name in the configuration; the built-in one is called default")
    .requiredOption('--label <text>', 'required: what people know the token by, such as "Entra ID production"')
    .option('--valid-days <n>', 'how long it is valid, in days', parseDays)
    .option('--json', 'print JSON: token, gateway, label, expires')
    .action((id: string, options: CreateOptions) => create(id, options, environment));
  withPlace(token.command('list'))
    .description("List a gateway's tokens with their labels and times.")
    .argument('<gateway>', "the gateway's name in the configuration")
    .option('--json', 'print JSON')
    .action((id: string, options: TokenOptions) => list(id, options, environment));
  withPlace(token.command('revoke'))
    .description('Make a token invalid. Every running gateway refuses it within a second.')
    .argument('<gateway>', "the gateway's name in the configuration")
    .requiredOption('--label <text>', "required: the token's label")
    .action((id: string, options: TokenOptions & { label: string }) => revoke(id, options, environment));
};

function withPlace(command: Command): Command {
  return command
    .option('--config <file>', 'the configuration that the gateway is served with (default: the built-in one)')
    .option('--data <folder>', "the gateway's own state, where it is served with --data");
}

async function create(id: string, options: CreateOptions, environment: CliEnvironment): Promise<void> {
  await withTokens(id, options, environment, async (store, gateway) => {
    const validityDays = options.validDays ?? gateway.auth.tokens.validityDays;
    const { label } = options;
    const { token, expiresAtMs } = await issueToken(store, {
      gateway: id,
      label,
      validityDays,
      policy: gateway.auth.tokens,
    }).catch(asUsageError);
    const expires = toDay(expiresAtMs);
    environment.stdout.write(
      options.json
        ? `${JSON.stringify({ token, gateway: id, label, expires: new Date(expiresAtMs).toISOString() })}\n`
        : `${token}\n\nThis is shown only now. The token is valid until ${expires} for gateway "${id}".\n`,
    );
  });
}

async function list(id: string, options: TokenOptions, environment: CliEnvironment): Promise<void> {
  await withTokens(id, options, environment, async (store) => {
    const records = await store.list(id);
    if (options.json) {
      environment.stdout.write(`${JSON.stringify(records.map(toJson), null, 2)}\n`);
    } else if (records.length === 0) {
      environment.stdout.write(`Gateway "${id}" has no tokens.\n`);
    } else {
      for (const record of records) environment.stdout.write(`${describe(record)}\n`);
    }
  });
}

async function revoke(id: string, options: TokenOptions & { label: string }, environment: CliEnvironment) {
  await withTokens(id, options, environment, async (store) => {
    if (!(await store.revoke(id, options.label, Date.now()))) {
      throw new UsageError(`Gateway "${id}" has no valid token labelled "${options.label}".`);
    }
    environment.stdout.write(`The token "${options.label}" of gateway "${id}" is revoked.\n`);
  });
}

async function withTokens(
  id: string,
  options: TokenOptions,
  environment: CliEnvironment,
  action: (store: TokenStore, gateway: Gateway) => Promise<void>,
): Promise<void> {
  const { config } = await requireConfig(environment, options.config);
  const gateway = findGateway(config, id);
  const state = openState(options.data === undefined ? config.dataDir : resolve(options.data));
  try {
    await action(state.tokens, gateway);
  } finally {
    await state.close();
  }
}

function findGateway(config: GatewayConfig, id: string): Gateway {
  const gateway = config.gateways.find((candidate) => candidate.id === id);
  if (gateway !== undefined) return gateway;
  const known = config.gateways.map((candidate) => candidate.id).join(', ');
  const hint = config.file === undefined ? ' Name its file with --config if you have one.' : '';
  throw new UsageError(`The configuration has no gateway "${id}", but ${known}.${hint}`);
}

function asUsageError(error: unknown): never {
  if (error instanceof RangeError || error instanceof TokenLabelTakenError) throw new UsageError(error.message);
  throw error;
}

function parseDays(text: string): number {
  const days = Number(text);
  if (!Number.isInteger(days)) throw new InvalidArgumentError('It is a whole number of days.');
  return days;
}

function toJson(record: TokenRecord): object {
  const { label, createdAtMs, expiresAtMs, lastUsedAtMs, revokedAtMs } = record;
  const iso = (ms: number | undefined) => (ms === undefined ? null : new Date(ms).toISOString());
  return {
    label,
    created: iso(createdAtMs),
    expires: iso(expiresAtMs),
    lastUsed: iso(lastUsedAtMs),
    revoked: iso(revokedAtMs),
  };
}

function describe({ label, createdAtMs, expiresAtMs, lastUsedAtMs, revokedAtMs }: TokenRecord): string {
  const end = revokedAtMs === undefined ? `valid until ${toDay(expiresAtMs)}` : `revoked ${toDay(revokedAtMs)}`;
  const use = lastUsedAtMs === undefined ? 'never used' : `last used ${new Date(lastUsedAtMs).toISOString()}`;
  return `${label}: created ${toDay(createdAtMs)}, ${end}, ${use}`;
}

function toDay(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}
