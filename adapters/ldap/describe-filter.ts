import type { LdapFilter } from './ldap-filter.js';

/** A filter with its values left out, for traces: `(&(objectClass=…)(uid=…))`. A long list of the same is named once. */
export function shapeOf(filter: LdapFilter): string {
  switch (filter.kind) {
    case 'and':
    case 'or': {
      const shapes = filter.operands.map(shapeOf);
      const distinct = [...new Set(shapes)].map((shape) => {
        const count = shapes.filter((other) => other === shape).length;
        return count > 1 ? `${count}×${shape}` : shape;
      });
      return `(${filter.kind === 'and' ? '&' : '|'}${distinct.join('')})`;
    }
    case 'not':
      return `(!${shapeOf(filter.operand)})`;
    case 'equality':
      return `(${filter.attribute}=…)`;
    case 'substrings': {
      const parts = [filter.initial, ...(filter.any ?? []), filter.final];
      const shown = parts.map((part) => (part === undefined ? '' : '…'));
      return `(${filter.attribute}=${shown.join('*')})`;
    }
    case 'greaterOrEqual':
      return `(${filter.attribute}>=…)`;
    case 'lessOrEqual':
      return `(${filter.attribute}<=…)`;
    case 'present':
      return `(${filter.attribute}=*)`;
    case 'extensible':
      return `(${filter.attribute ?? ''}${filter.rule === undefined ? '' : `:${filter.rule}`}:=…)`;
  }
}
