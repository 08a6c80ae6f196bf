import type { Gateway, GatewayConfig } from '../../config/gateway-config.js';
import { openState } from '../state/open-state.js';
import type { Control, TokenRecord } from '../state/state.js';
import type { StatePlace } from '../state/state-place.js';
import { openTransactionReader } from '../transactions/open-transactions.js';
import type { GatewayActivity } from '../transactions/transaction.js';
import { baseUrl } from './base-url.js';
import { type AddCommand, type CliEnvironment, requireConfig, UsageError } from './cli.js';
import { type PlaceOptions, withPlace } from './gateway-state.js';
import { readServedAt } from './served-at.js';
import { statePlace } from './state-place.js';
import { describeToken, toIso, toJson, tokenState } from './token-list.js';

interface StatusOptions extends PlaceOptions {
  readonly json?: true;
}

/** What is to be known of one gateway. */
interface GatewayStatus {
  readonly gateway: Gateway;
  readonly tenantUrl: string;
  readonly control: Control;
  readonly activity: GatewayActivity | undefined;
  /** Those that are not revoked, those of clients included. */
  readonly tokens: readonly TokenRecord[];
}

const soonMs = 30 * 86_400_000;

export const addStatus: AddCommand = (program, environment) => {
  withPlace(program.command('status'))
    .description('Show the gateways: Tenant URL, whether they are on, the last call, tokens and when they expire.')
    .argument('[gateway]', 'only this one')
    .option('--json', 'print JSON')
    .action((id: string | undefined, options: StatusOptions) => status(id, options, environment));
};

async function status(id: string | undefined, options: StatusOptions, environment: CliEnvironment): Promise<void> {
  const { config } = await requireConfig(environment, options.config);
  const gateways = config.gateways.filter((gateway) => id === undefined || gateway.id === id);
  if (gateways.length === 0) {
    throw new UsageError(
      `There is no gateway "${id}", but ${config.gateways.map((gateway) => gateway.id).join(', ')}.`,
    );
  }
  const found = await collect(gateways, config, statePlace(config, options.data));
  const nowMs = Date.now();
  environment.stdout.write(
    options.json === true
      ? `${JSON.stringify(
          found.map((one) => statusJson(one, nowMs)),
          null,
          2,
        )}\n`
      : found.map((one) => statusText(one, nowMs)).join('\n'),
  );
}

async function collect(
  gateways: readonly Gateway[],
  config: GatewayConfig,
  place: StatePlace,
): Promise<readonly GatewayStatus[]> {
  const state = await openState(place);
  try {
    const activity = await activityIn(place);
    const url = baseUrl({ ...config, listen: readServedAt(place.dataDir) ?? config.listen });
    return await Promise.all(
      gateways.map(async (gateway) => ({
        gateway,
        tenantUrl: url + gateway.address,
        control: state.controls.get(gateway.id),
        activity: activity.get(gateway.id),
        tokens: (await state.tokens.list(gateway.id)).filter(({ revokedAtMs }) => revokedAtMs === undefined),
      })),
    );
  } finally {
    await state.close();
  }
}

async function activityIn(place: StatePlace): Promise<ReadonlyMap<string, GatewayActivity>> {
  // Nothing is looked for by its hash.
  const reader = await openTransactionReader(place, new Uint8Array(32));
  try {
    return await reader.activity();
  } finally {
    await reader.close();
  }
}

/** The operator's word goes before the configuration's. */
function recordedUntil({ gateway, control }: GatewayStatus, nowMs: number): number | undefined {
  const untilMs = control.recordValuesUntilMs ?? gateway.recordValuesUntilMs;
  return untilMs !== undefined && untilMs > nowMs ? untilMs : undefined;
}

function expiresSoon(record: TokenRecord, nowMs: number): boolean {
  return tokenState(record, nowMs) === 'valid' && record.expiresAtMs - nowMs < soonMs;
}

function statusJson(one: GatewayStatus, nowMs: number): object {
  const { gateway, control, activity, tokens } = one;
  return {
    id: gateway.id,
    name: gateway.name,
    description: gateway.description ?? null,
    tenantUrl: one.tenantUrl,
    enabled: control.enabled ?? gateway.enabled,
    enabledInConfiguration: gateway.enabled,
    level: control.level ?? gateway.level,
    recordsValuesUntil: toIso(recordedUntil(one, nowMs)),
    lastCall:
      activity === undefined
        ? null
        : { at: toIso(activity.lastCallMs), outcome: activity.lastOutcome, status: activity.lastStatus },
    requests: { ok: 0, refused: 0, rejected: 0, failed: 0, ...activity?.counts },
    tokens: tokens.map((record) => ({ ...toJson(record, nowMs), expiresSoon: expiresSoon(record, nowMs) })),
  };
}

function statusText(one: GatewayStatus, nowMs: number): string {
  const { gateway, control, tokens } = one;
  const rows: readonly (readonly [string, string])[] = [
    ...(gateway.description === undefined ? [] : [['description', gateway.description] as const]),
    ['identifier', gateway.id],
    ['Tenant URL', one.tenantUrl],
    ['enabled', enabledText(one)],
    ['level', (control.level ?? gateway.level) + (control.level === undefined ? '' : ' (set by "gateway level")')],
    ['values', recordText(one, nowMs)],
    ['last call', lastCallText(one)],
    ['requests', countsText(one)],
    ...tokenRows(tokens, nowMs),
  ];
  return `${gateway.name}\n${rows.map(([name, value]) => `  ${name.padEnd(13)}${value}\n`).join('')}`;
}

function enabledText({ gateway, control }: GatewayStatus): string {
  if (control.enabled === undefined) return gateway.enabled ? 'yes' : 'no (the configuration)';
  return control.enabled ? 'yes (set by "gateway enable")' : 'no (set by "gateway disable"): it answers 503';
}

function recordText(one: GatewayStatus, nowMs: number): string {
  const until = toIso(recordedUntil(one, nowMs));
  return until === null ? 'not recorded' : `recorded until ${until}`;
}

function lastCallText({ activity }: GatewayStatus): string {
  if (activity === undefined) return 'never';
  return `${toIso(activity.lastCallMs)}: ${activity.lastStatus} ${activity.lastOutcome}`;
}

function countsText({ activity }: GatewayStatus): string {
  const { ok = 0, refused = 0, rejected = 0, failed = 0 } = activity?.counts ?? {};
  return `${ok} ok, ${rejected} rejected, ${refused} refused, ${failed} failed`;
}

function tokenRows(tokens: readonly TokenRecord[], nowMs: number): readonly (readonly [string, string])[] {
  if (tokens.length === 0) return [['tokens', 'none']];
  return tokens.map((record) => [
    record.clientId === undefined ? 'token' : 'client',
    `${describeToken(record, nowMs)}${expiresSoon(record, nowMs) ? ' (!) expires soon: rotate it' : ''}`,
  ]);
}
