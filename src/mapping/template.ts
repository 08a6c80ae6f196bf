/**
 * One-way text made of other attributes: `{name.givenName} {name.familyName}`.
 *
 * - `{path}` is an attribute; `{{` and `}}` are braces.
 * - `{path|lower|trim}` sends the value through filters: `lower`, `upper`, `trim`, `before:X` (what stands before the
 *   first X, all of it without one) and `after:X` (what stands after the first X, nothing without one). X in double
 *   quotes may hold spaces and `|`, `}`, `??`.
 * - `{a ?? b|lower}` is the first that has a value; filters belong to the path that they follow.
 * - Where no placeholder has a value there is no text at all. Where only some have one, the others are empty, and the
 *   white space that the template has around them does not double, begin or end the text.
 */
export interface Template {
  /** The attribute paths in it, each once, as written. */
  readonly paths: readonly string[];
  /**
   * @param value the attribute's value; undefined and "" mean that it has none
   * @param escapeValue is put around each value, not around the template's own text
   * @returns undefined when there are placeholders and none has a value
   */
  render(value: (path: string) => string | undefined, escapeValue?: (text: string) => string): string | undefined;
}

type Filter = (text: string) => string;

interface Alternative {
  readonly path: string;
  readonly filters: readonly Filter[];
}

/** The template's own text, or a placeholder. */
type Part = string | readonly Alternative[];

/**
 * @param resolve says whether a path names an attribute that a template may use
 * @returns the template, or what is wrong with the text, by column (from 1)
 */
export function compileTemplate(
  text: string,
  resolve: (path: string) => { readonly ok: true } | { readonly ok: false; readonly message: string },
): { readonly template?: Template; readonly problems: readonly string[] } {
  const problems: string[] = [];
  const parts = readParts(text, resolve, (column, message) => problems.push(`Column ${column + 1}: ${message}`));
  if (problems.length > 0) return { problems };
  const paths = new Set(parts.flatMap((part) => (typeof part === 'string' ? [] : part.map(({ path }) => path))));
  return {
    template: {
      paths: [...paths],
      render: (value, escapeValue = (plain) => plain) => render(parts, value, escapeValue),
    },
    problems,
  };
}

type Report = (column: number, message: string) => void;
type Resolve = Parameters<typeof compileTemplate>[1];

function readParts(text: string, resolve: Resolve, report: Report): readonly Part[] {
  const parts: Part[] = [];
  let literal = '';
  let at = 0;
  while (at < text.length) {
    const character = text.charAt(at);
    const isBrace = character === '{' || character === '}';
    if (!isBrace || text[at + 1] === character) {
      literal += character;
      at += isBrace ? 2 : 1;
      continue;
    }
    if (character === '}') {
      report(at, 'this "}" closes nothing; write "}}" for a brace.');
      at++;
      continue;
    }
    const end = endOf(text, at + 1, '}');
    if (end === undefined) {
      report(at, 'this "{" is never closed; write "{{" for a brace.');
      break;
    }
    if (literal !== '') parts.push(literal);
    literal = '';
    parts.push(readPlaceholder(text, at + 1, end, resolve, report));
    at = end + 1;
  }
  if (literal !== '') parts.push(literal);
  return parts;
}

/** Where the mark stands next, outside double quotes and square brackets. */
function endOf(text: string, start: number, mark: string, limit = text.length): number | undefined {
  let isQuoted = false;
  let depth = 0;
  for (let at = start; at < limit; at++) {
    const character = text[at];
    if (isQuoted && character === '\\') at++;
    else if (character === '"') isQuoted = !isQuoted;
    else if (isQuoted) continue;
    else if (depth === 0 && text.startsWith(mark, at)) return at;
    else if (character === '[') depth++;
    else if (character === ']') depth = Math.max(0, depth - 1);
  }
  return undefined;
}

