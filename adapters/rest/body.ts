import { type Document, itemsIn, revisionIn, withItems } from './document.js';
import type { EntityPlan, UpdatePlan } from './entity-plan.js';
import type { FieldPlan } from './field-plan.js';
import { isList, type Json, type JsonObject } from './json.js';
import { jsonPatch, type PatchGuard } from './json-patch.js';
import { mergePatch } from './merge-patch.js';
import { valueAt } from './pointer.js';
import type { Item } from './values.js';

/** A field of which the items change. */
export interface FieldEdit {
  readonly field: FieldPlan;
  readonly before: readonly Item[];
  readonly after: readonly Item[];
}

export interface Body {
  readonly text: string;
  readonly contentType: string;
}

const form = 'application/x-www-form-urlencoded';

/** The document with the edits in it. @param whole it is written as a whole */
export function editedJson(json: Json, edits: readonly FieldEdit[], whole: boolean): Json {
  return edits.reduce((edited: Json, { field, after }) => withItems(edited, field, after, whole), json);
}

/**
 * The body of an update, but for SCIM patches.
 * @param isGuarded If-Match goes with it
 * @returns undefined when the bodies would say nothing
 */
export function updateBody(
  plan: EntityPlan,
  { body: kind, contentType }: UpdatePlan,
  document: Document,
  edits: readonly FieldEdit[],
  isGuarded: boolean,
  mediaType: string,
): Body | undefined {
  const { json } = document;
  const text = (value: Json, usual: string): Body => ({
    text: JSON.stringify(value),
    contentType: contentType ?? usual,
  });
  switch (kind) {
    case 'merge-patch': {
      const patch = mergePatch(json, editedJson(json, edits, false));
      return patch === undefined ? undefined : text(patch, 'application/merge-patch+json');
    }
    case 'json-patch': {
      const patch = jsonPatch(json, editedJson(json, edits, false), guardOf(plan, document, isGuarded));
      return patch.length === 0 ? undefined : text(patch, 'application/json-patch+json');
    }
    case 'full':
      return text(editedJson(json, edits, true), mediaType);
    case 'record':
      return text(mappedRecord(plan, json, edits), mediaType);
    case 'form':
      return { text: formOf(edits), contentType: contentType ?? form };
    case 'scim-patch':
      return undefined;
  }
}

function guardOf(plan: EntityPlan, document: Document, isGuarded: boolean): PatchGuard {
  if (isGuarded) return { kind: 'none' };
  const { revisionPointer: at } = plan;
  const value = at === undefined ? undefined : valueAt(document.json, at);
  if (at === undefined || value === undefined || revisionIn(plan, document) === undefined) return { kind: 'values' };
  return { kind: 'revision', at, value };
}

/** The mapped fields alone, as they are to be. */
function mappedRecord(plan: EntityPlan, json: Json, edits: readonly FieldEdit[]): Json {
  const edited = new Map(edits.map((edit) => [edit.field.name, edit.after]));
  let record: Json = {};
  for (const field of plan.fields.values()) {
    if (!field.isWritable || field.pointer === undefined) continue;
    const items = edited.get(field.name) ?? itemsIn(field, json);
    if (items.length > 0 || field.clear !== undefined) record = withItems(record, field, items, true);
  }
  return record;
}

/** One parameter for each value, by the last name of the field's place. */
export function formOf(edits: readonly FieldEdit[]): string {
  const parameters = new URLSearchParams();
  for (const { field, after } of edits) {
    const name = field.pointer?.at(-1) ?? field.name;
    for (const { json } of after) parameters.append(name, typeof json === 'string' ? json : JSON.stringify(json));
    if (after.length === 0) parameters.append(name, '');
  }
  return parameters.toString();
}

/** The new value of a field as one piece of JSON, for a template. */
export function jsonOfEdit({ field, after }: FieldEdit): Json {
  if (field.use.multiple) return after.map(({ json }) => json);
  return after[0]?.json ?? null;
}

/** A new record. */
export function newRecord(constants: JsonObject, edits: readonly FieldEdit[]): Json {
  const given = edits.filter(({ after }) => after.length > 0);
  return editedJson(constants, given, true);
}

/** Whether every member of the one is in the other: a whole record and not a part of it. */
export function holdsAll(json: Json, wanted: Json): boolean {
  if (typeof json !== 'object' || json === null || isList(json)) return false;
  if (typeof wanted !== 'object' || wanted === null || isList(wanted)) return true;
  return Object.entries(wanted).every(([name, value]) => value === null || Object.hasOwn(json, name));
}
