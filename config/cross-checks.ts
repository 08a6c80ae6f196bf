import { resolvePath } from '../src/scim/attribute-path.js';
import { isObject } from '../src/scim/schema.js';
import { checkCallers } from './auth-checks.js';
import type { GatewayFile } from './file-schema.js';
import type { ConfigFile } from './files.js';
import type { AdapterConfig, Gateway, GatewayResource } from './gateway-config.js';
import { nearest } from './nearest.js';
import type { Path, Problem, Severity } from './problem.js';
import { identityOf } from './rules.js';

type Report = (severity: Severity, path: Path, message: string, prefer?: 'key' | 'value') => void;

/** What one field alone cannot show: two parts of the configuration that do not go together. */
export function crossCheck(
  gateways: readonly Gateway[],
  adapters: ReadonlyMap<string, AdapterConfig>,
  main: ConfigFile,
): readonly Problem[] {
  const problems: Problem[] = [];
  const report: Report = (severity, path, message, prefer) => {
    problems.push(main.document.problem(severity, path, message, prefer));
  };
  checkAddresses(gateways, report);
  checkEntities(gateways, adapters, report);
  for (const gateway of gateways) {
    checkEndpoints(gateway, report);
    checkLimits(gateway, report);
    checkSensitiveFilters(gateway, report);
    checkCallers(gateway, main, report);
    for (const resource of gateway.resources) checkRequiredExtensions(resource, report);
  }
  return problems;
}

export function unusedAdapters(file: GatewayFile, main: ConfigFile): readonly Problem[] {
  const sections = Object.values(file.gateways).map((gateway) => (isObject(gateway) ? gateway.resources : undefined));
  const used = sections.flatMap((resources) => Object.values(resources ?? {}).map((resource) => resource?.adapter));
  const names = Object.keys(file.adapters);
  // A misspelt name is reported where it stands; the adapter that it means is not unused.
  const meant = used.flatMap((name) => (typeof name === 'string' ? (nearest(name, names) ?? []) : []));
  return names
    .filter((name) => !meant.includes(name))
    .map((name) =>
      main.document.problem('warning', ['adapters', name], `No resource type uses the adapter "${name}".`, 'key'),
    );
}

/** Paths of the gateway itself; the rest belongs to the SCIM endpoints. */
const reservedPaths = ['/health', '/metrics', '/oauth'];

function checkAddresses(gateways: readonly Gateway[], report: Report): void {
  const addresses = gateways.map(({ address }) => ({ address, lower: `${address.toLowerCase()}/` }));
  for (const [index, gateway] of gateways.entries()) {
    const path = ['gateways', gateway.id, 'address'];
    const own = `${gateway.address.toLowerCase()}/`;
    const reserved = reservedPaths.find((candidate) => own.startsWith(`${candidate}/`));
    if (reserved !== undefined) {
      report(
        'error',
        path,
        `${reserved} is a path of the gateway's own; choose another address, such as "/${gateway.id}/scim".`,
      );
    }
    const other = addresses.findIndex(
      ({ lower }, position) => position < index && (own.startsWith(lower) || lower.startsWith(own)),
    );
    const taken = gateways[other];
    if (taken === undefined) continue;
    const relation = taken.address === gateway.address ? 'is also the address of' : 'and the address of';
    const where = taken.address === gateway.address ? '' : `, "${taken.address || '/'}", lie one inside the other`;
    report(
      'error',
      path,
      `The address "${gateway.address || '/'}" ${relation} gateway "${taken.id}"${where}. Give each its own, such as "/${gateway.id}/scim".`,
    );
  }
}

/** The endpoints of RFC 7644 §3.2 besides resource types, and the tolerated plural of one. */
const protocolEndpoints = [
  '/Me',
  '/Bulk',
  '/Schemas',
  '/ResourceTypes',
  '/ServiceProviderConfig',
  '/ServiceProviderConfigs',
  '/v2',
];

function checkEndpoints({ id, resources }: Gateway, report: Report): void {
  const byEndpoint = new Map<string, string>();
  const byName = new Map<string, string>();
  for (const { type } of resources) {
    const path = ['gateways', id, 'resources', type.name];
    const endpoint = type.endpoint.toLowerCase();
    const reserved = protocolEndpoints.find((candidate) => candidate.toLowerCase() === endpoint);
    if (reserved !== undefined) {
      report(
        'error',
        [...path, 'endpoint'],
        `${reserved} is an endpoint of the protocol itself; choose another for "${type.name}".`,
      );
    }
    const other = byEndpoint.get(endpoint);
    if (other !== undefined) {
      report(
        'error',
        [...path, 'endpoint'],
        `"${other}" is at ${type.endpoint} already; each type has an endpoint of its own (RFC 7643 §6).`,
      );
    }
    const namesake = byName.get(type.name.toLowerCase());
    if (namesake !== undefined) {
      report(
        'error',
        path,
        `"${type.name}" and "${namesake}" differ only in case; each type has a name of its own (RFC 7643 §6).`,
        'key',
      );
    }
    byEndpoint.set(endpoint, type.name);
    byName.set(type.name.toLowerCase(), type.name);
  }
}

