import type { Change, ChildRecord, Scalar } from '../backend/adapter.js';
import type { Dialect } from '../scim/dialect.js';
import { ScimError } from '../scim/error.js';
import { asComplex } from '../scim/patch-apply.js';
import type { PatchOperation } from '../scim/patch-parser.js';
import type { Attribute, JsonValue } from '../scim/schema.js';
import type { AttributeValue } from './codec.js';
import { planMembers } from './patch-plan-members.js';
import { planSlots } from './patch-plan-slots.js';
import {
  type AttributePlan,
  isWritten,
  type Leaf,
  leafFor,
  leavesOf,
  type MappingPlan,
  type SimplePlan,
} from './plan.js';
import { readTemplatePath } from './resource-values.js';
import { checkedLeaf } from './value-rules.js';
import { encodeRecords, type FieldValues, referencedId, reportUnmapped, valuesIn, type WriteContext } from './write.js';

/** A PATCH as the backend will see it. */
export interface PatchPlan {
  /** Value-level changes that hold whatever the present state is. */
  readonly changes: readonly Change[];
  /** Attributes whose operations depend on the present values: they are read, patched and compared. */
  readonly needs: ReadonlySet<Attribute>;
}

export interface PatchContext extends WriteContext {
  readonly dialect: Dialect;
}

/**
 * Turns operations into field changes, attribute by attribute, without reading where that is possible: operations on one
 * attribute are first folded (the last word counts; an id that is added and then removed is removed).
 * @throws ScimError invalidValue when a required attribute would be cleared or a value is not allowed
 */
export function planPatch(plan: MappingPlan, operations: readonly PatchOperation[], context: PatchContext): PatchPlan {
  const byAttribute = new Map<Attribute, PatchOperation[]>();
  for (const operation of operations) {
    const list = byAttribute.get(operation.attribute);
    if (list === undefined) byAttribute.set(operation.attribute, [operation]);
    else list.push(operation);
  }
  const changes: Change[] = [];
  const needs = new Set<Attribute>();
  for (const [attribute, list] of byAttribute) {
    // Which schemas a resource has follows from its attributes.
    if (attribute.path === 'schemas') continue;
    const attributePlan = plan.byPath.get(attribute.path);
    if (attributePlan === undefined || !isWritten(attributePlan)) {
      for (const operation of list) reportUnmapped(plan, attribute, unmappedValue(operation), context);
      continue;
    }
    const companions = templateCompanions(plan, attribute);
    const direct = companions.length > 0 ? undefined : planAttribute(attributePlan, list, context);
    if (direct !== undefined) changes.push(...direct);
    else for (const needed of [attribute, ...companions]) needs.add(needed);
  }
  return { changes, needs };
}

/** What an operation wanted of an unmapped attribute; removing it asks for nothing that is not so already. */
function unmappedValue({ op, sub, value }: PatchOperation): JsonValue | undefined {
  return op === 'remove' || sub !== undefined ? undefined : value;
}

/** Attributes that stand in a template together with this one: they are all needed to make the field. */
function templateCompanions(plan: MappingPlan, attribute: Attribute): readonly Attribute[] {
  return plan.attributes.flatMap((attributePlan) =>
    leavesOf(attributePlan).flatMap((leaf) => {
      if (leaf.template === undefined || !leaf.written) return [];
      const paths = leaf.template.paths.flatMap((text) => {
        const path = readTemplatePath(text, plan.type);
        return typeof path === 'string' ? [] : [path.attribute];
      });
      return paths.includes(attribute) ? paths : [];
    }),
  );
}

function planAttribute(
  plan: AttributePlan,
  operations: readonly PatchOperation[],
  context: PatchContext,
): readonly Change[] | undefined {
  if (plan.attribute.mutability === 'immutable') return undefined;
  if (plan.attribute.subAttributes.some((sub) => sub.mutability === 'immutable') && !isReference(plan))
    return undefined;
  if (leavesOf(plan).some((leaf) => leaf.codec.needsCurrent)) return undefined;
  switch (plan.kind) {
    case 'simple':
      return plan.attribute.multiValued ? planList(plan, operations) : planSingle(plan, operations);
    case 'complex':
      return planComplex(plan, operations, context);
    case 'slots':
      return planSlots(plan, operations, context);
    case 'references':
      return planMembers(plan, operations, context);
    case 'records':
      return plan.reference === undefined
        ? planRecords(plan, operations, context)
        : planMembers(plan, operations, context);
  }
}

function isReference(plan: AttributePlan): boolean {
  return plan.kind === 'references' || (plan.kind === 'records' && plan.reference !== undefined);
}

/** The change that gives a leaf's field this value; undefined clears it. */
export function setLeaf(leaf: Leaf, values: readonly AttributeValue[]): readonly Change[] {
  if (!leaf.written || leaf.template !== undefined) return [];
  const checked = values.flatMap((value) => checkedLeaf(leaf, value) ?? []);
  if (checked.every(isBlank)) refuseRequired(leaf);
  return [{ op: 'set', field: leaf.field, values: leaf.codec.encode(checked, []) }];
}

