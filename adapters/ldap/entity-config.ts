import type { FromSchema } from 'json-schema-to-ts';

const fieldSchema = {
  anyOf: [
    { type: 'string', minLength: 1, description: 'The attribute that the field is.' },
    {
      type: 'object',
      additionalProperties: false,
      properties: {
        attribute: { type: 'string', minLength: 1, description: 'The attribute that the field is. Default: its name.' },
        readOnly: { type: 'boolean', description: 'Read, never written.' },
      },
    },
  ],
} as const;

const templateSchema = {
  type: 'string',
  minLength: 1,
  description: 'Text with fields of the new record in braces.',
  examples: ['{uid}', '{givenName} {sn}'],
} as const;

export const entitySchema = {
  type: 'object',
  additionalProperties: false,
  required: ['base'],
  properties: {
    base: {
      type: 'string',
      minLength: 1,
      description:
        'Where the entries are; relative to the base of the adapter where it does not end in it. No operation reaches an entry outside.',
      examples: ['ou=people,dc=example,dc=org'],
    },
    scope: {
      enum: ['sub', 'one'],
      default: 'sub',
      description: 'All entries below the base, or only those right below it.',
    },
    filter: {
      type: 'string',
      minLength: 1,
      description:
        'Which entries belong to the entity, as an LDAP filter. Default: those with the first object class of "create".',
      examples: ['(objectClass=inetOrgPerson)', '(&(objectCategory=person)(objectClass=user))'],
    },
    id: {
      type: 'string',
      minLength: 1,
      description:
        'The attribute that is the id: one that never changes. Default: entryUUID, objectGUID or nsUniqueId, as the server has it.',
      examples: ['entryUUID'],
    },
    fields: {
      type: 'object',
      additionalProperties: fieldSchema,
      description: 'Fields that are called otherwise than their attribute, or are to be treated in their own way.',
      examples: [{ login: 'uid', legacyId: { attribute: 'employeeNumber', readOnly: true } }],
    },
    create: {
      type: 'object',
      additionalProperties: false,
      required: ['dn', 'objectClasses'],
      description: 'How entries are made. Without it the entity has no creating.',
      properties: {
        dn: {
          type: 'string',
          minLength: 1,
          description:
            'The name of a new entry, with fields in braces, which are escaped. When one of them changes, the entry is renamed.',
          examples: ['uid={uid},ou=people,dc=example,dc=org'],
        },
        objectClasses: {
          type: 'array',
          minItems: 1,
          items: { type: 'string', minLength: 1 },
          examples: [['inetOrgPerson']],
        },
        attributes: {
          type: 'object',
          additionalProperties: { anyOf: [templateSchema, { type: 'array', items: templateSchema }] },
          description: 'Attributes of a new entry where the record has no such field: what an object class demands.',
          examples: [{ sn: '{uid}', gidNumber: '100' }],
        },
      },
    },
    emptyGroups: {
      type: 'string',
      minLength: 1,
      description:
        '`placeholder` (default): a group that has to have a member holds an empty DN, which is not shown; `reject`: the last member cannot be taken out; or a DN that stands for nobody.',
      examples: ['placeholder', 'cn=nobody,dc=example,dc=org'],
    },
    inverse: {
      enum: ['attribute', 'search'],
      default: 'attribute',
      description:
        'How the other end of a reference is found (groups of a user): in its own attribute (memberOf), kept by the server, or by a search in the other entity.',
    },
    deleteSubtree: {
      type: 'boolean',
      default: false,
      description: 'Deleting an entry also deletes the entries below it, where the server can (Active Directory).',
    },
  },
} as const;

export type EntityConfig = FromSchema<typeof entitySchema>;
