import type { Change, ChildRecord, Condition } from '../../src/backend/adapter.js';
import { isChildRecord } from '../../src/backend/record.js';
import type { FieldEdit } from './body.js';
import type { FieldPlan } from './field-plan.js';
import type { Json, JsonObject } from './json.js';
import { storedScalar } from './scalar.js';
import { attributeOf, printElementFilter } from './scim-filter.js';
import { encodeItems } from './value-changes.js';
import { type Item, itemKey, sameKey, type Value } from './values.js';

const patchSchema = 'urn:ietf:params:scim:api:messages:2.0:PatchOp';

/** @see RFC 7644 §3.5.2 */
export function scimPatch(operations: readonly JsonObject[]): JsonObject {
  return { schemas: [patchSchema], Operations: operations };
}

/**
 * Whether a field is changed without reading it: references of which there may be very many. The target adds and removes
 * them by value.
 */
export function isChangedBlindly(field: FieldPlan, changes: readonly Change[]): boolean {
  const refers = field.use.multiple && (field.use.reference !== undefined || field.referring !== undefined);
  return refers && changes.every((change) => change.field !== field.name || change.op !== 'updateWhere');
}

/** The operations for a change of a field that was not read. */
export function blindOperations(field: FieldPlan, change: Change): readonly JsonObject[] {
  const path = attributeOf(field.pointer ?? []);
  switch (change.op) {
    case 'set': {
      const items = encodeItems(field, change.values);
      return items.length === 0 ? [{ op: 'remove', path }] : [{ op: 'replace', path, value: jsonOf(items) }];
    }
    case 'add': {
      const items = encodeItems(field, change.values);
      return items.length === 0 ? [] : [{ op: 'add', path, value: jsonOf(items) }];
    }
    case 'remove':
      return (change.values as readonly Value[]).map((value) => ({
        op: 'remove',
        path: `${path}[${filterOf(field, identifying(field, value))}]`,
      }));
    case 'removeWhere':
      return [{ op: 'remove', path: `${path}[${printElementFilter(field, change.where)}]` }];
    case 'updateWhere':
      return [];
  }
}

/** The operations that change a field that was read: value by value where that is certain, else as a whole. */
export function editOperations({ field, before, after }: FieldEdit): readonly JsonObject[] {
  const path = attributeOf(field.pointer ?? []);
  const [first] = after;
  if (first === undefined) return [{ op: 'remove', path }];
  if (!field.use.multiple) return [{ op: 'replace', path, value: first.json }];
  const old = new Set(before.map(({ value }) => sameKey(field, value)));
  const now = new Set(after.map(({ value }) => sameKey(field, value)));
  const added = after.filter(({ value }) => !old.has(sameKey(field, value)));
  const removed = before.filter(({ value }) => !now.has(sameKey(field, value)));
  const kept = before.filter(({ value }) => now.has(sameKey(field, value)));
  const isCertain =
    removed.every((item) => isAlone(field, item, kept)) && !added.some((item) => isLike(field, item, kept));
  if (!isCertain) return [{ op: 'replace', path, value: jsonOf(after) }];
  return [
    ...removed.map(({ value }): JsonObject => ({ op: 'remove', path: `${path}[${filterOf(field, value)}]` })),
    ...(added.length === 0 ? [] : [{ op: 'add', path, value: jsonOf(added) }]),
  ];
}

/** Whether the filter for an element meets no other one; elements that are plain values have no filter. */
function isAlone(field: FieldPlan, { value, json }: Item, others: readonly Item[]): boolean {
  if (typeof json !== 'object') return false;
  if (!isChildRecord(value)) return true;
  return !others.some((other) => isChildRecord(other.value) && isPartOf(field, value, other.value));
}

/** Whether there is one with the same `value`, which servers take for the same element. */
function isLike(field: FieldPlan, { value }: Item, others: readonly Item[]): boolean {
  const name = field.children.find(({ pointer }) => pointer.join('/') === 'value')?.name;
  if (name === undefined || !isChildRecord(value)) return false;
  return others.some((other) => isChildRecord(other.value) && other.value[name] === value[name]);
}

function isPartOf(field: FieldPlan, value: ChildRecord, other: ChildRecord): boolean {
  const shared = Object.fromEntries(Object.entries(other).filter(([name]) => value[name] !== undefined));
  return itemKey({ ...field, referring: undefined }, shared) === itemKey({ ...field, referring: undefined }, value);
}

function identifying(field: FieldPlan, value: Value): Value {
  const { referring } = field;
  if (!isChildRecord(value) || referring === undefined) return value;
  const reference = value[referring.name];
  return reference === undefined ? value : { [referring.name]: reference };
}

function filterOf(field: FieldPlan, value: Value): string {
  if (!isChildRecord(value)) {
    const name = field.item === undefined ? 'value' : attributeOf(field.item);
    return `${name} eq ${JSON.stringify(plain(storedScalar(field, value)))}`;
  }
  const operands = Object.entries(value).map(
    ([path, part]): Condition => ({ kind: 'compare', path, op: 'eq', value: plain(part) }),
  );
  return printElementFilter(field, { kind: 'and', operands });
}

function plain(value: Value): string | number | boolean {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  return typeof value === 'string' || typeof value === 'boolean' ? value : Number(value);
}

function jsonOf(items: readonly Item[]): readonly Json[] {
  return items.map(({ json }) => json);
}
