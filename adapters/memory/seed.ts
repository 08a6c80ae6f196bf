import type {
  BackendRecord,
  ChildRecord,
  FieldUse,
  FieldValue,
  InspectionProblem,
  Scalar,
} from '../../src/backend/adapter.js';
import { AdapterError } from '../../src/backend/adapter-error.js';
import { acceptValues, assign } from '../../src/backend/records/changes.js';
import type { EntityPlan } from '../../src/backend/records/entity.js';
import type { RecordStore } from '../../src/backend/records/record-store.js';
import type { MemoryConfig } from './config.js';

type Value = Scalar | ChildRecord;

/** Puts the configured records into the store. @returns what does not fit: such records or values are left out */
export function seedRecords(store: RecordStore, records: MemoryConfig['records'] = {}): readonly InspectionProblem[] {
  const problems: InspectionProblem[] = [];
  for (const [entity, rows] of Object.entries(records)) {
    const plan = store.plans.find((candidate) => candidate.entity === entity);
    if (plan === undefined) {
      problems.push(problem('warning', ['records', entity], `No mapping uses the entity "${entity}".`));
      continue;
    }
    for (const [index, row] of rows.entries()) {
      const at = ['records', entity, index];
      try {
        store.seed(entity, recordOf(plan, row, at, problems));
      } catch (error) {
        if (!(error instanceof AdapterError)) throw error;
        problems.push(problem('error', error.field === undefined ? at : [...at, error.field], error.message));
      }
    }
  }
  return problems;
}

function recordOf(
  plan: EntityPlan,
  row: object,
  at: readonly (string | number)[],
  problems: InspectionProblem[],
): BackendRecord {
  const record: Record<string, FieldValue> = {};
  for (const [name, given] of Object.entries(row)) {
    const values: readonly unknown[] = Array.isArray(given) ? given : given === null ? [] : [given];
    const field = plan.fields.get(name);
    if (name === '$id' || name === plan.idField) {
      record[name] = String(given);
    } else if (field === undefined || field.inverseOf !== undefined) {
      problems.push(problem('warning', [...at, name], `No rule keeps anything in the field "${name}".`));
    } else {
      assign(
        record,
        field,
        acceptValues(
          field,
          values.map((value) => seedValue(field, value)),
        ),
      );
    }
  }
  return record;
}

/** YAML has no bytes: they are written as base64. */
function seedValue(field: Pick<FieldUse, 'type'>, value: unknown): Value {
  return field.type === 'bytes' && typeof value === 'string' ? Buffer.from(value, 'base64') : (value as Value);
}

function problem(
  severity: InspectionProblem['severity'],
  configPath: readonly (string | number)[],
  message: string,
): InspectionProblem {
  return { severity, configPath, message };
}
