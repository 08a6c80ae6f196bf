import { instantKey } from '../../src/scim/comparison.js';
import type { CompareOp, CompareValue } from '../../src/scim/filter.js';
import type { AttributeValue } from './directory.js';
import type { FieldPlan } from './entity-plan.js';
import { hasFraction } from './generalized-time.js';
import { guidBytes } from './guid.js';
import { both, type LdapFilter, nothing } from './ldap-filter.js';
import { encodeValue } from './values.js';

/** One comparison as a filter; `isExact` when it selects what the comparison does, and else perhaps more. */
export interface Leaf {
  readonly filter: LdapFilter;
  readonly isExact: boolean;
}

export const exact = (filter: LdapFilter): Leaf => ({ filter, isExact: true });
export const superset = (filter: LdapFilter): Leaf => ({ filter, isExact: false });

export function equal(field: FieldPlan, value: AttributeValue): LdapFilter {
  return { kind: 'equality', attribute: field.attribute, value };
}

export function compileNumber(field: FieldPlan, op: CompareOp, value: CompareValue): Leaf {
  if (typeof value !== 'number') return exact(nothing);
  const whole = Number.isInteger(value);
  switch (op) {
    case 'eq':
      return exact(whole ? equal(field, digits(value)) : nothing);
    case 'ge':
      return exact(atLeast(field, digits(Math.ceil(value))));
    case 'gt':
      return exact(atLeast(field, digits(Math.floor(value) + 1)));
    case 'le':
      return exact(atMost(field, digits(Math.floor(value))));
    case 'lt':
      return exact(atMost(field, digits(Math.ceil(value) - 1)));
    default:
      return exact(nothing);
  }
}

function digits(value: number): string {
  return BigInt(value).toString();
}

function atLeast(field: FieldPlan, value: string): LdapFilter {
  return { kind: 'greaterOrEqual', attribute: field.attribute, value };
}

function atMost(field: FieldPlan, value: string): LdapFilter {
  return { kind: 'lessOrEqual', attribute: field.attribute, value };
}

/** LDAP has no strict order: "after" is "not before" and then looked at again. */
export function compileTime(field: FieldPlan, op: CompareOp, value: CompareValue): Leaf {
  if (typeof value !== 'string' || instantKey(value) === undefined) return exact(nothing);
  const time = String(encodeValue(field, value));
  const isRounded = field.isWhole && hasFraction(value);
  switch (op) {
    case 'eq':
      // Samba finds nothing by equality of its own times.
      return isRounded ? exact(nothing) : exact(isAtOnce(field, time));
    case 'ge':
      return isRounded ? superset(atLeast(field, time)) : exact(atLeast(field, time));
    case 'gt':
      return superset(atLeast(field, time));
    case 'le':
      return exact(atMost(field, time));
    case 'lt':
      return superset(atMost(field, time));
    default:
      return exact(nothing);
  }
}

function isAtOnce(field: FieldPlan, time: string): LdapFilter {
  return field.isWhole ? both([atLeast(field, time), atMost(field, time)]) : equal(field, time);
}

/** Bytes are their base64 text in conditions; of other texts than the usual form nothing is equal. */
export function compileBytes(field: FieldPlan, op: CompareOp, value: CompareValue): Leaf {
  if (op !== 'eq' || typeof value !== 'string') return superset({ kind: 'present', attribute: field.attribute });
  if (field.form === 'guid') {
    const bytes = guidBytes(value);
    return exact(bytes === undefined ? nothing : equal(field, bytes));
  }
  const bytes = Buffer.from(value, 'base64');
  return exact(bytes.length > 0 && bytes.toString('base64') === value ? equal(field, bytes) : nothing);
}
