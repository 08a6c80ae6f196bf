import type { FromSchema } from 'json-schema-to-ts';
import { searchSchema } from './search-config.js';
import { jsonTemplateSchema, pointerSchema, requestSchema, statusesSchema } from './template-config.js';

const scalarFormat = {
  enum: ['string', 'number', 'boolean'],
  description: 'What the value is in JSON, where it is something else than in the mapping.',
} as const;

const childSchema = {
  anyOf: [
    { ...pointerSchema, description: 'Where the part is inside an element.' },
    {
      type: 'object',
      additionalProperties: false,
      required: ['pointer'],
      properties: { pointer: pointerSchema, json: scalarFormat },
    },
  ],
} as const;

const childrenSchema = {
  type: 'object',
  minProperties: 1,
  additionalProperties: childSchema,
  description: 'The values are objects: the parts of each, by their names in the mapping.',
  examples: [{ value: '/address', type: '/kind', primary: '/isMain' }],
} as const;

const callSchema = {
  anyOf: [
    requestSchema,
    {
      type: 'object',
      additionalProperties: false,
      required: ['request'],
      properties: {
        request: requestSchema,
        body: jsonTemplateSchema,
        item: {
          ...jsonTemplateSchema,
          description: 'What each value is in `{values}`. Default: the value itself.',
          examples: [{ id: '{value}' }],
        },
        batch: {
          type: 'integer',
          minimum: 1,
          maximum: 10_000,
          description: 'So many values in one request at most. Default: 1, and 100 with `{values}` in the body.',
        },
        ok: { ...statusesSchema, description: 'Statuses that are a success beside 2xx.' },
        unchanged: {
          ...statusesSchema,
          description:
            'Statuses that say that nothing had to be done: the value was there already, or was not there. Default for remove: 404 and 410.',
          examples: [[304, 409]],
        },
      },
    },
  ],
} as const;

const listSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['request'],
  description: 'The request that lists the values.',
  properties: {
    request: requestSchema,
    records: { ...pointerSchema, description: 'Where the list is in the answer. Default: it is the answer.' },
    item: { ...pointerSchema, description: 'Where the value is inside an element. Default: the element is the value.' },
    paging: searchSchema.properties.paging,
  },
} as const;

const fieldSchema = {
  anyOf: [
    pointerSchema,
    {
      type: 'object',
      additionalProperties: false,
      properties: {
        pointer: { ...pointerSchema, description: 'Where the field is in the record.' },
        item: {
          ...pointerSchema,
          description: 'The values are in objects: where the value is inside each.',
          examples: ['/value'],
        },
        children: childrenSchema,
        json: scalarFormat,
        comparison: {
          enum: ['exact', 'fold', 'asciiFold'],
          description: 'How the target compares the text. Default: as the attribute is compared.',
        },
        clear: {
          enum: ['null', 'absent', 'empty'],
          description:
            'How a field without a value is written: null, not at all, or as an empty text or list. Default: null in patches, not at all in whole records, and an empty list for lists.',
        },
        readOnly: { type: 'boolean', description: 'Read, never written.' },
        list: listSchema,
        has: {
          ...requestSchema,
          description: 'The request that says whether one value is there: 2xx when it is, 404 when it is not.',
          examples: ['GET /groups/{id}/members/{member}'],
        },
        add: { ...callSchema, description: 'The request that adds a value, or a batch of them.' },
        remove: { ...callSchema, description: 'The request that takes a value out, or a batch of them.' },
        changesRevision: {
          type: 'boolean',
          description:
            "Adding and removing by own requests changes the record's revision too. Without it the entity has no revisions.",
        },
      },
    },
  ],
} as const;

const getSchema = {
  anyOf: [
    requestSchema,
    {
      type: 'object',
      additionalProperties: false,
      required: ['request'],
      properties: {
        request: requestSchema,
        record: { ...pointerSchema, description: 'Where the record is in the answer. Default: it is the answer.' },
        notFound: {
          ...statusesSchema,
          description: 'Statuses that say that there is no such record. Default: 404 and 410.',
        },
      },
    },
  ],
} as const;

const bodyKinds = ['record', 'merge-patch', 'json-patch', 'full', 'scim-patch', 'form'] as const;

const createSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['request'],
  description: 'How records are made. Without it the entity has no creating.',
  properties: {
    request: requestSchema,
    body: { enum: ['record', 'form'], description: 'A JSON object, or a form. Default: record.' },
    constants: {
      type: 'object',
      description: 'What every new record holds beside its fields.',
      examples: [{ source: 'scimbridge' }],
    },
    contentType: { type: 'string', minLength: 1, description: 'Default: that of the adapter (`mediaType`).' },
    idempotency: {
      type: 'object',
      additionalProperties: false,
      required: ['header'],
      description: 'The header with a key that is the same for every try of one request.',
      properties: { header: { type: 'string', pattern: '^[A-Za-z0-9-]+$', examples: ['Idempotency-Key'] } },
    },
    record: {
      ...pointerSchema,
      description: 'Where the new record is in the answer. Default: where `get` has it.',
    },
    id: {
      anyOf: [
        pointerSchema,
        {
          type: 'object',
          additionalProperties: false,
          required: ['header'],
          properties: {
            header: {
              type: 'string',
              minLength: 1,
              description: 'The header whose URL ends in the id.',
              examples: ['Location'],
            },
          },
        },
      ],
      description: "Where the new record's id is in the answer. Default: inside the record, else in Location.",
    },
  },
} as const;

const fieldRequestSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['fields', 'request'],
  properties: {
    fields: {
      type: 'array',
      minItems: 1,
      items: { type: 'string', minLength: 1 },
      description: 'The fields that this request changes.',
    },
    equals: {
      anyOf: [{ type: 'string' }, { type: 'number' }, { type: 'boolean' }],
      description: 'Only when the new value is this one.',
    },
    request: requestSchema,
    body: { ...jsonTemplateSchema, description: 'The body, with new values in braces. Default: none.' },
  },
} as const;

const updateSchema = {
  type: 'object',
  additionalProperties: false,
  description: 'How records are changed. Without it the entity has no changing.',
  properties: {
    request: { ...requestSchema, description: 'The request that changes the fields that have no own request.' },
    body: {
      enum: bodyKinds,
      description:
        '`merge-patch` (RFC 7396), `json-patch` (RFC 6902), `scim-patch` (RFC 7644 §3.5.2), `full`: the record as it was read with the changes in it, `record`: the mapped fields alone, `form`: those that change, as a form. Default: merge-patch for PATCH, full for PUT.',
    },
    contentType: {
      type: 'string',
      minLength: 1,
      description: 'Default: the media type of the body, such as application/merge-patch+json.',
    },
    ifMatch: {
      type: 'boolean',
      description:
        'Send the revision that the change was made from as If-Match; the target answers 412 to another one. Default: true where there is a revision.',
    },
    requests: {
      type: 'array',
      items: fieldRequestSchema,
      description: 'Fields that are changed by requests of their own, in this order, before all others.',
      examples: [[{ fields: ['enabled'], equals: false, request: 'POST /users/{id}/disable' }]],
    },
  },
} as const;

const deleteSchema = {
  anyOf: [
    requestSchema,
    {
      type: 'object',
      additionalProperties: false,
      required: ['request'],
      properties: {
        request: requestSchema,
        ok: { ...statusesSchema, description: 'Statuses that are a success beside 2xx.' },
        ifMatch: {
          type: 'boolean',
          description:
            'Send the revision as If-Match, where one is asked for. Default: true where there is a revision.',
        },
      },
    },
  ],
} as const;

export const entitySchema = {
  type: 'object',
  additionalProperties: false,
  required: ['fields', 'get', 'search'],
  properties: {
    id: {
      ...pointerSchema,
      description: 'Where the id is in a record. It never changes and is never used again. Default: /id.',
    },
    revision: {
      type: 'object',
      additionalProperties: false,
      description: 'What changes with every change of a record: the ETag header, a value in the record, or both.',
      properties: {
        header: { type: 'string', minLength: 1, description: 'A header of the answer.', examples: ['ETag'] },
        pointer: pointerSchema,
      },
    },
    created: { ...pointerSchema, description: 'When a record was made.' },
    modified: { ...pointerSchema, description: 'When a record was changed last.' },
    unique: {
      type: 'array',
      items: { type: 'string', minLength: 1 },
      description: 'Fields of which the target itself refuses a value that another record has.',
    },
    referentialIntegrity: {
      type: 'boolean',
      description: 'The target takes a deleted record out of all that refer to it, by itself.',
    },
    fields: {
      type: 'object',
      minProperties: 1,
      additionalProperties: fieldSchema,
      description: 'Where the fields are: in the record by JSON Pointer (RFC 6901), or behind requests of their own.',
      examples: [{ login: '/login', mail: '/profile/email', tags: { pointer: '/labels', item: '/name' } }],
    },
    select: {
      type: 'object',
      additionalProperties: false,
      required: ['parameter'],
      description: 'The query parameter that names what of a record is wanted, so that nothing else is sent.',
      properties: {
        parameter: { type: 'string', minLength: 1, examples: ['fields', 'attributes'] },
        exclude: {
          type: 'boolean',
          description: 'The parameter names what is not wanted, of the fields in `names`.',
        },
        names: {
          type: 'object',
          additionalProperties: { type: 'string', minLength: 1 },
          description: 'What the parameter calls a field. Default: the first part of its pointer.',
        },
        always: {
          type: 'array',
          items: { type: 'string', minLength: 1 },
          description: 'Names that are always in it. Default: those of the id and of what the revision is in.',
        },
        separator: { type: 'string', minLength: 1, description: 'Default: a comma.' },
      },
    },
    get: { ...getSchema, description: 'How a record is read by its id.', examples: ['GET /users/{id}'] },
    search: searchSchema,
    create: createSchema,
    update: updateSchema,
    delete: { ...deleteSchema, description: 'How a record is deleted.', examples: ['DELETE /users/{id}'] },
  },
} as const;

export type EntityConfig = FromSchema<typeof entitySchema>;
export type FieldConfig = Exclude<FromSchema<typeof fieldSchema>, string>;
export type ChildConfig = FromSchema<typeof childSchema>;
export type ListConfig = FromSchema<typeof listSchema>;
export type CallConfig = FromSchema<typeof callSchema>;
export type CreateConfig = FromSchema<typeof createSchema>;
export type UpdateConfig = FromSchema<typeof updateSchema>;
export type FieldRequestConfig = FromSchema<typeof fieldRequestSchema>;
export type BodyKind = (typeof bodyKinds)[number];
