import type { FilterOp, Precision } from '../../../src/backend/adapter.js';
import type { Comparison } from '../../../src/scim/comparison.js';
import { allOperators, type Comparer, readAt, type ScalarOptions, type ScalarPlan } from '../scalar-plan.js';
import { type InRow, literal, sql } from '../sql-text.js';
import type { ColumnSchema, TableSchema } from '../table-schema.js';
import { prefixedComparer } from './prefixed-comparer.js';
import {
  booleanComparer,
  bytesComparer,
  epochComparer,
  nativeInstantComparer,
  numberComparer,
  unknownComparer,
} from './server-comparers.js';
import { prefixedTextComparer, textComparer, textComparison } from './server-text.js';
import { isNativeInstant, serverValue } from './server-values.js';
import type { JsonSource, ServerWords } from './server-words.js';

type Operators = ScalarPlan['operators'];

/** How one value is compared, and what of it the server can be asked for. */
interface Compared {
  readonly comparer: Comparer;
  readonly operators: Operators;
  readonly isSortable: boolean;
}

/** A simple value in a column or a JSON document of a server. */
export function serverScalar(
  words: ServerWords,
  options: ScalarOptions,
  concat: (prefix: string, text: ReturnType<InRow>) => ReturnType<InRow>,
): ScalarPlan {
  const { field, type, place, prefix = '', format } = options;
  const comparison = comparisonOf(words, options);
  const schema = place.kind === 'column' ? place.schema : undefined;
  const source = place.kind === 'column' ? undefined : words.json(options);
  const select = selectOf(words, options, source);
  const plain = compared(words, options, comparison, source);
  const whole = (): Comparer =>
    prefixedTextComparer(words, comparison, (alias) => concat(prefix, sql`nullif(${select(alias)}, '')`));
  const comparer =
    prefix === '' || type !== 'string' ? plain.comparer : prefixedComparer(plain.comparer, whole(), prefix, comparison);
  const isBare = place.kind === 'column' && place.at === undefined;
  const indexable = options.folded?.name ?? (isBare ? schema?.name : undefined);
  const value = serverValue({
    ...{ field, type, prefix, instants: words.instants },
    ...(schema === undefined ? {} : { schema }),
    ...(format === undefined ? {} : { format }),
  });
  return {
    field,
    type,
    comparison,
    operators: plain.operators,
    isSortable: plain.isSortable,
    select,
    write: (stored) =>
      place.kind === 'column' && place.write !== undefined ? place.write(sql`${stored}`) : sql`${stored}`,
    isKeptUnique: isKeptUnique(words, options, comparison),
    ...(indexable === undefined ? {} : { indexable }),
    ...value,
    ...comparer,
  };
}

function comparisonOf(words: ServerWords, options: ScalarOptions): Comparison {
  const { type } = options;
  if (type === 'number' || type === 'boolean' || type === 'instant') return type;
  return type === 'string' ? textComparison(words, options) : 'exact';
}

const nothingExact: Operators = {};

function compared(
  words: ServerWords,
  options: ScalarOptions,
  comparison: Comparison,
  source: JsonSource | undefined,
): Compared {
  const { type, place } = options;
  if (place.kind !== 'column') return comparedInJson(words, options, comparison, source);
  const { schema } = place;
  const at = readAt(place);
  switch (type) {
    case 'string':
      return exact(type, textComparer(words, options, comparison));
    case 'number':
      return isNumeric(schema) ? exact(type, numberComparer(words, numberAt(words, schema, at))) : unknownIn(at);
    case 'boolean':
      return exact(type, columnBoolean(schema, at));
    case 'instant':
      return comparedInstant(words, options, schema, at);
    default:
      return {
        ...exact(
          type,
          bytesComparer((alias) => sql`octet_length(${at(alias)}) > 0`),
        ),
        isSortable: false,
      };
  }
}

function comparedInstant(words: ServerWords, options: ScalarOptions, schema: ColumnSchema, at: InRow): Compared {
  const { type, format = 'iso' } = options;
  if (format !== 'iso') {
    return isNumeric(schema) ? exact(type, epochComparer(words, format, numberAt(words, schema, at))) : unknownIn(at);
  }
  return isNativeInstant(schema) ? exact(type, nativeInstantComparer(words, schema, at)) : unknownIn(at);
}

/** A value of another type than the column's: the gateway has to look at each. */
function unknownIn(at: InRow): Compared {
  const operators: Partial<Record<FilterOp, Precision>> = { pr: 'superset' };
  return { comparer: unknownComparer((alias) => sql`${at(alias)} IS NOT NULL`), operators, isSortable: false };
}

