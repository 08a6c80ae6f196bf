import type { FieldUse, Scalar } from '../../src/backend/adapter.js';
import { AdapterError } from '../../src/backend/adapter-error.js';
import type { AttributeValue } from './directory.js';
import { fromGeneralizedTime, toGeneralizedTime } from './generalized-time.js';
import { guidBytes, guidText } from './guid.js';

/**
 * How a field's values stand in the directory.
 *
 * - `text`, `bytes`: as they are
 * - `integer`, `boolean`, `time`: in the syntaxes of RFC 4517
 * - `guid`: 16 bytes that are shown as text (objectGUID)
 * - `base64`: bytes that the mapping takes for text
 * - `reference`: the DN of an entry, which the record holds as that entry's id
 * - `dn`: a DN as it is, in one spelling
 */
export type ValueForm = 'text' | 'bytes' | 'integer' | 'boolean' | 'time' | 'guid' | 'base64' | 'reference' | 'dn';

/** What decides about the form of values; `isWhole` for servers that keep whole seconds. */
export interface ValueKind {
  readonly use: Pick<FieldUse, 'name' | 'type'>;
  readonly form: ValueForm;
  readonly isWhole: boolean;
}

/** @returns undefined for what is no value of the form: it is left out, as if it were not there */
export function decodeValue({ form, use }: ValueKind, value: AttributeValue): Scalar | undefined {
  switch (form) {
    case 'text':
    case 'dn':
    case 'reference':
      return decodeText(value);
    case 'bytes':
      return typeof value === 'string' ? new Uint8Array(Buffer.from(value)) : new Uint8Array(value);
    case 'base64':
      return Buffer.from(value as Uint8Array).toString('base64');
    case 'guid':
      return typeof value === 'string' ? value : guidText(value);
    case 'integer':
      return decodeInteger(decodeText(value) ?? '', use.type);
    case 'boolean':
      return value === 'TRUE' ? true : value === 'FALSE' ? false : undefined;
    case 'time':
      return fromGeneralizedTime(String(value));
  }
}

/** @throws AdapterError `rejected` for a value of another kind */
export function encodeValue(kind: ValueKind, value: Scalar): AttributeValue {
  if (kind.form === 'text' && typeof value === 'string' && value.includes('\0')) throw withNul(kind);
  const encoded = tryEncode(kind, value);
  if (encoded !== undefined) return encoded;
  const { name: field, type } = kind.use;
  throw new AdapterError('rejected', `A value of "${field}" has not the type ${type}.`, {
    field,
    reason: `The value is no ${words[kind.form]}.`,
  });
}

/** Servers keep it, and some take it for the end of the text when they compare. */
function withNul({ use }: ValueKind): AdapterError {
  return new AdapterError('rejected', `A value of "${use.name}" has the character NUL.`, {
    field: use.name,
    reason: 'The directory cannot hold the character NUL in a text.',
  });
}

const words: Readonly<Record<ValueForm, string>> = {
  text: 'text',
  dn: 'distinguished name',
  reference: 'id',
  bytes: 'binary value',
  base64: 'base64 text',
  guid: 'GUID',
  integer: 'whole number',
  boolean: 'boolean',
  time: 'date and time',
};

function tryEncode({ form, isWhole }: ValueKind, value: Scalar): AttributeValue | undefined {
  switch (form) {
    case 'text':
    case 'dn':
    case 'reference':
      return typeof value === 'string' ? value : undefined;
    case 'bytes':
      return value instanceof Uint8Array ? new Uint8Array(value) : undefined;
    case 'base64':
      return typeof value === 'string' ? Buffer.from(value, 'base64') : undefined;
    case 'guid':
      return typeof value === 'string' ? guidBytes(value) : undefined;
    case 'integer':
      return encodeInteger(value);
    case 'boolean':
      return typeof value === 'boolean' ? (value ? 'TRUE' : 'FALSE') : undefined;
    case 'time':
      return typeof value === 'string' ? toGeneralizedTime(value, isWhole ? 'drop' : 'keep') : undefined;
  }
}

function decodeText(value: AttributeValue): string {
  return typeof value === 'string' ? value : Buffer.from(value).toString('utf8');
}

/** Numbers that JavaScript cannot hold exactly come as bigint: FILETIME and other large integers. */
function decodeInteger(text: string, type: FieldUse['type']): Scalar | undefined {
  if (!/^-?\d+$/.test(text)) return undefined;
  if (type === 'string') return text;
  const number = Number(text);
  return Number.isSafeInteger(number) ? number : BigInt(text);
}

function encodeInteger(value: Scalar): string | undefined {
  if (typeof value === 'bigint') return value.toString();
  if (typeof value === 'number' && Number.isInteger(value)) return BigInt(value).toString();
  return typeof value === 'string' && /^-?\d+$/.test(value) ? value : undefined;
}
