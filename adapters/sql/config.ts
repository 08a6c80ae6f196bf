import type { FromSchema } from 'json-schema-to-ts';

const columnName = { type: 'string', minLength: 1 } as const;

/** Of a key, or of what holds one. */
const keyColumns = {
  anyOf: [columnName, { type: 'array', minItems: 1, uniqueItems: true, items: columnName }],
} as const;

const instantFormat = {
  enum: ['iso', 'epochSeconds', 'epochMillis'],
  description:
    'How an instant is stored in a column of text or numbers: ISO 8601 text in UTC (the default), or a number since 1970. ' +
    'Columns of date and time need none.',
} as const;

const timeZone = {
  type: 'string',
  minLength: 1,
  description:
    'Of a column of date and time without a zone, on servers: the zone that it is in. Default: UTC. Columns in UTC are found by their index.',
  examples: ['Europe/Berlin', '+02:00'],
} as const;

const instantColumnSchema = {
  anyOf: [
    columnName,
    {
      type: 'object',
      additionalProperties: false,
      required: ['column'],
      properties: { column: columnName, format: instantFormat, timeZone },
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
    timeZone,
    readOnly: { type: 'boolean', description: 'Read, never written.' },
  },
} as const;

const expressionFieldSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['expression'],
  description: 'A value that the database computes from the row. Read, never written.',
  properties: {
    expression: {
      type: 'string',
      minLength: 1,
      description:
        "SQL over the table's columns, in the database's own spelling. It becomes part of statements as it stands here: take it from nobody.",
      examples: ["first_name || ' ' || last_name"],
    },
  },
} as const;

const constantFieldSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['constant'],
  description: 'The same value in all records. Read, never written.',
  properties: { constant: { type: ['string', 'number', 'boolean'], examples: ['Employee'] } },
} as const;

const childColumnSchema = {
  anyOf: [
    columnName,
    {
      type: 'array',
      minItems: 1,
      uniqueItems: true,
      items: columnName,
      description: 'For references to records whose key has several columns: as many, in the same order.',
    },
    {
      type: 'object',
      additionalProperties: false,
      required: ['column'],
      properties: { column: columnName, folded: foldedColumn, format: instantFormat, timeZone },
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
    parent: {
      ...keyColumns,
      description: 'Its column that holds the key of the record; as many as the key has, in the same order.',
      examples: ['user_id', ['tenant', 'user_no']],
    },
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
    table: { ...columnName, description: 'The table, or a view.', examples: ['users'] },
    writeTable: {
      ...columnName,
      description:
        'Where records of a view are written: a table with the same key. Fields whose columns it lacks are only read. Without it a view is only read.',
      examples: ['users'],
    },
    key: {
      ...keyColumns,
      description:
        "A unique column, text or integer, that never changes: the record's id. Several columns that are unique together make one id of all.",
      examples: ['id', ['tenant', 'number']],
    },
    fixed: {
      type: 'object',
      additionalProperties: { type: ['string', 'number', 'boolean'] },
      description:
        "Columns that have the same value in all of the entity's rows, as in a table that several tenants share. Other rows are left alone, and a unique index may begin with them.",
      examples: [{ tenant: 'a' }],
    },
    generateKey: {
      enum: ['uuid', 'database'],
      description:
        'Who gives a new record its key: the gateway as a random UUID (default for text), or the database (default for an INTEGER PRIMARY KEY). Of several columns, the one that no field and nothing `fixed` gives.',
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
      additionalProperties: {
        anyOf: [
          keyColumns.anyOf[0],
          keyColumns.anyOf[1],
          columnFieldSchema,
          childFieldSchema,
          expressionFieldSchema,
          constantFieldSchema,
        ],
      },
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
