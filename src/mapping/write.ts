import type { BackendRecord, ChildRecord, Scalar } from '../backend/adapter.js';
import { scalarsOf } from '../backend/record.js';
import { ScimError } from '../scim/error.js';
import { asComplex, readAttribute } from '../scim/patch-apply.js';
import type { Attribute, JsonValue, Resource } from '../scim/schema.js';
import type { AttributeValue } from './codec.js';
import {
  type AttributePlan,
  type ComplexPlan,
  isWritten,
  type Leaf,
  leafFor,
  leavesOf,
  type MappingPlan,
  type RecordsPlan,
  type ReferencePlan,
  type ReferencesPlan,
  type SlotsPlan,
} from './plan.js';
import { templateReader } from './read.js';
import { assignSlots } from './slots.js';

/** How ids are kept in this backend; filled in batches before resources are written. */
export interface ReferenceStoreView {
  /** @returns undefined for an id that is not kept: it names nothing here, and the rule drops such ids */
  stored(
    reference: ReferencePlan,
    id: string,
    type: string | undefined,
  ): { readonly value: Scalar; readonly type: string | undefined } | undefined;
}

export interface WriteContext {
  readonly references: ReferenceStoreView;
  /** Told of everything that the caller sent and that has no home. */
  readonly dropped: (what: string, why: string) => void;
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
    encodeTemplates(attributePlan, plan, resource, attributes, fields);
  }
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
  if (!leaf.written || leaf.template !== undefined) return;
  fields.set(leaf.field, leaf.codec.encode(values, current === undefined ? [] : scalarsOf(current, leaf.field)));
}

function encodeComplex(
  plan: ComplexPlan,
  value: { readonly [sub: string]: JsonValue },
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
  reportUnmappedSubs(
    plan.attribute,
    value,
    (sub) => leafFor(plan.leaves, sub) !== undefined || hasReference(plan.leaves),
    context,
  );
}

function hasReference(leaves: readonly Leaf[]): boolean {
  return leaves.some((leaf) => leaf.reference !== undefined);
}

/** Sub-attributes that were sent and have no rule. */
function reportUnmappedSubs(
  attribute: Attribute,
  value: { readonly [sub: string]: JsonValue },
  isMapped: (sub: Attribute) => boolean,
  context: WriteContext,
): void {
  for (const sub of attribute.subAttributes) {
    if (value[sub.name] === undefined || isMapped(sub) || sub.mutability === 'readOnly') continue;
    context.dropped(sub.path, 'not mapped');
  }
}

function encodeSlots(
  plan: SlotsPlan,
  elements: readonly JsonValue[],
  current: BackendRecord | undefined,
  context: WriteContext,
  fields: Map<string, FieldValues>,
): void {
  const { bySlot, dropped } = assignSlots(plan, elements);
  for (const { element, why } of dropped) context.dropped(describeElement(plan.attribute, element), why);
  for (const slot of plan.slots) {
    const own = (bySlot.get(slot) ?? []).map(asComplex);
    for (const leaf of slot.leaves) {
      const values = own.flatMap((element) => {
        const part = element[leaf.attribute.name];
        return part === undefined ? [] : [part as AttributeValue];
      });
      encodeLeaf(leaf, values, current, fields);
    }
    const isKnown = (sub: Attribute): boolean =>
      leafFor(slot.leaves, sub) !== undefined || slot.constants.some((constant) => constant.attribute === sub);
    for (const element of own) reportUnmappedSubs(plan.attribute, element, isKnown, context);
  }
}

/** `emails[type eq "home"]`: what kind of element it was, without its value. */
function describeElement(attribute: Attribute, element: JsonValue): string {
  const { type } = asComplex(element);
  return typeof type === 'string' ? `${attribute.path}[type eq "${type}"]` : attribute.path;
}

