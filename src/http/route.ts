import type { ScimService } from '../provisioning/service.js';
import { ScimError } from '../scim/error.js';

/** What a path below a gateway's address means. Type names are those of the service. */
export type Route =
  | { readonly kind: 'root' }
  | { readonly kind: 'rootSearch' }
  | { readonly kind: 'collection'; readonly type: string }
  | { readonly kind: 'collectionSearch'; readonly type: string }
  | { readonly kind: 'resource'; readonly type: string; readonly id: string }
  | { readonly kind: 'bulk' }
  | { readonly kind: 'me' }
  | { readonly kind: 'serviceProviderConfig' }
  | { readonly kind: 'resourceTypes'; readonly name: string | undefined }
  | { readonly kind: 'schemas'; readonly uri: string | undefined }
  | { readonly kind: 'refused'; readonly error: ScimError };

export type RouteKind = Route['kind'];

const root: Route = { kind: 'root' };
const fixed: ReadonlyMap<string, Route> = new Map<string, Route>([
  ['.search', { kind: 'rootSearch' }],
  ['Bulk', { kind: 'bulk' }],
  ['Me', { kind: 'me' }],
  ['ServiceProviderConfig', { kind: 'serviceProviderConfig' }],
  // Some clients ask for the plural (erratum 4978).
  ['ServiceProviderConfigs', { kind: 'serviceProviderConfig' }],
  ['ResourceTypes', { kind: 'resourceTypes', name: undefined }],
  ['Schemas', { kind: 'schemas', uri: undefined }],
]);

/**
 * Reads paths below the gateway's address. The version segment `v2` right before the endpoint is optional (RFC 7644
 * §3.13), and so is one `scim`, which some administrators and identity providers write twice.
 * @param rest the path behind the address, as it came
 */
export function createRouter(service: Pick<ScimService, 'resourceTypes'>): (rest: string) => Route {
  const types = new Map(service.resourceTypes.map(({ name, endpoint }) => [endpoint.replace(/^\//, ''), name]));
  const endpoints = [...types.keys(), ...fixed.keys()];

  const collectionRoute = (segments: readonly string[]): Route | undefined => {
    const [endpoint = '', second, ...others] = segments;
    const type = types.get(endpoint);
    if (type === undefined) return undefined;
    if (second === undefined) return { kind: 'collection', type };
    if (others.length > 0 || second === '') return undefined;
    if (second === '.search') return { kind: 'collectionSearch', type };
    const id = decodeOnce(second);
    return id === undefined ? badEscape : { kind: 'resource', type, id };
  };

  return (rest) => {
    const segments = rest.split('/');
    segments.shift();
    while (segments.at(-1) === '') segments.pop();
    if (segments[0] === 'scim' && !types.has('scim')) segments.shift();
    const version = segments[0];
    if (version === 'v2') segments.shift();
    else if (version !== undefined && /^v\d[\d.]*$/.test(version)) return unsupportedVersion(version);
    if (segments.length === 0) return root;
    return collectionRoute(segments) ?? fixedRoute(segments) ?? unknownPath(segments[0] ?? '', endpoints);
  };
}

function fixedRoute(segments: readonly string[]): Route | undefined {
  const [endpoint = '', ...others] = segments;
  const route = fixed.get(endpoint);
  if (route === undefined || others.length === 0) return route;
  if (route.kind === 'schemas') {
    // Not only one segment: URIs of schemas may hold slashes, which not every client escapes.
    const uri = decodeOnce(others.join('/'));
    return uri === undefined ? badEscape : { kind: 'schemas', uri };
  }
  if (route.kind !== 'resourceTypes' || others.length > 1) return undefined;
  const name = decodeOnce(others[0] ?? '');
  return name === undefined ? badEscape : { kind: 'resourceTypes', name };
}

function decodeOnce(segment: string): string | undefined {
  if (!segment.includes('%')) return segment;
  try {
    return decodeURIComponent(segment);
  } catch {
    return undefined;
  }
}

const badEscape: Route = {
  kind: 'refused',
  error: ScimError.badRequest('invalidSyntax', 'The path has a percent escape that is not UTF-8.'),
};

function unsupportedVersion(version: string): Route {
  const detail = `SCIM protocol version "${version}" is not supported; this is "v2".`;
  return { kind: 'refused', error: ScimError.badRequest('invalidVers', detail) };
}

function unknownPath(endpoint: string, endpoints: readonly string[]): Route {
  const lower = endpoint.toLowerCase();
  const meant = endpoints.find((candidate) => candidate.toLowerCase() === lower && candidate !== endpoint);
  const hint = meant === undefined ? '' : ` Did you mean "/${meant}"? Paths are case-sensitive.`;
  return { kind: 'refused', error: ScimError.notFound(`There is no endpoint at this path.${hint}`) };
}
