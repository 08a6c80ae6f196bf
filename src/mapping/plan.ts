import type { EntityUse } from '../backend/adapter.js';
import type { ComparisonKey } from '../scim/comparison.js';
import type { Attribute, ResourceType } from '../scim/schema.js';
import type { BoundTemplate } from './bound-template.js';
import type { AttributeValue, Codec } from './codec.js';

/** What a rule says about one simple attribute or sub-attribute: where its value lives and how it is treated. */
export interface Leaf {
  /** The simple attribute: `userName`, the sub-attribute `name.givenName`, `emails.value`. */
  readonly attribute: Attribute;
  /** The rule's own path as it was written, for messages: `emails[type eq "work"].value`. */
  readonly key: string;
  readonly field: string;
  readonly codec: Codec;
  /** The field holds many values. */
  readonly multiple: boolean;
  readonly read: boolean;
  readonly written: boolean;
  /** The caller's value is written: the rule is neither read-only nor made by a template. */
  readonly accepts: boolean;
  readonly unique: boolean;
  readonly required: boolean;
  /** One way: the field's value is made from other attributes. */
  readonly template: BoundTemplate | undefined;
  readonly defaultValue: AttributeValue | undefined;
  readonly fallback: BoundTemplate | undefined;
  readonly fallbackOnCreate: BoundTemplate | undefined;
  readonly allowed: readonly AttributeValue[] | undefined;
  readonly onUnknown: 'reject' | 'default';
  /** Texts that stand for "no value". */
  readonly clearOn: ReadonlySet<string>;
  /** The same as the attribute compares them. */
  readonly clearKeys: ReadonlySet<ComparisonKey>;
  /** A PUT without the attribute keeps the field. */
  readonly keepWhenOmitted: boolean;
  readonly reference: ReferencePlan | undefined;
}

/** A leaf whose field is made by a template. */
export type TemplateLeaf = Leaf & { readonly template: BoundTemplate };

/** What values that name other resources mean. */
export interface ReferencePlan {
  /** Names of the resource types that may be named; the first is assumed for an id that nothing is known of. */
  readonly targets: readonly string[];
  /** For each target type, the field that the values hold; `$id` is the id itself. */
  readonly by: Readonly<Record<string, string>>;
  /** The attribute of the named resource that is shown as `display`. */
  readonly display: string | undefined;
  /** `keepWherePossible`: nothing was said; kept where values are ids and the backend can keep any. */
  readonly unknown: 'keep' | 'keepWherePossible' | 'drop' | 'reject';
  /** The child field that keeps the type's name. */
  readonly typeField: string | undefined;
}

/** An attribute without a rule of its own kind below is unmapped. */
export type AttributePlan = SimplePlan | ComplexPlan | SlotsPlan | RecordsPlan | ReferencesPlan;

/** A simple attribute: one value, or (multi-valued) a list of values in one field. */
export interface SimplePlan {
  readonly kind: 'simple';
  readonly attribute: Attribute;
  readonly leaf: Leaf;
}

/** A constant sub-attribute, or a whole attribute that is a constant. */
export interface Constant {
  readonly attribute: Attribute;
  readonly value: AttributeValue;
}

/** A single complex attribute: `name`, `manager`. */
export interface ComplexPlan {
  readonly kind: 'complex';
  readonly attribute: Attribute;
  readonly leaves: readonly Leaf[];
  readonly constants: readonly Constant[];
}

/** One place of a multi-valued complex attribute: constants around mapped sub-attributes. */
export interface Slot {
  /** As the rules name it: `emails[type eq "work"]`. */
  readonly key: string;
  readonly constants: readonly Constant[];
  readonly leaves: readonly Leaf[];
  /** Each value of the one mapped field is an element. */
  readonly multiple: boolean;
  /** Takes elements without a type. */
  readonly isDefault: boolean;
}

export interface SlotsPlan {
  readonly kind: 'slots';
  readonly attribute: Attribute;
  readonly slots: readonly Slot[];
}

/** Elements kept as child records: a child table, an array of objects. */
export interface RecordsPlan {
  readonly kind: 'records';
  readonly attribute: Attribute;
  readonly field: string;
  /** One leaf a mapped sub-attribute; `field` is the child's field. */
  readonly leaves: readonly Leaf[];
  readonly read: boolean;
  readonly written: boolean;
  readonly keepWhenOmitted: boolean;
  readonly reference: ReferencePlan | undefined;
  readonly required: boolean;
}

/** Elements that are nothing but references kept as plain values: DNs, ids. */
export interface ReferencesPlan {
  readonly kind: 'references';
  readonly attribute: Attribute;
  readonly field: string;
  readonly codec: Codec;
  readonly read: boolean;
  readonly written: boolean;
  readonly keepWhenOmitted: boolean;
  readonly reference: ReferencePlan;
  readonly required: boolean;
}

