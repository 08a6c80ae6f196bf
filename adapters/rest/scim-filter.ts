import type { Condition } from '../../src/backend/adapter.js';
import type { EntityPlan, ScimFilters } from './entity-plan.js';
import type { FieldPlan } from './field-plan.js';
import type { Pointer } from './pointer.js';
import { storedScalar } from './scalar.js';

/** The attribute that a pointer is: `/name/familyName` as `name.familyName`, an extension's with its URN and a colon. */
export function attributeOf(pointer: Pointer): string {
  const [first = '', ...rest] = pointer;
  if (first.toLowerCase().startsWith('urn:') && rest.length > 0) return `${first}:${rest.join('.')}`;
  return pointer.join('.');
}

/** What a field is called in filters and paths; undefined when it is in no attribute. */
export function scimName(plan: EntityPlan, field: string): string | undefined {
  const declared = isScim(plan.filters) ? plan.filters.names[field] : undefined;
  if (declared !== undefined) return declared;
  switch (field) {
    case '$id':
      return attributeOf(plan.id);
    case '$created':
      return plan.created === undefined ? undefined : attributeOf(plan.created);
    case '$modified':
      return plan.modified === undefined ? undefined : attributeOf(plan.modified);
    default: {
      const own = plan.fields.get(field);
      if (own?.pointer === undefined) return field === plan.use.id ? attributeOf(plan.id) : undefined;
      const item = own.item === undefined ? '' : `.${attributeOf(own.item)}`;
      return `${attributeOf(own.pointer)}${item}`;
    }
  }
}

export function isScim(filters: EntityPlan['filters']): filters is ScimFilters {
  return !Array.isArray(filters);
}

/** The condition in SCIM's own language. @see RFC 7644 §3.4.2.2 */
export function printScimFilter(plan: EntityPlan, condition: Condition): string {
  return print(condition, (field) => ({ name: scimName(plan, field) ?? field, plan: plan.fields.get(field) }), false);
}

/** A condition over the parts of one element, as it stands in brackets. */
export function printElementFilter(field: FieldPlan, condition: Condition): string {
  return print(condition, childOf(field), false);
}

interface Named {
  readonly name: string;
  readonly plan: FieldPlan | FieldPlan['children'][number] | undefined;
}

function childOf(field: FieldPlan): (name: string) => Named {
  return (name) => {
    const child = field.children.find((candidate) => candidate.name === name);
    return { name: child === undefined ? name : attributeOf(child.pointer), plan: child };
  };
}

function print(condition: Condition, named: (field: string) => Named, isInner: boolean): string {
  switch (condition.kind) {
    case 'present':
      return `${named(condition.path).name} pr`;
    case 'compare': {
      const { name, plan } = named(condition.path);
      const value =
        plan === undefined || condition.value === null ? condition.value : storedScalar(plan, condition.value);
      return `${name} ${condition.op} ${JSON.stringify(value)}`;
    }
    case 'not':
      return `not (${print(condition.operand, named, false)})`;
    case 'valuePath': {
      const { name, plan } = named(condition.path);
      const inner = plan !== undefined && 'children' in plan ? childOf(plan) : named;
      return `${name}[${print(condition.filter, inner, false)}]`;
    }
    case 'and':
    case 'or': {
      const text = condition.operands.map((operand) => print(operand, named, true)).join(` ${condition.kind} `);
      return isInner ? `(${text})` : text;
    }
  }
}
