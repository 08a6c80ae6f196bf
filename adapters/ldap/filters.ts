import { type Condition, parseFlagField } from '../../src/backend/adapter.js';
import { allOf, anyOf, type CompareOp, type CompareValue, toNegationNormalForm } from '../../src/scim/filter.js';
import type { AttributeValue } from './directory.js';
import { type EntityPlan, type FieldPlan, fieldOf } from './entity-plan.js';
import { guidBytes, isGuidText } from './guid.js';
import { both, either, everything, type LdapFilter, matchingRule, nothing, opposite } from './ldap-filter.js';
import { hasPrimaryGroup } from './primary-group.js';
import { compileText } from './text-filters.js';
import { compileBytes, compileNumber, compileTime, equal, exact, type Leaf, superset } from './value-filters.js';

/** A condition as the server and this adapter carry it out together. */
export interface CompiledFilter {
  /** Selects all that matches, and perhaps more. */
  readonly filter: LdapFilter;
  /** What is still to be looked at in the records that the server gives; undefined when the filter selects exactly. */
  readonly residual: Condition | undefined;
}

/** The DN that stands for an id in a reference field; undefined when the id names nothing. */
export type DnOf = (field: FieldPlan, id: string) => string | undefined;

const exactly = (filter: LdapFilter): CompiledFilter => ({ filter, residual: undefined });

/** The ids that a condition compares reference fields with: to be looked up before it is compiled. */
export function referencedIds(
  condition: Condition | undefined,
  plan: EntityPlan,
): readonly { readonly field: FieldPlan; readonly id: string }[] {
  if (condition === undefined) return [];
  switch (condition.kind) {
    case 'and':
    case 'or':
      return condition.operands.flatMap((operand) => referencedIds(operand, plan));
    case 'not':
      return referencedIds(condition.operand, plan);
    case 'compare': {
      const field = plan.fields.get(condition.path);
      return field?.form === 'reference' && typeof condition.value === 'string' ? [{ field, id: condition.value }] : [];
    }
    default:
      return [];
  }
}

/**
 * A condition over fields as an LDAP filter, the entity's own filter not included.
 * @throws AdapterError `unsupported` for a field that the mapping does not declare
 */
export function compileFilter(condition: Condition | undefined, plan: EntityPlan, dnOf: DnOf): CompiledFilter {
  if (condition === undefined) return exactly(everything);
  return compile(toNegationNormalForm(condition), plan, dnOf);
}

function compile(condition: Condition, plan: EntityPlan, dnOf: DnOf): CompiledFilter {
  switch (condition.kind) {
    case 'and': {
      const parts = condition.operands.map((operand) => compile(operand, plan, dnOf));
      const residuals = parts.flatMap(({ residual }) => residual ?? []);
      return {
        filter: both(parts.map(({ filter }) => filter)),
        residual: residuals.length === 0 ? undefined : allOf(residuals),
      };
    }
    case 'or': {
      const parts = condition.operands.map((operand) => compile(operand, plan, dnOf));
      const isExact = parts.every(({ residual }) => residual === undefined);
      return {
        filter: either(parts.map(({ filter }) => filter)),
        residual: isExact ? undefined : anyOf(condition.operands),
      };
    }
    case 'not': {
      const { filter, residual } = compile(condition.operand, plan, dnOf);
      // The opposite of too much would be too little.
      return residual === undefined ? exactly(opposite(filter)) : { filter: everything, residual: condition };
    }
    case 'present':
    case 'compare': {
      const leaf = compileLeaf(condition, plan, dnOf);
      return { filter: leaf.filter, residual: leaf.isExact ? undefined : condition };
    }
    case 'valuePath':
      return exactly(nothing); // no field of a directory holds child records
  }
}

function compileLeaf(
  condition: Extract<Condition, { kind: 'compare' | 'present' }>,
  plan: EntityPlan,
  dnOf: DnOf,
): Leaf {
  const flag = compileFlag(condition, plan);
  if (flag !== undefined) return flag;
  const field = filterField(plan, condition.path);
  const present: LdapFilter = { kind: 'present', attribute: field.attribute };
  if (field.searchedIn !== undefined) return superset(everything);
  if (field.key === 'dn') return compileOwnName(condition, plan);
  // A leaf over an attribute that the schema does not have is Undefined, and so would be its negation.
  if (field.type === undefined && field.name !== '$id') return exact(nothing);
  if (condition.kind === 'present') {
    if (hasPrimaryGroup(field, plan)) return superset(everything);
    return holdsPlaceholder(field, plan) ? superset(present) : exact(present);
  }
  const { op, value } = condition;
  if (value === null || op === 'ne') return superset(everything);
  if (field.name === '$id') return compileId(field, op, value, plan);
  switch (field.form) {
    case 'reference':
      return compileReference(field, op, value, dnOf);
    case 'integer':
      return compileNumber(field, op, value);
    case 'boolean':
      return op === 'eq' && typeof value === 'boolean' ? exact(equal(field, value ? 'TRUE' : 'FALSE')) : exact(nothing);
    case 'time':
      return compileTime(field, op, value);
    case 'bytes':
    case 'base64':
    case 'guid':
      return compileBytes(field, op, value);
    case 'dn':
      return typeof value === 'string' && op === 'eq' ? superset(equal(field, value)) : superset(present);
    case 'text':
      return typeof value === 'string' ? compileText(field, op, value, plan) : exact(nothing);
  }
}

