import type { FieldUse, Scalar } from '../../backend/adapter.js';
import { comparisonOf, fold, keyOf, keysMatch } from '../../scim/comparison.js';
import { ScimError } from '../../scim/error.js';
import { anyOf, negate } from '../../scim/filter.js';
import type { Attribute } from '../../scim/schema.js';
import type { AttributeValue, Codec, PushedCondition } from '../codec.js';
import {
  atLeast,
  both,
  type CodecDefinition,
  type CodecRequest,
  compare,
  exactly,
  oneOf,
  present,
} from './definition.js';

/** Codecs that are a table of values: `switch`, and booleans kept as words, as numbers or the other way round. */

interface Row {
  readonly value: AttributeValue;
  /** The field's values that mean it. The first is written. */
  readonly stored: readonly AttributeValue[];
}

interface Table {
  readonly name: string;
  readonly rows: readonly Row[];
  /** What a field value outside the table means. */
  readonly otherwise?: AttributeValue | undefined;
}

/**
 * Comparisons of any kind are worked out on the table at hand, so that every condition is a choice of field values.
 * Those are looked up as the field compares: without regard to case where the attribute is.
 */
function tableCodec(table: Table, { attribute, multiple }: CodecRequest): Codec {
  const { name, rows, otherwise } = table;
  const comparison = comparisonOf(attribute);
  const written = new Map<unknown, AttributeValue>();
  const meanings = new Map<AttributeValue, { readonly stored: AttributeValue; readonly value: AttributeValue }>();
  const fieldKey = (item: AttributeValue): AttributeValue =>
    comparison === 'fold' && typeof item === 'string' ? fold(item) : item;
  for (const { value, stored } of rows) {
    for (const item of stored) {
      if (!meanings.has(fieldKey(item))) meanings.set(fieldKey(item), { stored: item, value });
    }
    const [first] = stored;
    if (first !== undefined) written.set(keyOf(comparison, value), first);
  }
  const known = [...meanings.values()];
  return {
    name,
    fieldType: fieldTypeOf(known[0]?.stored),
    needsCurrent: false,
    decode: (values) =>
      values.flatMap((value) => {
        const item = plain(value);
        return meanings.get(fieldKey(item))?.value ?? (item === '' ? [] : (otherwise ?? []));
      }),
    encode: (values) =>
      values.map((value) => {
        const found = written.get(keyOf(comparison, value));
        if (found === undefined) throw unknownValue(attribute, rows);
        return found;
      }),
    toCondition: (field, op, value): PushedCondition | undefined => {
      if (op === 'pr' && otherwise !== undefined) return exactly(present(field));
      const wanted = value === undefined ? undefined : keyOf(comparison, value);
      const holds = (candidate: AttributeValue): boolean => {
        const key = keyOf(comparison, candidate);
        return op === 'pr' || (key !== undefined && wanted !== undefined && keysMatch(op, key, wanted));
      };
      const storedIn = (list: typeof known) =>
        oneOf(
          field,
          list.map((item) => item.stored),
        );
      const matching = storedIn(known.filter((item) => holds(item.value)));
      if (otherwise === undefined || !holds(otherwise)) return exactly(matching);
      // Of many values, "one that is not in the table" cannot be said.
      if (multiple) return atLeast(present(field));
      return exactly(anyOf([matching, both(present(field), negate(storedIn(known)))]));
    },
  };
}

/** As it stands in a table of YAML scalars. */
function plain(value: Scalar): AttributeValue {
  return typeof value === 'bigint' ? Number(value) : value instanceof Uint8Array ? '' : value;
}

function fieldTypeOf(value: AttributeValue | undefined): FieldUse['type'] {
  return typeof value === 'number' ? 'number' : typeof value === 'boolean' ? 'boolean' : 'string';
}

function unknownValue(attribute: Attribute, rows: readonly Row[]): ScimError {
  const allowed = rows.map(({ value }) => String(value)).join(', ');
  return ScimError.badRequest('invalidValue', `${attribute.path}: must be one of ${allowed}.`);
}

