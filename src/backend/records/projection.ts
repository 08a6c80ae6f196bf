import { type BackendRecord, type FieldValue, reservedFields, type Scalar } from '../adapter.js';
import { valuesOf } from '../record.js';
import { copyValue } from './changes.js';
import { type EntityPlan, unknownField } from './entity.js';

const reserved: ReadonlySet<string> = new Set(reservedFields);

/** Gives `$id` and the fields asked for, as copies. Fields that the mapping only writes are never given. */
export function compileProjection(plan: EntityPlan, fields: readonly string[]) {
  const names = new Set(['$id', ...fields.filter((name) => isReadable(plan, name))]);
  return (record: BackendRecord): BackendRecord => {
    const given: Record<string, FieldValue> = {};
    for (const name of names) {
      const value = record[name];
      if (value !== undefined) given[name] = copyField(value);
    }
    return given;
  };
}

function isReadable(plan: EntityPlan, name: string): boolean {
  if (reserved.has(name) || name === plan.idField) return true;
  const field = plan.fields.get(name);
  if (field === undefined) throw unknownField(plan, name);
  return field.read;
}

function copyField(value: FieldValue): FieldValue {
  if (Array.isArray(value)) return valuesOf(value).map(copyValue) as FieldValue;
  return copyValue(value as Scalar) as Scalar;
}
