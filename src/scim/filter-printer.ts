import { assertNever } from './assert-never.js';
import { type AttributePath, leafOf, type ResolvedFilter, type ResolvedPath } from './attribute-path.js';
import type { Filter } from './filter.js';

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
  return print(filter, 'or', fullPath);
}

function print(filter: Filter<AnyPath>, inside: Surroundings, name: (path: AnyPath) => string): string {
  switch (filter.kind) {
    case 'compare':
      return `${name(filter.path)} ${filter.op} ${JSON.stringify(filter.value)}`;
    case 'present':
      return `${name(filter.path)} pr`;
    case 'and':
      return printOperands(filter.operands, 'and', inside, name);
    case 'or': {
      const text = printOperands(filter.operands, 'or', inside, name);
      return inside === 'and' && filter.operands.length > 1 ? `(${text})` : text;
    }
    case 'not':
      return `not (${print(filter.operand, 'or', name)})`;
    case 'valuePath':
      return `${name(filter.path)}[${print(filter.filter, 'or', nameInElement)}]`;
    default:
      return assertNever(filter);
  }
}

function printOperands(
  operands: readonly Filter<AnyPath>[],
  kind: Surroundings,
  inside: Surroundings,
  name: (path: AnyPath) => string,
): string {
  if (operands.length === 0) return String(kind === 'and');
  return operands.map((operand) => print(operand, operands.length > 1 ? kind : inside, name)).join(` ${kind} `);
}

function fullPath(path: AnyPath): string {
  return 'text' in path ? path.text : leafOf(path).path;
}

function nameInElement(path: AnyPath): string {
  return 'text' in path ? path.text : (path.sub?.name ?? 'value');
}
