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
  switch (plan.kind) {
    case 'simple': {
      encodeLeaf(plan.leaf, valuesIn(value), current, fields);
      return;
    }
    case 'complex':
      encodeComplex(plan, asComplex(value), current, context, fields);
      return;
    case 'slots':
      encodeSlots(plan, elementsOf(value), current, context, fields);
      return;
    case 'records':
      fields.set(plan.field, encodeRecords(plan, elementsOf(value), context));
      return;
    case 'references':
      fields.set(
        plan.field,
        elementsOf(value).flatMap((element) => encodeReference(plan, asComplex(element), context)),
      );
      return;
  }
}

/** The values of a simple attribute, single or many. */
export function valuesIn(value: JsonValue | undefined): readonly AttributeValue[] {
  if (value === undefined) return [];
  return Array.isArray(value) ? (value as readonly AttributeValue[]) : [value as AttributeValue];
}

/** The elements that have a home, as child records. */
export function encodeRecords(
  plan: RecordsPlan,
  elements: readonly JsonValue[],
  context: WriteContext,
): readonly ChildRecord[] {
  const children: ChildRecord[] = [];
  for (const element of elements) {
    const child = encodeRecord(plan, asComplex(element), context);
    if (child !== undefined) children.push(child);
  }
  return children;
}

function elementsOf(value: JsonValue | undefined): readonly JsonValue[] {
  return Array.isArray(value) ? (value as readonly JsonValue[]) : [];
}

function encodeLeaf(
  leaf: Leaf,
  values: readonly AttributeValue[],
  current: BackendRecord | undefined,
  fields: Map<string, FieldValues>,
): void {
  if (!leaf.accepts) return;
  fields.set(leaf.field, leaf.codec.encode(values, current === undefined ? [] : scalarsOf(current, leaf.field)));
}

function encodeComplex(
  plan: ComplexPlan,
  value: ComplexValue,
  current: BackendRecord | undefined,
  context: WriteContext,
  fields: Map<string, FieldValues>,
): void {
  for (const leaf of plan.leaves) {
    const part = leaf.reference === undefined ? value[leaf.attribute.name] : referencedId(value);
    if (leaf.reference === undefined) {
      encodeLeaf(leaf, valuesIn(part), current, fields);
    } else if (leaf.written) {
      const stored =
        typeof part === 'string' ? storedReference(leaf.reference, part, value, plan.attribute, context) : undefined;
      fields.set(leaf.field, stored === undefined ? [] : leaf.codec.encode([stored.value as AttributeValue], []));
    }
  }
}

function encodeSlots(
  plan: SlotsPlan,
  elements: readonly JsonValue[],
  current: BackendRecord | undefined,
  context: WriteContext,
  fields: Map<string, FieldValues>,
): void {
  const bySlot = assignSlots(plan, elements, context.dropped);
  for (const slot of plan.slots) {
    const own = (bySlot.get(slot) ?? []).map(asComplex);
    for (const leaf of slot.leaves) {
      const values = own.flatMap((element) => {
        const part = element[leaf.attribute.name];
        return part === undefined ? [] : [part as AttributeValue];
      });
      encodeLeaf(leaf, values, current, fields);
    }
  }
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

/** The id that an element or a complex value refers to: its `value`, else the last part of its `$ref`. */
export function referencedId(element: ComplexValue): string | undefined {
  if (typeof element.value === 'string') return element.value;
  const uri = element.$ref;
  return typeof uri === 'string' ? decodedLastSegment(uri) : undefined;
}

function decodedLastSegment(uri: string): string | undefined {
  const segment = uri
    .split(/[?#]/)[0]
    ?.split('/')
    .findLast((part) => part !== '');
  try {
    return segment === undefined ? undefined : decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

/** The stored form of an element of plain references, as a list of none or one. */
export function encodeReference(plan: ReferencesPlan, element: ComplexValue, context: WriteContext): readonly Scalar[] {
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
