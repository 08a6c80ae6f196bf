import type { FromSchema } from 'json-schema-to-ts';

/** One of an adapter's `entities`: which entries belong to it, and how new ones are made. */
export const entitySchema = {
  type: 'object',
  additionalProperties: false,
  required: ['base'],
  properties: {
    base: {
      type: 'string',
      minLength: 1,
      description: 'The entry under which all of this entity lie.',
      examples: ['ou=people,dc=example,dc=org'],
    },
    scope: {
      enum: ['one', 'sub'],
      default: 'sub',
      description: 'Directly under the base (one), or anywhere below it.',
    },
    filter: {
      type: 'string',
      pattern: '^\\(.*\\)$',
      description: 'Which entries belong to the entity (RFC 4515). Default: those of all `objectClasses`.',
      examples: ['(objectClass=inetOrgPerson)', '(&(objectCategory=person)(objectClass=user))'],
    },
    objectClasses: {
      type: 'array',
      items: { type: 'string', minLength: 1 },
      minItems: 1,
      uniqueItems: true,
      description: 'The object classes of new entries.',
      examples: [['inetOrgPerson'], ['top', 'person', 'organizationalPerson', 'user']],
    },
    rdn: {
      type: 'string',
      minLength: 1,
      description: "A new entry's own name: an attribute and a template over fields. Escaped as it has to be.",
      examples: ['uid={uid}', 'cn={displayName}'],
    },
  },
} as const;

export type EntityConfig = FromSchema<typeof entitySchema>;
