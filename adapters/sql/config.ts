import type { FromSchema } from 'json-schema-to-ts';

const columnName = { type: 'string', minLength: 1 } as const;

const instantFormat = {
  enum: ['iso', 'epochSeconds', 'epochMillis'],
  description: 'How an instant is stored: ISO 8601 text in UTC (the default), or a number since 1970.',
} as const;

const instantColumnSchema = {
  anyOf: [
    columnName,
    {
      type: 'object',
      additionalProperties: false,
      required: ['column'],
      properties: { column: columnName, format: instantFormat },
    },
  ],
} as const;

const foldedColumn = {
  ...columnName,
  description:
    'A second column for the text as it is compared without regard to case. The gateway writes it; an index on it makes look-ups quick.',
  examples: ['user_name_folded'],
} as const;

export const columnFieldSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['column'],
  properties: {
    column: { ...columnName, description: 'The column that holds the value.', examples: ['user_name'] },
    folded: foldedColumn,
    json: {
      type: 'string',
      pattern: '^\\$(\\.([A-Za-z_][A-Za-z0-9_]*|"[^"\\\\]+"))+$',
      description:
        "The value is a member of the column's JSON object: a simple value, an array of them, or an array of objects.",
      examples: ['$.nickName', '$.address."post code"'],
    },
    format: instantFormat,
    readOnly: { type: 'boolean', description: 'Read, never written.' },
  },
} as const;

const childColumnSchema = {
  anyOf: [
    columnName,
    {
      type: 'object',
      additionalProperties: false,
      required: ['column'],
      properties: { column: columnName, folded: foldedColumn, format: instantFormat },
    },
  ],
} as const;

export const childFieldSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['table', 'parent'],
  description: 'The values are rows of another table: a child table or a link table.',
  properties: {
    table: { ...columnName, description: 'The table with one row for each value.', examples: ['user_emails'] },
    parent: { ...columnName, description: 'Its column that holds the key of the record.', examples: ['user_id'] },
    column: { ...childColumnSchema, description: 'For simple values: the column that holds one.' },
    columns: {
      type: 'object',
      minProperties: 1,
      additionalProperties: childColumnSchema,
      description: 'For child records: the column of each child field.',
      examples: [{ value: 'address', type: 'kind', primary: 'is_primary' }],
    },
    fixed: {
      type: 'object',
      additionalProperties: { type: ['string', 'number', 'boolean'] },
      description: "Columns that have the same value in all of this field's rows. Other rows are left alone.",
      examples: [{ tenant: 'a' }],
    },
    position: { ...columnName, description: "A number column that gives the rows' order. New rows come last." },
    readOnly: { type: 'boolean', description: 'Read, never written.' },
  },
} as const;

export const tableEntitySchema = {
  type: 'object',
  additionalProperties: false,
  required: ['table', 'key', 'fields'],
  properties: {
    table: { ...columnName, description: 'The table, or a view for reading only.', examples: ['users'] },
    key: {
      ...columnName,
      description: "A unique column, text or integer, that never changes. It is the record's id.",
      examples: ['id'],
    },
    generateKey: {
      enum: ['uuid', 'database'],
      description:
        'Who gives a new record its key: the gateway as a random UUID (default for text), or the database (default for an INTEGER PRIMARY KEY).',
    },
    version: {
      ...columnName,
      description: 'An integer column that counts changes. Only with it there are ETags and conditional writes.',
    },
    created: { ...instantColumnSchema, description: 'Set when a record is created.', examples: ['created_at'] },
    modified: { ...instantColumnSchema, description: 'Set with every change.', examples: ['modified_at'] },
    softDelete: {
      ...instantColumnSchema,
      description: 'Deleting sets this column instead of removing the row. Rows in which it is set are invisible.',
      examples: ['deleted_at'],
    },
    fields: {
      type: 'object',
      description: 'Where each field lies. The short form is the column of the same table.',
      additionalProperties: { anyOf: [columnName, columnFieldSchema, childFieldSchema] },
      examples: [
        {
          login: { column: 'user_name', folded: 'user_name_folded' },
          mail: 'email',
          members: { table: 'memberships', parent: 'group_id', column: 'user_id' },
        },
      ],
    },
  },
} as const;

/** The adapter's `entities` section when it maps tables that exist already, by entity. */
export const tablesConfigSchema = {
  type: 'object',
  description: 'The tables that exist already, by the name that the mapping calls the entity.',
  additionalProperties: tableEntitySchema,
  examples: [{ people: { table: 'users', key: 'id', fields: { login: 'user_name' } } }],
} as const;

export type TablesConfig = FromSchema<typeof tablesConfigSchema>;
export type TableEntityConfig = FromSchema<typeof tableEntitySchema>;
export type ColumnFieldConfig = FromSchema<typeof columnFieldSchema>;
export type ChildFieldConfig = FromSchema<typeof childFieldSchema>;
export type ChildColumnConfig = FromSchema<typeof childColumnSchema>;
export type FieldConfig = TableEntityConfig['fields'][string];
export type InstantColumnConfig = FromSchema<typeof instantColumnSchema>;
export type InstantFormat = FromSchema<typeof instantFormat>;
