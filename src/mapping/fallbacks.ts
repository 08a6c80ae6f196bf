import { asComplex, readAttribute, writeAttribute } from '../scim/attribute-value.js';
import type { Attribute, JsonValue, MutableResource, Resource } from '../scim/schema.js';
import { constantParts } from './attribute-readers.js';
import type { BoundTemplate } from './bound-template.js';
import { type AttributePlan, type Leaf, leavesOf, type MappingPlan, type Slot, type SlotsPlan } from './plan.js';
import { slotFor } from './slots.js';

/** A rule's `fallback`: what an attribute shows while its field is empty. */
export interface Fallback {
  readonly attribute: Attribute;
  /** Attributes that its template shows. */
  readonly needs: readonly Attribute[];
  /** @returns undefined when the field has a value, or the template makes none */
  make(resource: Resource): string | undefined;
  put(resource: MutableResource, text: string): void;
}

export function compileFallbacks(plan: MappingPlan): readonly Fallback[] {
  return plan.attributes.flatMap((attributePlan) =>
    leavesOf(attributePlan).flatMap((leaf) =>
      leaf.fallback === undefined || !leaf.read ? [] : [compileFallback(attributePlan, leaf, leaf.fallback)],
    ),
  );
}

function compileFallback(plan: AttributePlan, leaf: Leaf, template: BoundTemplate): Fallback {
  const { attribute } = plan;
  const { name } = leaf.attribute;
  const slot = plan.kind === 'slots' ? plan.slots.find((candidate) => candidate.leaves.includes(leaf)) : undefined;
  const place = placeOf(plan, slot);
  const isSimple = leaf.attribute === attribute;
  const partOf = (resource: Resource): JsonValue | undefined =>
    isSimple ? readAttribute(resource, attribute) : asComplex(place.read(resource))[name];
  return {
    attribute,
    needs: template.needs,
    make(resource) {
      const present = partOf(resource);
      return present === undefined || present === '' ? template.render(resource) : undefined;
    },
    put(resource, text) {
      if (isSimple) writeAttribute(resource, attribute, text);
      else place.write(resource, { ...place.empty, ...asComplex(place.read(resource)), [name]: text });
    },
  };
}

/** Where the parts of a complex value are: in the attribute, or in one element of it. */
interface Place {
  /** The parts that a value has from the start. */
  readonly empty: Readonly<Record<string, JsonValue>>;
  read(resource: Resource): JsonValue | undefined;
  write(resource: MutableResource, value: JsonValue): void;
}

function placeOf(plan: AttributePlan, slot: Slot | undefined): Place {
  const { attribute } = plan;
  if (plan.kind !== 'slots' || slot === undefined) {
    return {
      empty: constantParts(plan.kind === 'complex' ? plan.constants : []),
      read: (resource) => readAttribute(resource, attribute),
      write: (resource, value) => writeAttribute(resource, attribute, value),
    };
  }
  return {
    empty: constantParts(slot.constants),
    read: (resource) => elementsOf(plan, resource).find((element) => slotFor(plan, element) === slot),
    write(resource, value) {
      const elements = elementsOf(plan, resource);
      const index = elements.findIndex((element) => slotFor(plan, element) === slot);
      const written = index < 0 ? [...elements, value] : elements.with(index, value);
      writeAttribute(resource, attribute, written);
    },
  };
}

function elementsOf({ attribute }: SlotsPlan, resource: Resource): readonly JsonValue[] {
  const value = readAttribute(resource, attribute);
  return Array.isArray(value) ? (value as readonly JsonValue[]) : [];
}
