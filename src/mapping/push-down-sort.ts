import type { EntityCapabilities, Sort } from '../backend/adapter.js';
import type { ResolvedPath } from '../scim/attribute-path.js';
import type { Attribute } from '../scim/schema.js';
import { type Leaf, leafFor, type MappingPlan, type RecordsPlan } from './plan.js';

/** @returns undefined when the backend cannot sort by the path as the attribute sorts */
export function pushSort(
  path: ResolvedPath,
  descending: boolean,
  plan: MappingPlan,
  capabilities: EntityCapabilities,
): Sort | undefined {
  const reserved = reservedField(path);
  if (reserved !== undefined) return sortOn(reserved.field, reserved.comparison, descending, capabilities);
  const { attribute, sub } = path;
  const attributePlan = plan.byPath.get(attribute.path);
  if (attributePlan?.kind === 'records') return sortByChild(attributePlan, sub, descending, capabilities);
  if (attributePlan?.kind !== 'simple' && attributePlan?.kind !== 'complex') return undefined;
  const leaf = attributePlan.kind === 'simple' ? attributePlan.leaf : sub && leafFor(attributePlan.leaves, sub);
  if (leaf === undefined || attribute.multiValued || !isSingle(leaf, plan) || !sortsAlike(leaf)) return undefined;
  // Beside constants an empty text makes no value, while the backend sorts it as one.
  const isHidden =
    attributePlan.kind === 'complex' && attributePlan.constants.length > 0 && leaf.codec.name === 'string';
  return isHidden ? undefined : sortOn(leaf.field, undefined, descending, capabilities);
}

function isSingle({ field, read, fallback, reference }: Leaf, plan: MappingPlan): boolean {
  return read && fallback === undefined && reference === undefined && !plan.fields.multiple.has(field);
}

/** Only a field that holds the attribute's own kind of value sorts as the attribute does. */
function sortsAlike({ codec }: Leaf): boolean {
  return codec.name === codec.fieldType;
}

function sortOn(
  field: string,
  comparison: string | undefined,
  descending: boolean,
  { fields }: EntityCapabilities,
): Sort | undefined {
  const capability = fields[field];
  const isFit = capability?.sortable === true && (comparison === undefined || capability.comparison === comparison);
  return isFit ? { field, descending } : undefined;
}

function reservedField({ attribute, sub }: ResolvedPath): { field: string; comparison: string } | undefined {
  if (attribute.path === 'id') return { field: '$id', comparison: 'exact' };
  if (attribute.path !== 'meta') return undefined;
  if (sub?.name === 'created') return { field: '$created', comparison: 'instant' };
  return sub?.name === 'lastModified' ? { field: '$modified', comparison: 'instant' } : undefined;
}

function sortByChild(
  plan: RecordsPlan,
  sub: Attribute | undefined,
  descending: boolean,
  capabilities: EntityCapabilities,
): Sort | undefined {
  const leaf = plan.leaves.find(({ attribute }) =>
    sub === undefined ? attribute.name === 'value' : attribute === sub,
  );
  const children = capabilities.fields[plan.field]?.children;
  if (leaf === undefined || plan.reference !== undefined || !sortsAlike(leaf)) return undefined;
  if (children?.[leaf.field]?.sortable !== true) return undefined;
  const primary = plan.leaves.find(({ attribute }) => attribute.name === 'primary');
  return {
    field: plan.field,
    child: leaf.field,
    ...(primary === undefined ? {} : { prefer: primary.field }),
    descending,
  };
}
