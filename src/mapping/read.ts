import type { BackendRecord, ChildRecord, Scalar } from '../backend/adapter.js';
import { childrenOf, scalarsOf } from '../backend/record.js';
import { writeAttribute } from '../scim/attribute-value.js';
import type { Projection } from '../scim/projection.js';
import type { Attribute, MutableResource } from '../scim/schema.js';
import { type AttributeReader, attributeReader, type ReferenceView } from './attribute-readers.js';
import { compileFallbacks, type Fallback } from './fallbacks.js';
import {
  type AttributePlan,
  fieldsOf,
  leavesOf,
  type MappingPlan,
  type RecordsPlan,
  type ReferencePlan,
} from './plan.js';

export type { ReferenceTarget, ReferenceView } from './attribute-readers.js';

interface ReadStep {
  readonly attribute: Attribute;
  readonly fields: readonly string[];
  readonly read: AttributeReader;
}

type Wants = (attribute: Attribute) => boolean;

/** Records to resources, compiled from a plan. */
export interface ResourceReader {
  /** The fields to ask for so that these attributes can be read; reserved fields included. */
  fieldsFor(projection: Projection): readonly string[];
  /** The fields of single attributes, for a PATCH that needs their present values. */
  fieldsOfAttributes(attributes: ReadonlySet<Attribute>): readonly string[];
  /** Wanted attributes alone. `id`, `meta` and `schemas` are not made here. */
  read(record: BackendRecord, wants: Wants, references: ReferenceView): MutableResource;
  /**
   * The same as it is to be changed: single values that only a fallback shows are not there. Elements that one shows are,
   * so that paths find them.
   */
  readForChange(record: BackendRecord, wants: Wants, references: ReferenceView): MutableResource;
  /** Reference values in the records, for wanted attributes: what has to be looked up before `read`. */
  references(
    records: readonly BackendRecord[],
    wants: Wants,
  ): readonly { readonly reference: ReferencePlan; readonly values: readonly Scalar[] }[];
}

const metaFields = ['$revision', '$created', '$modified'];

export function compileReader(plan: MappingPlan): ResourceReader {
  const steps = plan.attributes.flatMap((attributePlan) => readStep(attributePlan) ?? []);
  const fallbacks = compileFallbacks(plan);
  const elementFallbacks = fallbacks.filter(({ attribute }) => attribute.multiValued);
  const referring = plan.attributes.filter(isReferring);
  const fieldsFor = (wants: Wants): readonly string[] => {
    const needs = withNeeds(activeIn(fallbacks, wants), wants);
    return [...new Set(steps.flatMap((step) => (needs(step.attribute) ? step.fields : [])))];
  };
  const readWith = (
    shown: readonly Fallback[],
    record: BackendRecord,
    wants: Wants,
    references: ReferenceView,
  ): MutableResource => {
    const resource: MutableResource = {};
    const active = activeIn(shown, wants);
    const needs = withNeeds(active, wants);
    for (const step of steps) {
      if (!needs(step.attribute)) continue;
      const value = step.read(record, references);
      if (value !== undefined) writeAttribute(resource, step.attribute, value);
    }
    for (const { attribute, value } of plan.constants) {
      if (needs(attribute)) writeAttribute(resource, attribute, attribute.multiValued ? [value] : value);
    }
    if (active.length > 0) finish(resource, active, wants);
    return resource;
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
    read: (record, wants, references) => readWith(fallbacks, record, wants, references),
    readForChange: (record, wants, references) => readWith(elementFallbacks, record, wants, references),
    references: (records, wants) =>
      referring.length === 0 ? [] : collectReferences(referring, records, withNeeds(activeIn(fallbacks, wants), wants)),
  };
}

function activeIn(fallbacks: readonly Fallback[], wants: Wants): readonly Fallback[] {
  return fallbacks.length === 0 ? fallbacks : fallbacks.filter(({ attribute }) => wants(attribute));
}

/** With the attributes that the fallbacks show. */
function withNeeds(fallbacks: readonly Fallback[], wants: Wants): Wants {
  if (fallbacks.length === 0) return wants;
  const extra = new Set(fallbacks.flatMap(({ needs }) => needs));
  return (attribute) => wants(attribute) || extra.has(attribute);
}

/**
 * Fills in what fallbacks make. They see the fields' own values and not each other's, so that an attribute is the same
 * whatever else is asked for; then what was only read for them is taken out again.
 */
function finish(resource: MutableResource, fallbacks: readonly Fallback[], wants: Wants): void {
  const made = fallbacks.map((fallback) => fallback.make(resource));
  for (const [index, fallback] of fallbacks.entries()) {
    const text = made[index];
    if (text !== undefined) fallback.put(resource, text);
  }
  for (const attribute of new Set(fallbacks.flatMap(({ needs }) => needs)))
    if (!wants(attribute)) writeAttribute(resource, attribute, undefined);
}

function readStep(plan: AttributePlan): ReadStep | undefined {
  const fields = fieldsOf(plan);
  if (fields.length === 0 && !(plan.kind === 'complex' && plan.constants.length > 0)) return undefined;
  return { attribute: plan.attribute, fields, read: attributeReader(plan) };
}

/** Whether values of the attribute name other resources. */
function isReferring(plan: AttributePlan): boolean {
  if (plan.kind === 'records' || plan.kind === 'references') return plan.reference !== undefined;
  return leavesOf(plan).some((leaf) => leaf.reference !== undefined && leaf.read);
}

function collectReferences(
  referring: readonly AttributePlan[],
  records: readonly BackendRecord[],
  wants: (attribute: Attribute) => boolean,
): readonly { readonly reference: ReferencePlan; readonly values: readonly Scalar[] }[] {
  const found: { reference: ReferencePlan; values: readonly Scalar[] }[] = [];
  for (const attributePlan of referring) {
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
  return found.flatMap(({ reference, values }) => {
    const named = values.filter((value) => value !== '');
    return named.length === 0 ? [] : [{ reference, values: named }];
  });
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
