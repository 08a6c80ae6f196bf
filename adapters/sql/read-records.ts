import { LRUCache } from 'lru-cache';
import type { BackendRecord, ChildRecord, FieldValue, Scalar } from '../../src/backend/adapter.js';
import { AdapterError } from '../../src/backend/adapter-error.js';
import { type EntityPlan, fieldOf, inner, outer } from './entity-plan.js';
import type { ChildField, FieldPlan, ListField } from './field-plan.js';
import { parseElements } from './json-values.js';
import type { Row, SqlValue } from './pool.js';
import { list, type Sql, sql } from './sql-text.js';
import { rows, type Work } from './work.js';

/** One thing selected for a record, and where it goes. */
interface Selected {
  readonly expression: Sql;
  assign(record: Record<string, FieldValue>, value: SqlValue): void;
}

/** What a statement selects for records with certain fields. The key comes first. */
export interface Selection {
  /** What stands after SELECT. */
  readonly columns: Sql;
  readonly width: number;
  /** Records of the rows, in their order; values of child tables are read with one statement for each table. */
  records(found: readonly Row[]): Work<readonly BackendRecord[]>;
}

const selections = new WeakMap<EntityPlan, LRUCache<string, Selection>>();
const cachedSelections = 100;

export function selectionOf(plan: EntityPlan, fields: readonly string[]): Selection {
  const known = selections.get(plan) ?? new LRUCache({ max: cachedSelections });
  selections.set(plan, known);
  const asked = fields.join('\0');
  const selection = known.get(asked) ?? planSelection(plan, fields);
  known.set(asked, selection);
  return selection;
}

function planSelection(plan: EntityPlan, fields: readonly string[]): Selection {
  const wanted = new Set(fields);
  const selected: Selected[] = [];
  const children: ChildField[] = [];
  for (const field of wanted) {
    if (field === '$id') continue;
    if (field.startsWith('$')) selected.push(...reserved(plan, field));
    else {
      const planned = fieldOf(plan, field);
      if (planned.kind === 'child') children.push(planned);
      else selected.push(ownColumn(planned));
    }
  }
  const expressions = [plan.key.select(outer), plan.id.select(outer), ...selected.map((item) => item.expression)];
  return {
    columns: list(expressions),
    width: expressions.length,
    *records(found) {
      const records = found.map((row) => {
        const record: Record<string, FieldValue> = { $id: String(plan.id.decode(row[1] ?? null) ?? '') };
        selected.forEach((item, index) => {
          item.assign(record, row[index + 2] ?? null);
        });
        return record;
      });
      for (const child of children) yield* readChildren(child, found, records);
      return records;
    },
  };
}

/** @throws AdapterError unavailable when a row is not what the plan was made for */
export function keyOfRow(row: Row): SqlValue {
  const [key = null] = row;
  if (key === null) throw new AdapterError('unavailable', 'A record has no key.');
  return key;
}

function reserved(plan: EntityPlan, field: string): readonly Selected[] {
  if (field === '$revision') {
    if (plan.revision === undefined) return [];
    return [
      {
        expression: plan.revision(outer),
        assign: (record, value) => {
          record.$revision = String(value);
        },
      },
    ];
  }
  const instant = field === '$created' ? plan.created : field === '$modified' ? plan.modified : undefined;
  if (instant === undefined) return [];
  return [{ expression: instant.scalar.select(outer), assign: scalarAssign(field, instant.scalar, false) }];
}

function ownColumn(field: Exclude<FieldPlan, ChildField>): Selected {
  if (field.kind !== 'jsonList') {
    return {
      expression: field.scalar.select(outer),
      assign: scalarAssign(field.name, field.scalar, field.use.multiple),
    };
  }
  return {
    expression: field.place.array(outer),
    assign: (record, value) => {
      const values = parseElements(field, value).flatMap((element) =>
        element.value === undefined ? [] : [element.value],
      );
      if (values.length > 0) record[field.name] = listValue(field, values);
    },
  };
}

function scalarAssign(field: string, scalar: { decode(value: SqlValue): Scalar | undefined }, isMultiple: boolean) {
  return (record: Record<string, FieldValue>, stored: SqlValue): void => {
    const value = scalar.decode(stored);
    if (value !== undefined) record[field] = isMultiple ? [value] : value;
  };
}

function* readChildren(
  field: ChildField,
  found: readonly Row[],
  records: readonly Record<string, FieldValue>[],
): Work<void> {
  if (found.length === 0) return;
  const { parentPrefix } = field;
  const keys = found.map((row) => (parentPrefix === '' ? keyOfRow(row) : `${parentPrefix}${keyOfRow(row)}`));
  const byParent = new Map<string, (Scalar | ChildRecord)[]>();
  const parts = [...field.parts];
  const parent = field.parent.select(inner);
  const selected = list(parts.map(([, scalar]) => scalar.select(inner)));
  const [only] = keys;
  const ofParents =
    keys.length === 1 && only !== undefined ? field.parent.is(inner, only) : field.parent.isOneOf(inner, keys);
  const statement = sql`SELECT ${parent}, ${selected} FROM ${field.from(outer, inner)} WHERE ${ofParents}${field.restriction(inner)}${field.visible(inner)} ORDER BY ${field.order(inner)}`;
  for (const row of yield* rows(statement)) {
    const value = childOf(field, parts, row, 1);
    if (value === undefined) continue;
    const parentKey = String(row[0]);
    const known = byParent.get(parentKey);
    if (known === undefined) byParent.set(parentKey, [value]);
    else known.push(value);
  }
  records.forEach((record, index) => {
    const values = byParent.get(String(keys[index]));
    if (values !== undefined) record[field.name] = listValue(field, values);
  });
}

/** A child row's value: the simple one, or a record of its parts. @returns undefined when it has none */
export function childOf(
  field: ListField,
  parts: readonly (readonly [string, { decode(value: SqlValue): Scalar | undefined }])[],
  row: Row,
  from: number,
): Scalar | ChildRecord | undefined {
  if (!field.isRecords) return parts[0]?.[1].decode(row[from] ?? null);
  const child: Record<string, Scalar> = {};
  parts.forEach(([part, scalar], index) => {
    const value = scalar.decode(row[from + index] ?? null);
    if (value !== undefined) child[part] = value;
  });
  return Object.keys(child).length === 0 ? undefined : child;
}

/** A link table without a unique index may hold a row twice. */
function listValue(field: ListField, values: readonly (Scalar | ChildRecord)[]): FieldValue {
  return field.isRecords ? (values as readonly ChildRecord[]) : [...new Set(values as readonly Scalar[])];
}
