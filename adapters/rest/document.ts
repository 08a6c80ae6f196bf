import type { BackendRecord, FieldValue } from '../../src/backend/adapter.js';
import { instantKey } from '../../src/scim/comparison.js';
import type { EntityPlan } from './entity-plan.js';
import type { FieldPlan } from './field-plan.js';
import { isList, type Json } from './json.js';
import { type Pointer, valueAt, withValueAt } from './pointer.js';
import { revisionOfTag } from './revision.js';
import { decodeElement, decodeItems, fieldValueOf, type Item } from './values.js';

/** A record as the target gives it. */
export interface Document {
  readonly json: Json;
  /** The header that is the revision, when it came alone. */
  readonly revisionHeader?: string | undefined;
}

/** The id as the gateway gives it; undefined when the document has none. */
export function idIn(plan: EntityPlan, json: Json | undefined): string | undefined {
  const id = valueAt(json, plan.id);
  if ((typeof id !== 'string' && typeof id !== 'number') || id === '') return undefined;
  return `${plan.idPrefix}${id}`;
}

/** The id as the target knows it; undefined for one that cannot be of this entity. */
export function storedId({ idPrefix }: EntityPlan, id: string): string | undefined {
  if (!id.startsWith(idPrefix) || id.length > maxIdLength) return undefined;
  const stored = id.slice(idPrefix.length);
  return stored === '' || unprintable.test(stored) ? undefined : stored;
}

const maxIdLength = 1_000;
const unprintable = /\p{Cc}/u;

export function revisionIn(plan: EntityPlan, { json, revisionHeader }: Document): string | undefined {
  if (plan.revisionHeader !== undefined && revisionHeader !== undefined) return revisionOfTag(revisionHeader);
  if (plan.revisionPointer === undefined) return undefined;
  const revision = valueAt(json, plan.revisionPointer);
  return typeof revision === 'string' || typeof revision === 'number' ? revisionOfTag(String(revision)) : undefined;
}

/** The fields asked for that are in the document itself; those with requests of their own are not. */
export function recordOf(plan: EntityPlan, id: string, document: Document, fields: readonly string[]): BackendRecord {
  const record: Record<string, FieldValue> = { $id: id };
  for (const name of fields) {
    const value = fieldValueIn(plan, id, document, name);
    if (value !== undefined) record[name] = value;
  }
  return record;
}

function fieldValueIn(plan: EntityPlan, id: string, document: Document, name: string): FieldValue | undefined {
  switch (name) {
    case '$id':
      return id;
    case '$revision':
      return revisionIn(plan, document);
    case '$created':
      return instantAt(document.json, plan.created);
    case '$modified':
      return instantAt(document.json, plan.modified);
    default: {
      const field = plan.fields.get(name);
      if (field?.pointer === undefined) return name === plan.use.id ? id.slice(plan.idPrefix.length) : undefined;
      const items = itemsIn(field, document.json);
      return fieldValueOf(
        field,
        items.map(({ value }) => value),
      );
    }
  }
}

/** The items of a field that is in the document. */
export function itemsIn(field: FieldPlan, json: Json): readonly Item[] {
  return field.pointer === undefined ? [] : decodeItems(field, valueAt(json, field.pointer));
}

function instantAt(json: Json, pointer: Pointer | undefined): string | undefined {
  if (pointer === undefined) return undefined;
  const value = valueAt(json, pointer);
  const key = typeof value === 'string' ? instantKey(value) : undefined;
  return key === undefined ? undefined : `${key}Z`;
}

/** The document with a field's items in it. @param whole records are written as a whole, not as a difference */
export function withItems(json: Json, field: FieldPlan, items: readonly Item[], whole: boolean): Json {
  if (field.pointer === undefined) return json;
  return withValueAt(json, field.pointer, jsonOfItems(field, items, valueAt(json, field.pointer), whole)) ?? {};
}

/** @param before what stands there; a list keeps being one */
function jsonOfItems(
  field: FieldPlan,
  items: readonly Item[],
  before: Json | undefined,
  whole: boolean,
): Json | undefined {
  const [first] = items;
  const isMultiple = field.use.multiple || field.type === 'records';
  if (first === undefined) {
    const clear = field.clear ?? (isMultiple ? 'empty' : 'absent');
    if (clear === 'empty')
      return isMultiple ? (before === undefined && whole ? undefined : strangeIn(field, before)) : '';
    return clear === 'null' && before !== undefined ? null : undefined;
  }
  return isMultiple || isList(before) ? [...strangeIn(field, before), ...items.map(({ json }) => json)] : first.json;
}

/** Elements that the mapping cannot read are not its to take out. */
function strangeIn(field: FieldPlan, before: Json | undefined): readonly Json[] {
  return isList(before) ? before.filter((element) => decodeElement(field, element) === undefined) : [];
}
