import type { SearchQuery } from '../../../src/backend/adapter.js';
import type { EntityPlan } from '../../sql/entity-plan.js';
import type { Row } from '../../sql/pool.js';
import { searchStatements } from '../../sql/search.js';
import { column, type Sql, sql } from '../../sql/sql-text.js';

/** Rows that may be walked on the main thread: about a millisecond. */
const quickRows = 2_000;
const quickCount = 100_000;

/** What SQLite says it would do. A statement is asked about once. */
export interface QueryPlanner {
  steps(statement: Sql): readonly string[];
  readonly read: Read;
}

type Read = (statement: Sql) => readonly Row[];

export function createQueryPlanner(read: Read): QueryPlanner {
  const known = new Map<string, readonly string[]>();
  return {
    read,
    steps: (statement) => {
      const before = known.get(statement.text);
      if (before !== undefined) return before;
      const { text, params } = statement;
      const steps = read({ text: `EXPLAIN QUERY PLAN ${text}`, params }).map((row) => String(row[3]));
      if (known.size >= 1000) known.clear();
      known.set(text, steps);
      return steps;
    },
  };
}

/** True when the search walks more than a short range of an index. */
export function isScan(planner: QueryPlanner, plan: EntityPlan, query: SearchQuery): boolean {
  const { page, count, skipped } = searchStatements(plan, query);
  const weak = weakColumns(plan);
  const steps = page === undefined ? [] : planner.steps(page);
  const isListing = query.filter === undefined;
  const isInOrder = !steps.some((step) => step.startsWith('USE TEMP B-TREE') || step.includes('SUBQUERY'));
  const isQuickPage =
    isListing && isInOrder
      ? skipped + query.limit <= quickRows
      : skipped <= quickRows && !steps.some((step) => walks(step, weak));
  if (!isQuickPage) return true;
  if (count === undefined) return false;
  if (!isListing) return planner.steps(count).some((step) => walks(step, weak));
  return !hasFewRows(planner, plan);
}

/** `SCAN t`, or a search in which only columns take part that hold few different values. */
function walks(step: string, weak: ReadonlySet<string>): boolean {
  if (step.startsWith('SCAN ')) return !step.includes('VIRTUAL TABLE') && !step.startsWith('SCAN CONSTANT');
  if (!step.startsWith('SEARCH ')) return false;
  const terms = [...(/\((.*)\)$/.exec(step)?.[1] ?? '').matchAll(/(?:^| AND )"?(.+?)"?(?:=|<|>| IS )/g)];
  return terms.length > 0 && terms.every((term) => weak.has((term[1] ?? '').toLowerCase()));
}

function weakColumns(plan: EntityPlan): ReadonlySet<string> {
  const truthValues = [...plan.fields.values()].flatMap((field) =>
    field.kind === 'column' && field.scalar.type === 'boolean' ? [field.column.name] : [],
  );
  const deleted = plan.deleted === undefined ? [] : [plan.deleted.column];
  const fixed = plan.fixed.map((item) => item.column);
  return new Set([...truthValues, ...deleted, ...fixed].map((name) => name.toLowerCase()));
}

/** By the greatest rowid, which is found at once; a table without one may be of any size. */
function hasFewRows({ read }: QueryPlanner, plan: EntityPlan): boolean {
  if (!plan.table.hasRowid) return false;
  const rowid = plan.table.rowidColumn ?? 'rowid';
  const greatest = read(sql`SELECT max(${column({ text: 't', params: [] }, rowid)}) FROM ${plan.tableName} AS t`);
  return Number(greatest[0]?.[0] ?? 0) <= quickCount;
}
