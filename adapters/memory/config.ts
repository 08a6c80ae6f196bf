import type { FromSchema } from 'json-schema-to-ts';

/** The `adapters.<name>` section of gateway.yaml for records that live in memory only. */
export const memoryConfigSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['type'],
  description: 'Records in memory, for trials and tests. They are gone when the gateway stops.',
  properties: {
    type: { const: 'memory' },
    records: {
      type: 'object',
      description: 'Records to start with, by entity.',
      examples: [{ people: [{ $id: '1', login: 'bjensen', mail: ['bjensen@example.com'] }] }],
      additionalProperties: { type: 'array', items: { type: 'object' } },
    },
  },
} as const;

export type MemoryConfig = FromSchema<typeof memoryConfigSchema>;
