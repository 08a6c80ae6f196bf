import type { Database } from 'better-sqlite3';
import type { Comparison } from '../../../src/scim/comparison.js';
import { statementsOf } from '../database.js';
import type { CreateStore } from '../store.js';
import { capabilitiesOf } from './capabilities.js';
import { describeCreate, describeUpdate } from './describe.js';
import { indexKey } from './document.js';
import { entityIn } from './layout.js';
import { LinkWriter } from './link-writer.js';
import { restKey } from './links.js';
import { isArrangedAsDeclared, openLayout } from './open-layout.js';
import { Reader } from './reader.js';
import { Searcher } from './search.js';
import { inSnapshot } from './snapshot.js';
import { StoreWriter } from './store-writer.js';
import { prepareTables } from './tables.js';

/**
 * Records of any declared schema in the gateway's own tables. One file holds those of many gateways, which do not see
 * each other.
 * @throws AdapterError unsupported when the file is of a newer release or of something else
 */
export const createManagedStore: CreateStore = (db, definition) => {
  prepareTables(db);
  defineFunctions(db);
  const layout = openLayout(db, definition);
  const statements = statementsOf(db);
  const reader = new Reader(statements);
  const searcher = new Searcher(db, statements, layout, reader);
  const writer = new StoreWriter(statements, reader, new LinkWriter(statements, layout), () =>
    isArrangedAsDeclared(db, definition),
  );
  const entities = [...layout.entities.values()];
  return {
    capabilities: Object.fromEntries(entities.map((entity) => [entity.name, capabilitiesOf(entity)])),
    get: (name, id, { fields }) => {
      const entity = entityIn(layout, name);
      if (reader.isOneStatement(entity, fields)) return reader.get(entity, id, fields);
      return inSnapshot(db, statements, () => reader.get(entity, id, fields));
    },
    search: (query) => searcher.search(query),
    isScan: (query) => searcher.isScan(query),
    lookup: (name, query) => {
      const entity = entityIn(layout, name);
      return inSnapshot(db, statements, () => reader.lookup(entity, query));
    },
    create: (name, record, { fields }) => writer.create(entityIn(layout, name), record, fields),
    update: (name, id, changes, options) => writer.update(entityIn(layout, name), id, changes, options),
    delete: (name, id, { ifRevision }) => writer.delete(entityIn(layout, name), id, ifRevision),
    inspect: () => [],
    describe: (operation) => {
      switch (operation.kind) {
        case 'search':
          return searcher.describe(operation.query);
        case 'create':
          return describeCreate(entityIn(layout, operation.entity), operation.record);
        case 'update':
          return describeUpdate(entityIn(layout, operation.entity), operation.id, operation.changes);
      }
    },
  };
};

/** What conditions need beyond SQL: comparison keys of values that have no index. */
function defineFunctions(db: Database): void {
  const options = { deterministic: true, directOnly: true };
  db.function('comparison_key', options, (value: unknown, comparison: unknown) =>
    indexKey({ type: 'string', comparison: comparison as Comparison }, value),
  );
  db.function('rest_key', options, (rest: unknown, name: unknown, comparison: unknown) =>
    restKey(String(rest), String(name), comparison as Comparison),
  );
}
