import Database from 'better-sqlite3';
import { AdapterError } from '../../../src/backend/adapter-error.js';
import type { EntityPlan } from '../../sql/entity-plan.js';
import { rejected } from '../../sql/stored-scalar.js';
import { conflict } from '../../sql/unique-check.js';

/**
 * What SQLite's refusal means for the entity's fields. Column names, SQL and values stay out of the words.
 * @param written the only field that was being written, where there is one
 * @returns the error itself when it is not about data
 */
export function toDataError(
  error: unknown,
  plan: EntityPlan,
  operation: 'create' | 'update' | 'delete',
  written?: string,
): unknown {
  if (!(error instanceof Database.SqliteError)) return error;
  const { code, message } = error;
  if (!code.startsWith('SQLITE_CONSTRAINT') && code !== 'SQLITE_MISMATCH' && code !== 'SQLITE_TOOBIG') return error;
  const field = fieldIn(message, plan) ?? written;
  const refuse = (reason: string): AdapterError => {
    if (field === undefined)
      return new AdapterError('rejected', `The database refused it: ${code}`, { reason, cause: error });
    return new AdapterError('rejected', rejected(field, reason).message, { field, reason, cause: error });
  };
  switch (code) {
    case 'SQLITE_CONSTRAINT_UNIQUE':
    case 'SQLITE_CONSTRAINT_PRIMARYKEY':
    case 'SQLITE_CONSTRAINT_ROWID':
      return conflict(field ?? '$id', error);
    case 'SQLITE_CONSTRAINT_NOTNULL':
      return refuse('The database requires a value.');
    case 'SQLITE_CONSTRAINT_FOREIGNKEY':
      return refuse(
        operation === 'delete'
          ? 'Other data still refers to the record.'
          : 'It refers to a record that does not exist.',
      );
    case 'SQLITE_CONSTRAINT_CHECK':
      return refuse('A rule of the database does not allow this value.');
    case 'SQLITE_CONSTRAINT_DATATYPE':
    case 'SQLITE_MISMATCH':
      return refuse('The database keeps another type of value here.');
    case 'SQLITE_TOOBIG':
      return refuse('The value is too long.');
    default:
      return refuse('A rule of the database does not allow this.');
  }
}

/** A declared table or column that is not there: nothing the caller can mend. */
export function toSchemaError(error: unknown): unknown {
  if (!(error instanceof Database.SqliteError) || error.code !== 'SQLITE_ERROR') return error;
  const missing = /^no such (table|column): (.+)$/.exec(error.message);
  if (missing === null) return error;
  return new AdapterError(
    'unavailable',
    `The database has no ${missing[1]} "${missing[2]}", which the configuration names.`,
    {
      reason: 'The gateway is configured for other tables than the database has.',
      cause: error,
    },
  );
}

/** The field whose column the message names: `UNIQUE constraint failed: users.user_name`, or an index or a rule by name. */
function fieldIn(message: string, plan: EntityPlan): string | undefined {
  const wrongType = /^cannot store \w+ value in \w+ column (.+)$/.exec(message)?.[1];
  const subject = wrongType ?? message.slice(message.indexOf(': ') + 2);
  const index = /^index '(.+)'$/.exec(subject)?.[1];
  const candidates = columnsOf(plan);
  if (index === undefined && !message.startsWith('CHECK')) {
    const exact = candidates.filter(({ table, column }) => subject.split(', ').includes(`${table}.${column}`));
    return (exact.find(({ isKey }) => !isKey) ?? exact[0])?.field;
  }
  const text = index === undefined ? subject : indexText(plan, index);
  return candidates.find(({ column }) => !isWordless(column) && wordIn(text, column))?.field;
}

interface FieldColumn {
  readonly table: string;
  readonly column: string;
  readonly field: string;
  /** The record's own key, in its table or a child's. */
  readonly isKey: boolean;
}

function columnsOf(plan: EntityPlan): readonly FieldColumn[] {
  const table = plan.table.name;
  const columns = [...plan.fields.values()].flatMap((field): readonly FieldColumn[] => {
    const own = (column: string): FieldColumn => ({ table, column, field: field.name, isKey: false });
    switch (field.kind) {
      case 'column':
        return [own(field.column.name), ...(field.folded === undefined ? [] : [own(field.folded.name)])];
      case 'child': {
        const child = (column: string, isKey = false): FieldColumn => ({
          table: field.table.name,
          column,
          field: field.name,
          isKey,
        });
        const parts = [...field.columns.values()].flatMap((part) => [
          ...(part.others ?? []).map(({ name }) => name),
          part.column.name,
          ...(part.folded === undefined ? [] : [part.folded.name]),
        ]);
        return [...parts.map((column) => child(column)), ...field.parent.columns.map(({ name }) => child(name, true))];
      }
      default:
        return [own(field.place.column.name)];
    }
  });
  return [...columns, ...plan.key.columns.map(({ name }) => ({ table, column: name, field: '$id', isKey: true }))];
}

function indexText(plan: EntityPlan, index: string): string {
  const tables = [
    plan.table,
    ...[...plan.fields.values()].flatMap((field) => (field.kind === 'child' ? [field.table] : [])),
  ];
  const found = tables.flatMap((table) => table.indexes).find(({ name }) => name === index);
  return found?.sql?.replace(/^.*?\(/s, '(') ?? '';
}

function isWordless(column: string): boolean {
  return !/^\w+$/.test(column);
}

function wordIn(text: string, word: string): boolean {
  return new RegExp(`\\b${word}\\b`, 'i').test(text);
}
