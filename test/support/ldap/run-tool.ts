import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';

export interface ToolOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
}

/**
 * Runs a command to its end.
 * @returns what it printed
 * @throws Error with everything that it printed, unless it ends with 0
 */
export async function runTool(command: string, args: readonly string[], options: ToolOptions = {}): Promise<string> {
  const child = spawn(command, args, {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, ...options.env },
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  });
  child.stdin.on('error', () => {}); // It may end before it has read everything.
  child.stdin.end(options.input ?? '');
  const [out, errors, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  if (code !== 0) throw new Error(`${command} ended with ${code}: ${errors}${out}`);
  return out;
}

/** Changes with each version of a Debian package. */
export function packageState(name: string): Promise<string> {
  return runTool('dpkg-query', ['-s', name]);
}
