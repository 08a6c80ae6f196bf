import type { FieldUse, FilterOp, Precision } from '../../../src/backend/adapter.js';
import type { Comparison } from '../../../src/scim/comparison.js';
import { type Comparer, operatorsOf, type ScalarOptions, type ScalarPlan } from '../scalar-plan.js';
import { column, type InRow, sql } from '../sql-text.js';
import { createStoredScalar } from '../stored-scalar.js';
import type { ColumnSchema } from '../table-schema.js';
import { prefixedComparer } from './prefixed-comparer.js';
import {
  booleanComparer,
  bytesComparer,
  epochComparer,
  exactComparer,
  expressionComparer,
  isoInstantComparer,
  numberComparer,
  otherColumnComparer,
  textColumnComparer,
} from './sqlite-comparer.js';
import { type ScalarSource, sourceOf } from './sqlite-source.js';

type Sourced = ScalarOptions & { readonly source: ScalarSource };

/** @param isOrdered false for a database whose encoding does not sort by code point (UTF-16) */
export function sqliteScalar(given: ScalarOptions, isOrdered: boolean): ScalarPlan {
  const options: Sourced = { ...given, source: sourceOf(given.place) };
  const { field, type, source, folded, format = 'iso', prefix = '' } = options;
  const comparison = comparisonOf(options);
  const plain = comparerOf(options, comparison);
  const whole = (): Comparer =>
    expressionComparer(textKey(comparison, (alias) => sql`${prefix} || nullif(${source.text(alias)}, '')`));
  const comparer = prefix === '' || type !== 'string' ? plain : prefixedComparer(plain, whole(), prefix, comparison);
  const indexable = indexableColumn(comparison, source, folded);
  const kind = source.column?.schema.kind ?? 'json';
  return {
    field,
    type,
    comparison,
    operators: operatorsIn(type, isOrdered),
    isSortable: type !== 'bytes' && (isOrdered || type !== 'string'),
    select: selectOf(options),
    write: (stored) => sql`${stored}`,
    ...(indexable === undefined ? {} : { indexable }),
    ...createStoredScalar({ field, type, kind, format, prefix }),
    ...comparer,
  };
}

const byOrder: ReadonlySet<FilterOp> = new Set(['sw', 'gt', 'ge', 'lt', 'le']);

function operatorsIn(type: FieldUse['type'], isOrdered: boolean): Readonly<Partial<Record<FilterOp, Precision>>> {
  const usable = operatorsOf(type).filter((op) => isOrdered || type !== 'string' || !byOrder.has(op));
  return Object.fromEntries(usable.map((op) => [op, 'exact']));
}

/** The backend's own comparison where it has one, else the mapping's. */
function comparisonOf({ type, comparison, source, folded, isExact }: Sourced): Comparison {
  if (type === 'number' || type === 'boolean' || type === 'instant') return type;
  if (type !== 'string' || isExact === true) return 'exact';
  if (folded !== undefined) return 'fold';
  if (source.column?.schema.collation === 'nocase') return 'asciiFold';
  return comparison === 'fold' || comparison === 'asciiFold' ? comparison : 'exact';
}

function comparerOf({ type, source, folded, format = 'iso' }: Sourced, comparison: Comparison): Comparer {
  switch (type) {
    case 'number':
      return numberComparer(source);
    case 'boolean':
      return booleanComparer(source);
    case 'instant':
      return format === 'iso' ? isoInstantComparer(source) : epochComparer(source, format);
    case 'string':
      return textComparer(source, comparison, folded);
    default:
      return bytesComparer(source);
  }
}

function textComparer(source: ScalarSource, comparison: Comparison, folded: ColumnSchema | undefined): Comparer {
  if (folded !== undefined) return textColumnComparer(source, (alias) => column(alias, folded.name), 'binary');
  if (source.column?.schema.kind === 'text') {
    const { schema, at } = source.column;
    if (comparison === 'asciiFold' && schema.collation === 'nocase') return textColumnComparer(source, at, 'nocase');
    if (comparison === 'exact' && schema.collation === 'binary') return textColumnComparer(source, at, 'binary');
    if (comparison === 'exact' && schema.collation === 'nocase') return exactComparer(source, at);
  }
  return otherColumnComparer(source, comparison, textKey(comparison, source.text));
}

function textKey(comparison: Comparison, text: InRow): InRow {
  switch (comparison) {
    case 'fold':
      return (alias) => sql`scimbridge_fold(${text(alias)})`;
    case 'asciiFold':
      return (alias) => sql`nullif(lower(${text(alias)}), '')`;
    default:
      return (alias) => sql`nullif(${text(alias)}, '')`;
  }
}

function selectOf({ type, source, format = 'iso' }: Sourced): InRow {
  if (type === 'string' || (type === 'instant' && format === 'iso')) return source.text;
  if (source.column !== undefined) return source.column.at;
  return type === 'boolean' ? source.boolean : type === 'bytes' ? source.bytes : source.number;
}

function indexableColumn(comparison: Comparison, { column: own }: ScalarSource, folded: ColumnSchema | undefined) {
  if (folded !== undefined) return folded.name;
  if (own === undefined || comparison === 'fold' || comparison === 'instant' || comparison === 'boolean')
    return undefined;
  return own.schema.name;
}
