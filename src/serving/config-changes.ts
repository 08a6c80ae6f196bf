import { isDeepStrictEqual } from 'node:util';
import type { Gateway, GatewayConfig, GatewayResource } from '../../config/gateway-config.js';
import type { LoadResult } from '../../config/load.js';
import { formatPath, type Path } from '../../config/problem.js';
import { looksSecret, namesSecretFile } from '../../config/secrets.js';
import { isObject } from '../scim/schema.js';

/** A configuration with the files it was read from. */
export interface SourcedConfig {
  readonly config: GatewayConfig;
  readonly sources: LoadResult['sources'];
}

/** What another configuration changes, by names without values: `limits.requestsPerSecond`, `password (secret)`. */
export interface ConfigChanges {
  /** By gateway; `added` and `removed` are changes too. */
  readonly gateways: ReadonlyMap<string, readonly string[]>;
  /** By adapter. */
  readonly adapters: ReadonlyMap<string, readonly string[]>;
  /** Of the process as a whole. */
  readonly settings: readonly string[];
}

/** Settings of the process that hold at once. */
const changeable = ['publicUrl', 'log', 'trustedProxies', 'reloadOnChange'] as const;
/** Sockets and files that are open, with their names in gateway.yaml. */
const fixed = {
  listen: 'listen',
  dataDir: 'data',
  state: 'state',
  tls: 'tls',
  metrics: 'metrics',
  transactions: 'transactions',
} as const;

/** Compares what two configurations say, not how they are written: where a rule stands, or a default spelled out, is no change. */
export function compareConfigs(before: SourcedConfig, after: SourcedConfig): ConfigChanges {
  const nameSecret = (path: Path, shown: Path): string =>
    isSecret(path, before) || isSecret(path, after) ? `${formatPath(shown)} (secret)` : formatPath(shown);
  const adapters = compareAll(before.config.adapters, after.config.adapters, (one, other) =>
    differences(
      { type: one.type, settings: dropType(one.settings) },
      { type: other.type, settings: dropType(other.settings) },
    ).map((path) => {
      const shown = path[0] === 'settings' ? path.slice(1) : path;
      return nameSecret(['adapters', other.name, ...shown], shown);
    }),
  );
  const gateways = compareAll(byId(before.config), byId(after.config), (one, other) =>
    gatewayDifferences(one, other).map((path) => nameSecret(['gateways', other.id, ...path], path)),
  );
  const settingsOf = (names: readonly (keyof GatewayConfig)[]): readonly Path[] =>
    names.flatMap((name) => differences(before.config[name], after.config[name], [name]));
  return {
    gateways,
    adapters,
    settings: settingsOf(changeable).map((path) => formatPath(path)),
  };
}

/** A configuration as far as it can be taken while the process runs, and the names of what it says in vain until then. */
export function keepFixed(
  running: GatewayConfig,
  next: GatewayConfig,
): { readonly config: GatewayConfig; readonly nextStart: readonly string[] } {
  const names = Object.keys(fixed) as readonly (keyof typeof fixed)[];
  const kept = Object.fromEntries(names.map((name) => [name, running[name]]));
  const nextStart = names.filter((name) => !isDeepStrictEqual(running[name], next[name])).map((name) => fixed[name]);
  return { config: { ...next, ...kept }, nextStart };
}

export function isNothing({ gateways, adapters, settings }: ConfigChanges): boolean {
  return gateways.size + adapters.size + settings.length === 0;
}

/** `gateway corp: limits.requestsPerSecond, auth.jwt.audience; adapter directory: password (secret)` */
export function describeChanges({ gateways, adapters, settings }: ConfigChanges): string {
  return [
    ...(settings.length === 0 ? [] : [settings.join(', ')]),
    ...[...gateways].map(([id, names]) => `gateway ${id}: ${names.join(', ')}`),
    ...[...adapters].map(([name, names]) => `adapter ${name}: ${names.join(', ')}`),
  ].join('; ');
}

function byId({ gateways }: GatewayConfig): ReadonlyMap<string, Gateway> {
  return new Map(gateways.map((gateway) => [gateway.id, gateway]));
}

/** Those that differ, in the order in which they stand; the removed ones last. */
function compareAll<Part>(
  before: ReadonlyMap<string, Part>,
  after: ReadonlyMap<string, Part>,
  compare: (one: Part, other: Part) => readonly string[],
): ReadonlyMap<string, readonly string[]> {
  const changes = new Map<string, readonly string[]>();
  for (const [name, part] of after) {
    const former = before.get(name);
    const names = former === undefined ? ['added'] : compare(former, part);
    if (names.length > 0) changes.set(name, names);
  }
  for (const name of before.keys()) if (!after.has(name)) changes.set(name, ['removed']);
  return changes;
}

const orderOfRules = 'mappingOrder';

/** A rule that comes or goes changes the order too, which then needs no word. */
function gatewayDifferences(before: Gateway, after: Gateway): readonly Path[] {
  const found = differences(toSection(before), toSection(after));
  const isMapped = (type: unknown): boolean => found.some((path) => path[1] === type && path[2] === 'mapping');
  return found.filter((path) => path[2] !== orderOfRules || !isMapped(path[1]));
}

/** A gateway as gateway.yaml has it, so that differences have the names that people wrote. */
function toSection({ id: _, resources, recordValuesUntilMs, ...rest }: Gateway): object {
  const entries = resources.map((resource): readonly [string, object] => [resource.type.name, toResource(resource)]);
  return { ...rest, record: { until: recordValuesUntilMs }, resources: Object.fromEntries(entries) };
}

function toResource({ type, rules, origin: _, ...rest }: GatewayResource): object {
  const { description, endpoint, schema, extensions } = type;
  return {
    ...rest,
    description,
    endpoint,
    schema,
    extensions,
    mapping: Object.fromEntries(rules.map(({ key, rule }) => [key, rule])),
    // Of slots that fit alike, the first counts.
    [orderOfRules]: rules.map(({ key }) => key),
  };
}

/** `type` stands in the settings too where the adapter's schema wants it. */
function dropType(settings: unknown): unknown {
  if (!isObject(settings)) return settings;
  const { type: _, ...rest } = settings;
  return rest;
}

/** The innermost settings that differ. Lists, schemas and rules count as one. */
function differences(before: unknown, after: unknown, path: Path = []): readonly Path[] {
  if (isDeepStrictEqual(before, after)) return [];
  if (!isObject(before) || !isObject(after) || isWhole(path)) return [path];
  const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...keys].flatMap((key) => differences(before[key], after[key], [...path, key]));
}

/** `resources.User.schema`, `resources.User.mapping.userName` */
function isWhole(path: Path): boolean {
  if (path[0] !== 'resources') return false;
  return path[2] === 'schema' || (path[2] === 'mapping' && path.length === 4);
}

function isSecret(path: Path, { sources }: SourcedConfig): boolean {
  const main = sources.main === undefined ? undefined : sources.documents.get(sources.main);
  return looksSecret(path) || namesSecretFile(main?.written(path));
}
