import { type AttributePlan, leavesOf, type MappingPlan } from '../mapping/plan.js';
import { ScimError } from '../scim/error.js';
import type { Attribute, JsonValue, Resource, Schema } from '../scim/schema.js';
import { listResponse } from './list-response.js';
import type { RequestContext } from './service.js';
import type { ServiceLimits, TypeRuntime } from './type-runtime.js';

const uris = {
  config: 'urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig',
  resourceType: 'urn:ietf:params:scim:schemas:core:2.0:ResourceType',
  schema: 'urn:ietf:params:scim:schemas:core:2.0:Schema',
} as const;

/** One entry of `authenticationSchemes` (RFC 7643 §5). */
export interface AuthenticationScheme {
  readonly type: 'oauth' | 'oauth2' | 'oauthbearertoken' | 'httpbasic' | 'httpdigest';
  readonly name: string;
  readonly description: string;
  readonly specUri?: string;
  readonly primary?: boolean;
}

export interface DiscoveryOptions {
  readonly types: readonly TypeRuntime[];
  readonly limits: ServiceLimits;
  readonly pagination: { readonly default: 'index' | 'cursor'; readonly cursorTimeoutSeconds: number };
  readonly authenticationSchemes: readonly AuthenticationScheme[];
  /** Schemas of the discovery documents themselves, as JSON. */
  readonly metaSchemas: readonly { readonly [key: string]: JsonValue }[];
}

/**
 * What the gateway can do now: computed from the mapping and from what the backends can.
 * @see RFC 7643 §5, RFC 9865 §4
 */
export function serviceProviderConfig(options: DiscoveryOptions, context: RequestContext): Resource {
  const { types, limits, pagination } = options;
  return {
    schemas: [uris.config],
    patch: { supported: types.some((runtime) => runtime.operations.update) },
    bulk: { supported: true, maxOperations: limits.bulkOperations, maxPayloadSize: limits.bulkBytes },
    filter: { supported: true, maxResults: limits.maxResults },
    changePassword: { supported: types.some((runtime) => runtime.plan.byPath.has('password')) },
    sort: { supported: true },
    etag: { supported: types.every((runtime) => runtime.capabilities().revision) },
    pagination: {
      cursor: true,
      index: true,
      defaultPaginationMethod: pagination.default,
      defaultPageSize: limits.defaultResults,
      maxPageSize: limits.maxResults,
      cursorTimeout: pagination.cursorTimeoutSeconds,
    },
    authenticationSchemes: options.authenticationSchemes.map((scheme) => ({ ...scheme })),
    meta: { resourceType: 'ServiceProviderConfig', location: `${context.baseUrl}/ServiceProviderConfig` },
  };
}

/** @see RFC 7643 §6 */
export function resourceTypeDocuments(
  options: DiscoveryOptions,
  name: string | undefined,
  context: RequestContext,
): Resource {
  const documents = options.types.map(
    ({ type }): Resource => ({
      schemas: [uris.resourceType],
      id: type.name,
      name: type.name,
      description: type.description,
      endpoint: type.endpoint,
      schema: type.schema.id,
      schemaExtensions: type.extensions.map(({ schema, required }) => ({ schema: schema.id, required })),
      meta: {
        resourceType: 'ResourceType',
        location: `${context.baseUrl}/ResourceTypes/${encodeURIComponent(type.name)}`,
      },
    }),
  );
  return pick(documents, name, 'resource type');
}

/** @see RFC 7643 §7 */
export function schemaDocuments(options: DiscoveryOptions, uri: string | undefined, context: RequestContext): Resource {
  const location = (id: string): string => `${context.baseUrl}/Schemas/${id}`;
  const documents = new Map<string, Resource>();
  for (const { schema, plans } of schemasInUse(options.types)) {
    const attributes = schema.attributes.flatMap((attribute) => attributeDocument(attribute, plans) ?? []);
    documents.set(schema.id, schemaDocument(schema, attributes, location(schema.id)));
  }
  for (const document of options.metaSchemas) {
    const id = String(document.id);
    documents.set(id, {
      ...document,
      schemas: [uris.schema],
      meta: { resourceType: 'Schema', location: location(id) },
    });
  }
  return pick([...documents.values()], uri, 'schema');
}

function schemaDocument(schema: Schema, attributes: readonly JsonValue[], location: string): Resource {
  return {
    schemas: [uris.schema],
    id: schema.id,
    name: schema.name,
    description: schema.description,
    attributes,
    meta: { resourceType: 'Schema', location },
  };
}

