import type { FieldUse, Scalar } from '../../src/backend/adapter.js';
import { AdapterError } from '../../src/backend/adapter-error.js';
import { instantKey } from '../../src/scim/comparison.js';
import type { InstantFormat } from './config.js';
import type { SqlValue } from './pool.js';
import { instantOf, numberOf, spellsNumber } from './spelled-values.js';
import type { ColumnKind } from './table-schema.js';

/** One simple value in its column or JSON member: between what SQLite holds and what a record says. */
export interface StoredScalar {
  /** @returns undefined for what is no value of the field: NULL, an empty text, another type */
  decode(stored: SqlValue): Scalar | undefined;
  /** @throws AdapterError rejected when the field cannot hold the value. NULL for an empty text, which is no value. */
  encode(value: Scalar): SqlValue;
}

export interface ScalarDeclaration {
  /** As the mapping calls it, for errors. */
  readonly field: string;
  readonly type: FieldUse['type'];
  /** `json` for a member of a JSON object, where bytes are base64 text. */
  readonly kind: ColumnKind | 'json';
  readonly format: InstantFormat;
  /** Stands before the value in records, not in the column. */
  readonly prefix: string;
}

export function createStoredScalar(declaration: ScalarDeclaration): StoredScalar {
  const { type, format } = declaration;
  const reject = (reason: string): never => {
    throw rejected(declaration.field, reason);
  };
  switch (type) {
    case 'string':
      return textScalar(declaration, reject);
    case 'number':
      return {
        decode: (stored) => plainNumber(numberOf(stored)),
        encode: (value) =>
          typeof value === 'bigint' || Number.isFinite(value)
            ? toSqlNumber(value as number)
            : reject('It must be a number.'),
      };
    case 'boolean':
      return {
        decode: (stored) => (stored === null || !/^[01]$/.test(String(stored)) ? undefined : Number(stored) === 1),
        encode: (value) => (typeof value === 'boolean' ? BigInt(value) : reject('It must be true or false.')),
      };
    case 'instant':
      return {
        decode: (stored) => decodeInstant(format, stored),
        encode: (value) =>
          (typeof value === 'string' ? encodeInstant(format, value) : undefined) ??
          reject('It must be a date with a time.'),
      };
    case 'bytes':
      return bytesScalar(declaration, reject);
    case 'records':
      throw new Error(`"${declaration.field}" holds child records, not simple values.`);
  }
}

/** UTF-8 has none: SQLite would keep U+FFFD. */
export const loneSurrogate = /\p{Surrogate}/u;

function textScalar({ kind, prefix }: ScalarDeclaration, reject: (reason: string) => never): StoredScalar {
  return {
    decode: (stored) => (typeof stored === 'string' && stored !== '' ? prefix + stored : undefined),
    encode: (value) => {
      if (typeof value !== 'string') return reject('It must be a text.');
      if (value === '') return null;
      if (value.includes('\0')) return reject('It contains the character U+0000.');
      if (loneSurrogate.test(value)) return reject('It contains half a character.');
      if (!value.startsWith(prefix)) return reject('It names no record that could be stored here.');
      const text = value.slice(prefix.length);
      const stored = toColumnText(kind, text);
      return stored === undefined ? reject('The column holds numbers and would change this text.') : stored;
    },
  };
}

function bytesScalar({ kind }: ScalarDeclaration, reject: (reason: string) => never): StoredScalar {
  const toBytes = (stored: SqlValue): SqlValue =>
    kind === 'json' && typeof stored === 'string' ? Buffer.from(stored, 'base64') : stored;
  return {
    decode: (stored) => {
      const bytes = toBytes(stored);
      return bytes instanceof Uint8Array && bytes.length > 0 ? Uint8Array.from(bytes) : undefined;
    },
    encode: (value) => {
      if (!(value instanceof Uint8Array)) return reject('It must be binary.');
      const bytes = Buffer.from(value);
      return kind === 'json' ? bytes.toString('base64') : bytes;
    },
  };
}

/**
 * A text as it must be given to a column of that affinity, so that it reads the same again.
 * @returns undefined when SQLite would make another number of it: `007`, `1e3`
 */
export function toColumnText(kind: ColumnKind | 'json', text: string): SqlValue | undefined {
  if (kind === 'text' || kind === 'none' || kind === 'json' || !spellsNumber(text)) return text;
  if (kind === 'real' || !/^(0|-?[1-9]\d{0,18})$/.test(text)) return undefined;
  const integer = BigInt(text);
  return BigInt.asIntN(64, integer) === integer ? integer : undefined;
}

/** Whole numbers as integers: better-sqlite3 makes a REAL of every JavaScript number. */
export function toSqlNumber(value: number | bigint): SqlValue {
  return Number.isSafeInteger(value) ? BigInt(value) : value;
}

function plainNumber(value: number | bigint | null): number | bigint | undefined {
  if (typeof value !== 'bigint') return value ?? undefined;
  return value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER ? Number(value) : value;
}

const unitMs = { epochSeconds: 1000, epochMillis: 1 } as const;
const latestMs = Date.UTC(9999, 11, 31, 23, 59, 59, 999);
const earliestMs = Date.parse('0000-01-01T00:00:00Z');

function decodeInstant(format: InstantFormat, stored: SqlValue): string | undefined {
  if (format === 'iso') {
    const key = instantOf(stored);
    return key === null ? undefined : `${key}Z`;
  }
  if (typeof stored !== 'number' && typeof stored !== 'bigint') return undefined;
  const ms = Number(stored) * unitMs[format];
  if (!(ms >= earliestMs && ms <= latestMs)) return undefined;
  const whole = Math.floor(ms);
  const fraction = ms === whole ? '' : (ms - whole).toFixed(6).slice(2); // of a millisecond
  return `${instantKey(new Date(whole).toISOString().replace('Z', `${fraction}Z`))}Z`;
}

function encodeInstant(format: InstantFormat, value: string): SqlValue | undefined {
  const key = instantKey(value);
  if (key === undefined) return undefined;
  if (format === 'iso') return `${key}Z`;
  return BigInt(Math.floor(epochOf(format, key)));
}

/** The number that stands for an instant's comparison key; with a fraction where the unit is too coarse. */
export function epochOf(format: Exclude<InstantFormat, 'iso'>, key: string): number {
  const [seconds = '', fraction = ''] = key.split('.');
  const ms = Date.parse(`${seconds}Z`) + (fraction === '' ? 0 : Number(`0.${fraction}`) * 1000);
  return ms / unitMs[format];
}

export function rejected(field: string, reason: string): AdapterError {
  return new AdapterError('rejected', `"${field}" was rejected: ${reason}`, { field, reason });
}
