import type { Command } from 'commander';
import { InvalidArgumentError } from 'commander';
import type { Gateway, GatewayConfig } from '../../config/gateway-config.js';
import { type FormerEnd, isCurrent, issueToken, kindOfRecord, rotateToken, type TokenRequest } from '../auth/tokens.js';
import { TokenLabelTakenError, type TokenRecord, type TokenStore } from '../state/state.js';
import { type CliEnvironment, UsageError } from './cli.js';
import { type GatewayState, gatewayArgument, type PlaceOptions, withGatewayState, withPlace } from './gateway-state.js';
import { describeLimits, describeToken, toDay, toIso, toJson } from './token-list.js';

/** What tells the commands of tokens and those of OAuth clients apart: both are secrets with a label. */
export interface TokenKind {
  /** The command, and the word in sentences. */
  readonly name: 'token' | 'client';
  readonly createDescription: string;
  /** What a new one needs beside its label. */
  newPart(): { readonly clientId?: string };
  /** Shown with a new secret: in JSON, and as lines of text. */
  extras(config: GatewayConfig, clientId: string | undefined): Readonly<Record<string, string>>;
  /** Why it would not be accepted as the gateway is configured. */
  warning(gateway: Gateway): string | undefined;
}

interface Options extends PlaceOptions {
  readonly json?: true;
}

interface LabelOptions extends Options {
  readonly label: string;
}

interface CreateOptions extends LabelOptions {
  readonly validDays?: number;
  readonly readOnly?: true;
  readonly resourceType?: readonly string[];
}

interface RotateOptions extends LabelOptions {
  readonly validDays?: number;
  readonly overlapDays?: number;
  readonly untilProven?: true;
}

/** `create`, `list`, `rotate` and `revoke`. */
export function addTokenCommands(parent: Command, kind: TokenKind, environment: CliEnvironment): void {
  const { name } = kind;
  const labelOption = ['--label <text>', `required: what people know the ${name} by`] as const;
  const validDaysOption = ['--valid-days <n>', "how long it is valid, within the gateway's bounds", parseDays] as const;
  const { json, read, limit, end } = optionTexts;
  withPlace(parent.command('create'))
    .description(kind.createDescription)
    .argument(...gatewayArgument)
    .requiredOption(...labelOption)
    .option(...validDaysOption)
    .option('--read-only', read)
    .option('--resource-type <name...>', limit)
    .option('--json', json)
    .action((id: string, options: CreateOptions) => create(kind, id, options, environment));
  withPlace(parent.command('list'))
    .description(`List a gateway's ${name}s: labels, created, expiry, last use, limits. Times are UTC.`)
    .argument(...gatewayArgument)
    .option('--json', json)
    .action((id: string, options: Options) => list(kind, id, options, environment));
  withPlace(parent.command('rotate'))
    .description('Make a new secret with the same label and limits and show it. The former one ends later.')
    .argument(...gatewayArgument)
    .requiredOption(...labelOption)
    .option(
      '--overlap-days <n>',
      'how long the former one stays valid (default: auth.tokens.overlapDays)',
      parseOverlap,
    )
    .option('--until-proven', end)
    .option(...validDaysOption)
    .option('--json', json)
    .action((id: string, options: RotateOptions) => rotate(kind, id, options, environment));
  withPlace(parent.command('revoke'))
    .description(`Make a ${name} invalid. Every running gateway refuses it within a second.`)
    .argument(...gatewayArgument)
    .requiredOption(...labelOption)
    .action((id: string, options: LabelOptions) => revoke(kind, id, options, environment));
}

const optionTexts = {
  json: 'print JSON',
  read: 'it may read, and change nothing',
  limit: 'it is limited to these resource types',
  end: 'the former one ends by itself once the new one has been used',
};

async function create(kind: TokenKind, id: string, options: CreateOptions, environment: CliEnvironment) {
  await withGatewayState(id, options, environment, async (parts) => {
    const { gateway, state } = parts;
    const { label, validDays, readOnly } = options;
    const newPart = kind.newPart();
    const request: TokenRequest = {
      gateway: id,
      label,
      policy: gateway.auth.tokens,
      ...newPart,
      ...(validDays === undefined ? {} : { validityDays: validDays }),
      ...(readOnly === undefined ? {} : { readOnly }),
      ...(options.resourceType === undefined ? {} : { resourceTypes: findTypes(gateway, options.resourceType) }),
    };
    const ended = gateway.auth.tokens.single && kind.name === 'token' ? await currentLabels(state.tokens, id) : [];
    const { token, expiresAtMs } = await issueToken(state.tokens, request).catch(asUsageError);
    await parts.record(`${kind.name} create`, [
      `label ${label}`,
      `valid until ${toDay(expiresAtMs)}`,
      ...describeLimits(request),
      ...ended.map((other) => `revoked ${other}`),
    ]);
    if (ended.length > 0) {
      environment.stderr.write(
        `Gateway "${id}" has a single token (auth.tokens.single), so these are revoked now: ${ended.join(', ')}.\n`,
      );
    }
    show(kind, parts, { ...options, token, expiresAtMs, clientId: newPart.clientId }, environment);
  });
}

/** Labels of the tokens that let in now, former ones of rotations included. */
async function currentLabels(tokens: TokenStore, gateway: string): Promise<readonly string[]> {
  const nowMs = Date.now();
  const valid = (await tokens.list(gateway)).filter(
    ({ clientId, revokedAtMs, expiresAtMs }) =>
      clientId === undefined && revokedAtMs === undefined && nowMs < expiresAtMs,
  );
  return [...new Set(valid.map(({ label }) => label))];
}