/** All bits of a mask are set in a number. */
function compileFlag(
  condition: Extract<Condition, { kind: 'compare' | 'present' }>,
  plan: EntityPlan,
): Leaf | undefined {
  const flag = plan.fields.has(condition.path) ? undefined : parseFlagField(condition.path);
  if (flag === undefined || condition.kind !== 'compare' || condition.op !== 'eq') return undefined;
  const { attribute, type } = fieldOf(plan, flag.field);
  if (type === undefined || condition.value !== true) return exact(nothing);
  return exact({ kind: 'extensible', attribute, rule: matchingRule.bitAnd, value: String(flag.mask) });
}

/** A field in a condition, reserved ones too. */
export function filterField(plan: EntityPlan, name: string): FieldPlan {
  if (name === '$id') return plan.id;
  if (name === '$created' || name === '$modified') return timeField(plan, name);
  if (name === plan.use.id && !plan.fields.has(name)) return plan.id;
  return fieldOf(plan, name);
}

function timeField(plan: EntityPlan, name: '$created' | '$modified'): FieldPlan {
  const wanted = name === '$created' ? plan.times.created : plan.times.modified;
  const type = plan.server.schema.attribute(wanted);
  const attribute = type?.name ?? wanted;
  const use = { ...plan.id.use, name, type: 'instant', comparison: 'instant', unique: false } as const;
  const isWhole = plan.server.kind === 'active-directory';
  return { ...plan.id, name, use, attribute, key: attribute.toLowerCase(), type, form: 'time', isWhole };
}

function holdsPlaceholder(field: FieldPlan, plan: EntityPlan): boolean {
  return plan.placeholder !== undefined && field.use.multiple && (field.form === 'reference' || field.form === 'dn');
}

function compileId(field: FieldPlan, op: CompareOp, value: CompareValue, plan: EntityPlan): Leaf {
  if (op !== 'eq' || typeof value !== 'string') return superset(everything);
  const stored = storedId(plan, value);
  return stored === undefined ? exact(nothing) : idFilter(field, stored);
}

function idFilter(field: FieldPlan, stored: AttributeValue): Leaf {
  // Of an attribute of one's choice the server may ignore letter case and spaces.
  const isUuid = typeof stored !== 'string' || isGuidText(stored);
  return isUuid ? exact(equal(field, stored)) : superset(equal(field, stored));
}

const knownIdPattern = new Map<string, RegExp>([
  ['entryuuid', /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/],
  ['nsuniqueid', /^[0-9a-f]{8}(-[0-9a-f]{8}){3}$/],
]);

/** An id as the server keeps it; undefined for what can be no id of the entity. */
export function storedId(plan: EntityPlan, id: string): AttributeValue | undefined {
  if (!id.startsWith(plan.idPrefix)) return undefined;
  const own = id.slice(plan.idPrefix.length);
  if (own === '' || own.includes('\0') || own.length > 1_000) return undefined;
  if (plan.id.form === 'guid') return guidBytes(own);
  const pattern = knownIdPattern.get(plan.id.key);
  if (pattern !== undefined) return pattern.test(own) ? own : undefined;
  return plan.id.form === 'base64' ? Buffer.from(own, 'base64') : own;
}

function compileOwnName(condition: Extract<Condition, { kind: 'compare' | 'present' }>, plan: EntityPlan): Leaf {
  if (condition.kind === 'present') return exact(everything);
  if (condition.op !== 'eq' || typeof condition.value !== 'string') return superset(everything);
  const attribute = plan.server.kind === 'active-directory' ? 'distinguishedName' : 'entryDN';
  return superset({ kind: 'equality', attribute, value: condition.value });
}

function compileReference(field: FieldPlan, op: CompareOp, value: CompareValue, dnOf: DnOf): Leaf {
  if (op !== 'eq' || typeof value !== 'string') return superset({ kind: 'present', attribute: field.attribute });
  const dn = dnOf(field, value);
  return dn === undefined ? exact(nothing) : exact(equal(field, dn));
}
