/**
 * A search filter (RFC 4511 section 4.5.1.7). Filters are built as such objects and encoded; they are never text, so
 * there is nothing to escape. An empty `and` is true and an empty `or` is false, which only some servers know (RFC 4526):
 * use `everything` and `nothing`.
 */
export type LdapFilter =
  | { readonly kind: 'and' | 'or'; readonly operands: readonly LdapFilter[] }
  | { readonly kind: 'not'; readonly operand: LdapFilter }
  | { readonly kind: 'equality'; readonly attribute: string; readonly value: string | Uint8Array }
  /** At least one part, none of them empty: an empty part finds nothing on some servers and is refused by others. */
  | {
      readonly kind: 'substrings';
      readonly attribute: string;
      readonly initial?: string;
      readonly any?: readonly string[];
      readonly final?: string;
    }
  | { readonly kind: 'greaterOrEqual' | 'lessOrEqual'; readonly attribute: string; readonly value: string }
  | { readonly kind: 'present'; readonly attribute: string }
  /** `rule` is the name or OID of a matching rule: `{ attribute: 'userAccountControl', rule: matchingRule.bitAnd, value: '2' }`. */
  | {
      readonly kind: 'extensible';
      readonly attribute?: string;
      readonly rule?: string;
      readonly value: string;
      readonly dnAttributes?: boolean;
    };

/** Matching rules by OID (MS-ADTS section 3.1.1.3.1.3.5). */
export const matchingRule = {
  bitAnd: '1.2.840.113556.1.4.803',
  bitOr: '1.2.840.113556.1.4.804',
  inChain: '1.2.840.113556.1.4.1941',
} as const;

export const everything: LdapFilter = { kind: 'present', attribute: 'objectClass' };
export const nothing: LdapFilter = { kind: 'not', operand: everything };

export function both(filters: readonly LdapFilter[]): LdapFilter {
  if (filters.some((filter) => filter === nothing)) return nothing;
  const useful = filters.filter((filter) => filter !== everything);
  const [first] = useful;
  return first === undefined ? everything : useful.length === 1 ? first : { kind: 'and', operands: useful };
}

export function either(filters: readonly LdapFilter[]): LdapFilter {
  if (filters.some((filter) => filter === everything)) return everything;
  const useful = filters.filter((filter) => filter !== nothing);
  const [first] = useful;
  return first === undefined ? nothing : useful.length === 1 ? first : { kind: 'or', operands: useful };
}

export function opposite(filter: LdapFilter): LdapFilter {
  if (filter === everything) return nothing;
  if (filter === nothing) return everything;
  return filter.kind === 'not' ? filter.operand : { kind: 'not', operand: filter };
}

/** A filter as RFC 4515 writes it: for `explain` and logs at debug level, never sent. */
export function printFilter(filter: LdapFilter): string {
  switch (filter.kind) {
    case 'and':
      return `(&${filter.operands.map(printFilter).join('')})`;
    case 'or':
      return `(|${filter.operands.map(printFilter).join('')})`;
    case 'not':
      return `(!${printFilter(filter.operand)})`;
    case 'equality':
      return `(${filter.attribute}=${escapeValue(filter.value)})`;
    case 'substrings': {
      const parts = [filter.initial ?? '', ...(filter.any ?? []), filter.final ?? ''];
      return `(${filter.attribute}=${parts.map(escapeValue).join('*')})`;
    }
    case 'greaterOrEqual':
      return `(${filter.attribute}>=${escapeValue(filter.value)})`;
    case 'lessOrEqual':
      return `(${filter.attribute}<=${escapeValue(filter.value)})`;
    case 'present':
      return `(${filter.attribute}=*)`;
    case 'extensible': {
      const dn = filter.dnAttributes === true ? ':dn' : '';
      const rule = filter.rule === undefined ? '' : `:${filter.rule}`;
      return `(${filter.attribute ?? ''}${dn}${rule}:=${escapeValue(filter.value)})`;
    }
  }
}

function escapeValue(value: string | Uint8Array): string {
  if (typeof value !== 'string') {
    return Array.from(value, (byte) => `\\${byte.toString(16).padStart(2, '0')}`).join('');
  }
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is escaped
  return value.replace(/[\u0000-\u001f*()\\\u007f]/g, (character) => {
    return `\\${character.charCodeAt(0).toString(16).padStart(2, '0')}`;
  });
}