function pick(documents: readonly Resource[], id: string | undefined, what: string): Resource {
  if (id === undefined) return listResponse({ resources: documents, total: documents.length, startIndex: 1 });
  const found = documents.find((document) => String(document.id).toLowerCase() === id.toLowerCase());
  if (found === undefined) throw ScimError.notFound(`There is no such ${what} here.`);
  return found;
}

/** Each schema with the plans of the types that use it: what one of them maps is listed. */
function schemasInUse(
  types: readonly TypeRuntime[],
): readonly { readonly schema: Schema; readonly plans: readonly MappingPlan[] }[] {
  const found = new Map<string, { schema: Schema; plans: MappingPlan[] }>();
  for (const { type, plan } of types) {
    for (const schema of [type.schema, ...type.extensions.map((extension) => extension.schema)]) {
      const entry = found.get(schema.id) ?? { schema, plans: [] };
      entry.plans.push(plan);
      found.set(schema.id, entry);
    }
  }
  return [...found.values()];
}

/** An attribute as it really is here; undefined when no rule maps it and nothing requires it. */
function attributeDocument(
  attribute: Attribute,
  plans: readonly MappingPlan[],
): { [key: string]: JsonValue } | undefined {
  const plan = plans
    .map((candidate) => candidate.byPath.get(attribute.path))
    .find((candidate) => candidate !== undefined);
  const isConstant = plans.some((candidate) =>
    candidate.constants.some((constant) => constant.attribute === attribute),
  );
  if (
    attribute.path === 'schemas' ||
    attribute.path === 'id' ||
    attribute.path === 'externalId' ||
    attribute.path === 'meta'
  )
    return undefined;
  if (plan === undefined && !isConstant && !attribute.required) return undefined;
  const subs =
    plan === undefined ? attribute.subAttributes : attribute.subAttributes.filter((sub) => isSubMapped(plan, sub));
  return {
    ...characteristics(attribute, plan, isConstant),
    ...(attribute.type === 'complex' ? { subAttributes: subs.map((sub) => characteristics(sub, plan, false)) } : {}),
  };
}

function isSubMapped(plan: AttributePlan, sub: Attribute): boolean {
  switch (plan.kind) {
    case 'simple':
      return false;
    case 'complex':
      if (
        plan.leaves.some((leaf) => leaf.attribute === sub) ||
        plan.constants.some((constant) => constant.attribute === sub)
      )
        return true;
      return plan.leaves.some((leaf) => leaf.reference !== undefined && isComputed(sub, leaf.reference.display));
    case 'slots':
      return plan.slots.some(
        (slot) =>
          slot.leaves.some((leaf) => leaf.attribute === sub) ||
          slot.constants.some((constant) => constant.attribute === sub),
      );
    case 'records':
      return (
        plan.leaves.some((leaf) => leaf.attribute === sub) ||
        (plan.reference !== undefined && isComputed(sub, plan.reference.display))
      );
    case 'references':
      return isComputed(sub, plan.reference.display) || sub.name === 'value';
  }
}

/** Parts of a reference that the gateway makes. */
function isComputed(sub: Attribute, display: string | undefined): boolean {
  if (sub.name === '$ref' || sub.name === 'type') return true;
  return display !== undefined && (sub.name === 'display' || sub.name === 'displayName');
}

function characteristics(
  attribute: Attribute,
  plan: AttributePlan | undefined,
  isConstant: boolean,
): { [key: string]: JsonValue } {
  const leaf = plan === undefined ? undefined : leavesOf(plan).find((candidate) => candidate.attribute === attribute);
  const isWhole = plan?.attribute === attribute && (plan.kind === 'records' || plan.kind === 'references');
  const written = leaf?.written ?? (isWhole ? plan.written : true);
  const read = leaf?.read ?? (isWhole ? plan.read : true);
  const isComplex = attribute.type === 'complex';
  return {
    name: attribute.name,
    type: attribute.type,
    multiValued: attribute.multiValued,
    description: attribute.description,
    required: attribute.required || leaf?.required === true,
    ...(isComplex ? {} : { caseExact: attribute.caseExact }),
    mutability: isConstant || !written ? 'readOnly' : !read ? 'writeOnly' : attribute.mutability,
    returned: read ? attribute.returned : 'never',
    ...(isComplex
      ? {}
      : { uniqueness: leaf?.unique === true && attribute.uniqueness === 'none' ? 'server' : attribute.uniqueness }),
    ...(attribute.canonicalValues === undefined ? {} : { canonicalValues: attribute.canonicalValues }),
    ...(attribute.referenceTypes === undefined ? {} : { referenceTypes: attribute.referenceTypes }),
  };
}
