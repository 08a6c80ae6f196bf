import type { Scalar } from '../../backend/adapter.js';
import { instantKey } from '../../scim/comparison.js';
import type { AttributeType } from '../../scim/schema.js';
import type { AttributeValue, Codec } from '../codec.js';
import { type CodecDefinition, compare, exactly, present } from './definition.js';

/** Codecs that take values as they are: one for each kind of field. They are the default, by the attribute's type. */

const stringCodec: Codec = {
  name: 'string',
  fieldType: 'string',
  needsCurrent: false,
  // A number column under a text attribute (employeeNumber) reads as its decimal text.
  decode: (values) =>
    areTexts(values) ? values : values.flatMap((value) => (value instanceof Uint8Array ? [] : [String(value)])),
  encode: (values) => values.map(String),
  toCondition: (field, op, value) => {
    if (op === 'pr') return exactly(present(field));
    return typeof value === 'string' ? exactly(compare(field, op, value)) : undefined;
  },
};

function areTexts(values: readonly Scalar[]): values is readonly string[] {
  return values.every((value) => typeof value === 'string');
}

const numberCodec: Codec = {
  name: 'number',
  fieldType: 'number',
  needsCurrent: false,
  decode: (values) =>
    values.flatMap((value) => (typeof value === 'number' || typeof value === 'bigint' ? [Number(value)] : [])),
  encode: (values) => values.filter((value) => typeof value === 'number'),
  toCondition: (field, op, value) => {
    if (op === 'pr') return exactly(present(field));
    if (typeof value !== 'number' || op === 'co' || op === 'sw' || op === 'ew') return undefined;
    return exactly(compare(field, op, value));
  },
};

const booleanCodec: Codec = {
  name: 'boolean',
  fieldType: 'boolean',
  needsCurrent: false,
  decode: (values) => values.filter((value) => typeof value === 'boolean'),
  encode: (values) => values.filter((value) => typeof value === 'boolean'),
  toCondition: (field, op, value) => {
    if (op === 'pr') return exactly(present(field));
    return op === 'eq' && typeof value === 'boolean' ? exactly(compare(field, 'eq', value)) : undefined;
  },
};

/** Instants in UTC with a "Z", as adapters want them. */
const instantCodec: Codec = {
  name: 'instant',
  fieldType: 'instant',
  needsCurrent: false,
  decode: (values) =>
    values.filter((value) => typeof value === 'string' && instantKey(value) !== undefined) as string[],
  encode: (values) => values.flatMap((value) => utc(value) ?? []),
  toCondition: (field, op, value) => {
    if (op === 'pr') return exactly(present(field));
    const instant = value === undefined ? undefined : utc(value);
    return instant === undefined || op === 'co' || op === 'sw' || op === 'ew'
      ? undefined
      : exactly(compare(field, op, instant));
  },
};

function utc(value: AttributeValue): string | undefined {
  const key = typeof value === 'string' ? instantKey(value) : undefined;
  return key === undefined ? undefined : `${key}Z`;
}

/** Base64 on the SCIM side, with padding when read. In conditions bytes are their base64 text. */
const bytesCodec: Codec = {
  name: 'bytes',
  fieldType: 'bytes',
  needsCurrent: false,
  decode: (values) =>
    values.flatMap((value) => (value instanceof Uint8Array ? [Buffer.from(value).toString('base64')] : [])),
  encode: (values) => values.map((value): Scalar => new Uint8Array(Buffer.from(String(value), 'base64'))),
  toCondition: (field, op, value) => {
    if (op === 'pr') return exactly(present(field));
    if (op !== 'eq' || typeof value !== 'string') return undefined;
    return exactly(compare(field, 'eq', Buffer.from(value, 'base64').toString('base64')));
  },
};

const byType: Readonly<Record<AttributeType, Codec>> = {
  string: stringCodec,
  reference: stringCodec,
  complex: stringCodec,
  boolean: booleanCodec,
  integer: numberCodec,
  decimal: numberCodec,
  dateTime: instantCodec,
  binary: bytesCodec,
};

/** The codec of an attribute whose rule names none. */
export function identityCodec(type: AttributeType): Codec {
  return byType[type];
}

export const identityDefinitions: readonly CodecDefinition[] = [
  identity(stringCodec, ['string', 'reference', 'binary']),
  identity(numberCodec, ['integer', 'decimal']),
  identity(booleanCodec, ['boolean']),
  identity(instantCodec, ['dateTime']),
  identity(bytesCodec, ['binary']),
];

function identity(codec: Codec, attributeTypes: readonly AttributeType[]): CodecDefinition {
  return { name: codec.name, attributeTypes, options: [], create: () => codec };
}
