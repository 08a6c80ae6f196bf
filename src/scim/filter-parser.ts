import type { AttributePath } from './attribute-path.js';
import type { Dialect } from './dialect.js';
import { ScimError } from './error.js';
import { allOf, anyOf, type CompareOp, type CompareValue, type Filter } from './filter.js';
import { type Token, tokenAt } from './filter-lexer.js';
import { attributeNamePattern, parseSchemaUri } from './schema.js';

/** What one filter may cost. */
export interface FilterLimits {
  /** In UTF-16 code units. Default 8,192. */
  readonly maxLength?: number;
  /** How deep parentheses and brackets may be nested. Default 64. */
  readonly maxDepth?: number;
  /** How many comparisons it may hold. Default 500. */
  readonly maxTerms?: number;
}

/** The path of a PATCH operation as written. @see RFC 7644 §3.5.2, Figure 7 */
export interface PatchPath {
  readonly text: string;
  /** What stands before the brackets, with its URN; without brackets it may end in a sub-attribute, or be a URN alone. */
  readonly attribute: string;
  readonly filter: Filter<AttributePath> | undefined;
  /** The sub-attribute after the brackets. */
  readonly sub: string | undefined;
}

const defaultLimits: Required<FilterLimits> = { maxLength: 8192, maxDepth: 64, maxTerms: 500 };
const compareOps: ReadonlySet<string> = new Set<CompareOp>(['eq', 'ne', 'co', 'sw', 'ew', 'gt', 'ge', 'lt', 'le']);
const operatorList = 'eq, ne, co, sw, ew, pr, gt, ge, lt or le';

/**
 * Reads a filter by the grammar of RFC 7644 §3.4.2.2 with errata 4670, 4690, 7319 and 7322. Nested `and`s and `or`s come
 * out flat. Blanks may stand between any two tokens, and must where the grammar has them.
 * @throws ScimError 400 invalidFilter, with the place (counted from 1) and what was expected there
 */
export function parseFilter(text: string, dialect: Dialect, limits: FilterLimits = {}): Filter<AttributePath> {
  const parser = new Parser(text, dialect, { ...defaultLimits, ...limits }, 'invalidFilter');
  const filter = parser.disjunction();
  parser.end();
  return filter;
}

/**
 * Reads the path of a PATCH operation: `name.givenName`, `members[value eq "x"]`, `emails[type eq "work"].value`.
 * @throws ScimError 400 invalidPath when the path is malformed, invalidFilter when the filter in its brackets is
 */
export function parsePatchPath(text: string, dialect: Dialect): PatchPath {
  return new Parser(text, dialect, defaultLimits, 'invalidPath').patchPath();
}

class Parser {
  readonly #text: string;
  readonly #dialect: Dialect;
  readonly #limits: Required<FilterLimits>;
  #scimType: 'invalidFilter' | 'invalidPath';
  #token: Token;
  #depth = 0;
  #terms = 0;
  #inBrackets = false;

  constructor(
    text: string,
    dialect: Dialect,
    limits: Required<FilterLimits>,
    scimType: 'invalidFilter' | 'invalidPath',
  ) {
    this.#text = text;
    this.#dialect = dialect;
    this.#limits = limits;
    this.#scimType = scimType;
    if (text.length > limits.maxLength) this.#refuse(`is longer than ${limits.maxLength} characters`);
    this.#token = tokenAt(text, 0);
  }

