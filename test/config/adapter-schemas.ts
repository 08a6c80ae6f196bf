/** Adapters' config schemas for tests of the configuration: small, and the same whatever the real ones become. */
export const adapterSchemas: ReadonlyMap<string, object> = new Map<string, object>([
  [
    'sqlite',
    {
      type: 'object',
      additionalProperties: false,
      required: ['type'],
      properties: {
        type: { const: 'sqlite' },
        file: { type: 'string', default: 'store.db' },
        password: { type: 'string' },
        busyTimeoutMs: { type: 'integer', minimum: 0, default: 100 },
        entities: {
          type: 'object',
          additionalProperties: {
            type: 'object',
            additionalProperties: false,
            required: ['table'],
            properties: { table: { type: 'string', description: 'The name of the table.' } },
          },
        },
      },
    },
  ],
  ['memory', { type: 'object', additionalProperties: false, properties: { records: { type: 'object' } } }],
]);
