import type { Change, ChildRecord, Scalar } from '../../src/backend/adapter.js';
import { AdapterError } from '../../src/backend/adapter-error.js';
import { compileChildCondition } from '../../src/backend/condition.js';
import { isChildRecord } from '../../src/backend/record.js';
import type { FieldPlan } from './field-plan.js';
import { distinctItems, encodeChild, encodeItem, type Item, itemKey, rejected, type Value } from './values.js';

/** A field's items after a change; the same list when the change is none. Items that stay keep their JSON. */
export function applyChange(field: FieldPlan, before: readonly Item[], change: Change): readonly Item[] {
  switch (change.op) {
    case 'set':
      return setItems(field, before, change.values);
    case 'add':
      return addItems(field, before, change.values);
    case 'remove': {
      const gone = new Set(change.values.map((value) => itemKey(field, value)));
      const kept = before.filter(({ value }) => !gone.has(itemKey(field, value)));
      return kept.length === before.length ? before : kept;
    }
    case 'removeWhere': {
      const matches = childMatcher(field, change.where);
      const kept = before.filter(({ value }) => !matches(value));
      return kept.length === before.length ? before : kept;
    }
    case 'updateWhere': {
      const matches = childMatcher(field, change.where);
      const items = before.flatMap((item) => (matches(item.value) ? updated(field, item, change.set) : [item]));
      return distinctItems(field, items);
    }
  }
}

/** New values as items, each once. @throws AdapterError `rejected` when they do not fit */
export function encodeItems(field: FieldPlan, values: readonly Value[]): readonly Item[] {
  const items = distinctItems(
    field,
    values.map((value) => encodeItem(field, value)),
  );
  if (!field.use.multiple && items.length > 1) throw rejected(field, 'It can hold one value only.');
  return items;
}

function setItems(field: FieldPlan, before: readonly Item[], values: readonly Value[]): readonly Item[] {
  const former = new Map(before.map((item) => [itemKey(field, item.value), item]));
  return encodeItems(field, values).map((item) => {
    const own = former.get(itemKey(field, item.value));
    // An element that stays keeps what else stands in it.
    if (own === undefined || !isChildRecord(item.value)) return item;
    return encodeChild(field, item.value, own.json);
  });
}

function addItems(field: FieldPlan, before: readonly Item[], values: readonly Value[]): readonly Item[] {
  const known = new Set(before.map(({ value }) => itemKey(field, value)));
  const added = distinctItems(
    field,
    values.map((value) => encodeItem(field, value)),
  ).filter(({ value }) => !known.has(itemKey(field, value)));
  if (added.length === 0) return before;
  if (!field.use.multiple && before.length + added.length > 1) {
    throw rejected(field, 'It holds a value already and can hold one only.');
  }
  return [...before, ...added];
}

function updated(field: FieldPlan, item: Item, set: Readonly<Record<string, Scalar | null>>): readonly Item[] {
  const next: Record<string, Scalar> = { ...(item.value as ChildRecord) };
  for (const [name, scalar] of Object.entries(set)) {
    if (scalar === null) delete next[name];
    else next[name] = scalar;
  }
  return Object.keys(next).length === 0 ? [] : [encodeChild(field, next, item.json)];
}

type ChildCondition = Extract<Change, { op: 'removeWhere' }>['where'];

function childMatcher(field: FieldPlan, where: ChildCondition): (value: Value) => boolean {
  if (field.type !== 'records') throw new AdapterError('unsupported', `"${field.name}" holds no child records.`);
  const matches = compileChildCondition(where, (name) => {
    const child = field.children.find((candidate) => candidate.name === name);
    if (child !== undefined) return child.comparison;
    throw new AdapterError('unsupported', `"${field.name}" has no child field "${name}".`);
  });
  return (value) => isChildRecord(value) && matches(value);
}