/** Stores that keep the gateways' records apart by themselves. */
function isPartitioned({ type, settings }: AdapterConfig): boolean {
  if (type === 'memory') return true;
  return type === 'sqlite' && (settings as Readonly<Record<string, unknown>>).entities === undefined;
}

function checkEntities(
  gateways: readonly Gateway[],
  adapters: ReadonlyMap<string, AdapterConfig>,
  report: Report,
): void {
  const users = new Map<string, { gateway: Gateway; resource: GatewayResource }[]>();
  for (const gateway of gateways) {
    for (const resource of gateway.resources) {
      const key = JSON.stringify([resource.adapter, resource.entity]);
      const earlier = users.get(key) ?? [];
      users.set(key, [...earlier, { gateway, resource }]);
      const twin = earlier.find((use) => use.gateway === gateway && use.resource.idPrefix === resource.idPrefix);
      if (twin !== undefined) {
        report(
          'error',
          [...resource.origin.path, 'entity'],
          `"${resource.type.name}" and "${twin.resource.type.name}" both live in the entity "${resource.entity}", so one id would name two resources. Give one another entity, or an idPrefix.`,
        );
      }
    }
  }
  for (const uses of users.values()) {
    const adapter = adapters.get(uses[0]?.resource.adapter ?? '');
    const ids = [...new Set(uses.map(({ gateway }) => gateway.id))];
    if (adapter === undefined || isPartitioned(adapter) || ids.length < 2) continue;
    for (const { gateway, resource } of uses.filter((use) => !use.resource.shared)) {
      const others = ids.filter((id) => id !== gateway.id).map((id) => `"${id}"`);
      report(
        'error',
        resource.origin.path,
        `The entity "${resource.entity}" of adapter "${resource.adapter}" is also used by gateway ${others.join(' and ')}, so their callers would see each other's data. Write "shared: true" at each if that is meant.`,
        'key',
      );
    }
  }
}

function checkLimits({ id, limits }: Gateway, report: Report): void {
  const path = ['gateways', id, 'limits'];
  if (limits.defaultResults > limits.maxResults) {
    report(
      'error',
      [...path, 'defaultResults'],
      `"defaultResults" (${limits.defaultResults}) is more than "maxResults" (${limits.maxResults}); it must be at most that.`,
    );
  }
  if (limits.bulkBytes > limits.bodyBytes) {
    report(
      'error',
      [...path, 'bulkBytes'],
      `"bulkBytes" (${limits.bulkBytes}) is more than "bodyBytes" (${limits.bodyBytes}), which bounds every body.`,
    );
  }
}

function checkSensitiveFilters({ id, sensitiveFilters, resources }: Gateway, report: Report): void {
  if (resources.length === 0) return;
  for (const [index, text] of sensitiveFilters.entries()) {
    if (resources.some(({ type }) => resolvePath(type, text).kind === 'attribute')) continue;
    const known = resources.flatMap(({ type }) => type.attributes.map((attribute) => attribute.path));
    const near = nearest(text, known);
    const hint = near === undefined ? 'Write a path such as "emails" or "name.familyName".' : `Did you mean "${near}"?`;
    report(
      'error',
      ['gateways', id, 'sensitiveFilters', index],
      `"${text}" names no attribute of a type of this gateway. ${hint}`,
    );
  }
}

/** RFC 7643 §6: a resource without a required extension, or without its required attributes, is refused. */
function checkRequiredExtensions({ type, rules, origin }: GatewayResource, report: Report): void {
  const mapped = new Set(rules.map(({ key }) => identityOf(key, type).attribute));
  for (const { schema, required } of type.extensions) {
    if (!required) continue;
    const attributes = schema.attributes.filter(({ name }) => name !== 'schemas');
    if (!attributes.some(({ path }) => mapped.has(path))) {
      report(
        'error',
        [...origin.path, 'extensions'],
        `The extension ${schema.id} is required, but no rule maps one of its attributes, so nothing could ever be created. Map them, or make it optional.`,
      );
      continue;
    }
    for (const attribute of attributes) {
      if (!attribute.required || mapped.has(attribute.path)) continue;
      report(
        'warning',
        [...origin.path, 'extensions'],
        `"${attribute.name}" is required by the extension ${schema.id}, but no rule maps it: callers must send it, and it is dropped.`,
      );
    }
  }
}
