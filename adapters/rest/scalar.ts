import type { Scalar } from '../../src/backend/adapter.js';
import { instantKey, keyOf } from '../../src/scim/comparison.js';
import type { ScalarPlan } from './field-plan.js';
import type { Json } from './json.js';

/** A value of JSON as the mapping wants it. @returns undefined for null, and for what is no value of the type */
export function decodeScalar(plan: ScalarPlan, json: Json | undefined): Scalar | undefined {
  if (json === null || json === undefined || typeof json === 'object') return undefined;
  switch (plan.type) {
    case 'string':
      return `${plan.prefixes[0] ?? ''}${json}`;
    case 'number': {
      const number = typeof json === 'string' && json.trim() !== '' ? Number(json) : json;
      return typeof number === 'number' && Number.isFinite(number) ? number : undefined;
    }
    case 'boolean':
      return booleanOf(json);
    case 'instant': {
      const key = instantKey(String(json));
      return key === undefined ? undefined : `${key}Z`;
    }
    case 'bytes':
      return typeof json === 'string' ? new Uint8Array(Buffer.from(json, 'base64')) : undefined;
    case 'records':
      return undefined;
  }
}

function booleanOf(json: string | number | boolean): boolean | undefined {
  const text = String(json).toLowerCase();
  if (text === 'true' || text === '1') return true;
  return text === 'false' || text === '0' ? false : undefined;
}

/** Why a value cannot be written. */
export interface Unfit {
  readonly reason: string;
}

/** A value as JSON. */
export function encodeScalar(plan: ScalarPlan, value: Scalar): Json | Unfit {
  if (!isOfType(plan.type, value)) return { reason: `It must be of type ${plan.type}.` };
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  const stored = withoutPrefix(plan, value);
  switch (plan.json) {
    case 'number': {
      const number = Number(stored);
      const isKept = String(stored).trim() !== '' && Number.isFinite(number) && String(number) === String(stored);
      return isKept ? number : { reason: 'It must be a number that the target can hold.' };
    }
    case 'boolean': {
      const boolean = booleanOf(typeof stored === 'bigint' ? String(stored) : stored);
      return boolean ?? { reason: 'It must be true or false.' };
    }
    case 'string':
      return String(stored);
    case undefined:
      if (typeof stored !== 'bigint') return stored;
      return Number.isSafeInteger(Number(stored)) ? Number(stored) : { reason: 'It is too large for JSON.' };
  }
}

export function isUnfit(encoded: Json | Unfit): encoded is Unfit {
  return typeof encoded === 'object' && encoded !== null && 'reason' in encoded && !Array.isArray(encoded);
}

/** The value as the target knows it, for a request's path or query. */
export function storedScalar(plan: ScalarPlan, value: Scalar): Scalar {
  return withoutPrefix(plan, value);
}

function withoutPrefix<T extends Scalar>({ prefixes }: ScalarPlan, value: T): T | string {
  if (typeof value !== 'string') return value;
  const prefix = prefixes.find((one) => value.startsWith(one));
  return prefix === undefined ? value : value.slice(prefix.length);
}

function isOfType(type: ScalarPlan['type'], value: unknown): boolean {
  switch (type) {
    case 'string':
      return typeof value === 'string';
    case 'number':
      return typeof value === 'bigint' || (typeof value === 'number' && Number.isFinite(value));
    case 'boolean':
      return typeof value === 'boolean';
    case 'instant':
      return typeof value === 'string' && instantKey(value) !== undefined;
    case 'bytes':
      return value instanceof Uint8Array;
    case 'records':
      return false;
  }
}

/** Text that is equal for values that compare equal. */
export function scalarKey(plan: Pick<ScalarPlan, 'comparison'>, value: Scalar): string {
  if (value instanceof Uint8Array) return `bytes:${Buffer.from(value).toString('base64')}`;
  const key = keyOf(plan.comparison, value) ?? value;
  return typeof key === 'bigint' ? `number:${key}` : `${typeof key}:${key}`;
}

/** Text that is equal for values that are the same in every character. */
export function exactKey(value: Scalar): string {
  if (value instanceof Uint8Array) return `bytes:${Buffer.from(value).toString('base64')}`;
  return typeof value === 'bigint' ? `number:${value}` : `${typeof value}:${value}`;
}
