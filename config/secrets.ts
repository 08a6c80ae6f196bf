import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Path, Problem } from './problem.js';
import type { SourceDocument } from './source.js';

/** Where references to secrets are looked up. */
export interface SecretSources {
  readonly env: NodeJS.ProcessEnv;
  /** Relative file names start here. */
  readonly baseDir: string;
}

export interface Resolved {
  readonly json: unknown;
  readonly problems: readonly Problem[];
  /** By absolute name: what the files that are named held; undefined for those that cannot be read. */
  readonly files: ReadonlyMap<string, string | undefined>;
}

const referencePattern = /\$\{([A-Za-z]+):([^}]*)\}/g;
const secretKey = /(password|passwd|passphrase|secret|token|api[-_]?key|private[-_]?key)$/i;
/** Below these keys stand the names of attributes and fields, not values. */
const nameSections = new Set(['mapping', 'entities', 'fields', 'schemas']);
const credentialsInUrl = /^[a-z][a-z0-9+.-]*:\/\/[^/\s:@]*:[^/\s@]+@/i;

/** True when the value at the path is one that must not be shown: `adapters.directory.password`. */
export function looksSecret(path: Path): boolean {
  const key = path.at(-1);
  return typeof key === 'string' && secretKey.test(key) && !path.some((segment) => nameSections.has(String(segment)));
}

/** True when the value as it is written takes something from a file: a secret that may be swapped. */
export function namesSecretFile(written: unknown): boolean {
  return typeof written === 'string' && written.includes('${file:');
}

/**
 * The data with every `${env:NAME}` and `${file:/path}` replaced by what they name. A final line break of a file is
 * left out. What cannot be found is a problem, as is a secret that is written out (a warning).
 */
export function resolveSecrets(document: SourceDocument, sources: SecretSources): Resolved {
  const problems: Problem[] = [];
  const files = new Map<string, string | undefined>();
  const visit = (value: unknown, path: Path): unknown => {
    if (typeof value === 'string') return resolveText(value, path);
    if (Array.isArray(value)) return value.map((item, index) => visit(item, [...path, index]));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, visit(item, [...path, key])]));
  };
  const resolveText = (text: string, path: Path): string => {
    const resolved = text.replace(referencePattern, (whole, kind: string, name: string) => {
      const found = lookUp(kind, name, sources, files);
      if ('value' in found) return found.value;
      problems.push(document.problem('error', path, found.message));
      return whole;
    });
    if (text !== '' && text.search(referencePattern) < 0) warnOfLiteral(text, path);
    return resolved;
  };
  const warnOfLiteral = (text: string, path: Path): void => {
    if (looksSecret(path)) {
      problems.push(
        document.problem(
          'warning',
          path,
          `The secret "${path.at(-1)}" is written out here. Write \${env:NAME} or \${file:/run/secrets/name} and keep the value there.`,
        ),
      );
    } else if (credentialsInUrl.test(text)) {
      problems.push(
        document.problem(
          'warning',
          path,
          `The URL in "${path.at(-1)}" holds a password. Write \${env:NAME} in its place: "postgres://user:\${env:DB_PASSWORD}@host/db".`,
        ),
      );
    }
  };
  return { json: visit(document.json, []), problems, files };
}

/** @param files gets what a file held */
function lookUp(
  kind: string,
  name: string,
  { env, baseDir }: SecretSources,
  files: Map<string, string | undefined>,
): { value: string } | { message: string } {
  if (kind === 'env') {
    const value = env[name];
    if (value !== undefined && value !== '') return { value };
    return { message: `The environment variable ${name} is ${value === '' ? 'empty' : 'not set'}.` };
  }
  if (kind === 'file') {
    const file = resolve(baseDir, name);
    try {
      const text = readFileSync(file, 'utf8');
      files.set(file, text);
      const value = text.replace(/\r?\n$/, '');
      return value === '' ? { message: `The file ${name} is empty.` } : { value };
    } catch (error) {
      files.set(file, undefined);
      return { message: `The file ${name} cannot be read (${(error as NodeJS.ErrnoException).code}).` };
    }
  }
  return { message: `"\${${kind}:${name}}" names no source of values; possible are \${env:NAME} and \${file:/path}.` };
}
