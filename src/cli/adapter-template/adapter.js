// @ts-check
import { defineAdapter, RecordStore } from 'scimbridge/adapter';

/**
 * The adapter of __NAME__. It works as it stands, with records that are gone when the gateway ends: RecordStore behaves in
 * every way as the gateway expects of a backend. Replace its methods by calls of your backend, `create` and `get` first;
 * `npm test` says which promises are kept.
 */
export default defineAdapter({
  // What may stand beside `type` in gateway.yaml. `config` below has the type that this describes.
  configSchema: {
    type: 'object',
    additionalProperties: false,
    properties: {
      url: {
        type: 'string',
        default: 'https://__NAME__.example.com',
        description: 'Where __NAME__ is.',
      },
    },
  },

  // Does not wait for the backend: the gateway starts with a backend that is down.
  open(config, { entities, log }) {
    // What the mapping in gateway.yaml uses: entities and their fields. Nothing else is ever asked for.
    const store = new RecordStore(entities);
    log.debug({ url: config.url }, 'Opened.');

    return {
      // What the backend does itself. Claim no more than is true: the gateway covers the rest, or refuses it with a reason.
      capabilities: store.capabilities,

      // The record, or undefined; also for an id that could never be one.
      async get(entity, id, { fields }) {
        return store.get(entity, id, fields);
      },

      // One page in a stable order. `next` of its answer is `after` of the following page.
      async search(query) {
        return store.search(query);
      },

      // The records whose field has one of the values: many at once, in one round trip.
      async lookup(entity, query) {
        return store.lookup(entity, query);
      },

      // Throws AdapterError('conflict', …, { field }) when a unique value is taken.
      async create(entity, record, { fields }) {
        return store.create(entity, record, fields);
      },

      // All changes or none. `changed: false` when the record was already so.
      async update(entity, id, changes, options) {
        return store.update(entity, id, changes, options);
      },

      // Throws AdapterError('notFound', …) when there is no such record.
      async delete(entity, id, { ifRevision }) {
        store.delete(entity, id, ifRevision);
      },

      // Throws AdapterError('unavailable' or 'denied', …) when the backend cannot be used now.
      async check() {},

      // Connections end here.
      async close() {},
    };
  },
});