/** What is to be known of fields, whichever rules use them. */
export interface FieldSets {
  /** May hold many values. */
  readonly multiple: ReadonlySet<string>;
}

/** The other end of a reference that lives in another backend: which records there name this one is found by a search. */
export interface SearchedInverse {
  /** What the rule calls the field; records of the backend itself do not have it. */
  readonly field: string;
  /** For a list of child records: where an element has the value, and where the name of the type. */
  readonly child: { readonly value: string; readonly type: string | undefined } | undefined;
  /** The resource type whose records hold the reference, and where they do. */
  readonly holder: string;
  readonly holderField: string;
  readonly holderChild: string | undefined;
  /** The field of one's own record that the reference holds; `$id` is the id. */
  readonly ownKey: string;
  /** The field of the holder that is given. */
  readonly gives: string;
}

/** A resource type's rules, compiled once. Everything that later steps ask is a look-up here. */
export interface MappingPlan {
  readonly type: ResourceType;
  readonly entity: string;
  readonly attributes: readonly AttributePlan[];
  /** By `Attribute.path` of the top-level attribute. */
  readonly byPath: ReadonlyMap<string, AttributePlan>;
  /** Constants for whole simple attributes. */
  readonly constants: readonly Constant[];
  /** Rules whose field is made by a template. */
  readonly templates: readonly TemplateLeaf[];
  /** Attributes whose rules say something about values: `values`, `clearOn`. */
  readonly valueRules: readonly AttributePlan[];
  /** Attributes whose rules make up values on create: `default`, `fallbackOnCreate`. */
  readonly createRules: readonly AttributePlan[];
  /** Attributes whose rules say `required`. */
  readonly requiredRules: readonly AttributePlan[];
  readonly fields: FieldSets;
  /** What the adapter is asked for. */
  readonly use: EntityUse;
  /** Fields that the adapter knows nothing of, since another one keeps what they mirror. */
  readonly searched: readonly SearchedInverse[];
  /** Changes with the rules, so that an ETag of another mapping never matches. */
  readonly fingerprint: string;
  /** Known but unmapped attributes in bodies: dropped and reported, or 400. */
  readonly unmapped: 'drop' | 'reject';
}

/** The rule's leaf for a sub-attribute. */
export function leafFor(leaves: readonly Leaf[], sub: Attribute): Leaf | undefined {
  return leaves.find((leaf) => leaf.attribute === sub);
}

/** All leaves of an attribute, slots' and children's included. */
export function leavesOf(plan: AttributePlan): readonly Leaf[] {
  switch (plan.kind) {
    case 'simple':
      return [plan.leaf];
    case 'complex':
    case 'records':
      return plan.leaves;
    case 'slots':
      return plan.slots.flatMap((slot) => slot.leaves);
    case 'references':
      return [];
  }
}

/** The record's fields that an attribute is read from. */
export function fieldsOf(plan: AttributePlan): readonly string[] {
  switch (plan.kind) {
    case 'records':
    case 'references':
      return plan.read ? [plan.field] : [];
    default:
      return leavesOf(plan).flatMap((leaf) => (leaf.read ? [leaf.field] : []));
  }
}

/** Whether any rule of the attribute writes a field. */
export function isWritten(plan: AttributePlan): boolean {
  switch (plan.kind) {
    case 'records':
    case 'references':
      return plan.written;
    default:
      return leavesOf(plan).some((leaf) => leaf.written);
  }
}

/** Whether what a caller sends of the attribute, or of some part of it, is written. */
export function takesValues(plan: AttributePlan): boolean {
  return plan.kind === 'records' || plan.kind === 'references'
    ? plan.written
    : leavesOf(plan).some((leaf) => leaf.accepts);
}

/** What the attribute's values refer to, where they name other resources. */
export function referenceOf(plan: AttributePlan): ReferencePlan | undefined {
  if (plan.kind === 'records' || plan.kind === 'references') return plan.reference;
  return plan.kind === 'complex' ? plan.leaves.find((leaf) => leaf.reference !== undefined)?.reference : undefined;
}

/** A list whose elements are nothing but references. */
export function isReferenceList(
  plan: AttributePlan,
): plan is ReferencesPlan | (RecordsPlan & { readonly reference: ReferencePlan }) {
  return plan.kind === 'references' || (plan.kind === 'records' && plan.reference !== undefined);
}

/** Whether the values are ids themselves, and not what some field of the named record holds. */
export function holdsIds({ by }: ReferencePlan): boolean {
  return Object.values(by).every((field) => field === '$id');
}
