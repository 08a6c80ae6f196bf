import { ScimError } from '../../scim/error.js';
import { allOf } from '../../scim/filter.js';
import type { Codec, PushedCondition } from '../codec.js';
import { atLeast, type CodecDefinition, type CodecRequest, compare, exactly, present } from './definition.js';

/** Codecs between one text and many, and between numbers and text. */

/** Many values of the attribute in one text of the field: `a;b;c`. Empty parts are no values. */
function createJoin({ attribute, options }: CodecRequest): Codec | undefined {
  const separator = options.text('separator', ',');
  if (options.problems.length > 0) return undefined;
  return {
    name: 'join',
    fieldType: 'string',
    needsCurrent: false,
    decode: (values) => values.flatMap((value) => String(value).split(separator)).filter((part) => part !== ''),
    encode: (values) => {
      const parts = values.map(String).filter((part) => part !== '');
      if (parts.some((part) => part.includes(separator))) {
        throw ScimError.badRequest('invalidValue', `${attribute.path}: a value cannot contain "${separator}" here.`);
      }
      const text = parts.join(separator);
      // "a;" and ";b" would join to a text that splits elsewhere.
      if (text.split(separator).some((part, index) => part !== parts[index]) && parts.length > 0) {
        throw ScimError.badRequest('invalidValue', `${attribute.path}: a value cannot border on "${separator}" here.`);
      }
      return text === '' ? [] : [text];
    },
    toCondition: (field, op, value): PushedCondition | undefined => {
      if (op === 'pr') return atLeast(present(field));
      if (typeof value !== 'string' || op === 'gt' || op === 'ge' || op === 'lt' || op === 'le') return undefined;
      return atLeast(value === '' ? present(field) : compare(field, 'co', value));
    },
  };
}

/** One text of the attribute in many values of the field: the other way round than `join`. */
function createSplit({ options, multiple }: CodecRequest): Codec | undefined {
  const separator = options.text('separator', ',');
  if (!multiple) options.problem('the field holds many values, so the rule says "multiple: true".');
  if (options.problems.length > 0) return undefined;
  const partsOf = (text: string): readonly string[] => [
    ...new Set(text.split(separator).filter((part) => part !== '')),
  ];
  return {
    name: 'split',
    fieldType: 'string',
    needsCurrent: false,
    decode: (values) => {
      const text = values.map(String).join(separator);
      return text === '' ? [] : [text];
    },
    encode: (values) => values.flatMap((value) => partsOf(String(value))),
    toCondition: (field, op, value): PushedCondition | undefined => {
      if (op === 'pr') return atLeast(present(field));
      if (typeof value !== 'string' || op === 'gt' || op === 'ge' || op === 'lt' || op === 'le') return undefined;
      const pieces = withoutCharacters(value, separator);
      return atLeast(pieces.length === 0 ? present(field) : allOf(pieces.map((piece) => compare(field, 'co', piece))));
    },
  };
}

/** The runs of text between characters of the separator: each lies within one value of the field. */
function withoutCharacters(text: string, separator: string): readonly string[] {
  let pieces = [text];
  for (const character of separator) pieces = pieces.flatMap((piece) => piece.split(character));
  return pieces.filter((piece) => piece !== '');
}

const canonicalNumber = /^-?\d+(\.\d+)?$/;

function isCanonicalNumber(text: string): boolean {
  return canonicalNumber.test(text) && String(Number(text)) === text;
}

/**
 * A number of the attribute as decimal text in the field, or a text of the attribute (employeeNumber) in a number field,
 * by the attribute's type. Texts that are no plain decimal, "007" among them, are no number.
 */
function createNumberText({ attribute }: CodecRequest): Codec {
  return attribute.type === 'integer' || attribute.type === 'decimal' ? numberAsText : textAsNumber(attribute.path);
}

const numberAsText: Codec = {
  name: 'numberText',
  fieldType: 'string',
  needsCurrent: false,
  decode: (values) => values.flatMap((value) => (isCanonicalNumber(String(value)) ? [Number(value)] : [])),
  encode: (values) => values.map(String),
  toCondition: (field, op, value) => {
    if (op === 'pr') return atLeast(present(field));
    return op === 'eq' && typeof value === 'number' ? exactly(compare(field, 'eq', String(value))) : undefined;
  },
};

function textAsNumber(path: string): Codec {
  return {
    name: 'numberText',
    fieldType: 'number',
    needsCurrent: false,
    decode: (values) =>
      values.flatMap((value) => (typeof value === 'number' || typeof value === 'bigint' ? [String(value)] : [])),
    encode: (values) =>
      values.map((value) => {
        if (isCanonicalNumber(String(value))) return Number(value);
        throw ScimError.badRequest('invalidValue', `${path}: must be a number in plain decimal digits, such as "42".`);
      }),
    toCondition: (field, op, value) => {
      if (op === 'pr') return exactly(present(field));
      if (op !== 'eq' || typeof value !== 'string') return undefined;
      return isCanonicalNumber(value) ? exactly(compare(field, 'eq', Number(value))) : undefined;
    },
  };
}

const textTypes = ['string', 'reference'] as const;

export const textDefinitions: readonly CodecDefinition[] = [
  { name: 'join', attributeTypes: textTypes, options: ['separator'], create: createJoin },
  { name: 'split', attributeTypes: textTypes, options: ['separator'], create: createSplit },
  { name: 'numberText', attributeTypes: ['string', 'integer', 'decimal'], options: [], create: createNumberText },
];
