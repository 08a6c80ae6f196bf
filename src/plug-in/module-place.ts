import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Where the code of an adapter module is, or why it cannot be told. */
export type ModulePlace =
  | { readonly kind: 'file'; readonly file: string }
  | { readonly kind: 'problem'; readonly message: string }
  /** A package's name, and there is no such package. */
  | { readonly kind: 'unknown'; readonly packageName: string };

const pathPattern = /^(\.{1,2}[/\\]|[/\\]|file:|[A-Za-z]:[/\\])/;
const packagePattern = /^((?:@[a-z0-9~-][a-z0-9._~-]*\/)?[a-z0-9~-][a-z0-9._~-]*)(\/.+)?$/i;
/** In this order: what a package offers for Node and `import` goes before the rest. */
const conditions: ReadonlySet<string> = new Set(['node', 'import', 'module-sync', 'default', 'require']);

/** True when `type` names a file by its path, rather than a built-in adapter or a package. */
export function isPath(type: string): boolean {
  return pathPattern.test(type);
}

/**
 * Finds the file of a module.
 * @param type as it stands in gateway.yaml: `./adapters/hr.js`, `scimbridge-hr`, `@example/adapters/hr`
 * @param folders where packages are looked for, in this order; paths are relative to the first
 */
export function placeOf(type: string, folders: readonly string[]): ModulePlace {
  if (isPath(type)) return placeOfPath(type, folders[0] ?? '.');
  const [, packageName, subpath = ''] = packagePattern.exec(type) ?? [];
  if (packageName === undefined) {
    return problem(`"${type}" is neither the name of a package nor a path: a path starts with "./", "../" or "/".`);
  }
  for (const folder of folders) {
    const found = packageFolder(packageName, folder);
    if (found !== undefined) return placeInPackage(type, found, `.${subpath}`);
  }
  return { kind: 'unknown', packageName };
}

function placeOfPath(type: string, baseDir: string): ModulePlace {
  const file = type.startsWith('file:') ? fileURLToPath(type) : resolve(baseDir, type);
  if (!existsSync(file)) {
    return problem(`There is no file ${type}: a path is relative to the folder of gateway.yaml.`);
  }
  if (!statSync(file).isFile())
    return problem(`${type} is a folder: name the file in it, such as ${join(type, 'index.js')}.`);
  if (/\.[cm]?tsx?$/.test(file)) {
    return problem(`${type} is TypeScript, which Node does not load: compile it, and name the .js file.`);
  }
  return { kind: 'file', file };
}

function packageFolder(name: string, from: string): string | undefined {
  for (let folder = resolve(from); ; folder = dirname(folder)) {
    const candidate = join(folder, 'node_modules', name);
    if (existsSync(join(candidate, 'package.json'))) return candidate;
    if (dirname(folder) === folder) return undefined;
  }
}

function placeInPackage(type: string, folder: string, subpath: string): ModulePlace {
  let description: { readonly exports?: unknown; readonly main?: unknown };
  try {
    description = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as typeof description;
  } catch {
    return problem(`The package.json of "${type}" cannot be read: install the package again.`);
  }
  const { exports, main } = description;
  const target =
    exports !== undefined
      ? exportTarget(exports, subpath)
      : subpath !== '.'
        ? subpath
        : typeof main === 'string'
          ? main
          : 'index.js';
  const file = target === undefined ? undefined : join(folder, target);
  if (file !== undefined && existsSync(file) && statSync(file).isFile()) return { kind: 'file', file };
  return problem(
    `The package has nothing to load for "${type}": its package.json names no such file in "exports" or "main".`,
  );
}

/** The part of the rules for `exports` that entry points need: conditions, lists and exact subpaths. */
function exportTarget(exports: unknown, subpath: string): string | undefined {
  if (typeof exports === 'string') return subpath === '.' ? exports : undefined;
  if (Array.isArray(exports)) {
    return exports.map((one) => exportTarget(one, subpath)).find((target) => target !== undefined);
  }
  if (typeof exports !== 'object' || exports === null) return undefined;
  const entries = Object.entries(exports);
  const hasSubpaths = entries.some(([key]) => key.startsWith('.'));
  if (hasSubpaths) return exportTarget(entries.find(([key]) => key === subpath)?.[1], '.');
  for (const [condition, value] of entries) {
    const target = conditions.has(condition) ? exportTarget(value, subpath) : undefined;
    if (target !== undefined) return target;
  }
  return undefined;
}

function problem(message: string): ModulePlace {
  return { kind: 'problem', message };
}
