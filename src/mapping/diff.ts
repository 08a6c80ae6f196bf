import type { BackendRecord, Change, ChildRecord, Scalar } from '../backend/adapter.js';
import { isChildRecord, scalarsOf, valuesOf } from '../backend/record.js';
import { readAttribute } from '../scim/attribute-value.js';
import { fold } from '../scim/comparison.js';
import type { Attribute, JsonValue, Resource } from '../scim/schema.js';
import type { AttributeValue } from './codec.js';
import {
  type AttributePlan,
  isReferenceList,
  isWritten,
  type Leaf,
  type MappingPlan,
  type RecordsPlan,
  type ReferencesPlan,
} from './plan.js';
import { elementsOf, encodeLeaf, encodeList, type FieldValues, leafValues, type WriteContext } from './write.js';

/** A resource before and after, both as far as `attributes` go, and the record that it was read from. */
export interface Transition {
  readonly record: BackendRecord;
  readonly before: Resource;
  readonly after: Resource;
  /** Which top-level attributes. */
  readonly attributes: ReadonlySet<Attribute>;
  /** Fields that no rule reads and that are to be emptied, if nothing is written to them. */
  readonly emptied?: ReadonlySet<string>;
}

/**
 * The changes that turn the one into the other: a single value is set, of many only the difference is added and removed,
 * so that what others add at the same time stays. What is as it was is not written again, whatever it is, and what the
 * rules cannot read of a field stays.
 * @throws ScimError invalidValue when a codec cannot express a new value
 */
export function changesBetween(plan: MappingPlan, transition: Transition, context: WriteContext): readonly Change[] {
  const { before, after, attributes } = transition;
  const changes = plan.attributes.flatMap((attributePlan) =>
    attributes.has(attributePlan.attribute) && isWritten(attributePlan)
      ? attributeChanges(attributePlan, transition, context)
      : [],
  );
  for (const { field, codec, template } of plan.templates) {
    if (!template.needs.some((attribute) => attributes.has(attribute))) continue;
    const text = template.render(after);
    if (text !== template.render(before))
      changes.push({ op: 'set', field, values: text === undefined ? [] : codec.encode([text], []) });
  }
  return changes;
}

function attributeChanges(plan: AttributePlan, transition: Transition, context: WriteContext): readonly Change[] {
  const { before, after } = transition;
  const [old, now] = [readAttribute(before, plan.attribute), readAttribute(after, plan.attribute)];
  if (plan.kind === 'records' || plan.kind === 'references') return listChanges(plan, old, now, transition, context);
  const oldValues = leafValues(plan, old, () => undefined);
  return leafValues(plan, now, context.dropped).flatMap(({ leaf, values }, index) =>
    leafChanges(leaf, oldValues[index]?.values ?? [], values, transition, context),
  );
}

function leafChanges(
  leaf: Leaf,
  old: readonly AttributeValue[],
  now: readonly AttributeValue[],
  { record, emptied }: Transition,
  context: WriteContext,
): readonly Change[] {
  const { field } = leaf;
  const isSame = leaf.read
    ? areSame(old, now)
    : // Nobody knows what is there: it is written when a value was sent, or taken away.
      now.length === 0 && emptied?.has(field) !== true;
  if (isSame) return [];
  const isList = leaf.attribute.multiValued || leaf.attribute.parent?.multiValued === true;
  const parts =
    isList && leaf.multiple && leaf.read ? valueByValue(leaf, scalarsOf(record, field), old, now) : undefined;
  return parts ?? [{ op: 'set', field, values: encodeLeaf(leaf, now, record, context) }];
}

function areSame(a: readonly AttributeValue[], b: readonly AttributeValue[]): boolean {
  if (a.length !== b.length) return false;
  const values = new Set(a);
  return b.every((value) => values.has(value)) && new Set(b).size === values.size;
}