async function rotate(kind: TokenKind, id: string, options: RotateOptions, environment: CliEnvironment) {
  await withGatewayState(id, options, environment, async (parts) => {
    const { tokens: policy } = parts.gateway.auth;
    const { label, validDays } = options;
    const validity = validDays === undefined ? {} : { validityDays: validDays };
    const request = { gateway: id, label, kind: kind.name, policy, ...validity };
    const formerEnd = toFormerEnd(options, kind, parts.gateway);
    const rotated = await rotateToken(parts.state.tokens, request, formerEnd).catch(asUsageError);
    if (rotated === undefined) throw noSuchToken(kind, id, label);
    const { token, expiresAtMs, former } = rotated;
    const end = describeFormerEnd(former);
    await parts.record(`${kind.name} rotate`, [`label ${label}`, `valid until ${toDay(expiresAtMs)}`, end]);
    show(kind, parts, { ...options, token, expiresAtMs, clientId: former.clientId, former }, environment);
  });
}

function toFormerEnd({ overlapDays, untilProven }: RotateOptions, kind: TokenKind, gateway: Gateway): FormerEnd {
  const { single, overlapDays: configured } = gateway.auth.tokens;
  if (overlapDays !== undefined && untilProven === true) {
    throw new UsageError('Choose --overlap-days or --until-proven: together they would contradict each other.');
  }
  if (single && kind.name === 'token' && (untilProven === true || (overlapDays ?? 0) > 0)) {
    throw new UsageError(
      `Gateway "${gateway.id}" has a single token (auth.tokens.single): the former one ends at once, without an overlap.`,
    );
  }
  return untilProven === true ? 'proven' : { overlapDays: overlapDays ?? configured };
}

/** What was made, once. The secret comes first, so that a script takes the first line. */
function show(
  kind: TokenKind,
  { config, gateway }: GatewayState,
  made: LabelOptions & {
    readonly token: string;
    readonly expiresAtMs: number;
    readonly clientId: string | undefined;
    readonly former?: TokenRecord;
  },
  { stdout, stderr }: CliEnvironment,
): void {
  const { token, label, expiresAtMs, clientId, former } = made;
  const extras = kind.extras(config, clientId);
  const warning = kind.warning(gateway);
  if (warning !== undefined) stderr.write(`${warning}\n`);
  if (made.json === true) {
    const secret = kind.name === 'token' ? { token } : { clientSecret: token };
    const ends = former === undefined ? {} : { former: toJson(former, Date.now()) };
    const json = { ...secret, ...extras, gateway: gateway.id, label, expires: toIso(expiresAtMs), ...ends };
    stdout.write(`${JSON.stringify(json)}\n`);
    return;
  }
  const lines = Object.entries(extras).map(([name, value]) => `${extraTitles[name] ?? name}: ${value}\n`);
  stdout.write(
    `${token}\n\nThis is shown only now. The ${kind.name} is valid until ${toDay(expiresAtMs)} for gateway "${gateway.id}".\n${lines.join('')}`,
  );
  if (former !== undefined) stdout.write(`The ${describeFormerEnd(former)}.\n`);
}

const extraTitles: Readonly<Record<string, string>> = { clientId: 'Client id', tokenUrl: 'Token URL' };

function describeFormerEnd({ revokedAtMs, awaitsProof, expiresAtMs }: TokenRecord): string {
  if (revokedAtMs !== undefined || expiresAtMs <= Date.now()) return 'former one is refused from now on';
  return `former one is valid until ${awaitsProof ? 'this one has been used, at most until ' : ''}${toDay(expiresAtMs)}`;
}

async function list(kind: TokenKind, id: string, options: Options, environment: CliEnvironment): Promise<void> {
  await withGatewayState(id, options, environment, async ({ state }) => {
    const nowMs = Date.now();
    const records = (await state.tokens.list(id)).filter((record) => kindOfRecord(record) === kind.name);
    const { stdout } = environment;
    if (options.json === true) {
      stdout.write(
        `${JSON.stringify(
          records.map((record) => toJson(record, nowMs)),
          null,
          2,
        )}\n`,
      );
    } else if (records.length === 0) {
      stdout.write(`Gateway "${id}" has no ${kind.name}s.\n`);
    } else {
      for (const record of records) stdout.write(`${describeToken(record, nowMs)}\n`);
    }
  });
}

async function revoke(kind: TokenKind, id: string, { label, ...options }: LabelOptions, environment: CliEnvironment) {
  await withGatewayState(id, options, environment, async ({ state, record }) => {
    const nowMs = Date.now();
    const current = (await state.tokens.list(id)).find((one) => one.label === label && isCurrent(one, nowMs));
    if (current !== undefined && kindOfRecord(current) !== kind.name) throw noSuchToken(kind, id, label);
    if (!(await state.tokens.revoke(id, label, nowMs))) throw noSuchToken(kind, id, label);
    await record(`${kind.name} revoke`, [`label ${label}`]);
    environment.stdout.write(`The ${kind.name} "${label}" of gateway "${id}" is revoked.\n`);
  });
}

function noSuchToken(kind: TokenKind, id: string, label: string): UsageError {
  return new UsageError(`Gateway "${id}" has no valid ${kind.name} labelled "${label}".`);
}

/** As the gateway spells them. */
function findTypes({ id, resources }: Gateway, names: readonly string[]): readonly string[] {
  const known = resources.map(({ type }) => type.name);
  return names.map((name) => {
    const type = known.find((candidate) => candidate.toLowerCase() === name.toLowerCase());
    if (type === undefined) {
      throw new UsageError(`Gateway "${id}" has no resource type "${name}", but ${known.join(', ')}.`);
    }
    return type;
  });
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

function parseOverlap(text: string): number {
  const days = Number(text);
  if (!(text.trim() !== '' && days >= 0 && days <= 365)) throw new InvalidArgumentError('It is 0 to 365 days.');
  return days;
}
