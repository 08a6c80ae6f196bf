import { tmpdir } from 'node:os';
import { defineAdapter } from '../../src/authoring/define-adapter.js';
import { RecordStore } from '../../src/backend/records/record-store.js';
import { containModule } from '../../src/plug-in/contained-module.js';
import { describeAdapterContract } from './adapter-contract.js';
import { contractEntities, environmentIn } from './contract-entities.js';

const authored = defineAdapter({
  configSchema: {},
  open(_, { entities }) {
    const store = new RecordStore(entities);
    return {
      capabilities: store.capabilities,
      get: async (entity, id, { fields }) => store.get(entity, id, fields),
      search: async (query) => store.search(query),
      lookup: async (entity, query) => store.lookup(entity, query),
      create: async (entity, record, { fields }) => store.create(entity, record, fields),
      update: async (entity, id, changes, options) => store.update(entity, id, changes, options),
      delete: async (entity, id, { ifRevision }) => store.delete(entity, id, ifRevision),
    };
  },
});

// What an author leaves out is there, and containment is not noticed by an adapter that does everything right.
describeAdapterContract('an adapter of others, contained', {
  entities: contractEntities,
  open: () => containModule('./hr.js', '/hr.js', authored).open({}, environmentIn(tmpdir(), contractEntities)),
});
