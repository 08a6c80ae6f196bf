import type { FieldCapability, FieldUse, FilterOp, Precision } from '../../../src/backend/adapter.js';
import type { Comparison } from '../../../src/scim/comparison.js';
import {
  booleanComparer,
  bytesComparer,
  type Comparer,
  epochComparer,
  exactComparer,
  expressionComparer,
  isoInstantComparer,
  numberComparer,
  otherColumnComparer,
  prefixedComparer,
  textColumnComparer,
} from './comparer.js';
import type { InstantFormat } from './config.js';
import type { InRow, ScalarSource } from './scalar-source.js';
import { column, sql } from './sql-text.js';
import { createStoredScalar, type StoredScalar } from './stored-scalar.js';
import type { ColumnSchema } from './table-schema.js';

/** One simple value: how it is read, written and compared. */
export interface ScalarPlan extends StoredScalar, Comparer {
  /** As the mapping calls it. */
  readonly field: string;
  readonly type: FieldUse['type'];
  readonly comparison: Comparison;
  readonly operators: readonly FilterOp[];
  /** What `decode` takes. */
  readonly select: InRow;
  /** The column in which an index finds equal values. */
  readonly indexable?: string;
}

export interface ScalarOptions {
  readonly field: string;
  readonly type: FieldUse['type'];
  /** How the mapping wants it compared. */
  readonly comparison: Comparison;
  readonly source: ScalarSource;
  readonly folded?: ColumnSchema;
  readonly format?: InstantFormat;
  readonly prefix?: string;
  /** Compared by its exact characters even where the column's collation is another. */
  readonly isExact?: boolean;
}

export function createScalar(options: ScalarOptions): ScalarPlan {
  const { field, type, source, folded, format = 'iso', prefix = '' } = options;
  const comparison = comparisonOf(options);
  const plain = comparerOf(options, comparison);
  const whole = (): Comparer =>
    expressionComparer(textKey(comparison, (alias) => sql`${prefix} || nullif(${source.text(alias)}, '')`));
  const comparer = prefix === '' || type !== 'string' ? plain : prefixedComparer(plain, whole(), prefix, comparison);
  const indexable = indexableColumn(comparison, source, folded);
  const affinity = source.column?.schema.affinity ?? 'json';
  return {
    field,
    type,
    comparison,
    operators: operatorsOf(type),
    select: selectOf(options),
    ...(indexable === undefined ? {} : { indexable }),
    ...createStoredScalar({ field, type, affinity, format, prefix }),
    ...comparer,
  };
}

/** @param isOrdered false for a database whose encoding does not sort by code point */
export function scalarCapability(scalar: ScalarPlan, isOrdered: boolean): FieldCapability {
  const operators: Partial<Record<FilterOp, Precision>> = {};
  for (const op of scalar.operators) {
    if (isOrdered || scalar.type !== 'string' || !byOrder.has(op)) operators[op] = 'exact';
  }
  const sortable = scalar.type !== 'bytes' && (isOrdered || scalar.type !== 'string');
  return { comparison: scalar.comparison, operators, sortable };
}

const byOrder: ReadonlySet<FilterOp> = new Set(['sw', 'gt', 'ge', 'lt', 'le']);

function operatorsOf(type: FieldUse['type']): readonly FilterOp[] {
  switch (type) {
    case 'string':
      return ['pr', 'eq', 'co', 'sw', 'ew', 'gt', 'ge', 'lt', 'le'];
    case 'number':
    case 'instant':
      return ['pr', 'eq', 'gt', 'ge', 'lt', 'le'];
    case 'boolean':
      return ['pr', 'eq'];
    case 'bytes':
    case 'records':
      return ['pr'];
  }
}

/** The backend's own comparison where it has one, else the mapping's. */
function comparisonOf({ type, comparison, source, folded, isExact }: ScalarOptions): Comparison {
  if (type === 'number' || type === 'boolean' || type === 'instant') return type;
  if (type !== 'string' || isExact === true) return 'exact';
  if (folded !== undefined) return 'fold';
  if (source.column?.schema.collation === 'nocase') return 'asciiFold';
  return comparison === 'fold' || comparison === 'asciiFold' ? comparison : 'exact';
}

function comparerOf({ type, source, folded, format = 'iso' }: ScalarOptions, comparison: Comparison): Comparer {
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
  if (source.column?.schema.affinity === 'text') {
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

function selectOf({ type, source, format = 'iso' }: ScalarOptions): InRow {
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
