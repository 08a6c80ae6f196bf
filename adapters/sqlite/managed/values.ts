import type { Change, ChildRecord, Condition, FieldUse, FieldValue, Scalar } from '../../../src/backend/adapter.js';
import { AdapterError } from '../../../src/backend/adapter-error.js';
import { compileChildCondition } from '../../../src/backend/condition.js';
import { isChildRecord } from '../../../src/backend/record.js';
import { instantKey, keyOf } from '../../../src/scim/comparison.js';

export type Value = Scalar | ChildRecord;
export type Values = readonly Value[];

/** Half of a character, which SQLite would turn into U+FFFD. */
export const loneSurrogate = /\p{Surrogate}/u;

/**
 * Checks values against the field's declaration and drops those that are there already.
 * @throws AdapterError rejected
 */
export function acceptValues(use: FieldUse, values: Values): Values {
  for (const value of values) checkValue(use, value);
  const accepted = values.length < 2 ? values : distinct(use, values);
  if (!use.multiple && accepted.length > 1) throw rejected(use, 'It can hold one value only.');
  return accepted;
}

/** The field's values after a change; the same list when it changes nothing. */
export function applyChange(use: FieldUse, before: Values, change: Change): Values {
  switch (change.op) {
    case 'set':
      return sameValues(before, change.values) ? before : acceptValues(use, change.values);
    case 'add': {
      const added = missingFrom(use, before, change.values);
      if (added.length === 0) return before;
      return acceptValues(use, [...before, ...added]);
    }
    case 'remove': {
      const gone = new Set(change.values.map((value) => identityIn(use, value)));
      return unlessEqual(
        before,
        before.filter((value) => !gone.has(identityIn(use, value))),
      );
    }
    case 'removeWhere': {
      const matches = childMatcher(use, change.where);
      return unlessEqual(
        before,
        before.filter((value) => !matches(value)),
      );
    }
    case 'updateWhere': {
      const matches = childMatcher(use, change.where);
      const after: Values = before.flatMap(
        (value): Values => (matches(value) ? withFields(value as ChildRecord, change.set) : [value]),
      );
      return sameValues(before, after) ? before : acceptValues(use, after);
    }
  }
}

/** As records are given: a single value alone, many as a list. */
export function toFieldValue(use: FieldUse, values: Values): FieldValue | undefined {
  const [first] = values;
  if (first === undefined) return undefined;
  return use.multiple || isChildRecord(first) ? (values as readonly Scalar[]) : first;
}

/** The child record with the fields set, none where no field is left. */
export function withFields(child: ChildRecord, set: Readonly<Record<string, Scalar | null>>): readonly ChildRecord[] {
  const next: Record<string, Scalar> = { ...child };
  for (const [name, scalar] of Object.entries(set)) {
    if (scalar === null) delete next[name];
    else next[name] = scalar;
  }
  return Object.keys(next).length > 0 ? [next] : [];
}

export function childMatcher(use: FieldUse, where: Condition): (value: Value) => boolean {
  if (use.type !== 'records') throw new AdapterError('unsupported', `"${use.name}" holds no child records.`);
  const matches = compileChildCondition(where, (name) => childUse(use, name).comparison);
  return (value) => isChildRecord(value) && matches(value);
}

export function childUse(use: FieldUse, name: string): FieldUse {
  const child = use.children?.find((candidate) => candidate.name === name);
  if (child === undefined) throw new AdapterError('unsupported', `"${use.name}" has no child field "${name}".`);
  return child;
}

export function rejected(use: Pick<FieldUse, 'name'>, reason: string): AdapterError {
  return new AdapterError('rejected', `"${use.name}" was rejected: ${reason}`, { field: use.name, reason });
}

export function conflict(field: string): AdapterError {
  return new AdapterError('conflict', `Another record has this value of "${field}".`, { field });
}

export function checkValue(use: FieldUse, value: Value): void {
  if (use.type !== 'records') {
    const problem = scalarProblem(use.type, value);
    if (problem !== undefined) throw rejected(use, `It ${problem}.`);
    return;
  }
  if (typeof value !== 'object' || value === null || !isChildRecord(value) || Array.isArray(value)) {
    throw rejected(use, 'Its values must be child records.');
  }
  for (const [name, scalar] of Object.entries(value)) {
    const child = use.children?.find((candidate) => candidate.name === name);
    if (child === undefined) throw rejected(use, `It has no part "${name}".`);
    const problem = scalarProblem(child.type, scalar);
    if (problem !== undefined) throw rejected(use, `Its part "${name}" ${problem}.`);
  }
}

function scalarProblem(type: FieldUse['type'], value: unknown): string | undefined {
  if (!isOfType(type, value)) return `must be of type ${type}`;
  if (typeof value === 'string' && loneSurrogate.test(value)) return 'holds half of a character, which is no text';
  return undefined;
}

function isOfType(type: FieldUse['type'], value: unknown): boolean {
  switch (type) {
    case 'string':
      return typeof value === 'string';
    case 'number':
      return typeof value === 'bigint' || Number.isFinite(value);
    case 'boolean':
      return typeof value === 'boolean';
    case 'instant':
      return typeof value === 'string' && instantKey(value) !== undefined;
    case 'bytes':
      return value instanceof Uint8Array;
    case 'records':
      return false;
  }
}

function distinct(use: FieldUse, values: Values): Values {
  const byIdentity = new Map<string, Value>();
  for (const value of values) {
    const identity = identityIn(use, value);
    if (!byIdentity.has(identity)) byIdentity.set(identity, value);
  }
  return byIdentity.size === values.length ? values : [...byIdentity.values()];
}

function missingFrom(use: FieldUse, before: Values, values: Values): Values {
  const present = new Set(before.map((value) => identityIn(use, value)));
  return values.filter((value) => !present.has(identityIn(use, value)));
}

/** Values of one identity are one element of the field's set: the field's comparison says which are. */
function identityIn(use: FieldUse, value: Value): string {
  if (!isChildRecord(value)) return identityOf(keyOf(use.comparison, value) ?? value);
  const fields = Object.keys(value).sort();
  return JSON.stringify(
    fields.map((name) => {
      const scalar = value[name] as Scalar;
      const comparison = use.children?.find((child) => child.name === name)?.comparison;
      return [name, identityOf(comparison === undefined ? scalar : (keyOf(comparison, scalar) ?? scalar))];
    }),
  );
}

/** Equal only for values that are the same in every character. */
function identityOf(value: Value): string {
  if (value instanceof Uint8Array) return `bytes:${Buffer.from(value).toString('base64')}`;
  if (typeof value === 'object') {
    const fields = Object.keys(value).sort();
    return JSON.stringify(fields.map((name) => [name, identityOf(value[name] as Scalar)]));
  }
  return typeof value === 'bigint' ? `number:${value}` : `${typeof value}:${value}`;
}

/** As sets. */
export function sameValues(a: Values, b: Values): boolean {
  if (a.length !== b.length) return false;
  const known = new Set(a.map(identityOf));
  return b.every((value) => known.has(identityOf(value)));
}

function unlessEqual(before: Values, after: Values): Values {
  return after.length === before.length ? before : after;
}
