import type { Condition, FilterOp } from '../../backend/adapter.js';
import { allOf, anyOf, type CompareValue } from '../../scim/filter.js';
import type { Attribute, AttributeType } from '../../scim/schema.js';
import type { Codec, PushedCondition } from '../codec.js';
import type { CodecOptions } from './options.js';

export interface CodecRequest {
  readonly attribute: Attribute;
  /** The field holds many values. */
  readonly multiple: boolean;
  readonly options: CodecOptions;
}

/** How a named codec is made from its options. */
export interface CodecDefinition {
  readonly name: string;
  /** The attributes that it is for. */
  readonly attributeTypes: readonly AttributeType[];
  /** The names of its options. */
  readonly options: readonly string[];
  /** @returns undefined when an option is wrong, which `request.options` has noted */
  create(request: CodecRequest): Codec | undefined;
}

type FieldOp = Exclude<FilterOp, 'pr'>;

export function compare(field: string, op: FieldOp, value: Exclude<CompareValue, null>): Condition {
  return { kind: 'compare', path: field, op, value };
}

export function present(field: string): Condition {
  return { kind: 'present', path: field };
}

/** Any of the values. */
export function oneOf(field: string, values: readonly Exclude<CompareValue, null>[]): Condition {
  return anyOf(values.map((value) => compare(field, 'eq', value)));
}

export function both(a: Condition, b: Condition): Condition {
  return allOf([a, b]);
}

export function exactly(condition: Condition): PushedCondition {
  return { condition, exact: true };
}

/** May select more than the SCIM comparison does, never less. */
export function atLeast(condition: Condition): PushedCondition {
  return { condition, exact: false };
}
