import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { relative } from 'node:path';

/**
 * Why Node could not load a module, as the end of a sentence that begins with the module's name, with what to do.
 * @param thrown whatever the import rejected with
 * @param files those that the module is made of
 */
export function loadFailure(thrown: unknown, files: Iterable<string>, baseDir: string): string {
  try {
    return describe(thrown, files, baseDir);
  } catch {
    return 'threw something that cannot be read while it was loaded.';
  }
}

function describe(thrown: unknown, files: Iterable<string>, baseDir: string): string {
  if (!(thrown instanceof Error)) return `threw ${typeof thrown} instead of an Error while it was loaded.`;
  const { code } = thrown as NodeJS.ErrnoException;
  const message = firstLine(thrown.message);
  const place = placeIn(String(thrown.stack), baseDir);
  if (thrown instanceof SyntaxError) {
    return `cannot be loaded${place || syntaxPlace(files, baseDir)}: ${message}. Correct it there.`;
  }
  if (code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND') {
    const name = /(?:package|module) '([^']+)'/.exec(message)?.[1] ?? '';
    const isFile = name === '' || /^([./\\]|file:|[A-Za-z]:)/.test(name);
    return isFile
      ? `imports a file that is not there: ${message}.`
      : `imports the package "${name}", which is not installed where it looks: run "npm install ${name}" in its folder.`;
  }
  return `threw ${thrown.name} while it was loaded${place}: ${message}. Correct it, or what it needs.`;
}

function firstLine(text: string): string {
  return (text.split('\n')[0] ?? '').replace(/\.$/, '').slice(0, 300);
}

/** ` (adapters/hr.js, line 7)`, where the stack names a file that is not Node's own. */
function placeIn(stack: string, baseDir: string): string {
  const [, file, line] =
    /(?:file:\/\/)?((?:\/|[A-Za-z]:[\\/])[^\n():?]*\.[cm]?js)(?:\?[^\s:)]*)?:(\d+)/.exec(stack) ?? [];
  return file === undefined ? '' : ` (${relative(baseDir, file)}, line ${line})`;
}

/** A syntax error carries no place, but Node's own check prints one. */
function syntaxPlace(files: Iterable<string>, baseDir: string): string {
  for (const file of files) {
    if (file.endsWith('.json')) continue;
    const kind = file.endsWith('.cjs') ? 'commonjs' : 'module';
    const { status, stderr } = spawnSync(process.execPath, ['--check', `--input-type=${kind}`, '-'], {
      input: readFileSync(file),
      encoding: 'utf8',
      timeout: 10_000,
    });
    const line = /:(\d+)\s*$/m.exec(stderr.split('\n')[0] ?? '')?.[1];
    if (status !== 0 && line !== undefined) return ` (${relative(baseDir, file)}, line ${line})`;
  }
  return '';
}
