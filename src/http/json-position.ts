/** Where a text stops being JSON, and what would have been right there. */
export interface JsonFault {
  /** Both count from 1. */
  readonly line: number;
  readonly column: number;
  readonly expected: string;
}

const literalPattern = /(?:true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)(?![\w.+-])/y;
const escapePattern = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;
const spacePattern = /[ \t\r\n]*/y;

/**
 * Finds the first fault. JSON.parse does not say where it is in every case, so this reads the text once more; it runs
 * only for texts that JSON.parse refused. No recursion, since the nesting may be anything.
 * @returns undefined when the text is JSON
 */
export function findJsonFault(text: string): JsonFault | undefined {
  const scanner = new Scanner(text);
  /** The containers that are open, outermost first. */
  const open: ('object' | 'array')[] = [];
  while (true) {
    const container = scanner.takes('{') ? 'object' : scanner.takes('[') ? 'array' : undefined;
    if (container !== undefined) {
      open.push(container);
      if (!scanner.takes(container === 'object' ? '}' : ']')) {
        if (container === 'object' && !scanner.takesName('a name in double quotes, or "}"')) return scanner.fault();
        continue;
      }
      open.pop();
    } else if (!scanner.takesScalar()) return scanner.fault();

    // A value has ended: close what it closes, up to the next comma.
    while (open.length > 0) {
      const inObject = open[open.length - 1] === 'object';
      if (scanner.takes(',')) {
        if (inObject && !scanner.takesName('a name in double quotes')) return scanner.fault();
        break;
      }
      if (!scanner.takes(inObject ? '}' : ']')) return scanner.fault(inObject ? '"," or "}"' : '"," or "]"');
      open.pop();
    }
    if (open.length === 0) return scanner.atEnd() ? undefined : scanner.fault('nothing more');
  }
}

class Scanner {
  readonly #text: string;
  #index = 0;
  #expected = 'a value';

  constructor(text: string) {
    this.#text = text;
  }

  /** Takes the character, after white space, if it is the next one. */
  takes(character: string): boolean {
    this.#match(spacePattern);
    if (this.#text[this.#index] !== character) return false;
    this.#index++;
    return true;
  }

  takesScalar(): boolean {
    this.#expected = 'a value';
    if (this.#text[this.#index] === '"') return this.#takesString();
    return this.#match(literalPattern);
  }

  /** A member's name with its colon. */
  takesName(expected: string): boolean {
    this.#match(spacePattern);
    this.#expected = expected;
    if (this.#text[this.#index] !== '"' || !this.#takesString()) return false;
    this.#expected = '":"';
    return this.takes(':');
  }

  atEnd(): boolean {
    this.#match(spacePattern);
    return this.#index >= this.#text.length;
  }

  fault(expected: string = this.#expected): JsonFault {
    const before = this.#text.slice(0, this.#index);
    return { line: before.split('\n').length, column: before.length - before.lastIndexOf('\n'), expected };
  }

  #takesString(): boolean {
    this.#expected = 'the rest of a text: closed by a double quote, with "\\" and control characters escaped';
    for (this.#index++; this.#index < this.#text.length; ) {
      const code = this.#text.charCodeAt(this.#index);
      if (code < 0x20) return false;
      if (code === 0x5c) {
        if (!this.#match(escapePattern)) return false;
      } else {
        this.#index++;
        if (code === 0x22) return true;
      }
    }
    return false;
  }

  #match(pattern: RegExp): boolean {
    pattern.lastIndex = this.#index;
    if (!pattern.test(this.#text)) return false;
    this.#index = pattern.lastIndex;
    return true;
  }
}
