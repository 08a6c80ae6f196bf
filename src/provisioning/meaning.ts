import { printElementFilterWithoutValues } from '../scim/filter-printer.js';
import type { PatchOperation } from '../scim/patch-parser.js';
import type { JsonValue, Resource } from '../scim/schema.js';

/** An operation in normalised words and without values: `replace active`, `add members (2)`, `remove emails[type eq "work"]`. */
export function meaningOfOperation({ op, attribute, filter, sub, value, listed }: PatchOperation): string {
  const selected = filter === undefined ? '' : `[${printElementFilterWithoutValues(filter)}]`;
  const path = `${attribute.path}${selected}${sub === undefined ? '' : `.${sub.name}`}`;
  const cleared = op === 'replace' && value === undefined ? ' with nothing' : '';
  return `${op} ${path}${cleared}${countOf(listed ?? value)}`;
}

/** What a POST or PUT sets: `set userName, name, emails (2)`. */
export function meaningOfResource(resource: Resource): string {
  const names = Object.entries(resource).flatMap(([name, value]): readonly string[] => {
    if (name === 'schemas' || value === undefined) return [];
    if (!name.includes(':') || typeof value !== 'object' || value === null) return [`${name}${countOf(value)}`];
    return Object.entries(value).map(([part, inner]) => `${name}:${part}${countOf(inner as JsonValue)}`);
  });
  return `set ${names.join(', ')}`;
}

function countOf(value: JsonValue | undefined): string {
  return Array.isArray(value) ? ` (${value.length})` : '';
}
