import { randomUUID } from 'node:crypto';
import type { Database } from 'better-sqlite3';
import type {
  BackendRecord,
  DescribableOperation,
  EntityCapabilities,
  ReadOptions,
} from '../../../src/backend/adapter.js';
import { AdapterError } from '../../../src/backend/adapter-error.js';
import type { CreateStore, Store, StoreDefinition } from '../store.js';
import { capabilitiesOf } from './capabilities.js';
import type { TablesConfig } from './config.js';
import { toSchemaError } from './constraint-error.js';
import { type EntityPlan, outer, planEntities, planOf } from './entity-plan.js';
import { registerFunctions } from './functions.js';
import { inspectTables } from './inspect-tables.js';
import { createQueryPlanner, isScan } from './query-plan.js';
import { selectionOf } from './read-records.js';
import { getById, lookup, search, searchStatements } from './search.js';
import { ConnectionSession, PaperSession } from './session.js';
import { column, printSql, type SqlValue, sql } from './sql-text.js';
import { createRecord, deleteRecord, updateRecord, type Writer } from './write-records.js';

/** Records in tables that exist already. What does not fit is told by `inspect`, and by the operation that needs it. */
export const createTablesStore: CreateStore = (db: Database, definition: StoreDefinition): Store => {
  registerFunctions(db);
  const tables = (definition.tables ?? {}) as TablesConfig;
  const plans = planEntities(db, definition.entities, tables);
  const session = new ConnectionSession(db);
  const planner = createQueryPlanner(session);
  const writer = (): Writer => ({ session, plans, now: new Date().toISOString(), newKey: randomUUID });
  const isOrdered = db.pragma('encoding', { simple: true }) === 'UTF-8';
  const byKey = (plan: EntityPlan, key: SqlValue, { fields }: ReadOptions): BackendRecord => {
    const selection = selectionOf(plan, fields);
    const statement = sql`SELECT ${selection.columns} FROM ${plan.tableName} AS ${outer} WHERE ${column(outer, plan.key.name)} = ${key}`;
    return selection.records(session, session.rows(statement))[0] ?? { $id: String(key) };
  };
  return {
    capabilities: capabilities(plans, isOrdered),
    get: (entity, id, { fields }) => checked(() => getById(session, planOf(plans, entity), id, fields)),
    search: (query) => checked(() => search(session, planOf(plans, query.entity), query)),
    isScan: (query) => checked(() => isScan(session, planner, planOf(plans, query.entity), query)),
    lookup: (entity, query) => checked(() => lookup(session, planOf(plans, entity), query)),
    create: (entity, record, options) =>
      checked(() => {
        const plan = planOf(plans, entity);
        return byKey(plan, createRecord(writer(), plan, record), options);
      }),
    update: (entity, id, changes, options) =>
      checked(() => {
        const plan = planOf(plans, entity);
        const { key, changed } = updateRecord(writer(), plan, id, changes, options.ifRevision);
        return { changed, record: byKey(plan, key, options) };
      }),
    delete: (entity, id, { ifRevision }) =>
      checked(() => deleteRecord(writer(), planOf(plans, entity), id, ifRevision)),
    inspect: () => inspectTables(db, definition.entities, tables),
    describe: (operation) => checked(() => describe(plans, operation)),
  };
};

function capabilities(
  plans: ReadonlyMap<string, EntityPlan>,
  isOrdered: boolean,
): Readonly<Record<string, EntityCapabilities>> {
  return Object.fromEntries([...plans].map(([entity, plan]) => [entity, capabilitiesOf(plans, plan, isOrdered)]));
}

function checked<T>(run: () => T): T {
  try {
    return run();
  } catch (error) {
    throw toSchemaError(error);
  }
}

function describe(plans: ReadonlyMap<string, EntityPlan>, operation: DescribableOperation): string {
  if (operation.kind === 'search') {
    const { page, count } = searchStatements(planOf(plans, operation.query.entity), operation.query);
    return [page, count]
      .flatMap((statement) => (statement === undefined ? [] : [`${printSql(statement)};`]))
      .join('\n');
  }
  const session = new PaperSession();
  const writer: Writer = { session, plans, now: new Date().toISOString(), newKey: () => '<new id>' };
  const plan = planOf(plans, operation.entity);
  try {
    if (operation.kind === 'create') createRecord(writer, plan, operation.record);
    else updateRecord(writer, plan, operation.id, operation.changes, undefined);
  } catch (error) {
    if (!(error instanceof AdapterError)) throw error;
    session.lines.push(`-- ${error.message}`);
  }
  return session.lines.join('\n');
}
