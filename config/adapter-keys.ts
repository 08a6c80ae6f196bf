import type { FromSchema } from 'json-schema-to-ts';
import { isObject } from '../src/scim/schema.js';

/** Keys that every adapter's section may have, whatever its type: they are the guard's, not the adapter's. */
export const adapterKeysSchema = {
  type: 'object',
  properties: {
    rate: {
      type: 'object',
      additionalProperties: false,
      required: ['requests'],
      description:
        'How often the backend may be asked: in no span of `perSeconds` more than `requests` times. What comes faster waits, ' +
        'and is refused at once where waiting would take longer than a request may. Default: as often as it answers.',
      properties: {
        requests: {
          type: 'integer',
          minimum: 1,
          maximum: 10_000,
          description: 'How many requests, in any span of `perSeconds`.',
          examples: [100],
        },
        perSeconds: {
          type: 'number',
          minimum: 0.001,
          maximum: 3600,
          default: 1,
          description: 'The length of the span.',
        },
      },
    },
    concurrency: {
      type: 'integer',
      minimum: 1,
      maximum: 1000,
      description: 'How many operations the backend works on at a time; the others wait in a queue. Default: 32.',
      examples: [8],
    },
  },
} as const;

export type AdapterKeys = FromSchema<typeof adapterKeysSchema>;

/** What was made of each schema: the validator knows again what it compiled by the object alone. */
const completed = new WeakMap<object, object>();

/**
 * An adapter's own schema with the keys of all adapters; a key of the same name that it has itself stays its own. Without its
 * `$id`, as two modules may have chosen the same.
 */
export function withAdapterKeys(schema: object): object {
  const known = completed.get(schema);
  if (known !== undefined) return known;
  const own = propertiesOf(schema);
  const { $id: _, ...rest }: { readonly $id?: unknown } = schema;
  const made = { ...rest, properties: { ...own, ...adapterKeysSchema.properties, ...own } };
  completed.set(schema, made);
  return made;
}

/** A section in two: what is the guard's, and what is the adapter's. */
export function splitSection(
  section: Readonly<Record<string, unknown>>,
  schema: object,
): { readonly common: Readonly<Record<string, unknown>>; readonly own: Record<string, unknown> } {
  const claimed = propertiesOf(schema);
  const isCommon = ([key]: readonly [string, unknown]): boolean =>
    key in adapterKeysSchema.properties && !(key in claimed);
  const entries = Object.entries(section);
  return {
    common: Object.fromEntries(entries.filter(isCommon)),
    own: Object.fromEntries(entries.filter((entry) => !isCommon(entry))),
  };
}

function propertiesOf(schema: object): Readonly<Record<string, unknown>> {
  return 'properties' in schema && isObject(schema.properties) ? schema.properties : {};
}
