import { isObject } from '../src/scim/schema.js';
import type { GatewayFile, GatewaySection, LimitsConfig, ResourceSection } from './file-schema.js';
import type { ConfigFile } from './files.js';
import type { Gateway, GatewayResource } from './gateway-config.js';
import { toSection } from './includes.js';
import { suggestion } from './nearest.js';
import type { Path, Problem } from './problem.js';
import type { ResourceTypes } from './resource-types.js';
import { collectRules, type OpenUse, type Siblings } from './rules.js';

export interface GatewayParts {
  readonly main: ConfigFile;
  readonly types: ResourceTypes;
  readonly open: OpenUse;
  /** The names under `adapters`. */
  readonly adapters: readonly string[];
  /** True when the part itself, or something in it, has not its right shape, so that it cannot be read. */
  readonly isBroken: (path: Path) => boolean;
  /** Sections with nothing but defaults, to stand in for entries that are left out. */
  readonly defaults: { readonly gateway: GatewaySection; readonly resource: ResourceSection };
  readonly problems: Problem[];
}

/** The gateways, as far as they can be read: what has not its right shape is left out, and is a problem already. */
export function buildGateways(file: GatewayFile, parts: GatewayParts): readonly Gateway[] {
  const entries = Object.entries(file.gateways);
  return entries.flatMap(([id, section]) => {
    const readable = prune(section, ['gateways', id], parts, 'resources');
    if (readable === undefined) return [];
    const complete = { ...parts.defaults.gateway, ...readable };
    return [buildGateway(id, complete, entries.length === 1 ? '/scim' : `/${id}/scim`, parts)];
  });
}

function buildGateway(id: string, section: GatewaySection, defaultAddress: string, parts: GatewayParts): Gateway {
  const path = ['gateways', id, 'resources'];
  const readable = Object.entries(section.resources).flatMap(([name, part]): readonly [string, ResourceSection][] => {
    const settings = prune(part, [...path, name], parts, 'mapping');
    return settings === undefined ? [] : [[name, { ...parts.defaults.resource, ...settings }]];
  });
  const siblings: Siblings = new Map(readable.map(([name, { adapter }]) => [name, adapter]));
  return {
    id,
    name: section.name ?? id,
    description: section.description,
    address: (section.address ?? defaultAddress).replace(/\/+$/, ''),
    enabled: section.enabled,
    level: section.level,
    recordValuesUntilMs: section.record === undefined ? undefined : Date.parse(section.record.until),
    strict: section.strict,
    auth: section.auth,
    limits: boundedLimits(section.limits, (name) => isWritten(parts.main, ['gateways', id, 'limits', name])),
    pagination: section.pagination,
    requireIfMatch: section.requireIfMatch,
    sensitiveFilters: section.sensitiveFilters,
    resources: readable.flatMap(([name, settings]) => {
      const resource = buildResource(name, settings, [...path, name], { ...parts, siblings });
      return resource === undefined ? [] : [section.strict ? { ...resource, unmapped: 'reject' as const } : resource];
    }),
  };
}

/** A default that a written bound makes impossible gives way to the bound. */
function boundedLimits(limits: LimitsConfig, isWrittenLimit: (name: string) => boolean): LimitsConfig {
  const { maxResults, defaultResults, bodyBytes, bulkBytes } = limits;
  return {
    ...limits,
    defaultResults: isWrittenLimit('defaultResults') ? defaultResults : Math.min(defaultResults, maxResults),
    bulkBytes: isWrittenLimit('bulkBytes') ? bulkBytes : Math.min(bulkBytes, bodyBytes),
  };
}

function isWritten(main: ConfigFile, path: Path): boolean {
  return main.document.written(path) !== undefined;
}

function buildResource(
  name: string,
  settings: ResourceSection,
  path: Path,
  { main, types, open, adapters, problems, siblings }: GatewayParts & { readonly siblings: Siblings },
): GatewayResource | undefined {
  const report = (at: Path, message: string, prefer: 'key' | 'value' = 'value'): void => {
    problems.push(main.document.problem('error', [...path, ...at], message, prefer));
  };
  if (settings.adapter !== '' && !adapters.includes(settings.adapter)) {
    report(['adapter'], `There is no adapter "${settings.adapter}"${suggestion(settings.adapter, adapters)}`);
  }
  if (!hasRules(main.document.written(path))) {
    report([], `"${name}" maps nothing. Write rules under "mapping", or name a preset: use: [scim].`, 'key');
  }
  const section = toSection(main, path, settings);
  const type = types.build(name, settings, section);
  if (type === undefined) return undefined;
  return {
    type,
    adapter: settings.adapter,
    entity: settings.entity ?? name,
    ...optional(settings),
    rules: collectRules(section, type, open, siblings),
    operations: settings.operations,
    unmapped: settings.unmapped,
    shared: settings.shared,
    canonicalValues: settings.canonicalValues,
    origin: { source: main.document.name, path },
  };
}

/**
 * A section without the entries that have not their right shape; of `nested`, only its own broken entries are left out.
 * @returns undefined when it is no section
 */
function prune<Section extends object>(
  section: Section,
  path: Path,
  { isBroken }: GatewayParts,
  nested: string,
): Section | undefined {
  if (!isObject(section)) return undefined;
  const entries = Object.entries(section as Readonly<Record<string, unknown>>).flatMap(([key, value]) => {
    if (key !== nested) return isBroken([...path, key]) ? [] : [[key, value]];
    if (!isObject(value)) return [];
    // Resources are pruned in their turn; a mapping's rules are whole or left out.
    const kept = Object.entries(value).filter(([name]) => nested === 'resources' || !isBroken([...path, key, name]));
    return [[key, Object.fromEntries(kept)]];
  });
  return Object.fromEntries(entries) as Section;
}

function hasRules(written: unknown): boolean {
  if (!isObject(written)) return true;
  const { use, mapping } = written;
  return (use !== undefined && use !== null) || (isObject(mapping) && Object.keys(mapping).length > 0);
}

function optional({
  id,
  idPrefix,
  lookupField,
}: ResourceSection): Pick<GatewayResource, 'id' | 'idPrefix' | 'lookupField'> {
  return {
    ...(id !== undefined && { id }),
    ...(idPrefix !== undefined && { idPrefix }),
    ...(lookupField !== undefined && { lookupField }),
  };
}
