export type Severity = 'error' | 'warning';
export type Path = readonly (string | number)[];

/** Something to change in the configuration, and where. Lines and columns count from 1. */
export interface Problem {
  readonly severity: Severity;
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** The way to it inside the file: `gateways.corp.resources.User.adapter`. Empty for the file as a whole. */
  readonly path: string;
  /** What is wrong, and what would be right. */
  readonly message: string;
}

const plainSegment = /^[A-Za-z$_][A-Za-z0-9$_-]*$/;

/** `['gateways', 'corp', 'use', 0]` as `gateways.corp.use[0]`; segments with other characters are quoted. */
export function formatPath(path: Path): string {
  let text = '';
  for (const segment of path) {
    if (typeof segment === 'number') text += `[${segment}]`;
    else if (!plainSegment.test(segment)) text += `[${JSON.stringify(segment)}]`;
    else text += text === '' ? segment : `.${segment}`;
  }
  return text;
}

/** `gateway.yaml:12:7: error: …`, which editors and terminals turn into a link. */
export function formatProblem({ file, line, column, severity, message }: Problem): string {
  return `${file}:${line}:${column}: ${severity}: ${message}`;
}

/** In reading order: files as they were first named, then by line and column. Identical problems once. */
export function sortProblems(problems: readonly Problem[], files: readonly string[]): readonly Problem[] {
  const rank = (file: string): number => {
    const index = files.indexOf(file);
    return index < 0 ? files.length : index;
  };
  const unique = new Map(problems.map((problem) => [formatProblem(problem), problem]));
  return [...unique.values()].sort(
    (a, b) =>
      rank(a.file) - rank(b.file) || a.line - b.line || a.column - b.column || (a.severity < b.severity ? -1 : 0),
  );
}
