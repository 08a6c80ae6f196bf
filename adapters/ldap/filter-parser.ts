import { AdapterError } from '../../src/backend/adapter-error.js';
import type { LdapFilter } from './ldap-filter.js';

const maxNesting = 32;
const itemPattern = /^([A-Za-z0-9][A-Za-z0-9.;-]*)?(:dn)?(?::([A-Za-z0-9][A-Za-z0-9.-]*))?(:=|>=|<=|~=|=)([^()]*)$/;

/**
 * A filter as RFC 4515 writes it, from the configuration. `~=` is taken for `=`.
 * @throws AdapterError `unsupported` when it is malformed
 */
export function parseFilter(text: string): LdapFilter {
  const parser = new FilterParser(text.trim());
  return parser.whole();
}

class FilterParser {
  private at = 0;

  constructor(private readonly text: string) {}

  whole(): LdapFilter {
    const filter = this.text.startsWith('(') ? this.filter(0) : this.item(this.text);
    if (this.text.startsWith('(') && this.at < this.text.length) throw malformed(this.text);
    return filter;
  }

  private filter(depth: number): LdapFilter {
    if (depth > maxNesting || this.text[this.at] !== '(') throw malformed(this.text);
    this.at += 1;
    const operator = this.text[this.at];
    const filter =
      operator === '&' || operator === '|' || operator === '!' ? this.group(operator, depth) : this.simple();
    if (this.text[this.at] !== ')') throw malformed(this.text);
    this.at += 1;
    return filter;
  }

  private group(operator: '&' | '|' | '!', depth: number): LdapFilter {
    this.at += 1;
    const operands: LdapFilter[] = [];
    while (this.text[this.at] === '(') operands.push(this.filter(depth + 1));
    const [first] = operands;
    if (first === undefined) throw malformed(this.text);
    if (operator !== '!') return { kind: operator === '&' ? 'and' : 'or', operands };
    if (operands.length > 1) throw malformed(this.text);
    return { kind: 'not', operand: first };
  }

  private simple(): LdapFilter {
    const end = this.text.indexOf(')', this.at);
    if (end < 0) throw malformed(this.text);
    const item = this.text.slice(this.at, end);
    this.at = end;
    return this.item(item);
  }

  private item(text: string): LdapFilter {
    const match = itemPattern.exec(text);
    if (match === null) throw malformed(this.text);
    const [, attribute, dn, rule, operator, raw = ''] = match;
    if (operator === ':=') {
      return {
        kind: 'extensible',
        ...(attribute === undefined ? {} : { attribute }),
        ...(rule === undefined ? {} : { rule }),
        ...(dn === undefined ? {} : { dnAttributes: true }),
        value: this.plain(raw),
      };
    }
    if (attribute === undefined || dn !== undefined || rule !== undefined) throw malformed(this.text);
    if (operator === '>=' || operator === '<=') {
      return {
        kind: operator === '>=' ? 'greaterOrEqual' : 'lessOrEqual',
        attribute,
        value: this.plain(raw),
      };
    }
    if (raw === '*') return { kind: 'present', attribute };
    if (!raw.includes('*')) return { kind: 'equality', attribute, value: this.bytes(raw) };
    const parts = raw.split('*').map((part) => this.plain(part));
    const [initial, final] = [parts[0], parts.at(-1)];
    const any = parts.slice(1, -1).filter((part) => part !== '');
    return {
      kind: 'substrings',
      attribute,
      ...(initial ? { initial } : {}),
      ...(any.length > 0 ? { any } : {}),
      ...(final ? { final } : {}),
    };
  }

  private plain(text: string): string {
    const value = this.bytes(text);
    return typeof value === 'string' ? value : Buffer.from(value).toString('utf8');
  }

  /** Text, or bytes where escapes give no UTF-8. */
  private bytes(text: string): string | Uint8Array {
    if (!text.includes('\\')) return text;
    if (/\\(?![0-9a-fA-F]{2})/.test(text)) throw malformed(this.text);
    const parts = text.split(/(\\[0-9a-fA-F]{2})/).map((part) => {
      return part.startsWith('\\') ? Buffer.from(part.slice(1), 'hex') : Buffer.from(part);
    });
    const bytes = Buffer.concat(parts);
    const decoded = bytes.toString('utf8');
    return Buffer.from(decoded).equals(bytes) ? decoded : bytes;
  }
}

function malformed(text: string): AdapterError {
  return new AdapterError('unsupported', `"${text}" is no LDAP filter (RFC 4515).`);
}
