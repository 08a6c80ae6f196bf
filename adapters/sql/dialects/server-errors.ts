import { AdapterError } from '../../../src/backend/adapter-error.js';
import type { EntityPlan } from '../entity-plan.js';
import type { FieldPlan } from '../field-plan.js';
import { SqlRefusal } from '../pool.js';
import { rejected } from '../stored-scalar.js';
import type { TableSchema } from '../table-schema.js';
import { conflict } from '../unique-check.js';

/**
 * What a server's refusal means for the entity's fields. Names of columns, SQL and values stay out of the words.
 * @param written the only field that was being written, where there is one
 * @returns the error itself when it is not about data
 */
export function toServerDataError(
  error: unknown,
  plan: EntityPlan,
  operation: 'create' | 'update' | 'delete',
  written: string | undefined,
): unknown {
  if (!(error instanceof SqlRefusal) || error.kind === 'noSuchTable' || error.kind === 'noSuchColumn') return error;
  const field = fieldOf(error, plan) ?? written;
  if (error.kind === 'unique') return conflict(field ?? '$id', error);
  const reason = reasonOf(error, operation);
  if (field === undefined) return new AdapterError('rejected', error.message, { reason, cause: error });
  return new AdapterError('rejected', rejected(field, reason).message, { field, reason, cause: error });
}

/** A refusal that came with the COMMIT, and that no field can be named for. */
export function toCommitError(error: unknown): unknown {
  if (!(error instanceof SqlRefusal)) return error;
  if (error.kind === 'noSuchTable' || error.kind === 'noSuchColumn') return error;
  if (error.kind === 'unique') return conflict('$id', error);
  return new AdapterError('rejected', error.message, { reason: reasonOf(error, 'update'), cause: error });
}

function reasonOf({ kind }: SqlRefusal, operation: 'create' | 'update' | 'delete'): string {
  switch (kind) {
    case 'notNull':
      return 'The database requires a value.';
    case 'foreignKey':
      return operation === 'delete'
        ? 'Other data still refers to the record.'
        : 'It refers to a record that does not exist.';
    case 'tooLong':
      return 'The value is too long.';
    case 'outOfRange':
      return 'The value is too great or too small for the database.';
    case 'invalid':
      return 'The database keeps another type of value here.';
    default:
      return 'A rule of the database does not allow this value.';
  }
}

function fieldOf({ constraint, table, column }: SqlRefusal, plan: EntityPlan): string | undefined {
  const owned = [...plan.fields.values()].filter(({ use }) => use.inverseOf === undefined);
  if (column !== undefined) {
    const byColumn = owned.find((field) => isOfTable(field, plan, table) && columnsOf(field).includes(lower(column)));
    if (byColumn !== undefined) return byColumn.name;
  }
  if (constraint === undefined) return undefined;
  for (const schema of tablesOf(plan, owned)) {
    const names = constrained(schema, constraint);
    if (names.length === 0) continue;
    const found = owned.find(
      (field) => tableOf(field, plan).name === schema.name && columnsOf(field).some((own) => names.includes(own)),
    );
    if (found !== undefined) return found.name;
  }
  return undefined;
}

function isOfTable(field: FieldPlan, plan: EntityPlan, table: string | undefined): boolean {
  return table === undefined || lower(tableOf(field, plan).name.split('.').at(-1) ?? '') === lower(table);
}

function tableOf(field: FieldPlan, plan: EntityPlan): TableSchema {
  return field.kind === 'child' ? field.table : plan.writeTable;
}

function tablesOf(plan: EntityPlan, fields: readonly FieldPlan[]): readonly TableSchema[] {
  return [plan.writeTable, ...fields.flatMap((field) => (field.kind === 'child' ? [field.table] : []))];
}

/** The names, in lower case, that the constraint or index of the table is about. */
function constrained({ indexes, foreignKeys, columns }: TableSchema, constraint: string): readonly string[] {
  const index = indexes.find(({ name }) => lower(name) === lower(constraint));
  const key = foreignKeys?.find(({ name }) => name !== undefined && lower(name) === lower(constraint));
  const named = [...(index?.columns ?? []), ...(key?.columns ?? [])].flatMap((name) =>
    name === undefined ? [] : [lower(name)],
  );
  const text = (index?.expressions ?? []).join(' ');
  return [...named, ...[...columns.keys()].filter((column) => wordIn(text, column))];
}

function columnsOf(field: FieldPlan): readonly string[] {
  const names = (own: { readonly column: { readonly name: string }; readonly folded?: { readonly name: string } }) =>
    own.folded === undefined ? [own.column.name] : [own.column.name, own.folded.name];
  switch (field.kind) {
    case 'column':
      return names(field).map(lower);
    case 'child':
      return [...field.columns.values()].flatMap(names).map(lower);
    default:
      return [lower(field.place.column.name)];
  }
}

function lower(name: string): string {
  return name.toLowerCase();
}

function wordIn(text: string, word: string): boolean {
  return /^\w+$/.test(word) && new RegExp(`\\b${word}\\b`, 'i').test(text);
}
