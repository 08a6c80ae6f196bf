import type { FromSchema } from 'json-schema-to-ts';
import { pointerSchema, requestSchema } from './template-config.js';

const parametersSchema = {
  type: 'object',
  minProperties: 1,
  additionalProperties: { type: 'string' },
  description: 'Query parameters, with the value as `{value}`.',
  examples: [{ login: '{value}' }, { q: 'email:{value}' }],
} as const;

const filterSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['field', 'ops', 'query'],
  properties: {
    field: { type: 'string', minLength: 1, description: 'The field that is compared; `$id` is the id.' },
    ops: {
      type: 'array',
      minItems: 1,
      items: { enum: ['eq', 'co', 'sw', 'ew', 'gt', 'ge', 'lt', 'le', 'pr', 'in'] },
      description: 'What the parameters ask for. `in`: one of many values, as `{values}`.',
    },
    query: parametersSchema,
    match: {
      enum: ['exact', 'superset'],
      description:
        '`exact`: the target selects what the comparison says, so that its totals and pages hold. Default: superset; what it gives is compared again.',
    },
    separator: { type: 'string', minLength: 1, description: 'Between the values of `{values}`. Default: a comma.' },
    maxValues: { type: 'integer', minimum: 1, maximum: 10_000, description: 'Of `in`. Default: 50.' },
  },
} as const;

const scimFilterSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['style'],
  description: 'The target understands filters of SCIM (RFC 7644 §3.4.2.2).',
  properties: {
    style: { const: 'scim' },
    parameter: { type: 'string', minLength: 1, description: 'Default: filter.' },
    ops: {
      type: 'array',
      minItems: 1,
      items: { enum: ['eq', 'co', 'sw', 'ew', 'gt', 'ge', 'lt', 'le', 'pr'] },
      description: 'Default: all.',
    },
    names: {
      type: 'object',
      additionalProperties: { type: 'string', minLength: 1 },
      description: 'The attribute that a field is. Default: its pointer with dots.',
      examples: [{ mail: 'emails.value' }],
    },
    combine: {
      type: 'array',
      items: { enum: ['and', 'or', 'not'] },
      description: 'How conditions are combined. Default: all of them.',
    },
    match: {
      enum: ['exact', 'superset'],
      description: 'As for single filters. Default: superset.',
    },
  },
} as const;

const total = {
  anyOf: [
    pointerSchema,
    {
      type: 'object',
      additionalProperties: false,
      required: ['header'],
      properties: { header: { type: 'string', minLength: 1, examples: ['X-Total-Count'] } },
    },
    {
      type: 'object',
      additionalProperties: false,
      required: ['pointer'],
      properties: { pointer: pointerSchema },
    },
  ],
  description: 'Where the answer says how many records match in all.',
} as const;

const parameter = { type: 'string', minLength: 1 } as const;
const maxSize = {
  type: 'integer',
  minimum: 1,
  maximum: 10_000,
  description: 'The largest page that the target gives; without `sizeParam`, the size of every page. Default: 100.',
} as const;
const keepsPlace = {
  type: 'boolean',
  description:
    'The target goes on where the page before ended, whatever came and went. Without it the gateway looks for the place again.',
} as const;
const sizeParam = { ...parameter, description: 'The parameter with the size of a page.' } as const;

const pagingSchema = {
  description: 'How long answers are cut into pages. Default: they are not.',
  anyOf: [
    {
      type: 'object',
      additionalProperties: false,
      required: ['kind'],
      properties: {
        kind: { const: 'page', description: 'Pages have numbers.' },
        pageParam: { ...parameter, description: 'Default: page.' },
        sizeParam,
        first: { type: 'integer', minimum: 0, maximum: 1, description: 'The number of the first page. Default: 1.' },
        maxSize,
        keepsPlace,
        total,
      },
    },
    {
      type: 'object',
      additionalProperties: false,
      required: ['kind'],
      properties: {
        kind: { const: 'offset', description: 'Pages start at a record with a number.' },
        offsetParam: { ...parameter, description: 'Default: offset.' },
        sizeParam: { ...sizeParam, description: 'Default: limit.' },
        first: { type: 'integer', minimum: 0, maximum: 1, description: 'The number of the first record. Default: 0.' },
        maxSize,
        keepsPlace,
        total,
      },
    },
    {
      type: 'object',
      additionalProperties: false,
      required: ['kind', 'next'],
      properties: {
        kind: { const: 'cursor', description: 'Each page names what the next one is asked for with.' },
        cursorParam: { ...parameter, description: 'Default: cursor.' },
        start: {
          type: 'string',
          description: 'What the first page is asked for with. Default: without the parameter.',
          examples: ['', '*'],
        },
        next: { ...pointerSchema, description: 'Where the answer has it; nothing there at the end.' },
        sizeParam,
        maxSize,
        total,
      },
    },
    {
      type: 'object',
      additionalProperties: false,
      required: ['kind'],
      properties: {
        kind: { const: 'link', description: 'The header Link names the next page: rel="next" (RFC 8288).' },
        sizeParam,
        maxSize,
        total,
      },
    },
    {
      type: 'object',
      additionalProperties: false,
      required: ['kind', 'next'],
      properties: {
        kind: { const: 'nextUrl', description: 'The answer holds the URL of the next page.' },
        next: { ...pointerSchema, description: 'Where the URL is; nothing there at the end.' },
        sizeParam,
        maxSize,
        total,
      },
    },
    {
      type: 'object',
      additionalProperties: false,
      required: ['kind'],
      properties: { kind: { const: 'none', description: 'One answer holds all.' }, total },
    },
  ],
} as const;

const sortSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['query', 'fields'],
  description:
    'What the target can sort by, in the order of the comparison, with records that have no value last (first when descending).',
  properties: {
    query: {
      type: 'object',
      minProperties: 1,
      additionalProperties: { type: 'string' },
      description: 'Query parameters, with `{field}` and `{direction}`.',
      examples: [{ sort: '{direction}{field}' }],
    },
    fields: {
      type: 'object',
      minProperties: 1,
      additionalProperties: { type: 'string', minLength: 1 },
      description: 'What the target calls the fields.',
    },
    ascending: { type: 'string', description: 'The text of `{direction}`. Default: ascending.' },
    descending: { type: 'string', description: 'The text of `{direction}`. Default: descending.' },
  },
} as const;

export const searchSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['request'],
  description: 'How records are listed and found.',
  properties: {
    request: requestSchema,
    records: { ...pointerSchema, description: 'Where the list is in the answer. Default: it is the answer.' },
    shows: {
      type: 'array',
      items: { type: 'string', minLength: 1 },
      description: 'The fields that listed records have, where those are shortened. Others are read one by one.',
    },
    filters: {
      description: 'What the target can select itself; everything else is done by the gateway.',
      anyOf: [{ type: 'array', items: filterSchema }, scimFilterSchema],
    },
    sort: sortSchema,
    paging: pagingSchema,
  },
} as const;

export type SearchConfig = FromSchema<typeof searchSchema>;
export type FilterConfig = FromSchema<typeof filterSchema>;
export type ScimFilterConfig = FromSchema<typeof scimFilterSchema>;
export type PagingConfig = FromSchema<typeof pagingSchema>;
export type TotalConfig = FromSchema<typeof total>;
export type SortConfig = FromSchema<typeof sortSchema>;
