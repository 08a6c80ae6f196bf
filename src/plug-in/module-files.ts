import { hash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/** `import … from './x.js'`, `export … from`, `import('./x.js')`, `require('./x.js')`: relative ones only. */
const relativeImport = /\b(?:from|import|require)\s*\(?\s*(['"])(\.{1,2}\/[^'"\n]+)\1/g;
const maxFiles = 500;

/**
 * SHA-256 of the module's file and of all files that it imports by relative paths, by absolute name; undefined for those
 * that cannot be read. Packages that it imports are not among them.
 */
export function moduleFiles(entry: string): ReadonlyMap<string, string | undefined> {
  const found = new Map<string, string | undefined>();
  const waiting = [entry];
  for (let file = waiting.pop(); file !== undefined && found.size < maxFiles; file = waiting.pop()) {
    if (found.has(file)) continue;
    const text = readText(file);
    found.set(file, text === undefined ? undefined : hash('sha256', text));
    for (const [, , target = ''] of text?.matchAll(relativeImport) ?? []) {
      waiting.push(fileOf(resolve(dirname(file), target)));
    }
  }
  return found;
}

/** `require('./x')` may leave out the ending. */
function fileOf(path: string): string {
  const candidates = [path, `${path}.js`, `${path}.cjs`, `${path}.json`, resolve(path, 'index.js')];
  return candidates.find((candidate) => statSync(candidate, { throwIfNoEntry: false })?.isFile()) ?? path;
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