  disjunction(): Filter<AttributePath> {
    const operands = [this.#conjunction()];
    while (this.#takeLogical('or')) operands.push(this.#conjunction());
    return anyOf(operands);
  }

  end(): void {
    if (!this.#at('end')) this.#unexpected('"and", "or" or the end');
  }

  patchPath(): PatchPath {
    const attribute = this.#attributePath((path) => isAttributePath(path) || parseSchemaUri(path) !== undefined);
    if (!this.#at('[')) {
      if (!this.#at('end')) this.#unexpected('"[" or the end');
      return { text: this.#text, attribute, filter: undefined, sub: undefined };
    }
    const filter = this.#bracketed(attribute);
    const sub = this.#takeDot() ? this.#subAttribute() : undefined;
    if (!this.#at('end')) this.#unexpected(sub === undefined ? '"." and a sub-attribute, or the end' : 'the end');
    return { text: this.#text, attribute, filter, sub };
  }

  #conjunction(): Filter<AttributePath> {
    const operands = [this.#operand()];
    while (this.#takeLogical('and')) operands.push(this.#operand());
    return allOf(operands);
  }

  #operand(): Filter<AttributePath> {
    const token = this.#token;
    if (token.kind === '(') return this.#group();
    if (isWord(token, 'not')) {
      this.#advance();
      if (!this.#at('(')) this.#unexpected('"(" after "not"');
      return { kind: 'not', operand: this.#group() };
    }
    if (isWord(token, 'and') || isWord(token, 'or')) this.#unexpected('an attribute, "not" or "("');
    const path = this.#attributePath(isAttributePath);
    return this.#at('[') ? this.#valuePath(path) : this.#term(path);
  }

  #group(): Filter<AttributePath> {
    this.#deeper();
    this.#advance();
    const filter = this.disjunction();
    if (!this.#at(')')) this.#unexpected('"and", "or" or ")"');
    this.#advance();
    this.#depth -= 1;
    return filter;
  }

  #valuePath(path: string): Filter<AttributePath> {
    if (this.#inBrackets) this.#fail('a value path cannot stand inside another one');
    const filter = this.#bracketed(path);
    if (!this.#takeDot()) return { kind: 'valuePath', path: { text: path }, filter };
    if (!this.#dialect.tolerates('valuePathComparison')) {
      this.#fail('a comparison after "]" is not in RFC 7644: put it inside the brackets, joined by "and"');
    }
    const term = this.#term(this.#subAttribute());
    return { kind: 'valuePath', path: { text: path }, filter: allOf([filter, term]) };
  }

  /** `[` filter `]`. In a PATCH path this is the part whose faults are those of a filter. */
  #bracketed(path: string): Filter<AttributePath> {
    if (path.slice(path.lastIndexOf(':') + 1).includes('.')) {
      this.#fail('"[" goes after an attribute, not after a sub-attribute');
    }
    const outside = this.#scimType;
    this.#deeper();
    this.#advance();
    if (this.#at('number')) this.#fail('elements have no index: select them by a filter');
    if (this.#at('end')) this.#unexpected('a filter');
    this.#scimType = 'invalidFilter';
    this.#inBrackets = true;
    const filter = this.disjunction();
    this.#inBrackets = false;
    // A bracket that is never closed is the path's fault.
    if (this.#at('end')) this.#scimType = outside;
    if (!this.#at(']')) this.#unexpected('"and", "or" or "]"');
    this.#scimType = outside;
    this.#advance();
    this.#depth -= 1;
    return filter;
  }

  /** Operator and value of a comparison. */
  #term(path: string): Filter<AttributePath> {
    const token = this.#token;
    if (token.kind !== 'word') this.#unexpected(`an operator after "${shorten(path)}" (${operatorList})`);
    const op = token.text.toLowerCase();
    this.#terms += 1;
    if (this.#terms > this.#limits.maxTerms) this.#refuse(`has more than ${this.#limits.maxTerms} comparisons`);
    if (op === 'pr') {
      this.#advance();
      return { kind: 'present', path: { text: path } };
    }
    if (!isCompareOp(op))
      this.#fail(`the operator "${shorten(token.text)}" is not supported, expected ${operatorList}`);
    this.#advance();
    return { kind: 'compare', path: { text: path }, op, value: this.#value(op) };
  }

  /** Found values are never repeated in a message: they may be secrets. */
  #value(op: CompareOp): CompareValue {
    const token = this.#token;
    const value = this.#literal(token);
    if (value === undefined) {
      if (token.kind === 'invalid') this.#fail(token.message);
      this.#fail(`expected a value after "${op}": a text in double quotes, a number, true, false or null`);
    }
    if (!token.spaced) this.#fail(`expected a blank after "${op}"`);
    this.#advance();
    return value;
  }

  #literal(token: Token): CompareValue | undefined {
    if (token.kind === 'string' || token.kind === 'number') return token.value;
    if (token.kind !== 'word') return undefined;
    // JSON has them in lower case only; clients written in Python send True.
    const text = this.#dialect.tolerates('stringBooleans') ? token.text.toLowerCase() : token.text;
    return text === 'true' ? true : text === 'false' ? false : text === 'null' ? null : undefined;
  }

  #attributePath(isPath: (text: string) => boolean): string {
    const token = this.#token;
    if (token.kind !== 'word')
      this.#unexpected(this.#scimType === 'invalidPath' ? 'an attribute' : 'an attribute, "not" or "("');
    if (!isPath(token.text)) this.#fail(`"${shorten(token.text)}" is not the name of an attribute`);
    this.#advance();
    return token.text;
  }

  #subAttribute(): string {
    const token = this.#token;
    if (token.kind !== 'word' || token.spaced || !attributeNamePattern.test(token.text)) {
      this.#fail('expected the name of a sub-attribute after "."');
    }
    this.#advance();
    return token.text;
  }

  /** True, and past it, when `and` or `or` comes next, with blanks on both sides. */
  #takeLogical(name: 'and' | 'or'): boolean {
    if (!isWord(this.#token, name)) return false;
    if (!this.#token.spaced) this.#fail(`expected a blank before "${name}"`);
    this.#advance();
    if (!this.#token.spaced) this.#fail(`expected a blank after "${name}"`);
    return true;
  }

  #takeDot(): boolean {
    if (!this.#at('.') || this.#token.spaced) return false;
    this.#advance();
    return true;
  }

  #at(kind: Token['kind']): boolean {
    return this.#token.kind === kind;
  }

  #advance(): void {
    this.#token = tokenAt(this.#text, this.#token.end);
  }

  #deeper(): void {
    this.#depth += 1;
    if (this.#depth > this.#limits.maxDepth) this.#refuse(`is nested more than ${this.#limits.maxDepth} deep`);
  }

  #unexpected(expected: string): never {
    const token = this.#token;
    if (token.kind === 'invalid') this.#fail(token.message);
    this.#fail(`expected ${expected}, found ${describe(token)}`);
  }

  #fail(reason: string): never {
    this.#refuse(`is not valid at position ${this.#token.start + 1}: ${reason}`);
  }

  #refuse(reason: string): never {
    throw ScimError.badRequest(
      this.#scimType,
      `The ${this.#scimType === 'invalidPath' ? 'path' : 'filter'} ${reason}.`,
    );
  }
}

function isWord(token: Token, name: string): boolean {
  return token.kind === 'word' && token.text.toLowerCase() === name;
}

function isCompareOp(text: string): text is CompareOp {
  return compareOps.has(text);
}

/** `attrPath` of the grammar. Where a URN ends only the schemas know; here it is enough that it has the form of one. */
function isAttributePath(text: string): boolean {
  const colon = text.lastIndexOf(':');
  if (colon >= 0 && parseSchemaUri(text.slice(0, colon)) === undefined) return false;
  const [name = '', sub, ...more] = text.slice(colon + 1).split('.');
  return attributeNamePattern.test(name) && (sub === undefined || attributeNamePattern.test(sub)) && more.length === 0;
}

function describe(token: Exclude<Token, { kind: 'invalid' }>): string {
  switch (token.kind) {
    case 'end':
      return 'the end';
    case 'string':
      return 'a text';
    case 'number':
      return 'a number';
    case 'word':
      return `"${shorten(token.text)}"`;
    default:
      return `"${token.kind}"`;
  }
}

function shorten(text: string): string {
  return text.length <= 60 ? text : `${text.slice(0, 59)}…`;
}
