import type { Comparison } from '../../scim/comparison.js';
import type {
  BackendRecord,
  EntityCapabilities,
  EntityUse,
  FieldCapability,
  FieldUse,
  FilterOp,
  Precision,
  Scalar,
} from '../adapter.js';
import { AdapterError } from '../adapter-error.js';
import { childrenOf, scalarsOf } from '../record.js';

/** A field, or with `child` one field of its child records. */
export interface FieldPath {
  readonly field: string;
  readonly child?: string;
  readonly comparison: Comparison;
}

/** A field whose values name records in `targets` by their field `by`. */
export interface ReferencePath extends FieldPath {
  readonly targets: readonly string[];
  readonly by: string;
}

/** What the mapping uses of an entity, arranged for look-up. */
export interface EntityPlan {
  readonly entity: string;
  readonly idField: string | undefined;
  readonly idPrefix: string;
  readonly fields: ReadonlyMap<string, FieldUse>;
  readonly unique: readonly FieldPath[];
  readonly references: readonly ReferencePath[];
  readonly capabilities: EntityCapabilities;
}

export function planOf(use: EntityUse): EntityPlan {
  const paths = use.fields.flatMap((field) => [
    { field, path: { field: field.name, comparison: field.comparison } },
    ...(field.children ?? []).map((child) => ({
      field: child,
      path: { field: field.name, child: child.name, comparison: child.comparison },
    })),
  ]);
  return {
    entity: use.entity,
    idField: use.id?.startsWith('$') ? undefined : use.id,
    idPrefix: use.idPrefix ?? '',
    fields: new Map(use.fields.map((field) => [field.name, field])),
    unique: paths.filter(({ field }) => field.unique).map(({ path }) => path),
    references: paths.flatMap(({ field, path }) =>
      field.reference === undefined || field.inverseOf !== undefined ? [] : [{ ...path, ...field.reference }],
    ),
    capabilities: capabilitiesOf(use),
  };
}

/** The comparison that a condition or a sort over the field uses. */
export function comparisonOf(plan: EntityPlan, field: string, child?: string): Comparison {
  if (field === '$created' || field === '$modified') return 'instant';
  if (field.startsWith('$') || field === plan.idField) return 'exact';
  const use = plan.fields.get(field);
  const leaf = child === undefined ? use : use?.children?.find(({ name }) => name === child);
  if (leaf === undefined) throw unknownField(plan, child === undefined ? field : `${field}.${child}`);
  return leaf.comparison;
}

/** The values at a path, of the field or of all its child records. */
export function valuesAt(record: BackendRecord, path: { readonly field: string; readonly child?: string }) {
  const { field, child } = path;
  if (child === undefined) return scalarsOf(record, field);
  return childrenOf(record, field).flatMap((row): readonly Scalar[] => (row[child] === undefined ? [] : [row[child]]));
}

export function unknownField(plan: EntityPlan, field: string): AdapterError {
  return new AdapterError('unsupported', `The mapping declares no field "${field}" in "${plan.entity}".`, { field });
}

const textOperators = ['pr', 'eq', 'co', 'sw', 'ew', 'gt', 'ge', 'lt', 'le'] as const;
const orderedOperators = ['pr', 'eq', 'gt', 'ge', 'lt', 'le'] as const;

function operatorsOf(type: FieldUse['type']): readonly FilterOp[] {
  switch (type) {
    case 'string':
      return textOperators;
    case 'number':
    case 'instant':
      return orderedOperators;
    case 'boolean':
    case 'bytes':
      return ['pr', 'eq'];
    case 'records':
      return ['pr'];
  }
}

function capabilityOf(field: Pick<FieldUse, 'type' | 'comparison' | 'children' | 'inverseOf'>): FieldCapability {
  const operators: Partial<Record<FilterOp, Precision>> = {};
  for (const operator of operatorsOf(field.type)) operators[operator] = 'exact';
  return {
    comparison: field.comparison,
    operators,
    sortable: field.type !== 'bytes' && field.type !== 'records' && field.inverseOf === undefined,
    ...(field.children === undefined ? {} : { children: byName(field.children) }),
  };
}

function byName(fields: readonly FieldUse[]): Readonly<Record<string, FieldCapability>> {
  return Object.fromEntries(fields.map((field) => [field.name, capabilityOf(field)]));
}

function capabilitiesOf(use: EntityUse): EntityCapabilities {
  const instant = capabilityOf({ type: 'instant', comparison: 'instant' });
  const id = capabilityOf({ type: 'string', comparison: 'exact' });
  return {
    fields: {
      ...byName(use.fields.filter((field) => field.read)),
      ...(use.id === undefined ? {} : { [use.id]: id }),
      $id: id,
      $created: instant,
      $modified: instant,
    },
    combine: { and: true, or: true, not: true },
    offset: true,
    total: true,
    revision: true,
    write: true,
    atomicUpdate: true,
    enforcesUnique: true,
    referentialIntegrity: true,
    keepsUnknownIds: true,
  };
}
