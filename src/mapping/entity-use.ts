import type { EntityUse, FieldUse } from '../backend/adapter.js';
import { type Comparison, comparisonOf } from '../scim/comparison.js';
import type { InverseRule, TypeRules } from './compile.js';
import type { TargetType } from './compile-leaf.js';
import { type AttributePlan, type Leaf, type RecordsPlan, type ReferencePlan, referenceOf } from './plan.js';
import type { RuleProblem } from './rule.js';

/** By resource type: the fields that references of any type hold the values of. */
export type LookedUpFields = ReadonlyMap<string, ReadonlySet<string>>;

interface Input {
  readonly entry: TypeRules;
  readonly attributes: readonly AttributePlan[];
  readonly targets: ReadonlyMap<string, TargetType>;
  readonly inverses: readonly InverseRule[];
  /** All types' attributes, for the other end of an inverse. */
  readonly attributesOf: ReadonlyMap<string, readonly AttributePlan[]>;
  readonly lookedUp: LookedUpFields;
  readonly problems: RuleProblem[];
}

/** What is looked up in each type, from all types' attributes. */
export function lookedUpFields(attributes: readonly AttributePlan[]): LookedUpFields {
  const fields = new Map<string, Set<string>>();
  for (const plan of attributes) {
    for (const [type, field] of Object.entries(referenceOf(plan)?.by ?? {})) {
      if (field.startsWith('$')) continue;
      fields.set(type, (fields.get(type) ?? new Set()).add(field));
    }
  }
  return fields;
}

/** What the rules of one type ask of its entity. Several rules on one field (one writes, others read) become one use. */
export function buildEntityUse(input: Input): EntityUse {
  const { entry } = input;
  const fields = new Map<string, FieldUse>();
  const uses = [...input.attributes.flatMap((plan) => usesOf(plan, input)), ...lookedUpUses(input)];
  for (const use of uses) {
    if (use.name.startsWith('$')) continue; // reserved fields need no declaration
    const present = fields.get(use.name);
    fields.set(use.name, present === undefined ? use : merge(present, use));
  }
  return {
    entity: entry.entity,
    ...(entry.id === undefined ? {} : { id: entry.id }),
    ...(entry.idPrefix === undefined ? {} : { idPrefix: entry.idPrefix }),
    fields: [...fields.values()],
  };
}

/** A field that references hold is read even where no rule maps it: a DN. */
function lookedUpUses({ entry, lookedUp }: Input): readonly FieldUse[] {
  const names = [...(lookedUp.get(entry.type.name) ?? [])].filter((name) => name !== entry.id);
  return names.map((name) => ({
    name,
    type: 'string',
    multiple: false,
    comparison: 'exact',
    unique: false,
    read: true,
    written: false,
  }));
}

function merge(a: FieldUse, b: FieldUse): FieldUse {
  return {
    ...b,
    ...a,
    multiple: a.multiple || b.multiple,
    unique: a.unique || b.unique,
    read: a.read || b.read,
    written: a.written || b.written,
  };
}

function usesOf(plan: AttributePlan, input: Input): readonly FieldUse[] {
  const inverse = inverseOf(plan, input);
  switch (plan.kind) {
    case 'simple':
      return [leafUse(plan.leaf, input)];
    case 'complex':
      return plan.leaves.map((leaf) => leafUse(leaf, input));
    case 'slots':
      return plan.slots.flatMap((slot) => slot.leaves.map((leaf) => leafUse(leaf, input)));
    case 'records':
      return [
        {
          name: plan.field,
          type: 'records',
          multiple: true,
          comparison: 'exact',
          unique: false,
          read: plan.read,
          written: plan.written,
          children: childUses(plan, input),
          ...inverse,
        },
      ];
    case 'references':
      return [
        {
          name: plan.field,
          type: plan.codec.fieldType,
          multiple: true,
          comparison: 'exact',
          unique: false,
          read: plan.read,
          written: plan.written,
          ...referenceUse(plan.reference, input),
          ...inverse,
        },
      ];
  }
}

/** The child fields that hold sub-attributes, and the one that holds the type of what is referred to. */
function childUses(plan: RecordsPlan, input: Input): readonly FieldUse[] {
  const children = plan.leaves.map((leaf) => leafUse(leaf, input));
  const typeField = plan.reference?.typeField;
  if (typeField === undefined || children.some(({ name }) => name === typeField)) return children;
  const plain = { multiple: false, unique: false, read: plan.read, written: plan.written } as const;
  return [...children, { name: typeField, type: 'string', comparison: 'exact', ...plain }];
}

function leafUse(leaf: Leaf, input: Input): FieldUse {
  return {
    name: leaf.field,
    type: leaf.codec.fieldType,
    multiple: leaf.multiple,
    comparison: fieldComparison(leaf),
    unique: leaf.unique,
    read: leaf.read,
    written: leaf.written,
    ...(leaf.reference === undefined ? {} : referenceUse(leaf.reference, input)),
  };
}

/**
 * As the attribute compares; where the codec makes another kind of value of it, as that kind compares. An id names one
 * resource and no other that is spelled nearly alike, so references compare exactly.
 */
export function fieldComparison(leaf: Leaf): Comparison {
  if (leaf.reference !== undefined) return 'exact';
  switch (leaf.codec.fieldType) {
    case 'number':
    case 'boolean':
    case 'instant':
      return leaf.codec.fieldType;
    case 'string': {
      const own = comparisonOf(leaf.attribute);
      return own === 'fold' ? 'fold' : 'exact';
    }
    default:
      return 'exact';
  }
}

function referenceUse(reference: ReferencePlan, { targets }: Input): Pick<FieldUse, 'reference'> {
  const [first] = reference.targets;
  return {
    reference: {
      targets: reference.targets.flatMap((name) => targets.get(name)?.entity ?? []),
      by: first === undefined ? '$id' : (reference.by[first] ?? '$id'),
    },
  };
}

function inverseOf(plan: AttributePlan, input: Input): Pick<FieldUse, 'inverseOf'> {
  const rule = input.inverses.find((candidate) => candidate.attribute === plan.attribute);
  if (rule === undefined) return {};
  const fail = (message: string): Pick<FieldUse, 'inverseOf'> => {
    input.problems.push({ severity: 'error', origin: rule.source.origin, at: ['reference', 'inverseOf'], message });
    return {};
  };
  const entity = input.targets.get(rule.type)?.entity;
  const attributes = input.attributesOf.get(rule.type);
  if (entity === undefined || attributes === undefined)
    return fail(`This gateway has no resource type "${rule.type}".`);
  const other = attributes.find((candidate) => candidate.attribute.name.toLowerCase() === rule.path.toLowerCase());
  if (other === undefined || (other.kind !== 'records' && other.kind !== 'references')) {
    return fail(`"${rule.path}" of ${rule.type} has no rule with a reference.`);
  }
  return { inverseOf: { entity, field: other.field } };
}
