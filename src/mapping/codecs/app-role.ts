import { fold } from '../../scim/comparison.js';
import { ScimError } from '../../scim/error.js';
import { isObject } from '../../scim/schema.js';
import type { AttributeValue, Codec } from '../codec.js';
import { type CodecDefinition, type CodecRequest, compare, exactly, present } from './definition.js';

/** In the order in which they are tried when the rule names none. */
const parts = ['value', 'displayName', 'id'] as const;
type Part = (typeof parts)[number];

/**
 * An app role as identity providers send it: its plain name, or JSON text of `id`, `value` and `displayName` (Entra ID's
 * AppRoleAssignmentsComplex). `by` says which of the three is stored; without it the first that the role has, since
 * Entra's roles often have no `value`. With `values`, a role is stored in that spelling, and another one is refused, or
 * becomes the `default`.
 */
function createAppRole({ attribute, options }: CodecRequest): Codec | undefined {
  const by = options.choice('by', parts, undefined);
  const values = options.texts('values');
  const onUnknown = options.choice('onUnknown', ['reject', 'default'], 'reject');
  const fallback = options.has('default') ? options.text('default', '') : undefined;
  if (onUnknown === 'default' && fallback === undefined) options.problem('"onUnknown: default" needs a "default".');
  if (fallback !== undefined && values !== undefined && !values.includes(fallback)) {
    options.problem(`"default" is one of "values": ${values.join(', ')}.`);
  }
  if (options.problems.length > 0) return undefined;
  const spelling = values === undefined ? undefined : new Map(values.map((value) => [fold(value), value]));
  const stored = (sent: AttributeValue): string => {
    const role = roleText(String(sent), by);
    const known = role === undefined || spelling === undefined ? role : spelling.get(fold(role));
    if (known !== undefined) return known;
    if (onUnknown === 'default' && fallback !== undefined) return fallback;
    throw ScimError.badRequest(
      'invalidValue',
      values === undefined
        ? `${attribute.path}: the role has no "${by ?? 'value'}".`
        : `${attribute.path}: must be one of ${values.join(', ')}.`,
    );
  };
  return {
    name: 'appRole',
    fieldType: 'string',
    needsCurrent: false,
    decode: (fieldValues) => fieldValues.filter((value) => typeof value === 'string'),
    encode: (sent) => [...new Set(sent.map(stored))],
    toCondition: (field, op, value) => {
      if (op === 'pr') return exactly(present(field));
      return typeof value === 'string' ? exactly(compare(field, op, value)) : undefined;
    },
  };
}

function roleText(sent: string, by: Part | undefined): string | undefined {
  const role = asRole(sent);
  if (role === undefined) return sent;
  for (const part of by === undefined ? parts : [by]) {
    const text = role[part];
    if (typeof text === 'string' && text !== '') return text;
  }
  return undefined;
}

function asRole(text: string): { readonly [key: string]: unknown } | undefined {
  if (!text.trimStart().startsWith('{')) return undefined;
  try {
    const json: unknown = JSON.parse(text);
    return isObject(json) && parts.some((part) => Object.hasOwn(json, part)) ? json : undefined;
  } catch {
    return undefined; // a role's own name may start with a brace
  }
}

export const appRoleDefinition: CodecDefinition = {
  name: 'appRole',
  attributeTypes: ['string'],
  options: ['by', 'values', 'onUnknown', 'default'],
  create: createAppRole,
};
