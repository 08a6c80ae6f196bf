import type { BackendRecord, ChildRecord, Scalar } from '../backend/adapter.js';
import { childrenOf, scalarsOf, valuesOf } from '../backend/record.js';
import type { Attribute, JsonValue } from '../scim/schema.js';
import { identityCodec } from './codecs/identity.js';
import type {
  AttributePlan,
  ComplexPlan,
  Constant,
  Leaf,
  RecordsPlan,
  ReferencePlan,
  ReferencesPlan,
  Slot,
} from './plan.js';

/** A resource that a stored value names. */
export interface ReferenceTarget {
  readonly id: string;
  /** Undefined when the id names nothing here and nothing was said of it. */
  readonly type: string | undefined;
  readonly display?: string;
}

/** What stored reference values mean; filled in batches before records are read. */
export interface ReferenceView {
  /** @returns undefined for a value that names no resource of this gateway, which is then left out */
  target(reference: ReferencePlan, stored: Scalar, knownType: string | undefined): ReferenceTarget | undefined;
  /** The URI of a resource. */
  uri(type: string, id: string): string;
}

export type AttributeReader = (record: BackendRecord, references: ReferenceView) => JsonValue | undefined;

/** How the attribute's value is made of a record's fields; undefined when they hold none. */
export function attributeReader(plan: AttributePlan): AttributeReader {
  switch (plan.kind) {
    case 'simple':
      return plan.attribute.multiValued ? listReader(plan.leaf) : leafReader(plan.leaf);
    case 'complex':
      return complexReader(plan);
    case 'slots': {
      const readers = plan.slots.map(slotReader);
      return (record, references) => {
        const elements: JsonValue[] = [];
        for (const read of readers) read(record, references, elements);
        return elements.length === 0 ? undefined : elements;
      };
    }
    case 'records':
      return recordsReader(plan);
    case 'references':
      return referencesReader(plan);
  }
}

const textCodec = identityCodec('string');

function leafReader({ field, codec }: Leaf): AttributeReader {
  const isText = codec === textCodec;
  return (record) => {
    const stored = record[field];
    if (isText && typeof stored === 'string') return stored;
    // Also without a value the codec is asked: a missing lock means an active account.
    return codec.decode(valuesOf(stored) as readonly Scalar[])[0];
  };
}

function listReader({ field, codec }: Leaf): AttributeReader {
  return (record) => {
    const values = codec.decode(scalarsOf(record, field));
    return values.length === 0 ? undefined : values;
  };
}

function complexReader(plan: ComplexPlan): AttributeReader {
  const leaves = plan.leaves.filter((leaf) => leaf.read);
  const readers = leaves.map((leaf) => ({
    name: leaf.attribute.name,
    reference: leaf.reference,
    read: leaf.attribute.multiValued ? listReader(leaf) : leafReader(leaf),
  }));
  const hasType = plan.attribute.subAttributes.some((sub) => sub.name === 'type');
  const displayName = plan.attribute.subAttributes.find(
    (sub) => sub.name === 'displayName' || sub.name === 'display',
  )?.name;
  // With constants an empty text is not enough to make a value; constants alone always are one.
  const isValue = plan.constants.length === 0 ? () => true : (part: JsonValue) => part !== '';
  const isAlways = leaves.length === 0;
  const constants = constantParts(plan.constants);
  return (record, references) => {
    const value: Record<string, JsonValue> = {};
    let found = isAlways;
    for (const { name, reference, read } of readers) {
      const part = read(record, references);
      if (part === undefined) continue;
      if (reference === undefined) {
        value[name] = part;
        found ||= isValue(part);
        continue;
      }
      const target = named(references, reference, part as Scalar);
      if (target === undefined) continue;
      found = true;
      value[name] = target.id;
      const type = target.type ?? reference.targets[0];
      if (type !== undefined) {
        value.$ref = references.uri(type, target.id);
        if (hasType) value.type = type;
      }
      if (displayName !== undefined && target.display !== undefined) value[displayName] = target.display;
    }
    return found ? Object.assign(value, constants) : undefined;
  };
}