/** One element as a child record; undefined when it is a reference that is not kept. */
export function encodeRecord(
  plan: RecordsPlan,
  element: { readonly [sub: string]: JsonValue },
  context: WriteContext,
): ChildRecord | undefined {
  const child: Record<string, Scalar> = {};
  for (const leaf of plan.leaves) {
    const part = leaf.reference === undefined ? element[leaf.attribute.name] : referencedId(element);
    if (part === undefined || (typeof part === 'string' && leaf.clearOn.has(part))) continue;
    if (leaf.reference === undefined) {
      const [value] = leaf.codec.encode([part as AttributeValue], []);
      if (value !== undefined) child[leaf.field] = value;
      continue;
    }
    const stored = storedReference(leaf.reference, String(part), element, plan.attribute, context);
    if (stored === undefined) return undefined;
    child[leaf.field] = stored.value;
    if (leaf.reference.typeField !== undefined && stored.type !== undefined)
      child[leaf.reference.typeField] = stored.type;
  }
  if (plan.reference !== undefined) {
    // What only repeats the reference is computed on reading; it is not kept, and nothing is lost.
    const { typeField } = plan.reference;
    const valueField = plan.leaves.find((leaf) => leaf.reference !== undefined)?.field;
    for (const name of Object.keys(child)) if (name !== typeField && name !== valueField) delete child[name];
    if (valueField === undefined || child[valueField] === undefined) {
      context.dropped(plan.attribute.path, 'an element without "value"');
      return undefined;
    }
    return child;
  }
  reportUnmappedSubs(plan.attribute, element, (sub) => leafFor(plan.leaves, sub) !== undefined, context);
  return Object.keys(child).length === 0 ? undefined : child;
}

/** The id that an element or a complex value refers to: its `value`, else the last part of its `$ref`. */
export function referencedId(element: { readonly [sub: string]: JsonValue }): string | undefined {
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
export function encodeReference(
  plan: ReferencesPlan,
  element: { readonly [sub: string]: JsonValue },
  context: WriteContext,
): readonly Scalar[] {
  const value = referencedId(element);
  if (value === undefined) {
    context.dropped(plan.attribute.path, 'an element without "value"');
    return [];
  }
  const stored = storedReference(plan.reference, value, element, plan.attribute, context);
  return stored === undefined ? [] : plan.codec.encode([stored.value as AttributeValue], []);
}

function storedReference(
  reference: ReferencePlan,
  id: string,
  element: { readonly [sub: string]: JsonValue },
  attribute: Attribute,
  context: WriteContext,
): { readonly value: Scalar; readonly type: string | undefined } | undefined {
  const hint = typeof element.type === 'string' ? element.type : undefined;
  const stored = context.references.stored(reference, id, hint);
  if (stored !== undefined) return stored;
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
  attributePlan: AttributePlan,
  plan: MappingPlan,
  resource: Resource,
  attributes: ReadonlySet<Attribute> | undefined,
  fields: Map<string, FieldValues>,
): void {
  for (const leaf of leavesOf(attributePlan)) {
    if (leaf.template === undefined || !leaf.written) continue;
    const { render, needs } = templateReader(leaf.template, plan);
    if (attributes !== undefined && !needs.some((attribute) => attributes.has(attribute))) continue;
    const text = render(resource);
    fields.set(leaf.field, text === undefined ? [] : [text]);
  }
}

/**
 * Reports attributes of the resource that have no rule; with `unmapped: reject` they are refused.
 * @throws ScimError invalidValue for `active: false` and for members without a rule: an account that is not disabled must
 *   not look disabled
 */
export function reportUnmapped(
  plan: MappingPlan,
  attribute: Attribute,
  value: JsonValue | undefined,
  context: WriteContext,
): void {
  const attributePlan = plan.byPath.get(attribute.path);
  if (attributePlan !== undefined && isWritten(attributePlan)) return;
  if (plan.constants.some((constant) => constant.attribute === attribute && constant.value === value)) return;
  const { name } = plan.type;
  if ((attribute.path === 'active' && value === false) || attribute.path === 'members') {
    throw ScimError.badRequest(
      'invalidValue',
      `"${attribute.path}" cannot be written: this gateway has no rule for it. Add "${attribute.path}: <field>" to the mapping of ${name}.`,
    );
  }
  if (plan.unmapped === 'reject') {
    throw ScimError.badRequest(
      'invalidValue',
      `"${attribute.path}" is not mapped for ${name}, and the mapping says "unmapped: reject".`,
    );
  }
  context.dropped(attribute.path, attributePlan === undefined ? 'not mapped' : 'mapped for reading only');
}

/** The top-level attributes that a resource has. */
export function attributesIn(plan: MappingPlan, resource: Resource): readonly Attribute[] {
  return plan.type.attributes.filter((attribute) => readAttribute(resource, attribute) !== undefined);
}
