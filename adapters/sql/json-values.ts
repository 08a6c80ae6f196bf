import type { ChildRecord, Scalar } from '../../src/backend/adapter.js';
import type { JsonListField } from './field-plan.js';
import type { SqlValue } from './pool.js';
import type { ScalarPlan } from './scalar-plan.js';

type JsonObject = Readonly<Record<string, unknown>>;

/** An element of a JSON array: as it stands there, and what it means to the field. */
export interface JsonElement {
  readonly json: unknown;
  /** Absent for an element that the field cannot read, which is left alone. */
  readonly value?: Scalar | ChildRecord;
}

/** @param text a JSON array, a single value, or null */
export function parseElements(field: JsonListField, text: SqlValue | undefined): readonly JsonElement[] {
  const parsed: unknown = typeof text === 'string' ? JSON.parse(text) : [];
  const elements: readonly unknown[] = Array.isArray(parsed) ? parsed : parsed === null ? [] : [parsed];
  return elements.map((json) => {
    const value = field.isRecords ? toChild(field, json) : toScalar(field.parts.get(''), json);
    return value === undefined ? { json } : { json, value };
  });
}

/** A value as it is put into a JSON document. @throws AdapterError rejected */
export function toJson(scalar: ScalarPlan, value: Scalar): unknown {
  const stored = scalar.encode(value);
  if (scalar.type === 'boolean') return value;
  return typeof stored === 'bigint' ? Number(stored) : stored;
}

/** The child as a JSON object; members of `before` that the field does not know stay. */
export function childToJson(field: JsonListField, child: ChildRecord, before?: unknown): JsonObject {
  const json: Record<string, unknown> = isObject(before) ? { ...before } : {};
  for (const [part, scalar] of field.parts) {
    const value = child[part];
    const encoded = value === undefined ? null : toJson(scalar, value);
    if (encoded === null) delete json[part];
    else json[part] = encoded;
  }
  return json;
}

function toChild(field: JsonListField, json: unknown): ChildRecord | undefined {
  if (!isObject(json)) return undefined;
  const child: Record<string, Scalar> = {};
  for (const [part, scalar] of field.parts) {
    const value = Object.hasOwn(json, part) ? toScalar(scalar, json[part]) : undefined;
    if (value !== undefined) child[part] = value;
  }
  return Object.keys(child).length === 0 ? undefined : child;
}

/** As the SQL of `jsonSource` does it. */
function toScalar(scalar: ScalarPlan | undefined, json: unknown): Scalar | undefined {
  if (scalar === undefined || json === null || typeof json === 'object') return undefined;
  switch (scalar.type) {
    case 'string':
      return scalar.decode(String(json));
    case 'number':
      return typeof json === 'number' ? scalar.decode(json) : undefined;
    case 'boolean':
      return typeof json === 'boolean' ? json : undefined;
    default:
      return typeof json === 'boolean' ? undefined : scalar.decode(json as string | number);
  }
}

function isObject(json: unknown): json is JsonObject {
  return typeof json === 'object' && json !== null && !Array.isArray(json);
}
