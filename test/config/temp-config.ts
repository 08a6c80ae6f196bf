import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';
import { type LoadResult, loadConfig } from '../../config/load.js';
import { formatProblem } from '../../config/problem.js';
import { adapterSchemas } from './adapter-schemas.js';

export interface Loaded extends LoadResult {
  readonly dir: string;
  /** The problems as lines, without the folder. */
  readonly lines: readonly string[];
}

/** Writes files into a folder of their own, which goes with the test, and loads its gateway.yaml. */
export function load(files: Readonly<Record<string, string>>, env: NodeJS.ProcessEnv = {}): Loaded {
  const dir = mkdtempSync(join(tmpdir(), 'scimbridge-config-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, name)), { recursive: true });
    writeFileSync(join(dir, name), text);
  }
  const result = loadConfig({ file: join(dir, 'gateway.yaml'), adapterSchemas, env });
  return { ...result, dir, lines: result.problems.map((problem) => formatProblem(problem).replaceAll(`${dir}/`, '')) };
}

/** A gateway.yaml with one gateway `corp` on a memory adapter; `resources` is its YAML, indented by six. */
export function withResources(resources: string, top = ''): string {
  return `version: 1\n${top}adapters: { store: { type: memory } }\ngateways:\n  corp:\n    resources:\n${resources}`;
}
