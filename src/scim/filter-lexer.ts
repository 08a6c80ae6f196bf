/**
 * Tokens of filters and PATCH paths. A token knows its place and whether blanks stand before it; what is not a token is
 * `invalid` with words for the client, and never an exception. Every scan is linear.
 * @see RFC 7644 §3.4.2.2, Figure 1
 */
export type Token = TokenPlace &
  (
    | { readonly kind: 'word'; readonly text: string }
    | { readonly kind: 'string'; readonly value: string }
    | { readonly kind: 'number'; readonly value: number }
    | { readonly kind: '(' | ')' | '[' | ']' | '.' | 'end' }
    | { readonly kind: 'invalid'; readonly message: string }
  );

interface TokenPlace {
  /** 0-based, in UTF-16 code units. */
  readonly start: number;
  readonly end: number;
  /** True when blanks stand before the token, and at the start of the text. */
  readonly spaced: boolean;
}

const blanks = /[ \t\r\n]*/y;
/** Attribute paths, operators and literals: everything up to a blank, a quotation mark or a bracket. */
const word = /[^ \t\r\n"()[\]]+/y;
/** RFC 8259 §6. */
const number = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
/** What is no letter of a word, so that a number may end before it. */
const delimiter = /[ \t\r\n()[\]]/;

/** The token that starts at or after `offset`. */
export function tokenAt(text: string, offset: number): Token {
  const start = runEnd(blanks, text, offset);
  const spaced = start > offset || offset === 0;
  const first = text[start];
  if (first === undefined) return { kind: 'end', start, end: start, spaced };
  switch (first) {
    case '(':
    case ')':
    case '[':
    case ']':
    case '.':
      return { kind: first, start, end: start + 1, spaced };
    case '"':
      return stringAt(text, start, spaced);
    case "'":
      return { kind: 'invalid', message: 'texts stand in double quotes', start, end: start + 1, spaced };
  }
  return (first >= '0' && first <= '9') || first === '-' ? numberAt(text, start, spaced) : wordAt(text, start, spaced);
}

function wordAt(text: string, start: number, spaced: boolean): Token {
  const end = runEnd(word, text, start);
  return { kind: 'word', text: text.slice(start, end), start, end, spaced };
}

function numberAt(text: string, start: number, spaced: boolean): Token {
  const end = runEnd(number, text, start);
  const next = text[end];
  if (end === start || (next !== undefined && !delimiter.test(next))) {
    return { kind: 'invalid', message: 'this is neither a number nor a name', start, end: end + 1, spaced };
  }
  const value = Number(text.slice(start, end));
  if (!Number.isFinite(value)) return { kind: 'invalid', message: 'the number is too large', start, end, spaced };
  return { kind: 'number', value: value + 0, start, end, spaced }; // -0 becomes 0
}

function stringAt(text: string, start: number, spaced: boolean): Token {
  let end = start + 1;
  while (end < text.length && text[end] !== '"') end += text[end] === '\\' ? 2 : 1;
  if (end >= text.length) {
    return { kind: 'invalid', message: 'the text has no closing quotation mark', start, end: text.length, spaced };
  }
  end += 1;
  try {
    return { kind: 'string', value: JSON.parse(text.slice(start, end)) as string, start, end, spaced };
  } catch {
    const message = 'the text is no JSON string: \\ starts an escape, and control characters are written as escapes';
    return { kind: 'invalid', message, start, end, spaced };
  }
}

function runEnd(pattern: RegExp, text: string, from: number): number {
  pattern.lastIndex = from;
  return pattern.test(text) ? pattern.lastIndex : from;
}
