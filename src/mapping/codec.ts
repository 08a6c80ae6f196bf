import type { Condition, FieldUse, FilterOp, Scalar } from '../backend/adapter.js';

/** A value of a simple attribute, as it stands in the resource's JSON. */
export type AttributeValue = string | number | boolean;

/** A condition over backend fields and whether it selects exactly what the SCIM comparison selects. */
export interface PushedCondition {
  readonly condition: Condition;
  readonly exact: boolean;
}

/**
 * A two-way translation between an attribute's values and a field's values, by name. Pure and synchronous.
 * A codec works on the whole field, since some pack many values into one (join) or keep other bits (AD's flags).
 */
export interface Codec {
  readonly name: string;
  /** What the field holds. */
  readonly fieldType: FieldUse['type'];
  /** True when `encode` needs the field's present values; the field is then read before it is written. */
  readonly needsCurrent: boolean;
  /** The attribute's values; empty when it has none. What cannot be understood is left out. */
  decode(values: readonly Scalar[]): readonly AttributeValue[];
  /**
   * The field's values; empty clears it.
   * @throws ScimError 400 invalidValue when the attribute's value cannot be expressed
   */
  encode(values: readonly AttributeValue[], current: readonly Scalar[]): readonly Scalar[];
  /**
   * `attribute op value` as a condition over the field; `pr` has no value.
   * @returns undefined when the backend cannot help, so that the comparison is evaluated on the resource
   */
  toCondition(field: string, op: FilterOp, value: AttributeValue | undefined): PushedCondition | undefined;
}
