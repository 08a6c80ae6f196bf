import type { FieldUse, Scalar } from '../../../src/backend/adapter.js';
import { instantKey } from '../../../src/scim/comparison.js';
import type { InstantFormat } from '../config.js';
import type { SqlValue } from '../pool.js';
import { createStoredScalar, rejected, type StoredScalar } from '../stored-scalar.js';
import type { ColumnSchema } from '../table-schema.js';
import { isPadded, spells } from './server-text.js';

export interface ServerValueOptions {
  /** As the mapping calls it, for errors. */
  readonly field: string;
  readonly type: FieldUse['type'];
  /** Absent for a member of a JSON document. */
  readonly schema?: ColumnSchema;
  readonly format?: InstantFormat;
  readonly prefix: string;
  readonly instants: { readonly separator: ' ' | 'T'; readonly leastYear: number };
}

/** Between what a server's column holds and what a record says: what the column cannot hold is refused before it is sent. */
export function serverValue(options: ServerValueOptions): StoredScalar {
  const { field, type, schema, format = 'iso', prefix } = options;
  const base = createStoredScalar({ field, type, kind: schema === undefined ? 'json' : 'none', format, prefix });
  if (schema === undefined) return base;
  const reject = (reason: string): never => {
    throw rejected(field, reason);
  };
  switch (type) {
    case 'string':
      return { decode: base.decode, encode: (value) => checkedText(schema, base.encode(value), reject) };
    case 'number':
      return { decode: decodeNumber(base), encode: (value) => checkedNumber(schema, base.encode(value), reject) };
    case 'boolean':
      return {
        decode: base.decode,
        encode: (value) => {
          const stored = base.encode(value);
          return schema.kind === 'text' ? String(stored) : stored;
        },
      };
    case 'instant':
      return isNativeInstant(schema) && format === 'iso' ? nativeInstant(schema, options, reject) : base;
    default:
      return {
        decode: base.decode,
        encode: (value) => {
          const stored = base.encode(value);
          const length = stored instanceof Uint8Array ? stored.length : 0;
          return length > (schema.maxBytes ?? Number.POSITIVE_INFINITY) ? reject('It is too long.') : stored;
        },
      };
  }
}

export function isNativeInstant({ kind }: ColumnSchema): boolean {
  return kind === 'instant' || kind === 'localTime' || kind === 'date';
}

function checkedText(schema: ColumnSchema, stored: SqlValue, reject: (reason: string) => never): SqlValue {
  if (typeof stored !== 'string') return stored;
  const { kind, maxLength, maxBytes } = schema;
  if (kind === 'uuid' && !spells(schema, stored)) return reject('It must be a UUID in lower case.');
  if (kind === 'integer') return spells(schema, stored) ? BigInt(stored) : reject('It must be a whole number.');
  if (kind === 'bytes' || kind === 'boolean') return reject('The column holds no texts.');
  if (isPadded(schema) && stored.endsWith(' ')) return reject('The column drops spaces at the end.');
  if (maxLength !== undefined && stored.length > maxLength && [...stored].length > maxLength) {
    return reject(`It is longer than ${maxLength} characters.`);
  }
  if (maxBytes !== undefined && Buffer.byteLength(stored) > maxBytes) return reject('It is too long.');
  return stored;
}

/** Decimals come as text: 12.50. */
function decodeNumber(base: StoredScalar): StoredScalar['decode'] {
  return (stored) => {
    if (typeof stored === 'number' && !Number.isFinite(stored)) return undefined;
    return base.decode(stored);
  };
}

function checkedNumber(schema: ColumnSchema, stored: SqlValue, reject: (reason: string) => never): SqlValue {
  if (schema.kind !== 'integer') return stored;
  const text = typeof stored === 'bigint' ? String(stored) : '';
  if (text === '') return reject('It must be a whole number.');
  return spells(schema, text) ? stored : reject('The number is too great or too small for the column.');
}

const printed = /^(\d{4}-\d{2}-\d{2})(?:[ T](\d{2}:\d{2}:\d{2}(?:\.\d+)?))?(?:Z|\+00(?::?00)?)?$/;

/** Date and time as the server keeps them, in UTC. */
function nativeInstant(
  schema: ColumnSchema,
  { instants }: ServerValueOptions,
  reject: (reason: string) => never,
): StoredScalar {
  return {
    decode: (stored) => {
      const match = typeof stored === 'string' ? printed.exec(stored) : null; // else infinity, or before our era
      const key = match === null ? undefined : instantKey(`${match[1]}T${match[2] ?? '00:00:00'}Z`);
      return key === undefined ? undefined : `${key}Z`;
    },
    encode: (value: Scalar) => {
      const key = typeof value === 'string' ? instantKey(value) : undefined;
      if (key === undefined || Number(key.slice(0, 4)) < instants.leastYear) {
        return reject('It must be a date with a time that the database can keep.');
      }
      if (schema.kind === 'date' && !key.endsWith('T00:00:00')) return reject('The column holds days without a time.');
      return nativeText(schema, key, instants.separator).text;
    },
  };
}

/** The key of an instant as the column can hold it, and whether digits were left out. */
export function nativeText(
  { kind, fractionDigits = 6 }: ColumnSchema,
  key: string,
  separator: ' ' | 'T',
): { readonly text: string; readonly isCut: boolean } {
  const [seconds = '', fraction = ''] = key.split('.');
  if (kind === 'date') {
    return { text: seconds.slice(0, 10), isCut: fraction !== '' || !seconds.endsWith('T00:00:00') };
  }
  const kept = fraction.slice(0, fractionDigits);
  const zone = kind === 'instant' && separator === 'T' ? 'Z' : '';
  const text = `${seconds.replace('T', separator)}${kept === '' ? '' : `.${kept}`}${zone}`;
  return { text, isCut: kept.length < fraction.length };
}
