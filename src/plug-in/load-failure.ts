import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * Why Node could not load a module, as the end of a sentence that begins with the module's name, with what to do.
 * @param thrown whatever the import rejected with
 */
export function loadFailure(thrown: unknown, baseDir: string): string {
  try {
    return describe(thrown, baseDir);
  } catch {
    return 'threw something that cannot be read while it was loaded.';
  }
}

function describe(thrown: unknown, baseDir: string): string {
  if (!(thrown instanceof Error)) return `threw ${typeof thrown} instead of an Error while it was loaded.`;
  const { code } = thrown as NodeJS.ErrnoException;
  const message = firstLine(thrown.message);
  const place = placeIn(String(thrown.stack), baseDir);
  if (thrown instanceof SyntaxError) return `cannot be loaded${place}: ${message}. Correct it there.`;
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
  const [, url = '', line = ''] = /(file:\/\/[^\s:)?]+)(?:\?[^\s:)]*)?:(\d+)/.exec(stack) ?? [];
  return url === '' ? '' : ` (${relative(baseDir, fileURLToPath(url))}, line ${line})`;
}
