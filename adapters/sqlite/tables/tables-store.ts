import { randomUUID } from 'node:crypto';
import type { Database } from 'better-sqlite3';
import { capabilitiesOfAll } from '../../sql/capabilities.js';
import type { TablesConfig } from '../../sql/config.js';
import { describeOperation } from '../../sql/describe.js';
import { createSqliteDialect } from '../../sql/dialects/sqlite.js';
import { planEntities, planOf } from '../../sql/entity-plan.js';
import { inspectTables } from '../../sql/inspect-tables.js';
import { create, remove, update } from '../../sql/operations.js';
import { getById, lookup, search } from '../../sql/search.js';
import type { TableSchema } from '../../sql/table-schema.js';
import { runNow, type Work } from '../../sql/work.js';
import type { Writer } from '../../sql/write-records.js';
import type { CreateStore, Store, StoreDefinition } from '../store.js';
import { toDataError, toSchemaError } from './constraint-error.js';
import { registerFunctions } from './functions.js';
import { createQueryPlanner, isScan } from './query-plan.js';
import { readTableSchema } from './read-schema.js';
import { executeOn } from './session.js';

/** Records in tables that exist already. What does not fit is told by `inspect`, and by the operation that needs it. */
export const createTablesStore: CreateStore = (db: Database, definition: StoreDefinition): Store => {
  registerFunctions(db);
  const isOrdered = db.pragma('encoding', { simple: true }) === 'UTF-8';
  const dialect = createSqliteDialect({ isOrdered, toDataError });
  const options = { dialect, uses: definition.entities, tables: (definition.tables ?? {}) as TablesConfig };
  const plans = planEntities({ ...options, readTable: tablesIn(db) });
  const execute = executeOn(db);
  const planner = createQueryPlanner((statement) => execute({ ...statement, wants: 'rows' }).rows);
  const writer = (): Writer => ({ plans, now: new Date().toISOString(), newKey: randomUUID });
  const work = <T>(begin: () => Work<T>): T => checked(() => runNow(begin(), execute));
  return {
    capabilities: capabilitiesOfAll(plans),
    get: (entity, id, { fields }) => work(() => getById(planOf(plans, entity), id, fields)),
    search: (query) => work(() => search(planOf(plans, query.entity), query)),
    isScan: (query) => checked(() => isScan(planner, planOf(plans, query.entity), query)),
    lookup: (entity, query) => work(() => lookup(planOf(plans, entity), query)),
    create: (entity, record, { fields }) => work(() => create(writer(), entity, record, fields)),
    update: (entity, id, changes, given) => work(() => update(writer(), entity, id, changes, given)),
    delete: (entity, id, { ifRevision }) => work(() => remove(writer(), entity, id, ifRevision)),
    inspect: () => work(() => inspectTables({ ...options, readTable: tablesIn(db) })),
    describe: (operation) => checked(() => describeOperation(plans, operation)),
  };
};

/** The tables as they are at the first look. */
function tablesIn(db: Database): (table: string) => TableSchema {
  const schemas = new Map<string, TableSchema>();
  return (table) => {
    const schema = schemas.get(table) ?? readTableSchema(db, table);
    schemas.set(table, schema);
    return schema;
  };
}

function checked<T>(run: () => T): T {
  try {
    return run();
  } catch (error) {
    throw toSchemaError(error);
  }
}
