import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { repositoryRoot } from '../support/gateway.js';

export interface Instruction {
  readonly name: string;
  readonly words: string;
}

/** The stages of a Dockerfile, each with its instructions; lines that go on are joined, comments left out. */
export function stagesOf(file: string): readonly (readonly Instruction[])[] {
  const text = readFileSync(join(repositoryRoot, file), 'utf8');
  const lines = text
    .replaceAll(/^#.*\n/gm, '')
    .replaceAll(/\\\n\s*/g, ' ')
    .split('\n');
  const stages: Instruction[][] = [];
  for (const line of lines.filter((one) => one.trim() !== '')) {
    const [, name = '', words = ''] = /^(\S+)\s+(.*)$/.exec(line) ?? [];
    if (name === 'FROM') stages.push([]);
    stages.at(-1)?.push({ name, words });
  }
  return stages;
}

export function wordsOf(stage: readonly Instruction[], name: string): readonly string[] {
  return stage.filter((one) => one.name === name).map(({ words }) => words);
}

/** The command of an instruction in exec form, `CMD ["a", "b"]`, also behind options. */
export function execForm(words: string): readonly string[] {
  return JSON.parse(words.slice(words.indexOf('['))) as readonly string[];
}
