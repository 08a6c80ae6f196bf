import type { Comparison } from '../../../src/scim/comparison.js';
import { type Comparer, readAt, type ScalarOptions } from '../scalar-plan.js';
import { all, column, type InRow, isFalse, type Sql, sql } from '../sql-text.js';
import type { ColumnSchema } from '../table-schema.js';
import type { ServerWords } from './server-words.js';

/** What a text's comparison needs: its key in SQL, and where an index finds equal ones quicker. */
interface TextPlan {
  /** Equal and ordered as the keys of the comparison are; NULL without a value. */
  readonly key: InRow;
  /** Equality alone, where it can be had for less than by the key. */
  readonly equals?: (alias: Sql, text: string) => Sql;
  readonly isOneOf?: (alias: Sql, texts: readonly string[]) => Sql;
  /** A column that `LIKE` compares exactly, so that an index on it may help. */
  readonly likeable?: InRow;
}

/** How texts are compared in that place, which is not always what the mapping asked for. */
export function textComparison(words: ServerWords, options: ScalarOptions): Comparison {
  const { comparison, place, folded, isExact } = options;
  if (isExact === true) return 'exact';
  if (folded !== undefined) return 'fold';
  if (comparison !== 'fold' && comparison !== 'asciiFold') return 'exact';
  if (place.kind === 'column' && isPlain(place.schema)) return comparison; // A–Z and digits only
  if (comparison === 'asciiFold' || words.foldKey === undefined) return 'asciiFold';
  return place.kind === 'column' && words.caseless(options) !== undefined ? 'asciiFold' : 'fold';
}

/** Kinds whose texts are of lower case ASCII, in one spelling. */
function isPlain({ kind }: ColumnSchema): boolean {
  return kind === 'uuid' || kind === 'integer';
}

export function textComparer(words: ServerWords, options: ScalarOptions, comparison: Comparison): Comparer {
  return comparerBy(words, planOf(words, options, comparison));
}

function comparerBy(words: ServerWords, { key, equals, isOneOf, likeable }: TextPlan): Comparer {
  const present: InRow = (alias) => sql`${key(alias)} IS NOT NULL`;
  const equal = (alias: Sql, text: string): Sql => equals?.(alias, text) ?? sql`${key(alias)} = ${text}`;
  const like = (alias: Sql, pattern: string): Sql => words.like((likeable ?? key)(alias), pattern);
  return {
    key,
    present,
    compare: (alias, op, wanted) => {
      const text = String(wanted);
      if (text === '') return op === 'eq' || op === 'lt' || op === 'le' ? isFalse : present(alias);
      const isStorable = words.takesNull || !text.includes('\0');
      switch (op) {
        case 'eq':
          return isStorable ? equal(alias, text) : isFalse;
        case 'co':
        case 'sw':
        case 'ew':
          return isStorable ? like(alias, patternOf(op, text)) : isFalse;
        case 'gt':
        case 'ge': {
          if (isStorable) return sql`${key(alias)} ${signs[op]} ${text}`;
          return sql`${key(alias)} > ${beforeNull(text)}`; // what stands before U+0000 is less, all longer texts greater
        }
        case 'lt':
        case 'le':
          return isStorable ? sql`${key(alias)} ${signs[op]} ${text}` : sql`${key(alias)} <= ${beforeNull(text)}`;
      }
    },
    oneOf: (alias, keys) => {
      const texts = keys.map(String).filter((text) => isSearchable(words, text));
      if (texts.length === 0) return isFalse;
      return isOneOf?.(alias, texts) ?? words.isOneOf(key(alias), keyKind, texts);
    },
  };
}

const signs = {
  gt: { text: '>', params: [] },
  ge: { text: '>=', params: [] },
  lt: { text: '<', params: [] },
  le: { text: '<=', params: [] },
} as const;

const keyKind = { kind: 'text', declaredType: 'text' } as const;

