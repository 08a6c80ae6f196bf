import { AdapterError } from '../../src/backend/adapter-error.js';
import type { AttributeChange } from './changes.js';
import type { AttributeValue, Entry } from './directory.js';
import { normalizeDn, parentOf, type Rdn, rdnOf } from './dn.js';
import { renderDn } from './dn-template.js';
import type { EntityPlan, FieldPlan } from './entity-plan.js';
import { hasResultCode, resultCode } from './wire-errors.js';

/** What an entry is to be called, and where it is to be. */
export interface NewName {
  readonly parts: Rdn;
  /** Where the entry moves to; undefined when it stays. */
  readonly parent: string | undefined;
  /** Lower-case attributes of the name, which the rename itself changes. */
  readonly attributes: ReadonlySet<string>;
}

/** Whether names of the entity are made of the field. */
export function isInName(plan: EntityPlan, field: FieldPlan): boolean {
  return plan.create?.dn.fields.has(field.name) === true;
}

/** The name that the entry has after the changes, where that is another one. */
export function newNameOf(plan: EntityPlan, entry: Entry, changes: readonly AttributeChange[]): NewName | undefined {
  const rdn = rdnOf(entry.dn);
  const concerned = changes.filter(
    ({ field, after }) =>
      isInName(plan, field) ||
      rdn.some(({ type, value }) => type.toLowerCase() === field.key && !after.includes(value)),
  );
  if (concerned.length === 0) return undefined;
  const after = (attribute: string): readonly AttributeValue[] => {
    const key = attribute.toLowerCase();
    return changes.find(({ field }) => field.key === key)?.after ?? entry.attributes.get(key) ?? [];
  };
  for (const { field, after: values } of concerned) if (values.length === 0) throw nameless(field);
  const template = plan.create?.dn;
  const isMade = template?.rdns[0]?.some(({ type }) =>
    rdn.some((own) => own.type.toLowerCase() === type.toLowerCase()),
  );
  if (template === undefined || isMade !== true) {
    const [first] = concerned;
    if (first === undefined || !rdn.some(({ type }) => type.toLowerCase() === first.field.key)) return undefined;
    const parts = rdn.map((part) => ({ type: part.type, value: String(after(part.type)[0] ?? part.value) }));
    return { parts, parent: undefined, attributes: new Set(parts.map(({ type }) => type.toLowerCase())) };
  }
  const rendered = renderDn(template, (name) => {
    const value = after(plan.fields.get(name)?.attribute ?? name)[0];
    return value === undefined ? undefined : String(value);
  });
  const isSame = rendered.parts.every(({ type, value }) =>
    rdn.some((own) => own.type.toLowerCase() === type.toLowerCase() && own.value === value),
  );
  const movesWith = template.rdns
    .slice(1)
    .some((level) => level.some(({ value }) => value.parts.some((part) => typeof part !== 'string')));
  const parent =
    movesWith && normalizeDn(rendered.parent) !== normalizeDn(parentOf(entry.dn)) ? rendered.parent : undefined;
  if (isSame && parent === undefined) return undefined;
  return { parts: rendered.parts, parent, attributes: new Set(rendered.parts.map(({ type }) => type.toLowerCase())) };
}

/** The rename puts the new value in and takes the old one out; other values of the attribute are changed as usual. */
export function withoutName(
  changes: readonly AttributeChange[],
  attributes: ReadonlySet<string>,
): readonly AttributeChange[] {
  return changes.filter(
    ({ field, before, after }) => !(attributes.has(field.key) && before.length <= 1 && after.length <= 1),
  );
}

/** What a refused rename means. */
export function renameError(plan: EntityPlan, error: unknown, name: NewName): unknown {
  if (!hasResultCode(error, resultCode.entryAlreadyExists)) return error;
  const { fields, create } = plan;
  const field =
    fields.get(create?.dn.onlyField ?? '') ?? [...fields.values()].find(({ key }) => name.attributes.has(key));
  return new AdapterError('conflict', 'The directory has an entry of this name already.', {
    ...(field === undefined ? {} : { field: field.name }),
    cause: error,
  });
}

function nameless(field: FieldPlan): AdapterError {
  return new AdapterError('rejected', `"${field.name}" is the name of the entry.`, {
    field: field.name,
    reason: 'It is part of the name of the entry in the directory and cannot be without a value.',
  });
}