/** The pieces between the marks, with the column where each starts. */
function pieces(text: string, start: number, end: number, mark: string): readonly { at: number; piece: string }[] {
  const found: { at: number; piece: string }[] = [];
  let at = start;
  for (;;) {
    const next = endOf(text, at, mark, end);
    found.push({ at, piece: text.slice(at, next ?? end) });
    if (next === undefined) return found;
    at = next + mark.length;
  }
}

function readPlaceholder(
  text: string,
  start: number,
  end: number,
  resolve: Resolve,
  report: Report,
): readonly Alternative[] {
  return pieces(text, start, end, '??').map((alternative) => {
    const [first, ...rest] = pieces(text, alternative.at, alternative.at + alternative.piece.length, '|');
    const path = first?.piece.trim() ?? '';
    const column = alternative.at + alternative.piece.length - alternative.piece.trimStart().length;
    const resolved = path === '' ? undefined : resolve(path);
    if (resolved === undefined) report(column, 'a placeholder names an attribute, such as {userName}.');
    else if (!resolved.ok) report(column, resolved.message);
    return { path, filters: rest.map(({ at, piece }) => readFilter(piece, at, report)) };
  });
}

const plainFilters: Readonly<Record<string, Filter>> = {
  lower: (text) => text.toLowerCase(),
  upper: (text) => text.toUpperCase(),
  trim: (text) => text.trim(),
};

function readFilter(piece: string, at: number, report: Report): Filter {
  const unchanged: Filter = (text) => text;
  const [, name = '', argument] = /^\s*([^:\s]*)\s*(?::(.*))?$/s.exec(piece) ?? [];
  const column = at + piece.length - piece.trimStart().length;
  if (name === 'before' || name === 'after') {
    const mark = unquoted(argument?.trim() ?? '');
    if (mark === '') report(column, `"${name}" needs a text to look for, such as ${name}:@ or ${name}:" ".`);
    return name === 'before' ? (text) => text.split(mark, 1)[0] ?? text : (text) => afterFirst(text, mark);
  }
  const filter = Object.hasOwn(plainFilters, name) ? plainFilters[name] : undefined;
  if (filter === undefined) {
    report(column, `there is no filter "${piece.trim()}"; filters are lower, upper, trim, before:X and after:X.`);
  } else if (argument !== undefined) {
    report(column, `"${name}" takes no text after ":".`);
  }
  return filter ?? unchanged;
}

function unquoted(text: string): string {
  return /^".*"$/s.test(text) && text.length > 1 ? text.slice(1, -1).replace(/\\(["\\])/g, '$1') : text;
}

function afterFirst(text: string, mark: string): string {
  const at = text.indexOf(mark);
  return at < 0 ? '' : text.slice(at + mark.length);
}

function firstValue(
  alternatives: readonly Alternative[],
  value: (path: string) => string | undefined,
): string | undefined {
  for (const { path, filters } of alternatives) {
    const text = filters.reduce((current, filter) => (current === '' ? '' : filter(current)), value(path) ?? '');
    if (text !== '') return text;
  }
  return undefined;
}

function render(
  parts: readonly Part[],
  value: (path: string) => string | undefined,
  escapeValue: (text: string) => string,
): string | undefined {
  let text = '';
  /** How much white space of the template's own the text ends with; that of values is never touched. */
  let ownSpace = 0;
  let isAfterMissing = false;
  let hasPlaceholder = false;
  let hasValue = false;
  for (const part of parts) {
    if (typeof part === 'string') {
      const own = isAfterMissing && (text === '' || ownSpace > 0) ? part.trimStart() : part;
      if (own === '') continue;
      text += own;
      const trimmed = own.trimEnd().length;
      ownSpace = trimmed === 0 ? ownSpace + own.length : own.length - trimmed;
      isAfterMissing = false;
      continue;
    }
    hasPlaceholder = true;
    const found = firstValue(part, value);
    isAfterMissing = found === undefined;
    if (found === undefined) continue;
    hasValue = true;
    text += escapeValue(found);
    ownSpace = 0;
  }
  if (hasPlaceholder && !hasValue) return undefined;
  return isAfterMissing && ownSpace > 0 ? text.slice(0, -ownSpace) : text;
}
