import { tablesConfigSchema } from '../sql/config.js';

/** The `adapters.<name>` section of gateway.yaml for records in a SQLite file. */
export const sqliteConfigSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['type'],
  description:
    "Records in a SQLite file: in the gateway's own tables (managed), or with `entities` in tables that exist already.",
  properties: {
    type: { const: 'sqlite' },
    file: {
      type: 'string',
      minLength: 1,
      description:
        'The database file, relative to the folder of gateway.yaml. Default for a managed store: store.db in the data folder. ' +
        'The file is used in WAL mode and must be on a local disk.',
      examples: ['people.db', '/var/lib/hr/people.db'],
    },
    managed: {
      type: 'boolean',
      description: "Keep records in the gateway's own tables. Default: true, unless `entities` is given.",
    },
    entities: tablesConfigSchema,
  },
  allOf: [
    {
      if: { required: ['entities'] },
      // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
      then: { required: ['file'], properties: { managed: { const: false } } },
      else: { properties: { managed: { const: true } } },
    },
  ],
} as const;

export interface SqliteConfig {
  readonly type: 'sqlite';
  readonly file?: string;
  readonly managed?: boolean;
  /** Checked by `tablesConfigSchema`, and read by the store of existing tables. */
  readonly entities?: unknown;
}