function isNumeric({ kind }: ColumnSchema): boolean {
  return kind === 'integer' || kind === 'real' || kind === 'numeric';
}

function comparedInJson(
  words: ServerWords,
  options: ScalarOptions,
  comparison: Comparison,
  source: JsonSource | undefined,
): Compared {
  const { type, format = 'iso' } = options;
  const unknown = { comparer: unknownComparer(() => sql`TRUE`), operators: nothingExact, isSortable: false };
  if (source === undefined) return unknown;
  switch (type) {
    case 'string':
      return exact(type, textComparer(words, options, comparison));
    case 'number':
      return exact(type, numberComparer(words, source.number));
    case 'boolean':
      return exact(
        type,
        booleanComparer(
          source.boolean,
          (alias, wanted) => sql`${source.boolean(alias)} = ${literal(wanted ? 1n : 0n)}`,
        ),
      );
    case 'instant':
      return format === 'iso' ? unknown : exact(type, epochComparer(words, format, source.number));
    default:
      return { ...unknown, operators: { pr: 'superset' } };
  }
}

function exact(type: ScalarOptions['type'], comparer: Comparer): Compared {
  return { comparer, operators: allOperators(type), isSortable: true };
}

/** Decimals are compared as the doubles that JavaScript makes of them. */
function numberAt(words: ServerWords, { kind }: ColumnSchema, at: InRow): InRow {
  return kind === 'integer' ? at : (alias) => words.double(at(alias));
}

function columnBoolean({ kind }: ColumnSchema, at: InRow): Comparer {
  if (kind === 'boolean') {
    const asNumber: InRow = (alias) => sql`CASE WHEN ${at(alias)} THEN 1 WHEN NOT ${at(alias)} THEN 0 END`;
    return booleanComparer(asNumber, (alias, wanted) => sql`${at(alias)} = ${literalTruth(wanted)}`);
  }
  if (kind === 'text') {
    const asNumber: InRow = (alias) => sql`CASE ${at(alias)} WHEN '1' THEN 1 WHEN '0' THEN 0 END`;
    return booleanComparer(asNumber, (alias, wanted) => sql`${at(alias)} = ${literal(wanted ? '1' : '0')}`);
  }
  const asNumber: InRow = (alias) => sql`CASE WHEN ${at(alias)} IN (0, 1) THEN ${at(alias)} END`;
  return booleanComparer(asNumber, (alias, wanted) => sql`${at(alias)} = ${literal(wanted ? 1n : 0n)}`);
}

function literalTruth(wanted: boolean) {
  return { text: wanted ? 'TRUE' : 'FALSE', params: [] };
}

function selectOf(words: ServerWords, { type, place, format = 'iso' }: ScalarOptions, source?: JsonSource): InRow {
  if (place.kind === 'column') {
    const { schema } = place;
    const isText = type === 'string' || (type === 'instant' && format === 'iso');
    return (alias) => {
      const at = readAt(place)(alias);
      if (isText && schema.kind === 'text') return words.column(at, schema);
      return type === 'string' ? words.text(at) : at;
    };
  }
  if (source === undefined) return () => sql`NULL`;
  if (type === 'boolean') return source.boolean;
  return type === 'number' || (type === 'instant' && format !== 'iso') ? source.number : source.text;
}

/** A unique index over the column alone refuses whatever this comparison calls equal. */
function isKeptUnique(words: ServerWords, options: ScalarOptions, comparison: Comparison): boolean {
  const { place, folded } = options;
  if (place.kind !== 'column' || place.at !== undefined) return false;
  if (folded !== undefined) return hasUniqueIndex(place.table, folded.name, place.fixed);
  if (comparison === 'asciiFold') return words.caseless(options)?.isUnique === true;
  const isOneSpelling = place.schema.kind === 'uuid' || place.schema.kind === 'integer';
  return (comparison === 'exact' || isOneSpelling) && hasUniqueIndex(place.table, place.schema.name, place.fixed);
}

/** @param fixed columns that may be in the index, too, since they are the same in all rows that are ours */
export function hasUniqueIndex(
  { indexes, primaryKey }: TableSchema,
  columnName: string,
  fixed: readonly string[] = [],
): boolean {
  const wanted = columnName.toLowerCase();
  const others = new Set(fixed.map((name) => name.toLowerCase()));
  const isAlone = (columns: readonly (string | undefined)[]): boolean => {
    const varying = columns.filter((name) => name === undefined || !others.has(name.toLowerCase()));
    return varying.length === 1 && varying[0]?.toLowerCase() === wanted;
  };
  return isAlone(primaryKey) || indexes.some(({ unique, partial, columns }) => unique && !partial && isAlone(columns));
}
