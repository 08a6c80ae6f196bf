import { assertNever } from './assert-never.js';
import { type AttributePath, leafOf, type ResolvedFilter, type ResolvedPath } from './attribute-path.js';
import type { CompareValue, Filter } from './filter.js';

type AnyPath = AttributePath | ResolvedPath;

/** What a filter stands in, by how tightly that binds. */
type Surroundings = 'or' | 'and';

/**
 * The filter in SCIM's own language, with no parentheses more than needed: `parseFilter` reads it back as the same filter.
 * Resolved paths come out in the schema's spelling. The constants `always` and `never`, which SCIM has no words for, are
 * printed as `true` and `false`.
 * @see RFC 7644 §3.4.2.2
 */
export function printFilter(filter: Filter<AttributePath> | ResolvedFilter): string {
  return print(filter, 'or', { name: fullPath, literal: (_, value) => JSON.stringify(value) });
}

/**
 * A filter inside brackets as it may stand in a log: `type eq "work" and value eq "…"`. Booleans stay, and the common
 * values of `type`, which are about nobody.
 */
export function printElementFilterWithoutValues(filter: ResolvedFilter): string {
  return print(filter, 'or', { name: nameInElement, literal: withoutValue });
}

/**
 * The filter with its values as `literal` writes them.
 * @param literal gets the attribute's name as it stands there: inside brackets that of the sub-attribute
 */
export function printFilterWith(
  filter: Filter<AttributePath>,
  literal: (name: string, value: CompareValue) => string,
): string {
  return print(filter, 'or', { name: fullPath, literal });
}

/** The canonical types of RFC 7643: what else stands there may be anything. */
const commonTypes = new Set(
  'work home other mobile fax pager photo thumbnail direct indirect user group aim gtalk icq xmpp msn skype qq yahoo'.split(
    ' ',
  ),
);

/** `work`, `home`, `User` …: they are about nobody. */
export function isCommonType(text: string): boolean {
  return commonTypes.has(text.toLowerCase());
}

function withoutValue(name: string, value: CompareValue): string {
  const isHarmless =
    typeof value === 'boolean' ||
    value === null ||
    (typeof value === 'string' && /(^|\.)type$/i.test(name) && isCommonType(value));
  return isHarmless ? JSON.stringify(value) : '"…"';
}

interface Manner {
  readonly name: (path: AnyPath) => string;
  readonly literal: (name: string, value: CompareValue) => string;
}

function print(filter: Filter<AnyPath>, inside: Surroundings, manner: Manner): string {
  const { name, literal } = manner;
  switch (filter.kind) {
    case 'compare':
      return `${name(filter.path)} ${filter.op} ${literal(name(filter.path), filter.value)}`;
    case 'present':
      return `${name(filter.path)} pr`;
    case 'and':
      return printOperands(filter.operands, 'and', inside, manner);
    case 'or': {
      const text = printOperands(filter.operands, 'or', inside, manner);
      return inside === 'and' && filter.operands.length > 1 ? `(${text})` : text;
    }
    case 'not':
      return `not (${print(filter.operand, 'or', manner)})`;
    case 'valuePath':
      return `${name(filter.path)}[${print(filter.filter, 'or', { ...manner, name: nameInElement })}]`;
    default:
      return assertNever(filter);
  }
}

function printOperands(
  operands: readonly Filter<AnyPath>[],
  kind: Surroundings,
  inside: Surroundings,
  manner: Manner,
): string {
  if (operands.length === 0) return String(kind === 'and');
  return operands.map((operand) => print(operand, operands.length > 1 ? kind : inside, manner)).join(` ${kind} `);
}

function fullPath(path: AnyPath): string {
  return 'text' in path ? path.text : leafOf(path).path;
}

function nameInElement(path: AnyPath): string {
  return 'text' in path ? path.text : (path.sub?.name ?? 'value');
}
