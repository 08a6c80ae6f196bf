import type { BackendRecord, ChildRecord, Scalar } from '../backend/adapter.js';
import { scalarsOf } from '../backend/record.js';
import { asComplex, type ComplexValue, readAttribute } from '../scim/attribute-value.js';
import { comparisonOf, keyOf } from '../scim/comparison.js';
import { ScimError } from '../scim/error.js';
import type { Attribute, JsonValue, Resource } from '../scim/schema.js';
import type { AttributeValue } from './codec.js';
import {
  type AttributePlan,
  type ComplexPlan,
  isWritten,
  type Leaf,
  type MappingPlan,
  type RecordsPlan,
  type ReferencePlan,
  type ReferencesPlan,
  type SimplePlan,
  type SlotsPlan,
} from './plan.js';
import { assignSlots } from './slots.js';

/** How ids are kept in this backend; filled in batches before resources are written. */
export interface ReferenceStoreView {
  /** @returns undefined for an id that is not kept: it names nothing here, and the rule drops such ids */
  stored(
    reference: ReferencePlan,
    id: string,
    type: string | undefined,
  ): { readonly value: Scalar; readonly type: string | undefined } | undefined;
  /** The stored form to look for or to take away, also of an id that would not be kept now. */
  sought(reference: ReferencePlan, id: string): Scalar | undefined;
}

export interface WriteContext {
  readonly references: ReferenceStoreView;
  /** Told of everything that the caller sent and that has no home. */
  readonly dropped: (what: string, why: string) => void;
  /** Whether an id is there already: then nobody asks for it, and it is neither refused nor reported. */
  readonly isOld?: (id: string) => boolean;
}

export type FieldValues = readonly Scalar[] | readonly ChildRecord[];

/**
 * The fields that the attributes' rules write, with their values (empty clears). Only writable rules take part.
 * @param attributes which top-level attributes; undefined: all
 * @param current the record as it is, for codecs that keep part of a field
 * @throws ScimError invalidValue when a codec cannot express a value
 */
export function encodeFields(
  plan: MappingPlan,
  resource: Resource,
  attributes: ReadonlySet<Attribute> | undefined,
  current: BackendRecord | undefined,
  context: WriteContext,
): Map<string, FieldValues> {
  const fields = new Map<string, FieldValues>();
  for (const attributePlan of plan.attributes) {
    const isMeant = attributes === undefined || attributes.has(attributePlan.attribute);
    if (isMeant && isWritten(attributePlan)) encodeAttribute(attributePlan, resource, current, context, fields);
  }
  encodeTemplates(plan, resource, attributes, fields);
  return fields;
}

function encodeAttribute(
  plan: AttributePlan,
  resource: Resource,
  current: BackendRecord | undefined,
  context: WriteContext,
  fields: Map<string, FieldValues>,
): void {
  const value = readAttribute(resource, plan.attribute);
  if (plan.kind === 'records' || plan.kind === 'references') {
    fields.set(plan.field, encodeList(plan, elementsOf(value), context));
    return;
  }
  for (const { leaf, values } of leafValues(plan, value, context.dropped))
    fields.set(leaf.field, encodeLeaf(leaf, values, current, context));
}

/** A rule that writes what callers send, with its values in a resource. */
export interface LeafValues {
  readonly leaf: Leaf;
  readonly values: readonly AttributeValue[];
}

/**
 * What each of the attribute's rules gets, in the order of the rules.
 * @param dropped told of elements that a single slot has no room for
 */
export function leafValues(
  plan: SimplePlan | ComplexPlan | SlotsPlan,
  value: JsonValue | undefined,
  dropped: WriteContext['dropped'],
): readonly LeafValues[] {
  switch (plan.kind) {
    case 'simple':
      return plan.leaf.accepts ? [{ leaf: plan.leaf, values: valuesIn(value) }] : [];
    case 'complex':
      return partValues(plan.leaves, [asComplex(value)]);
    case 'slots': {
      const bySlot = assignSlots(plan, elementsOf(value), dropped);
      return plan.slots.flatMap((slot) => partValues(slot.leaves, (bySlot.get(slot) ?? []).map(asComplex)));
    }
  }
}

function partValues(leaves: readonly Leaf[], elements: readonly ComplexValue[]): readonly LeafValues[] {
  return leaves.flatMap((leaf) => {
    if (!leaf.accepts) return [];
    const { name } = leaf.attribute;
    const values = elements.flatMap((element) =>
      valuesIn(leaf.reference === undefined ? element[name] : referencedId(element)),
    );
    return [{ leaf, values }];
  });
}

/**
 * The field's values for those of a rule; none clear it. An id that is not kept leaves nothing.
 * @param current the record as it is, for codecs that keep part of a field
 * @throws ScimError invalidValue when they cannot be expressed
 */
export function encodeLeaf(
  leaf: Leaf,
  values: readonly AttributeValue[],
  current: BackendRecord | undefined,
  context: WriteContext,
): readonly Scalar[] {
  const { codec, field, reference, attribute } = leaf;
  if (reference === undefined) return codec.encode(values, current === undefined ? [] : scalarsOf(current, field));
  return values.flatMap((id) => {
    const stored = storedReference(reference, String(id), {}, attribute.parent ?? attribute, context);
    return stored === undefined ? [] : codec.encode([stored.value as AttributeValue], []);
  });
}

