import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { limitsSchema, resourceSchema } from '../../config/file-schema.js';
import { presetNames } from '../../config/files.js';
import { toProblem } from '../../config/source.js';
import { compileMappings } from '../../src/mapping/compile.js';
import { userNamedMappings } from '../../src/mapping/named-mappings.js';
import { ruleObjectSchema } from '../../src/mapping/rule.js';
import { load } from './temp-config.js';

const read = (name: string): string => readFileSync(new URL(`../../docs/${name}`, import.meta.url), 'utf8');
const blocksOf = (text: string): readonly string[] =>
  [...text.matchAll(/```yaml\n(.*?)```/gs)].map(([, block = '']) => block);
const configuration = read('configuration.md');
const mapping = read('mapping.md');

/** A rule set for User as gateway.yaml, with groups beside it. */
function asFile(rules: string): string {
  const indented = rules.replace(/^(?=.)/gm, '          ');
  return `version: 1
adapters: { store: { type: memory } }
gateways:
  corp:
    resources:
      User:
        adapter: store
        mapping:
${indented}
      Group:
        adapter: store
        mapping: { displayName: cn, members: { field: member, reference: { to: [User], by: dn } } }
`;
}

describe('examples in the documentation', () => {
  const files = blocksOf(configuration).filter((block) => block.startsWith('version: 1'));
  const rules = blocksOf(mapping).filter((block) => block.startsWith('# User'));

  it.each([...files, ...rules.map(asFile)])('load without a problem: %#', (text) => {
    const { config, lines, sources } = load({ 'gateway.yaml': text });
    expect(lines).toEqual([]);
    const problems = (config?.gateways ?? []).flatMap(({ resources }) => compileMappings(resources).problems);
    expect(
      problems.map((problem) => toProblem(sources, problem)).filter(({ severity }) => severity === 'error'),
    ).toEqual([]);
  });

  it('are there', () => {
    expect([files.length, rules.length]).toEqual([2, 6]);
  });
});

describe('tables in the documentation', () => {
  it('name every key, named mapping and preset', () => {
    const keys = [...Object.keys(resourceSchema.properties), ...Object.keys(limitsSchema.properties)];
    for (const key of keys) expect(configuration, key).toContain(`\`${key}\``);
    const names = [...Object.keys(ruleObjectSchema.properties), ...Object.keys(userNamedMappings), ...presetNames()];
    for (const name of names) expect(mapping, name).toContain(`\`${name}\``);
  });
});
