import type { BackendRecord, ChildRecord, FieldValue, Scalar } from '../backend/adapter.js';
import { type MappingPlan, type ReferencePlan, referenceOf } from '../mapping/plan.js';
import { applyCreateRules, applyValueRules, missingByRules } from '../mapping/value-rules.js';
import { type FieldValues, referencedId } from '../mapping/write.js';
import { asComplex, readAttribute } from '../scim/attribute-value.js';
import { ScimError } from '../scim/error.js';
import { missingRequired, type ParsedBody, parseResourceBody } from '../scim/resource-parser.js';
import type { Attribute, JsonValue, Resource } from '../scim/schema.js';
import { meaningOfResource } from './meaning.js';
import type { RequestContext } from './service.js';
import type { TypeRuntime } from './type-runtime.js';

/** Reads a body of POST or PUT and reports what is ignored of it. */
export function parseInput(runtime: TypeRuntime, body: unknown, context: RequestContext): ParsedBody {
  const { type, dialect, enforceCanonical } = runtime;
  const parsed = parseResourceBody(body, type, { dialect, enforceCanonical });
  for (const { path, why } of parsed.ignored) context.dropped(path, why);
  context.meant?.(meaningOfResource(parsed.resource));
  return parsed;
}

/**
 * The resource that a create stores: defaults and made-up values filled in, allowed values checked, nothing required
 * missing.
 * @throws ScimError invalidValue that names every missing attribute
 */
export function completeForCreate(runtime: TypeRuntime, { resource, cleared }: ParsedBody): Resource {
  const complete = applyValueRules(runtime.plan, applyCreateRules(runtime.plan, resource, cleared), undefined);
  checkRequired(runtime, complete);
  return complete;
}

/** @throws ScimError invalidValue that names every missing attribute */
export function checkRequired({ type, plan }: TypeRuntime, resource: Resource): void {
  const missing = [...new Set([...missingRequired(resource, type), ...missingByRules(plan, resource)])];
  if (missing.length === 0) return;
  const names = missing.map((path) => `"${path}"`).join(', ');
  throw ScimError.badRequest(
    'invalidValue',
    `${names} ${missing.length === 1 ? 'is' : 'are'} required for a ${type.name}.`,
  );
}

/** Ids that the resource's references name, to be looked up together. */
export function referencedIds(
  plan: MappingPlan,
  resource: Resource,
  attributes?: ReadonlySet<Attribute>,
): readonly { readonly reference: ReferencePlan; readonly id: string }[] {
  return plan.attributes.flatMap((attributePlan) => {
    const { attribute } = attributePlan;
    if (attributes !== undefined && !attributes.has(attribute)) return [];
    const reference = referenceOf(attributePlan);
    if (reference === undefined) return [];
    const value = readAttribute(resource, attribute);
    const elements = Array.isArray(value) ? (value as readonly JsonValue[]) : value === undefined ? [] : [value];
    return elements.flatMap((element) => {
      const id = referencedId(asComplex(element));
      return id === undefined ? [] : [{ reference, id }];
    });
  });
}

/** Field values as a record: a field that may hold many values is a list, others are plain. */
export function toRecord(plan: MappingPlan, fields: ReadonlyMap<string, FieldValues>): BackendRecord {
  const record: Record<string, FieldValue> = {};
  for (const [field, values] of fields) {
    const [first] = values as readonly (Scalar | ChildRecord)[];
    if (first === undefined) continue;
    record[field] = plan.fields.multiple.has(field) ? values : (first as Scalar);
  }
  return record;
}
