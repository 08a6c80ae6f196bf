import { asComplex, type ComplexValue, canonicalText, deepEqual, readAttribute } from '../scim/attribute-value.js';
import { comparisonOf, keyOf } from '../scim/comparison.js';
import { ScimError } from '../scim/error.js';
import type { Attribute, JsonValue, Resource } from '../scim/schema.js';
import {
  type AttributePlan,
  type ComplexPlan,
  type Constant,
  isReferenceList,
  isWritten,
  type Leaf,
  leafFor,
  type MappingPlan,
  type RecordsPlan,
  type Slot,
  type SlotsPlan,
  takesValues,
} from './plan.js';
import { reportPlaceless, slotFor } from './slots.js';

/** Told of what the caller sent and what is not kept. */
export type Dropped = (what: string, why: string) => void;

/**
 * Reports what a resource holds that no rule writes: attributes, parts of them, elements without a place. With
 * `unmapped: reject` it is refused instead. What is as it was before is no loss and passes.
 * @param before the resource as it is now, for a PUT of what was got
 * @throws ScimError invalidValue with `unmapped: reject`, and always for `active: false` and for members without a rule:
 *   an account that is not disabled must not look disabled
 */
export function reportNotTaken(
  plan: MappingPlan,
  resource: Resource,
  before: Resource | undefined,
  dropped: Dropped,
): void {
  const report = rejecting(plan, dropped);
  for (const attribute of plan.type.attributes) {
    const value = readAttribute(resource, attribute);
    if (value === undefined || attribute.path === 'schemas') continue;
    const attributePlan = plan.byPath.get(attribute.path);
    // Whatever stands beside a reference only repeats it: nothing of it can be lost.
    if (attributePlan !== undefined && isReferenceList(attributePlan) && attributePlan.written) continue;
    const old = before === undefined ? undefined : readAttribute(before, attribute);
    if (old !== undefined && deepEqual(old, value)) continue;
    if (attributePlan === undefined || !takesValues(attributePlan)) reportAttribute(plan, attribute, value, dropped);
    else reportInside(attributePlan, value, old, report);
  }
}

/** `dropped`, or with `unmapped: reject` a refusal. */
export function rejecting({ unmapped, type }: MappingPlan, dropped: Dropped): Dropped {
  if (unmapped === 'drop') return dropped;
  return (what, why) => {
    throw ScimError.badRequest(
      'invalidValue',
      `"${what}" cannot be kept for ${type.name} (${why}), and the mapping says "unmapped: reject".`,
    );
  };
}

/**
 * Reports an attribute that no rule writes.
 * @param value what the caller wants it to be
 * @param what the path that the caller named, where that is a part of the attribute
 * @throws ScimError as `reportNotTaken`
 */
export function reportAttribute(
  plan: MappingPlan,
  attribute: Attribute,
  value: JsonValue | undefined,
  dropped: Dropped,
  what = attribute.path,
): void {
  const { path } = attribute;
  if (isConstant(plan.constants, attribute, value)) return;
  if (path === 'password') {
    dropped('password', 'not mapped; passwords are not kept');
    return;
  }
  if ((path === 'active' && value === false) || path === 'members') throw mustBeMapped(plan, path);
  const attributePlan = plan.byPath.get(path);
  rejecting(plan, dropped)(what, attributePlan === undefined ? 'not mapped' : oneWay(isWritten(attributePlan)));
}

function mustBeMapped({ type }: MappingPlan, path: string): ScimError {
  return ScimError.badRequest(
    'invalidValue',
    `"${path}" cannot be written: this gateway has no rule for it. Add "${path}: <field>" to the mapping of ${type.name}.`,
  );
}

function isConstant(constants: readonly Constant[], attribute: Attribute, value: JsonValue | undefined): boolean {
  const constant = constants.find((candidate) => candidate.attribute === attribute);
  return (
    constant !== undefined &&
    value !== undefined &&
    deepEqual(value, attribute.multiValued ? [constant.value] : constant.value)
  );
}

function reportInside(plan: AttributePlan, value: JsonValue, old: JsonValue | undefined, report: Dropped): void {
  switch (plan.kind) {
    case 'complex':
      reportParts(partsOf(plan), asComplex(value), asComplex(old), report);
      return;
    case 'slots':
      for (const element of newElements(value, old)) {
        const slot = slotFor(plan, element);
        if (slot === undefined) reportPlaceless(plan, element, report);
        else reportParts(partsOf(plan, slot), asComplex(element), {}, report);
      }
      return;
    case 'records':
      for (const element of newElements(value, old)) reportParts(partsOf(plan), asComplex(element), {}, report);
      return;
    default:
  }
}

function newElements(value: JsonValue, old: JsonValue | undefined): readonly JsonValue[] {
  const elements = value as readonly JsonValue[];
  const known = Array.isArray(old) ? (old as readonly JsonValue[]) : [];
  if (known.length === 0) return elements;
  const texts = new Set(known.map(canonicalText));
  return elements.filter((element) => !texts.has(canonicalText(element)));
}

/** A place for a complex value, or for one element of a list. */
export interface Parts {
  readonly attribute: Attribute;
  /** For messages: `name`, `emails[type eq "work"]`. */
  readonly prefix: string;
  readonly leaves: readonly Leaf[];
  readonly constants: readonly Constant[];
}

/** The place that a plan gives complex values, or one of its slots. */
export function partsOf(plan: ComplexPlan | SlotsPlan | RecordsPlan, slot?: Slot): Parts {
  const { attribute } = plan;
  if (slot !== undefined) return { attribute, prefix: slot.key, leaves: slot.leaves, constants: slot.constants };
  return {
    attribute,
    prefix: attribute.path,
    leaves: plan.kind === 'slots' ? [] : plan.leaves,
    constants: plan.kind === 'complex' ? plan.constants : [],
  };
}

function reportParts(parts: Parts, value: ComplexValue, old: ComplexValue, report: Dropped): void {
  for (const sub of parts.attribute.subAttributes) {
    const part = value[sub.name];
    if (part === undefined || deepEqual(part, old[sub.name])) continue;
    const why = partNotTaken(parts, sub, part);
    if (why !== undefined) report(`${parts.prefix}.${sub.name}`, why);
  }
}

/** Why this part is not kept; undefined when it is, or when nothing is lost. */
export function partNotTaken(
  { leaves, constants }: Parts,
  sub: Attribute,
  value: JsonValue | undefined,
): string | undefined {
  const leaf = leafFor(leaves, sub);
  if (leaf !== undefined) return leaf.accepts ? undefined : oneWay(leaf.written);
  // What stands beside a reference only repeats it.
  if (sub.mutability === 'readOnly' || leaves.some((candidate) => candidate.reference !== undefined)) return undefined;
  const constant = constants.find((candidate) => candidate.attribute === sub);
  if (constant === undefined) return 'not mapped';
  const comparison = comparisonOf(sub);
  const isSame = keyOf(comparison, constant.value) === keyOf(comparison, value);
  return value === undefined || isSame ? undefined : `always ${JSON.stringify(constant.value)} here`;
}

/** Why a rule does not write what a caller sends. */
function oneWay(isWritten: boolean): string {
  return isWritten ? 'made by a template' : 'mapped for reading only';
}