function createSwitch(request: CodecRequest): Codec | undefined {
  const { attribute, options } = request;
  const table = options.table('map');
  const otherwise = options.scalar('default');
  if (otherwise !== undefined && asValueOf(attribute, String(otherwise)) === undefined) {
    options.problem(`"default" is a value of "${attribute.path}", which is of type ${attribute.type}.`);
  }
  const rows: Row[] = [];
  for (const [key, stored] of table ?? []) {
    const value = asValueOf(attribute, key);
    if (value === undefined)
      options.problem(`"${key}" is no value of "${attribute.path}", which is of type ${attribute.type}.`);
    else rows.push({ value, stored });
  }
  const kinds = new Set(rows.flatMap(({ stored }) => stored.map((item) => typeof item)));
  if (kinds.size > 1) options.problem('the field\'s values in "map" are all texts, all numbers or all booleans.');
  if (options.problems.length > 0) return undefined;
  return tableCodec(
    { name: 'switch', rows, otherwise: otherwise === undefined ? undefined : asValueOf(attribute, String(otherwise)) },
    request,
  );
}

/** Keys of a YAML table are texts, whatever the attribute's type. */
function asValueOf({ type }: Attribute, text: string): AttributeValue | undefined {
  switch (type) {
    case 'boolean':
      return text === 'true' ? true : text === 'false' ? false : undefined;
    case 'integer':
    case 'decimal':
      return text.trim() !== '' && Number.isFinite(Number(text)) ? Number(text) : undefined;
    default:
      return text;
  }
}

/** The words in their usual spellings, so that `true` is understood where `TRUE` is configured. */
function spellings(word: string): readonly string[] {
  const lower = word.toLowerCase();
  return [...new Set([word, word.toUpperCase(), lower, `${lower.slice(0, 1).toUpperCase()}${lower.slice(1)}`])];
}

function createBooleanText(request: CodecRequest): Codec | undefined {
  const { options } = request;
  const [yes, no] = [options.text('true', 'TRUE'), options.text('false', 'FALSE')];
  if (yes.toLowerCase() === no.toLowerCase()) options.problem('"true" and "false" are different words.');
  if (options.problems.length > 0) return undefined;
  const rows = [
    { value: true, stored: spellings(yes) },
    { value: false, stored: spellings(no) },
  ];
  return tableCodec({ name: 'booleanText', rows }, request);
}

function createBooleanNumber(request: CodecRequest): Codec | undefined {
  const { options } = request;
  const [yes, no] = [options.scalar('true') ?? 1, options.scalar('false') ?? 0];
  if (typeof yes !== 'number' || typeof no !== 'number' || yes === no) {
    return options.problem('"true" and "false" are different numbers.');
  }
  const rows = [
    { value: true, stored: [yes] },
    { value: false, stored: [no] },
  ];
  return tableCodec({ name: 'booleanNumber', rows }, request);
}

/**
 * `active` kept as `disabled`: a boolean field that says the opposite. A single field without a value reads as true,
 * since nothing says that the account is disabled.
 */
function createInverted({ multiple }: CodecRequest): Codec {
  return {
    name: 'inverted',
    fieldType: 'boolean',
    needsCurrent: false,
    decode: (values) =>
      multiple ? values.flatMap((value) => (typeof value === 'boolean' ? [!value] : [])) : [values[0] !== true],
    encode: (values) => values.map((value) => value !== true),
    toCondition: (field, op, value) => {
      if (op === 'pr') return exactly(multiple ? present(field) : { kind: 'and', operands: [] });
      if (op !== 'eq' || typeof value !== 'boolean') return undefined;
      if (multiple) return exactly(compare(field, 'eq', !value));
      const isSet = compare(field, 'eq', true);
      return exactly(value ? negate(isSet) : isSet);
    },
  };
}

export const tableDefinitions: readonly CodecDefinition[] = [
  {
    name: 'switch',
    attributeTypes: ['string', 'reference', 'boolean', 'integer', 'decimal'],
    options: ['map', 'default'],
    create: createSwitch,
  },
  { name: 'booleanText', attributeTypes: ['boolean'], options: ['true', 'false'], create: createBooleanText },
  { name: 'booleanNumber', attributeTypes: ['boolean'], options: ['true', 'false'], create: createBooleanNumber },
  { name: 'inverted', attributeTypes: ['boolean'], options: [], create: createInverted },
];
