import type { BackendRecord, ChildRecord, Scalar } from '../backend/adapter.js';
import { childrenOf, scalarsOf, valuesOf } from '../backend/record.js';
import { readAttribute, writeAttribute } from '../scim/patch-apply.js';
import type { Projection } from '../scim/projection.js';
import type { Attribute, JsonValue, MutableResource, Resource } from '../scim/schema.js';
import {
  type AttributePlan,
  type ComplexPlan,
  fieldsOf,
  type Leaf,
  leavesOf,
  type MappingPlan,
  type RecordsPlan,
  type ReferencePlan,
  type ReferencesPlan,
  type Slot,
} from './plan.js';
import { readTemplatePath, type TemplatePath, textAt } from './resource-values.js';
import type { Template } from './template.js';

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

type AttributeReader = (record: BackendRecord, references: ReferenceView) => JsonValue | undefined;

interface ReadStep {
  readonly attribute: Attribute;
  readonly fields: readonly string[];
  readonly read: AttributeReader;
}

interface FallbackStep {
  readonly attribute: Attribute;
  readonly leaf: Leaf;
  readonly render: (resource: Resource) => string | undefined;
  /** Attributes that the template shows. */
  readonly needs: readonly Attribute[];
}

/** Records to resources, compiled from a plan. */
export interface ResourceReader {
  /** The fields to ask for so that these attributes can be read; reserved fields included. */
  fieldsFor(projection: Projection): readonly string[];
  /** The fields of single attributes, for a PATCH that needs their present values. */
  fieldsOfAttributes(attributes: ReadonlySet<Attribute>): readonly string[];
  /** `id`, `meta` and `schemas` are not made here. Only wanted attributes are read, and those that fallbacks need. */
  read(record: BackendRecord, wants: (attribute: Attribute) => boolean, references: ReferenceView): MutableResource;
  /** Reference values in the records, for wanted attributes: what has to be looked up before `read`. */
  references(
    records: readonly BackendRecord[],
    wants: (attribute: Attribute) => boolean,
  ): readonly { readonly reference: ReferencePlan; readonly values: readonly Scalar[] }[];
}

const metaFields = ['$revision', '$created', '$modified'];

export function compileReader(plan: MappingPlan): ResourceReader {
  const steps = plan.attributes.flatMap((attributePlan) => readStep(attributePlan) ?? []);
  const fallbacks = plan.attributes.flatMap((attributePlan) => fallbackSteps(attributePlan, plan));
  const constants = plan.constants;
  const needed = (wants: (attribute: Attribute) => boolean): ((attribute: Attribute) => boolean) => {
    const extra = new Set<Attribute>();
    for (const step of fallbacks) if (wants(step.attribute)) for (const attribute of step.needs) extra.add(attribute);
    return extra.size === 0 ? wants : (attribute) => wants(attribute) || extra.has(attribute);
  };
  const fieldsFor = (wants: (attribute: Attribute) => boolean): readonly string[] => {
    const needs = needed(wants);
    return [...new Set(steps.flatMap((step) => (needs(step.attribute) ? step.fields : [])))];
  };
  const byProjection = new WeakMap<Projection, readonly string[]>();
  return {
    fieldsFor(projection) {
      const cached = byProjection.get(projection);
      if (cached !== undefined) return cached;
      const fields = [...metaFields, ...fieldsFor((attribute) => projection.wants(attribute))];
      byProjection.set(projection, fields);
      return fields;
    },
    fieldsOfAttributes: (attributes) => fieldsFor((attribute) => attributes.has(attribute)),
    read(record, wants, references) {
      const resource: MutableResource = {};
      const needs = fallbacks.length === 0 ? wants : needed(wants);
      for (const step of steps) {
        if (!needs(step.attribute)) continue;
        const value = step.read(record, references);
        if (value !== undefined) writeAttribute(resource, step.attribute, value);
      }
      for (const constant of constants) {
        if (wants(constant.attribute)) writeAttribute(resource, constant.attribute, constant.value);
      }
      for (const step of fallbacks) {
        if (wants(step.attribute)) applyFallback(resource, step);
      }
      return resource;
    },
    references: (records, wants) => collectReferences(plan, records, wants),
  };
}

function readStep(plan: AttributePlan): ReadStep | undefined {
  const fields = fieldsOf(plan);
  if (fields.length === 0 && !(plan.kind === 'complex' && plan.constants.length > 0)) return undefined;
  return { attribute: plan.attribute, fields, read: attributeReader(plan) };
}

function attributeReader(plan: AttributePlan): AttributeReader {
  switch (plan.kind) {
    case 'simple':
      return plan.attribute.multiValued ? listReader(plan.leaf) : leafReader(plan.leaf);
    case 'complex':
      return complexReader(plan);
    case 'slots': {
      const readers = plan.slots.map(slotReader);
      return (record, references) => {
        const elements = readers.flatMap((reader) => reader(record, references));
        return elements.length === 0 ? undefined : elements;
      };
    }
    case 'records':
      return recordsReader(plan);
    case 'references':
      return referencesReader(plan);
  }
}