/** What a stored value names; an empty text names nothing. */
function named(
  references: ReferenceView,
  reference: ReferencePlan,
  stored: Scalar,
  knownType?: string,
): ReferenceTarget | undefined {
  return stored === '' ? undefined : references.target(reference, stored, knownType);
}

/** Constants as the parts of an element. */
export function constantParts(constants: readonly Constant[]): Readonly<Record<string, JsonValue>> {
  return Object.fromEntries(constants.map(({ attribute, value }) => [attribute.name, value]));
}

type SlotReader = (record: BackendRecord, references: ReferenceView, elements: JsonValue[]) => void;

/** Adds an element where a mapped field has a value; an empty text is none. */
function slotReader(slot: Slot): SlotReader {
  const constants = constantParts(slot.constants);
  const leaves = slot.leaves.filter((leaf) => leaf.read);
  if (slot.multiple) {
    return (record, _, elements) => {
      for (const { codec, field, attribute } of leaves) {
        for (const value of codec.decode(scalarsOf(record, field))) {
          if (value !== '') elements.push({ [attribute.name]: value, ...constants });
        }
      }
    };
  }
  const readers = leaves.map((leaf) => ({ name: leaf.attribute.name, read: leafReader(leaf) }));
  return (record, references, elements) => {
    const element: Record<string, JsonValue> = {};
    let found = false;
    for (const { name, read } of readers) {
      const value = read(record, references);
      if (value === undefined) continue;
      element[name] = value;
      found ||= value !== '';
    }
    if (found) elements.push(Object.assign(element, constants));
  };
}

function recordsReader(plan: RecordsPlan): AttributeReader {
  const { field, reference } = plan;
  const leaves = plan.leaves.map((leaf) => ({ name: leaf.attribute.name, field: leaf.field, codec: leaf.codec }));
  return (record, references) => {
    const elements: JsonValue[] = [];
    for (const child of childrenOf(record, field)) {
      const element = reference === undefined ? {} : referenceElement(child, plan, reference, references);
      if (element === undefined) continue;
      for (const leaf of leaves) {
        if (Object.hasOwn(element, leaf.name)) continue;
        const raw = child[leaf.field];
        const value = raw === undefined ? undefined : leaf.codec.decode([raw])[0];
        if (value !== undefined) element[leaf.name] = value;
      }
      if (Object.keys(element).length > 0) elements.push(element);
    }
    return elements.length === 0 ? undefined : elements;
  };
}

function referenceElement(
  child: ChildRecord,
  plan: RecordsPlan,
  reference: ReferencePlan,
  references: ReferenceView,
): Record<string, JsonValue> | undefined {
  const valueField = plan.leaves.find((leaf) => leaf.attribute.name === 'value')?.field;
  const stored = valueField === undefined ? undefined : child[valueField];
  if (stored === undefined) return undefined;
  const known = reference.typeField === undefined ? undefined : child[reference.typeField];
  const target = named(references, reference, stored, typeof known === 'string' ? known : undefined);
  return target === undefined ? undefined : elementOf(target, plan.attribute, references);
}

/** `value`, `$ref`, `type` always; `display` where the rule asks for it. */
function elementOf(
  target: ReferenceTarget,
  attribute: Attribute,
  references: ReferenceView,
): Record<string, JsonValue> {
  const element: Record<string, JsonValue> = { value: target.id };
  if (target.type !== undefined) {
    element.$ref = references.uri(target.type, target.id);
    // User.groups tells how the membership came (RFC 7643 §4.1.2); elsewhere the type is the resource type's name.
    if (attribute.subAttributes.some((sub) => sub.name === 'type')) {
      element.type = attribute.path === 'groups' ? 'direct' : target.type;
    }
  }
  if (target.display !== undefined) element.display = target.display;
  return element;
}

function referencesReader(plan: ReferencesPlan): AttributeReader {
  return (record, references) => {
    const elements: JsonValue[] = [];
    for (const stored of scalarsOf(record, plan.field)) {
      const target = named(references, plan.reference, stored);
      if (target !== undefined) elements.push(elementOf(target, plan.attribute, references));
    }
    return elements.length === 0 ? undefined : elements;
  };
}
