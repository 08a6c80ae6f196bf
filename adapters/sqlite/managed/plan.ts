import type { Condition } from '../../../src/backend/adapter.js';
import { toNegationNormalForm } from '../../../src/scim/filter.js';
import type { Statements } from '../database.js';
import { countRecords } from './buckets.js';
import { rankOf, type Selection, type TestedCondition } from './compiled-condition.js';
import { compileCondition, narrowed } from './condition.js';
import type { ManagedEntity } from './layout.js';
import { limitTo, type Sql, sql } from './sql.js';

/** How the records that meet a condition are found. */
export interface Plan {
  readonly kind: 'none' | 'all' | 'some';
  /** `SELECT … AS seq`: their numbers, each once. */
  readonly source: Sql;
  /** More index entries or records are walked through than the main thread has time for. */
  readonly isLarge: boolean;
  /** Every page walks through all that could match, so that counting along costs nothing. */
  readonly isWalkedWhole: boolean;
}

/** Walking through so many takes about a millisecond. */
const largeFrom = 1000;
const maxProbes = 4;
const probeLimits: readonly number[] = [16, 128, largeFrom + 1];

/** Without a condition: all records of the entity. */
export function planFor(statements: Statements, entity: ManagedEntity, condition: Condition | undefined): Plan {
  const all = sql`SELECT r.seq AS seq FROM record r WHERE r.scope = ${entity.scope}`;
  if (condition === undefined) return { kind: 'all', source: all, isLarge: false, isWalkedWhole: false };
  const compiled = compileCondition(toNegationNormalForm(condition), entity);
  if (compiled.kind === 'always') return { kind: 'all', source: all, isLarge: false, isWalkedWhole: false };
  if (compiled.kind === 'never')
    return { kind: 'none', source: sql`${all} AND FALSE`, isLarge: false, isWalkedWhole: false };
  const operands = compiled.parts ?? [compiled];
  const chosen = choose(statements, operands);
  if (chosen === undefined || chosen.entries === undefined) {
    const isLarge = countRecords(statements, entity.scope) > largeFrom;
    const source =
      chosen === undefined
        ? sql`SELECT c.seq AS seq FROM (${all}) c WHERE ${compiled.test}`
        : narrowed(chosen.selection, chosen.operand, operands).query;
    return { kind: 'some', source, isLarge, isWalkedWhole: true };
  }
  const { selection, operand, entries } = chosen;
  const source = narrowed(selection, operand, operands).query;
  return { kind: 'some', source, isLarge: entries > largeFrom, isWalkedWhole: false };
}

interface Choice {
  readonly selection: Selection;
  readonly operand: TestedCondition;
  /** How many index entries it walks through, counted up to a limit; unknown when it walks through all of a field's. */
  readonly entries: number | undefined;
}

/** The selection that walks through the least: by its kind, and among equals by a bounded look at the index. */
function choose(statements: Statements, operands: readonly TestedCondition[]): Choice | undefined {
  const choices = operands
    .flatMap((operand) => operand.selections.map((selection): Choice => ({ selection, operand, entries: undefined })))
    .sort((a, b) => rankOf(a.selection) - rankOf(b.selection));
  const [first] = choices;
  if (first === undefined || first.selection.reach === 'all') return first;
  if (first.selection.isUnique) return { ...first, entries: 1 };
  return leastOf(statements, choices.filter(({ selection }) => selection.reach !== 'all').slice(0, maxProbes));
}

/** Looks a little into each of the indexes, then further, until one of them ends. */
function leastOf(statements: Statements, choices: readonly Choice[]): Choice | undefined {
  let least: (Choice & { readonly entries: number }) | undefined;
  for (const limit of choices.length > 1 ? probeLimits : probeLimits.slice(-1)) {
    least = undefined;
    for (const choice of choices) {
      const entries = countEntries(statements, choice.selection, limit);
      if (least === undefined || entries < least.entries) least = { ...choice, entries };
    }
    if (least !== undefined && least.entries < limit) break;
  }
  return least;
}

function countEntries(statements: Statements, { probe }: Selection, limit: number): number {
  const { text, params } = sql`SELECT count(*) FROM (${probe} ${limitTo(limit)})`;
  const [count] = statements.rows(text).get(...params) as readonly [number];
  return count;
}
