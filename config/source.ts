import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
  visit,
  type YAMLMap,
} from 'yaml';
import type { InspectionProblem } from '../src/backend/adapter.js';
import type { Origin, RuleProblem } from '../src/mapping/rule.js';
import { formatPath, type Path, type Problem, type Severity } from './problem.js';

/** A YAML (or JSON) text with the positions of its parts. */
export class SourceDocument {
  /** As problems name it: the path as it was given, or `preset unifybroker`. */
  readonly name: string;
  /** The plain data; undefined when the text is not YAML. */
  readonly json: unknown;
  readonly #document: Document.Parsed;
  readonly #lines: LineCounter;

  private constructor(name: string, document: Document.Parsed, lines: LineCounter, json: unknown) {
    this.name = name;
    this.json = json;
    this.#document = document;
    this.#lines = lines;
  }

  static parse(name: string, text: string): { document: SourceDocument; problems: readonly Problem[] } {
    const lines = new LineCounter();
    const parsed = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: false });
    const problems: Problem[] = [];
    const report = (offset: number, path: string, message: string): void => {
      const { line, col } = lines.linePos(offset);
      problems.push({ severity: 'error', file: name, line, column: col, path, message });
    };
    // The first syntax error breaks the rest of the text; what follows from it would only confuse.
    const [syntax] = parsed.errors;
    if (syntax !== undefined) {
      report(syntax.pos[0], '', syntaxMessage(syntax.code, syntax.message));
      return { document: new SourceDocument(name, parsed, lines, undefined), problems };
    }
    for (const { key, offset, firstOffset } of repeatedKeys(parsed)) {
      const first = lines.linePos(firstOffset).line;
      report(offset, key, `"${key}" stands here a second time (first on line ${first}); keep one of the two.`);
    }
    let json: unknown;
    try {
      json = parsed.toJS();
    } catch (error) {
      report(0, '', `The aliases (*name) cannot be resolved: ${(error as Error).message}.`);
    }
    return { document: new SourceDocument(name, parsed, lines, json), problems };
  }

  /**
   * Where the value at `path` is written. What is not written (a default, a missing key) is placed at its nearest parent.
   * @param prefer `key` gives the place of the value's key, where it has one
   */
  locate(path: Path, prefer: 'key' | 'value' = 'value'): { line: number; column: number; depth: number } {
    let node: Node | null = this.#document.contents;
    let keyOffset = 0;
    let depth = 0;
    for (const segment of path) {
      const step = child(this.#resolve(node), segment);
      if (step === undefined) break;
      node = step.value;
      keyOffset = step.offset;
      depth += 1;
    }
    const found = depth === path.length;
    const isCollection = isMap(node) || isSeq(node);
    // A missing part of a collection is placed at the collection's name: that is where the reader adds it.
    const isEmpty = node?.range == null || (isScalar(node) && node.value === null);
    const useKey = isEmpty || (found ? prefer === 'key' : isCollection);
    const { line, col } = this.#lines.linePos(useKey ? keyOffset : (node?.range?.[0] ?? keyOffset));
    return { line: Math.max(line, 1), column: Math.max(col, 1), depth };
  }

  /** The value as it is written, before references to secrets are resolved: safe to show. */
  written(path: Path): unknown {
    let node: Node | null = this.#document.contents;
    for (const segment of path) node = child(this.#resolve(node), segment)?.value ?? null;
    const resolved = this.#resolve(node);
    return isScalar(resolved) ? resolved.value : resolved?.toJS(this.#document);
  }

  problem(severity: Severity, path: Path, message: string, prefer: 'key' | 'value' = 'value'): Problem {
    const { line, column } = this.locate(path, prefer);
    return { severity, file: this.name, line, column, path: formatPath(path), message };
  }

  #resolve(node: Node | null): Node | null {
    return isAlias(node) ? (node.resolve(this.#document) ?? null) : node;
  }
}

function child(node: Node | null, segment: string | number): { value: Node | null; offset: number } | undefined {
  if (isMap(node)) {
    const pair = node.items.find((item) => keyText(item.key) === String(segment));
    if (pair === undefined) return undefined;
    return { value: (pair.value as Node | null) ?? null, offset: (pair.key as Node | null)?.range?.[0] ?? 0 };
  }
  if (isSeq(node) && typeof segment === 'number' && segment < node.items.length) {
    const value = node.items[segment] as Node | null;
    return { value, offset: value?.range?.[0] ?? 0 };
  }
  return undefined;
}

function keyText(key: unknown): string {
  return isScalar(key) ? String(key.value) : String(key);
}

function repeatedKeys(document: Document.Parsed): { key: string; offset: number; firstOffset: number }[] {
  const repeated: { key: string; offset: number; firstOffset: number }[] = [];
  visit(document, {
    Map(_key, map: YAMLMap) {
      const seen = new Map<string, number>();
      for (const { key } of map.items) {
        const name = keyText(key);
        const offset = (key as Node | null)?.range?.[0] ?? 0;
        const firstOffset = seen.get(name);
        if (firstOffset === undefined) seen.set(name, offset);
        else repeated.push({ key: name, offset, firstOffset });
      }
    },
  });
  return repeated;
}

const syntaxHints: Readonly<Record<string, string>> = {
  TAB_AS_INDENT: 'This line is indented with a tab; YAML is indented with spaces.',
  BLOCK_AS_IMPLICIT_KEY:
    'A second "key: value" follows here, on the same line or on a line that is indented further. Indent keys of one level alike, and put quotes around a text that holds ": ".',
  MULTILINE_IMPLICIT_KEY: 'A key and its ":" stand on one line; this line has no ":" after its key.',
  BAD_INDENT: 'This line is not indented as what it belongs to; keys of one level start in the same column.',
  MULTIPLE_DOCS: 'A second document starts here ("---"); one file holds one document.',
  BAD_SCALAR_START: 'A text that starts with this character needs quotes around it.',
  BAD_ALIAS: 'An alias (*name) needs an anchor (&name) before it. A text that starts with "*" needs quotes around it.',
};

function syntaxMessage(code: string, message: string): string {
  if (message.startsWith('Flow ')) {
    return 'A "{" or "[" above is not closed, or its lines are not indented further than the key that it belongs to.';
  }
  const hint = syntaxHints[code];
  if (hint !== undefined) return hint;
  if (code === 'MISSING_CHAR' && message.includes('flow map')) {
    return 'Inside { } entries are separated by ",", and keys with [ ] or spaces, such as "emails[type eq \\"work\\"].value", need quotes; or write one key per line without { }.';
  }
  return `This is not valid YAML: ${message}.`;
}

/** All files that a configuration was read from, to place problems that are found later: by the mapping, by adapters. */
export interface Sources {
  /** By the name that origins carry as `source`. */
  readonly documents: ReadonlyMap<string, SourceDocument>;
  /** The name of gateway.yaml itself; undefined for the built-in configuration. */
  readonly main: string | undefined;
}

/** Where the part `at` of what `origin` names is written. */
export function locate(
  sources: Sources,
  origin: Origin,
  at: Path,
): { file: string; line: number; column: number; depth: number } {
  const document = sources.documents.get(origin.source);
  if (document === undefined) return { file: origin.source, line: 1, column: 1, depth: 0 };
  const { line, column, depth } = document.locate([...origin.path, ...at], at.length === 0 ? 'key' : 'value');
  return { file: document.name, line, column, depth };
}

/** A problem of a mapping rule with its place. A rule that a generated preset made is placed at the preset's name. */
export function toProblem(sources: Sources, { severity, origin, at, message }: RuleProblem): Problem {
  const path = [...origin.path, ...at];
  const { file, line, column, depth } = locate(sources, origin, at);
  const use = origin.path.indexOf('use');
  const generated = use >= 0 && depth <= use + 2 ? origin.path[use + 2] : undefined;
  const prefix = generated === undefined ? '' : `The preset's rule for "${generated}": `;
  return { severity, file, line, column, path: formatPath(path), message: `${prefix}${message}` };
}

/** A problem that an adapter found in its own section of gateway.yaml. */
export function toAdapterProblem(sources: Sources, adapter: string, problem: InspectionProblem): Problem {
  const origin: Origin = { source: sources.main ?? 'built-in configuration', path: ['adapters', adapter] };
  return toProblem(sources, { severity: problem.severity, origin, at: problem.configPath, message: problem.message });
}