/** The values of a simple attribute, single or many. */
export function valuesIn(value: JsonValue | undefined): readonly AttributeValue[] {
  if (value === undefined) return [];
  return Array.isArray(value) ? (value as readonly AttributeValue[]) : [value as AttributeValue];
}

/** The elements that are kept, as child records or as plain references. */
export function encodeList(
  plan: RecordsPlan | ReferencesPlan,
  elements: readonly JsonValue[],
  context: WriteContext,
): FieldValues {
  if (plan.kind === 'references')
    return elements.flatMap((element) => encodeReference(plan, asComplex(element), context));
  const children: ChildRecord[] = [];
  for (const element of elements) {
    const child = encodeRecord(plan, asComplex(element), context);
    if (child !== undefined) children.push(child);
  }
  return children;
}

export function elementsOf(value: JsonValue | undefined): readonly JsonValue[] {
  return Array.isArray(value) ? (value as readonly JsonValue[]) : [];
}

/** One element as a child record; undefined when nothing of it is kept. */
function encodeRecord(plan: RecordsPlan, element: ComplexValue, context: WriteContext): ChildRecord | undefined {
  if (plan.reference !== undefined) return encodeReferenceRecord(plan, plan.reference, element, context);
  const child: Record<string, Scalar> = {};
  for (const leaf of plan.leaves) {
    const part = element[leaf.attribute.name];
    if (part === undefined || isCleared(leaf, part)) continue;
    const [value] = leaf.codec.encode([part as AttributeValue], []);
    if (value !== undefined) child[leaf.field] = value;
  }
  return Object.keys(child).length === 0 ? undefined : child;
}

/** What only repeats the reference is computed on reading: of an element, the id and its type are kept. */
function encodeReferenceRecord(
  plan: RecordsPlan,
  reference: ReferencePlan,
  element: ComplexValue,
  context: WriteContext,
): ChildRecord | undefined {
  const leaf = plan.leaves.find((candidate) => candidate.reference !== undefined);
  const id = referencedId(element);
  if (leaf === undefined || id === undefined) {
    context.dropped(plan.attribute.path, 'an element without "value"');
    return undefined;
  }
  const stored = storedReference(reference, id, element, plan.attribute, context);
  if (stored === undefined) return undefined;
  const { typeField } = reference;
  return {
    [leaf.field]: stored.value,
    ...(typeField === undefined || stored.type === undefined ? {} : { [typeField]: stored.type }),
  };
}

/** Whether the value is one that the rule's `clearOn` takes for "no value". */
export function isCleared({ attribute, clearKeys }: Leaf, value: JsonValue): boolean {
  if (clearKeys.size === 0) return false;
  const key = keyOf(comparisonOf(attribute), value);
  return key !== undefined && clearKeys.has(key);
}

/** The id that an element or a complex value refers to. A `$ref` beside it only repeats it, or is left from another. */
export function referencedId(element: ComplexValue): string | undefined {
  return typeof element.value === 'string' && element.value !== '' ? element.value : undefined;
}

/** The stored form of an element of plain references, as a list of none or one. */
function encodeReference(plan: ReferencesPlan, element: ComplexValue, context: WriteContext): readonly Scalar[] {
  const value = referencedId(element);
  if (value === undefined) {
    context.dropped(plan.attribute.path, 'an element without "value"');
    return [];
  }
  const stored = storedReference(plan.reference, value, element, plan.attribute, context);
  return stored === undefined ? [] : plan.codec.encode([stored.value as AttributeValue], []);
}

/**
 * How an id is kept; undefined when it is not.
 * @throws ScimError invalidValue when it names nothing here and the rule rejects such ids
 */
export function storedReference(
  reference: ReferencePlan,
  id: string,
  element: ComplexValue,
  attribute: Attribute,
  context: WriteContext,
): { readonly value: Scalar; readonly type: string | undefined } | undefined {
  const hint = typeof element.type === 'string' ? element.type : undefined;
  const stored = context.references.stored(reference, id, hint);
  if (stored !== undefined) return stored;
  if (context.isOld?.(id) === true) return undefined;
  if (reference.unknown === 'reject') {
    throw ScimError.badRequest(
      'invalidValue',
      `"${attribute.path}" names a resource that is not here: ${id.slice(0, 80)}.`,
    );
  }
  context.dropped(attribute.path, 'names a resource that is not here');
  return undefined;
}

/** Fields made from templates, when an attribute that they show is among those written. */
function encodeTemplates(
  plan: MappingPlan,
  resource: Resource,
  attributes: ReadonlySet<Attribute> | undefined,
  fields: Map<string, FieldValues>,
): void {
  for (const { field, codec, template } of plan.templates) {
    if (attributes !== undefined && !template.needs.some((attribute) => attributes.has(attribute))) continue;
    const text = template.render(resource);
    fields.set(field, text === undefined ? [] : codec.encode([text], []));
  }
}

/** The top-level attributes that a resource has. */
export function attributesIn(plan: MappingPlan, resource: Resource): readonly Attribute[] {
  return plan.type.attributes.filter((attribute) => readAttribute(resource, attribute) !== undefined);
}
