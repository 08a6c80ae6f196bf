import type { BackendRecord, Change, ChildRecord, Scalar } from '../backend/adapter.js';
import { isChildRecord, valuesOf } from '../backend/record.js';
import type { Attribute, Resource } from '../scim/schema.js';
import type { MappingPlan } from './plan.js';
import { encodeFields, type FieldValues, type WriteContext } from './write.js';

/** A resource before and after, both as far as `attributes` go, and the record that it was read from. */
export interface Transition {
  readonly record: BackendRecord;
  readonly before: Resource;
  readonly after: Resource;
  /** Which top-level attributes. */
  readonly attributes: ReadonlySet<Attribute>;
  /** Fields that cannot be read and are to be emptied nevertheless, if nothing is written to them. */
  readonly emptied?: ReadonlySet<string>;
}

/**
 * The changes that turn the one into the other: a single value is set, of many only the difference is added and removed,
 * so that what others add at the same time stays. What the rules cannot read of a field stays too.
 * @throws ScimError invalidValue when a codec cannot express a value
 */
export function changesBetween(plan: MappingPlan, transition: Transition, context: WriteContext): readonly Change[] {
  const { record, before, after, attributes, emptied } = transition;
  const quiet: WriteContext = { ...context, dropped: () => undefined };
  const was = encodeFields(plan, before, attributes, record, quiet);
  const becomes = encodeFields(plan, after, attributes, record, context);
  const { hidden, multiple, references } = plan.fields;
  return [...becomes].flatMap(([field, values]): readonly Change[] => {
    if (hidden.has(field)) {
      const isMeant = values.length > 0 || emptied?.has(field) === true;
      return isMeant ? [{ op: 'set', field, values }] : [];
    }
    const old = was.get(field) ?? [];
    // A value kept in another form than it would be written in cannot be taken out by its written form.
    const stored = references.has(field) ? old : valuesOf(record[field]);
    return diffField(field, multiple.has(field), stored, old, values);
  });
}

function diffField(
  field: string,
  isMultiple: boolean,
  stored: FieldValues,
  was: FieldValues,
  becomes: FieldValues,
): readonly Change[] {
  const before = keyed(was);
  const after = keyed(becomes);
  const added = [...after].flatMap(([key, value]) => (before.has(key) ? [] : [value])) as FieldValues;
  const removed = [...before].filter(([key]) => !after.has(key));
  if (added.length === 0 && removed.length === 0) return [];
  const storedKeys = keyed(stored);
  if (!isMultiple || removed.some(([key]) => !storedKeys.has(key))) return [{ op: 'set', field, values: becomes }];
  const changes: Change[] = [];
  if (removed.length > 0)
    changes.push({ op: 'remove', field, values: removed.map(([, value]) => value) as FieldValues });
  if (added.length > 0) changes.push({ op: 'add', field, values: added });
  return changes;
}

function keyed(values: FieldValues): ReadonlyMap<string, Scalar | ChildRecord> {
  return new Map((values as readonly (Scalar | ChildRecord)[]).map((value) => [valueKey(value), value]));
}

/** Text that is equal for equal values, by type too. */
function valueKey(value: Scalar | ChildRecord): string {
  if (!isChildRecord(value)) return scalarKey(value);
  const names = Object.keys(value).sort();
  return JSON.stringify(names.map((name) => [name, scalarKey(value[name] as Scalar)]));
}

function scalarKey(value: Scalar): string {
  if (value instanceof Uint8Array) return `bytes:${Buffer.from(value).toString('base64')}`;
  // A number may come back as a bigint.
  return typeof value === 'bigint' ? `number:${value}` : `${typeof value}:${value}`;
}