function leafReader({ field, codec }: Leaf): AttributeReader {
  return (record) => {
    // Also without a value the codec is asked: a missing lock means an active account.
    return codec.decode(valuesOf(record[field]) as readonly Scalar[])[0];
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
  return (record, references) => {
    const value: Record<string, JsonValue> = {};
    let found = false;
    for (const { name, reference, read } of readers) {
      const part = read(record, references);
      if (part === undefined) continue;
      if (reference === undefined) {
        value[name] = part;
        found = true;
        continue;
      }
      const target = references.target(reference, part as Scalar, undefined);
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
    if (!found) return undefined;
    for (const constant of plan.constants) value[constant.attribute.name] = constant.value;
    return value;
  };
}

function slotReader(slot: Slot): (record: BackendRecord, references: ReferenceView) => readonly JsonValue[] {
  const constants = Object.fromEntries(slot.constants.map((constant) => [constant.attribute.name, constant.value]));
  const leaves = slot.leaves.filter((leaf) => leaf.read);
  if (slot.multiple) {
    return (record) =>
      leaves.flatMap((leaf) =>
        leaf.codec
          .decode(scalarsOf(record, leaf.field))
          .map((value) => ({ [leaf.attribute.name]: value, ...constants })),
      );
  }
  const readers = leaves.map((leaf) => ({ name: leaf.attribute.name, read: leafReader(leaf) }));
  return (record, references) => {
    const element: Record<string, JsonValue> = {};
    let found = false;
    for (const { name, read } of readers) {
      const value = read(record, references);
      if (value === undefined) continue;
      element[name] = value;
      found = true;
    }
    return found ? [{ ...element, ...constants }] : [];
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
  const target = references.target(reference, stored, typeof known === 'string' ? known : undefined);
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
      const target = references.target(plan.reference, stored, undefined);
      if (target !== undefined) elements.push(elementOf(target, plan.attribute, references));
    }
    return elements.length === 0 ? undefined : elements;
  };
}

function collectReferences(
  plan: MappingPlan,
  records: readonly BackendRecord[],
  wants: (attribute: Attribute) => boolean,
): readonly { readonly reference: ReferencePlan; readonly values: readonly Scalar[] }[] {
  const found: { reference: ReferencePlan; values: readonly Scalar[] }[] = [];
  for (const attributePlan of plan.attributes) {
    if (!wants(attributePlan.attribute)) continue;
    if (attributePlan.kind === 'references') {
      const { field, reference } = attributePlan;
      found.push({ reference, values: records.flatMap((record) => scalarsOf(record, field)) });
    } else if (attributePlan.kind === 'records' && attributePlan.reference !== undefined) {
      found.push({
        reference: attributePlan.reference,
        values: unknownTypes(records, attributePlan, attributePlan.reference),
      });
    } else {
      for (const leaf of leavesOf(attributePlan)) {
        if (leaf.reference === undefined || !leaf.read) continue;
        const { field, reference } = leaf;
        found.push({ reference, values: records.flatMap((record) => scalarsOf(record, field)) });
      }
    }
  }
  return found.filter((entry) => entry.values.length > 0);
}

/** Ids whose type is kept beside them need no look-up, unless the rule wants something shown. */
function unknownTypes(
  records: readonly BackendRecord[],
  plan: RecordsPlan,
  reference: ReferencePlan,
): readonly Scalar[] {
  const field = plan.leaves.find((leaf) => leaf.attribute.name === 'value')?.field;
  if (field === undefined) return [];
  const { typeField } = reference;
  const isKnown = (child: ChildRecord): boolean =>
    reference.display === undefined &&
    Object.values(reference.by).every((by) => by === '$id') &&
    (reference.targets.length === 1 || (typeField !== undefined && child[typeField] !== undefined));
  return records.flatMap((record) =>
    childrenOf(record, plan.field).flatMap((child) =>
      child[field] === undefined || isKnown(child) ? [] : [child[field]],
    ),
  );
}

function fallbackSteps(attributePlan: AttributePlan, plan: MappingPlan): readonly FallbackStep[] {
  if (attributePlan.kind !== 'simple' && attributePlan.kind !== 'complex') return [];
  return leavesOf(attributePlan).flatMap((leaf) => {
    if (leaf.fallback === undefined || !leaf.read) return [];
    const { render, needs } = templateReader(leaf.fallback, plan);
    return [{ attribute: attributePlan.attribute, leaf, render, needs }];
  });
}

/** A template over a resource of the plan's type. */
export function templateReader(
  template: Template,
  plan: Pick<MappingPlan, 'type'>,
): { readonly render: (resource: Resource) => string | undefined; readonly needs: readonly Attribute[] } {
  const paths = new Map<string, TemplatePath>();
  for (const text of template.paths) {
    const path = readTemplatePath(text, plan.type);
    if (typeof path !== 'string') paths.set(text, path);
  }
  return {
    render: (resource) =>
      template.render((text) => {
        const path = paths.get(text);
        return path === undefined ? undefined : textAt(resource, path);
      }),
    needs: [...paths.values()].map((path) => path.attribute),
  };
}

function applyFallback(resource: MutableResource, { attribute, leaf, render }: FallbackStep): void {
  const present = readAttribute(resource, attribute);
  if (leaf.attribute === attribute) {
    if (present !== undefined) return;
    const text = render(resource);
    if (text !== undefined) writeAttribute(resource, attribute, text);
    return;
  }
  const complex = (present ?? {}) as { readonly [sub: string]: JsonValue };
  if (complex[leaf.attribute.name] !== undefined) return;
  const text = render(resource);
  if (text !== undefined) writeAttribute(resource, attribute, { ...complex, [leaf.attribute.name]: text });
}
