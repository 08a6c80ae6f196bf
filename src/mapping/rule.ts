/**
 * The rules of a resource type as they stand in gateway.yaml. The JSON Schema is the source; the types follow from it,
 * and editors complete and check the file with it.
 */
import type { FromSchema } from 'json-schema-to-ts';

const scalar = { type: ['string', 'number', 'boolean'] } as const;

export const referenceSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['to'],
  description: 'The values name other resources of this gateway.',
  properties: {
    to: {
      type: 'array',
      minItems: 1,
      items: { type: 'string' },
      description: 'The resource types that may be named.',
      examples: [['User'], ['User', 'Group']],
    },
    by: {
      type: 'string',
      description:
        "The field of the named record that the values hold; `$id` is its id. Default: the named type's lookupField, else `$id`.",
      examples: ['dn', '$id'],
    },
    type: {
      type: 'string',
      description: 'For values kept as child records: the child field that holds the name of the resource type.',
    },
    display: {
      type: 'string',
      description: 'An attribute of the named resource to show as `display`.',
      examples: ['displayName'],
    },
    unknownReference: {
      enum: ['keep', 'drop', 'reject'],
      description: 'What becomes of an id that names no resource here. Default: keep where values are ids, else drop.',
    },
    inverseOf: {
      type: 'string',
      pattern: '^[A-Za-z][A-Za-z0-9_-]*\\.[A-Za-z][A-Za-z0-9_-]*$',
      description: "The other end of another type's reference, kept by the backend: `Group.members` for `groups`.",
      examples: ['Group.members'],
    },
  },
} as const;

export const ruleObjectSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    field: { type: 'string', minLength: 1, description: "The backend's field." },
    constant: { ...scalar, description: 'The attribute always has this value; it is not stored.' },
    template: {
      type: 'string',
      description: 'Writes the field from other attributes, one way: "{name.givenName} {name.familyName}".',
    },
    codec: {
      anyOf: [
        { type: 'string' },
        { type: 'object', required: ['name'], properties: { name: { type: 'string' } }, additionalProperties: true },
      ],
      description: 'A named two-way translation of values: a name, or an object with its options.',
    },
    multiple: { type: 'boolean', description: 'The field holds many values: one element of the attribute each.' },
    records: {
      anyOf: [{ const: 'all' }, { type: 'object', minProperties: 1, additionalProperties: { type: 'string' } }],
      description:
        'The field holds child records (a child table, an array of objects): which sub-attribute is in which child field, or `all` for fields of the same names.',
    },
    reference: referenceSchema,
    default: { ...scalar, description: 'The value on create when the attribute is absent.' },
    fallback: { type: 'string', description: 'On reading, when the field is empty: a template over other attributes.' },
    fallbackOnCreate: {
      type: 'string',
      description: 'On create, when the attribute is absent: a template over other attributes.',
    },
    required: { type: 'boolean', description: 'A create or replace without it is refused.' },
    unique: { type: 'boolean', description: 'No two resources may share the value.' },
    values: {
      type: 'array',
      minItems: 1,
      items: scalar,
      description: 'The allowed values, compared as the attribute compares.',
    },
    onUnknown: {
      enum: ['reject', 'default'],
      description: 'What becomes of a value outside `values`: a 400 (the default), or the `default`.',
    },
    readOnly: { type: 'boolean', description: 'Read from the backend, never written.' },
    writeOnly: { type: 'boolean', description: 'Written to the backend, never read.' },
    clearOn: {
      type: 'array',
      items: { type: 'string' },
      description: 'Values that mean "no value".',
      examples: [['-', 'n/a']],
    },
    omitted: {
      enum: ['clear', 'keep'],
      description: 'What a PUT without the attribute does. Default: clear (keep for active and password).',
    },
    defaultSlot: { type: 'boolean', description: 'This slot takes elements that fit no slot by their type.' },
  },
} as const;

export const ruleSchema = {
  anyOf: [{ type: 'string', minLength: 1, description: "The backend's field." }, ruleObjectSchema],
} as const;

export const operationsSchema = {
  type: 'object',
  additionalProperties: false,
  description: 'Operations that callers may use. One that is switched off answers 501 and touches nothing.',
  properties: {
    create: { type: 'boolean', default: true },
    update: { type: 'boolean', default: true },
    delete: { type: 'boolean', default: true },
    list: { enum: [true, false, 'lookup'], default: true, description: '`lookup` keeps only look-ups by `eq`.' },
  },
} as const;

export type RuleConfig = FromSchema<typeof ruleObjectSchema>;
export type ReferenceConfig = FromSchema<typeof referenceSchema>;
export type OperationsConfig = FromSchema<typeof operationsSchema>;
/** Path or named mapping → field name or rule. */
export type MappingConfig = Readonly<Record<string, string | RuleConfig>>;

/** Where a rule was written, so that a problem found while compiling can name file, line and column. */
export interface Origin {
  /** The file, or the preset's name. */
  readonly source: string;
  /** The way to the rule inside it: `['gateways', 'corp', 'resources', 'User', 'mapping', 'userName']`. */
  readonly path: readonly (string | number)[];
}

/** One rule after includes (`use`) are resolved: a later rule has replaced an earlier one of the same path. */
export interface SourcedRule {
  /** As written: an attribute path or a named mapping. */
  readonly key: string;
  readonly rule: RuleConfig;
  readonly origin: Origin;
}

/** A problem of a rule. `at` goes on from the rule's origin: `['reference', 'to', 0]`. */
export interface RuleProblem {
  readonly severity: 'error' | 'warning';
  readonly origin: Origin;
  readonly at: readonly (string | number)[];
  readonly message: string;
}
