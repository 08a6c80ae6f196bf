import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../config/load.js';
import { formatProblem } from '../../config/problem.js';
import { adapterSchemas } from './adapter-schemas.js';

const folder = fileURLToPath(new URL('../golden/config/', import.meta.url));
const cases = readdirSync(folder).filter((name) => name.endsWith('.yaml'));

/** The problems that a case expects stand in its last lines: `#! 4:14: error: …`, with a file's name where it is another. */
function expectedIn(name: string): readonly string[] {
  return readFileSync(join(folder, name), 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('#! '))
    .map((line) => (/^#! \d/.test(line) ? `${name}:${line.slice(3)}` : line.slice(3)));
}

describe('problems of gateway.yaml, with file, line and column', () => {
  it.each(cases)('%s', (name) => {
    const file = join(folder, name);
    const { problems, config } = loadConfig({ file, adapterSchemas, env: {} });
    const found = problems.map((problem) => formatProblem(problem).replaceAll(`${dirname(file)}/`, ''));
    expect(found).toEqual(expectedIn(name));
    expect(found.length).toBeGreaterThan(0);
    expect(config === undefined).toBe(problems.some(({ severity }) => severity === 'error'));
  });
});