/** REQUIRED means "has a value" (RFC 7643 §2.2, erratum 8280): white space is none. */
function isBlank(value: AttributeValue): boolean {
  return typeof value === 'string' && value.trim() === '';
}

/** @throws ScimError invalidValue when the leaf must have a value */
export function refuseRequired(leaf: Leaf): void {
  if (leaf.required || (leaf.attribute.required && leaf.attribute.parent === undefined)) {
    throw ScimError.badRequest('invalidValue', `"${leaf.key}" is required and cannot be left without a value.`);
  }
}

function planSingle(plan: SimplePlan, operations: readonly PatchOperation[]): readonly Change[] {
  const last = operations.at(-1);
  const value = last === undefined || last.op === 'remove' ? undefined : last.value;
  return setLeaf(plan.leaf, value === undefined ? [] : [value as AttributeValue]);
}

/** A list of plain values: the whole list, or values added and removed one by one. */
function planList(plan: SimplePlan, operations: readonly PatchOperation[]): readonly Change[] | undefined {
  const { leaf } = plan;
  const [operation] = operations;
  if (operations.length !== 1 || operation === undefined) return undefined;
  if (operation.filter !== undefined || operation.listed !== undefined) return undefined;
  const values = operation.value === undefined ? [] : (operation.value as readonly AttributeValue[]);
  if (operation.op !== 'add') return setLeaf(leaf, operation.op === 'remove' ? [] : values);
  // A codec that packs many values into one has to see them all.
  if (leaf.codec.encode(values, []).length !== values.length) return undefined;
  const checked = values.flatMap((value) => checkedLeaf(leaf, value) ?? []);
  return checked.length === 0 ? [] : [{ op: 'add', field: leaf.field, values: leaf.codec.encode(checked, []) }];
}

/** `name`, `manager`: each sub-attribute's last word counts; those that are not named stay. */
function planComplex(
  plan: Extract<AttributePlan, { kind: 'complex' }>,
  operations: readonly PatchOperation[],
  context: PatchContext,
): readonly Change[] {
  const final = new Map<Leaf, JsonValue | undefined>();
  const reference = plan.leaves.find((leaf) => leaf.reference !== undefined);
  const set = (sub: Attribute, value: JsonValue | undefined): void => {
    const leaf = leafFor(plan.leaves, sub);
    if (leaf !== undefined) final.set(leaf, value);
    else if (value !== undefined && reference === undefined && sub.mutability !== 'readOnly')
      context.dropped(sub.path, 'not mapped');
  };
  for (const { op, sub, value } of operations) {
    if (sub !== undefined) set(sub, op === 'remove' ? undefined : value);
    else if (op === 'remove' || value === undefined) for (const leaf of plan.leaves) final.set(leaf, undefined);
    else {
      const parts = asComplex(value);
      for (const candidate of plan.attribute.subAttributes) {
        if (parts[candidate.name] !== undefined) set(candidate, parts[candidate.name]);
      }
      const id = reference === undefined || parts.value !== undefined ? undefined : referencedId(parts);
      if (reference !== undefined && id !== undefined) final.set(reference, id);
    }
  }
  return [...final].flatMap(([leaf, value]) =>
    leaf.reference === undefined || value === undefined
      ? setLeaf(leaf, valuesIn(value))
      : setReference(leaf, String(value), plan.attribute, context),
  );
}

function setReference(leaf: Leaf, id: string, attribute: Attribute, context: PatchContext): readonly Change[] {
  if (leaf.reference === undefined || !leaf.written) return [];
  const stored = context.references.stored(leaf.reference, id, undefined);
  if (stored !== undefined) return [{ op: 'set', field: leaf.field, values: [stored.value] }];
  if (leaf.reference.unknown === 'reject') {
    throw ScimError.badRequest(
      'invalidValue',
      `"${attribute.path}" names a resource that is not here: ${id.slice(0, 80)}.`,
    );
  }
  context.dropped(attribute.path, 'names a resource that is not here');
  return [];
}

/** Child records: the whole list can be set without reading; all else depends on what is there. */
function planRecords(
  plan: Extract<AttributePlan, { kind: 'records' }>,
  operations: readonly PatchOperation[],
  context: PatchContext,
): readonly Change[] | undefined {
  const last = operations.at(-1);
  if (last === undefined || last.filter !== undefined || last.sub !== undefined || last.listed !== undefined)
    return undefined;
  if (last.op === 'add') return undefined;
  const value = last.op === 'remove' || last.value === undefined ? [] : (last.value as readonly JsonValue[]);
  if (value.length === 0 && (plan.required || plan.attribute.required)) {
    throw ScimError.badRequest(
      'invalidValue',
      `"${plan.attribute.path}" is required and cannot be left without a value.`,
    );
  }
  const values: readonly ChildRecord[] | readonly Scalar[] = encodeRecords(plan, value, context);
  return [{ op: 'set', field: plan.field, values: values satisfies FieldValues }];
}