/** @returns undefined when the attribute's values are not the field's, one by one */
function valueByValue(
  { field, codec }: Leaf,
  stored: readonly Scalar[],
  old: readonly AttributeValue[],
  now: readonly AttributeValue[],
): readonly Change[] | undefined {
  const shown = stored.map((value) => codec.decode([value]));
  const readable = new Set(shown.flat());
  if (shown.some((values) => values.length > 1) || !old.every((value) => readable.has(value))) return undefined;
  const [before, after] = [new Set(old), new Set(now)];
  const isRemoved = (index: number): boolean => {
    const value = shown[index]?.[0];
    return value !== undefined && before.has(value) && !after.has(value);
  };
  const removed = stored.filter((_, index) => isRemoved(index));
  const kept = stored.filter((_, index) => !isRemoved(index));
  const added = [...after].filter((value) => !before.has(value)).flatMap((value) => codec.encode([value], []));
  return canRemove(removed, kept)
    ? partChanges(field, removed, added)
    : [{ op: 'set', field, values: [...kept, ...added] }];
}

function listChanges(
  plan: RecordsPlan | ReferencesPlan,
  old: JsonValue | undefined,
  now: JsonValue | undefined,
  { record, emptied }: Transition,
  context: WriteContext,
): readonly Change[] {
  const { field } = plan;
  const values = encodeList(plan, elementsOf(now), context);
  if (!plan.read) {
    const isMeant = values.length > 0 || emptied?.has(field) === true;
    return isMeant ? [{ op: 'set', field, values }] : [];
  }
  const before = keyed(encodeList(plan, elementsOf(old), { ...context, dropped: () => undefined }));
  const after = keyed(values);
  const added = [...after].flatMap(([key, value]) => (before.has(key) ? [] : [value]));
  const removed = [...before].flatMap(([key, value]) => (after.has(key) ? [] : [value]));
  if (added.length === 0 && removed.length === 0) return [];
  if (isReferenceList(plan)) return partChanges(field, removed, added);
  const kept = [...after].flatMap(([key, value]) => (before.has(key) ? [value] : []));
  // A child record with parts that cannot be read is not found by those that can.
  const present = keyed(valuesOf(record[field]));
  const isFound = removed.every((value) => present.has(valueKey(value)));
  return isFound && canRemove(removed, kept) ? partChanges(field, removed, added) : [{ op: 'set', field, values }];
}

type Value = Scalar | ChildRecord;

/** Values cannot be taken out where the backend could take one that stays for the same, spelled otherwise. */
function canRemove(removed: readonly Value[], kept: readonly Value[]): boolean {
  if (removed.length === 0) return true;
  const staying = new Set(kept.map(foldedKey));
  return !removed.some((value) => staying.has(foldedKey(value)));
}

function partChanges(field: string, removed: readonly Value[], added: readonly Value[]): readonly Change[] {
  const changes: Change[] = [];
  if (removed.length > 0) changes.push({ op: 'remove', field, values: removed as FieldValues });
  if (added.length > 0) changes.push({ op: 'add', field, values: added as FieldValues });
  return changes;
}

function keyed(values: FieldValues): ReadonlyMap<string, Value> {
  return new Map((values as readonly Value[]).map((value) => [valueKey(value), value]));
}

/** Text that is equal for equal values, by type too. */
function valueKey(value: Value, textOf: (text: string) => string = (text) => text): string {
  if (!isChildRecord(value)) return scalarKey(value, textOf);
  const names = Object.keys(value).sort();
  return JSON.stringify(names.map((name) => [name, scalarKey(value[name] as Scalar, textOf)]));
}

/** Equal also for texts that differ in spelling alone: the most that a backend may take for the same. */
function foldedKey(value: Value): string {
  return valueKey(value, fold);
}

function scalarKey(value: Scalar, textOf: (text: string) => string): string {
  if (value instanceof Uint8Array) return `bytes:${Buffer.from(value).toString('base64')}`;
  if (typeof value === 'string') return `string:${textOf(value)}`;
  // A number may come back as a bigint.
  return typeof value === 'bigint' ? `number:${value}` : `${typeof value}:${value}`;
}
