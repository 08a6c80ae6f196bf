import type { EntityUse, FieldUse } from '../backend/adapter.js';
import { type Comparison, comparisonOf } from '../scim/comparison.js';
import type { InverseRule, TypeRules } from './compile.js';
import type { TargetType } from './compile-leaf.js';
import {
  type AttributePlan,
  type Leaf,
  type RecordsPlan,
  type ReferencePlan,
  type ReferencesPlan,
  referenceOf,
  type SearchedInverse,
} from './plan.js';
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
  const own = input.attributes.filter((plan) => !isElsewhere(plan, input));
  const uses = [...own.flatMap((plan) => usesOf(plan, input)), ...lookedUpUses(input)];
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

/** Targets in other backends are not the adapter's concern: it has no such entity, or means another one by that name. */
function referenceUse(reference: ReferencePlan, { entry, targets }: Input): Pick<FieldUse, 'reference'> {
  const [first] = reference.targets;
  return {
    reference: {
      targets: reference.targets.flatMap((name) => {
        const target = targets.get(name);
        return target === undefined || target.adapter !== entry.adapter ? [] : [target.entity];
      }),
      by: first === undefined ? '$id' : (reference.by[first] ?? '$id'),
    },
  };
}

/** What the rule of an attribute mirrors: a reference of another type. */
interface Mirrored {
  readonly target: TargetType;
  readonly other: RecordsPlan | ReferencesPlan;
  readonly reference: ReferencePlan;
}

/** @returns what is wrong with the rule, or undefined where it mirrors nothing */
function mirrored(plan: AttributePlan, input: Input): Mirrored | string | undefined {
  const rule = input.inverses.find((candidate) => candidate.attribute === plan.attribute);
  if (rule === undefined) return undefined;
  const target = input.targets.get(rule.type);
  const attributes = input.attributesOf.get(rule.type);
  if (target === undefined || attributes === undefined) return `This gateway has no resource type "${rule.type}".`;
  const other = attributes.find((candidate) => candidate.attribute.name.toLowerCase() === rule.path.toLowerCase());
  if (other === undefined || (other.kind !== 'records' && other.kind !== 'references')) {
    return `"${rule.path}" of ${rule.type} has no rule with a reference.`;
  }
  const { reference } = other;
  const own = input.entry.type.name;
  if (reference === undefined || !reference.targets.includes(own)) {
    return `"${rule.path}" of ${rule.type} does not refer to ${own}: add it to the "to" of that rule.`;
  }
  return { target, other, reference };
}

function inverseOf(plan: AttributePlan, input: Input): Pick<FieldUse, 'inverseOf'> {
  const mirror = mirrored(plan, input);
  if (mirror === undefined) return {};
  if (typeof mirror !== 'string') return { inverseOf: { entity: mirror.target.entity, field: mirror.other.field } };
  const rule = input.inverses.find((candidate) => candidate.attribute === plan.attribute);
  if (rule !== undefined) {
    const { origin } = rule.source;
    input.problems.push({ severity: 'error', origin, at: ['reference', 'inverseOf'], message: mirror });
  }
  return {};
}

/** Whether the attribute mirrors a reference that another backend keeps. */
function isElsewhere(plan: AttributePlan, input: Input): boolean {
  const mirror = mirrored(plan, input);
  return typeof mirror === 'object' && mirror.target.adapter !== input.entry.adapter;
}

/** The other ends of references that other backends keep. */
export function searchedInverses(input: Input): readonly SearchedInverse[] {
  return input.attributes.flatMap((plan): readonly SearchedInverse[] => {
    if (plan.kind !== 'records' && plan.kind !== 'references') return [];
    const mirror = mirrored(plan, input);
    if (typeof mirror !== 'object' || mirror.target.adapter === input.entry.adapter) return [];
    const { target, other, reference } = mirror;
    return [
      {
        field: plan.field,
        child: plan.kind === 'records' ? { value: referringField(plan), type: plan.reference?.typeField } : undefined,
        holder: target.type.name,
        holderField: other.field,
        holderChild: other.kind === 'records' ? referringField(other) : undefined,
        ownKey: keyOfOwn(reference, input.entry),
        gives: plan.reference?.by[target.type.name] ?? '$id',
      },
    ];
  });
}

/** Where the field that is referred by is the id itself, records have it under no other name. */
function keyOfOwn(reference: ReferencePlan, { type, id }: TypeRules): string {
  const by = reference.by[type.name] ?? '$id';
  return by === id ? '$id' : by;
}

function referringField({ leaves }: RecordsPlan): string {
  return leaves.find((leaf) => leaf.reference !== undefined)?.field ?? 'value';
}
