import type { EntityUse, FieldUse } from '../backend/adapter.js';
import { type Comparison, comparisonOf } from '../scim/comparison.js';
import type { InverseRule, TypeRules } from './compile.js';
import type { TargetType } from './compile-leaf.js';
import type { AttributePlan, Leaf, ReferencePlan } from './plan.js';
import type { RuleProblem } from './rule.js';

interface Input {
  readonly entry: TypeRules;
  readonly attributes: readonly AttributePlan[];
  readonly targets: ReadonlyMap<string, TargetType>;
  readonly inverses: readonly InverseRule[];
  /** All types' attributes, for the other end of an inverse. */
  readonly attributesOf: ReadonlyMap<string, readonly AttributePlan[]>;
  readonly problems: RuleProblem[];
}

/** What the rules of one type ask of its entity. Several rules on one field (one writes, others read) become one use. */
export function buildEntityUse(input: Input): EntityUse {
  const { entry } = input;
  const fields = new Map<string, FieldUse>();
  for (const plan of input.attributes) {
    for (const use of usesOf(plan, input)) {
      const present = fields.get(use.name);
      fields.set(use.name, present === undefined ? use : merge(present, use));
    }
  }
  return {
    entity: entry.entity,
    ...(entry.id === undefined ? {} : { id: entry.id }),
    ...(entry.idPrefix === undefined ? {} : { idPrefix: entry.idPrefix }),
    fields: [...fields.values()],
  };
}

function merge(a: FieldUse, b: FieldUse): FieldUse {
  return {
    ...a,
    ...b,
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
      return [leafUse(plan.leaf, plan.attribute.multiValued, input)];
    case 'complex':
      return plan.leaves.map((leaf) => leafUse(leaf, false, input));
    case 'slots':
      return plan.slots.flatMap((slot) => slot.leaves.map((leaf) => leafUse(leaf, slot.multiple, input)));
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
          children: plan.leaves.map((leaf) => leafUse(leaf, false, input)),
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

function leafUse(leaf: Leaf, multiple: boolean, input: Input): FieldUse {
  return {
    name: leaf.field,
    type: leaf.codec.fieldType,
    multiple,
    comparison: fieldComparison(leaf),
    unique: leaf.unique,
    read: leaf.read,
    written: leaf.written,
    ...(leaf.reference === undefined ? {} : referenceUse(leaf.reference, input)),
  };
}

/** As the attribute compares; where the codec makes another kind of value of it, as that kind compares. */
function fieldComparison(leaf: Leaf): Comparison {
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