function planOf(words: ServerWords, options: ScalarOptions, comparison: Comparison): TextPlan {
  const { place, folded } = options;
  if (folded !== undefined) return ownColumn(words, folded, (alias) => column(alias, folded.name));
  if (place.kind !== 'column') {
    const text = words.json(options)?.text ?? (() => sql`NULL`);
    return { key: keyOfText(words, comparison, text) };
  }
  const { schema } = place;
  const at = readAt(place);
  if (isPlain(schema)) return plainColumn(words, schema, at);
  if (schema.kind !== 'text') return { key: keyOfText(words, comparison, (alias) => words.text(at(alias))) };
  if (comparison === 'exact') return ownColumn(words, schema, at);
  const key = keyOfText(words, comparison, (alias) => words.column(at(alias), schema));
  const index = comparison === 'asciiFold' ? words.caseless(options) : undefined;
  return index === undefined ? { key } : narrowed(words, key, index);
}

/** A column that is compared by its characters. */
function ownColumn(words: ServerWords, schema: ColumnSchema, at: InRow): TextPlan {
  const key = keyOfText(words, 'exact', (alias) => words.column(at(alias), schema));
  if (words.isExact(schema)) {
    return {
      key,
      equals: (alias, text) => words.resembles(at(alias), schema, text),
      isOneOf: (alias, texts) => words.isOneOf(at(alias), schema, texts),
      likeable: (alias) => at(alias),
    };
  }
  // The column's own equality finds candidates by its index.
  return narrowed(words, key, {
    equals: (alias, text) => words.resembles(at(alias), schema, text),
    isOneOf: (alias, texts) => words.isOneOf(at(alias), schema, texts),
    isUnique: false,
  });
}

function narrowed(words: ServerWords, key: InRow, index: ReturnType<ServerWords['caseless']>): TextPlan {
  if (index === undefined) return { key };
  return {
    key,
    equals: (alias, text) => sql`(${index.equals(alias, text)} AND ${key(alias)} = ${text})`,
    isOneOf: (alias, texts) => all([index.isOneOf(alias, texts), words.isOneOf(key(alias), keyKind, texts)]),
  };
}

/** A UUID or a whole number: a text that is not in its one spelling is none of them. */
function plainColumn(words: ServerWords, schema: ColumnSchema, at: InRow): TextPlan {
  const key: InRow = (alias) => words.exactKey(words.text(at(alias)));
  return {
    key,
    equals: (alias, text) => (spells(schema, text) ? sql`${at(alias)} = ${words.typed(text, schema.kind)}` : isFalse),
    isOneOf: (alias, texts) => {
      const spelled = texts.filter((text) => spells(schema, text));
      return spelled.length === 0 ? isFalse : words.isOneOf(at(alias), schema, spelled);
    },
  };
}

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const integer = /^(0|-?[1-9]\d{0,18})$/;

/** Whether a column of that kind reads the text, and would print it just so. */
export function spells({ kind, range }: Pick<ColumnSchema, 'kind' | 'range'>, text: string): boolean {
  if (kind === 'uuid') return uuid.test(text);
  if (kind !== 'integer') return true;
  if (!integer.test(text)) return false;
  const value = BigInt(text);
  const [least, greatest] = range ?? [-(2n ** 63n), 2n ** 63n - 1n];
  return value >= least && value <= greatest;
}

/** CHAR(20): trailing spaces count for nothing. */
export function isPadded({ declaredType }: Pick<ColumnSchema, 'declaredType'>): boolean {
  return /^(char|character|bpchar|nchar)\b(?! varying)/i.test(declaredType);
}

function isSearchable({ takesNull }: ServerWords, text: string): boolean {
  return text !== '' && (takesNull || !text.includes('\0')) && !/\p{Surrogate}/u.test(text);
}

function keyOfText(words: ServerWords, comparison: Comparison, text: InRow): InRow {
  const { foldKey } = words;
  const form = (value: Sql): Sql => {
    if (comparison === 'asciiFold') return words.asciiKey(value);
    return comparison === 'fold' && foldKey !== undefined ? foldKey(value) : words.exactKey(value);
  };
  return (alias) => sql`nullif(${form(text(alias))}, '')`;
}

function patternOf(op: 'co' | 'sw' | 'ew', text: string): string {
  const escaped = text.replaceAll(/[!%_]/g, '!$&');
  return `${op === 'sw' ? '' : '%'}${escaped}${op === 'ew' ? '' : '%'}`;
}

function beforeNull(text: string): string {
  return text.slice(0, text.indexOf('\0'));
}

/** By the whole text with a fixed one in front: helped by no index. */
export function prefixedTextComparer(words: ServerWords, comparison: Comparison, text: InRow): Comparer {
  return comparerBy(words, { key: keyOfText(words, comparison, text) });
}
