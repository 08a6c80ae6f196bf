import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadAdapterModules } from '../../adapters/registry.js';
import { loadConfig } from '../../config/load.js';
import { formatProblem } from '../../config/problem.js';
import { toProblem } from '../../config/source.js';
import { checkDeclared, compileGateway } from '../../src/composition.js';

const directory = `
  directory:
    type: ldap
    url: ldaps://dc.example.com
    bind: { dn: "cn=scim", password: "secret" }
    entities:
      people: { base: "ou=people" }
      groups: { base: "ou=groups", fields: { team: uniqueMember } }`;
const tables = `
  hr:
    type: sqlite
    file: ./hr.db
    entities:
      people: { table: users, key: id, fields: { login: login, name: name } }`;

/** The problems of a mapping for groups in the directory and people in the tables. */
async function problemsOf(members: string, groups = ''): Promise<readonly string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'check-references-'));
  const file = join(folder, 'gateway.yaml');
  writeFileSync(
    file,
    `version: 1
adapters:${tables}${directory}
gateways:
  corp:
    resources:
      User:
        adapter: hr
        entity: people
        mapping:
          userName: login${groups}
      Group:
        adapter: directory
        entity: groups
        mapping:
          displayName: cn
          members: ${members}
`,
  );
  const modules = await loadAdapterModules();
  const adapterSchemas = new Map([...modules].map(([type, { configSchema }]) => [type, configSchema]));
  const loaded = loadConfig({ file, adapterSchemas });
  rmSync(folder, { recursive: true });
  const { config } = loaded;
  if (config === undefined) throw new Error(loaded.problems.map(({ message }) => message).join('\n'));
  return config.gateways
    .flatMap((gateway) => [...compileGateway(gateway).problems, ...checkDeclared(config, gateway, modules)])
    .filter(({ severity }) => severity === 'error')
    .map((problem) => formatProblem(toProblem(loaded.sources, problem)).replace(/^.*gateway\.yaml:/, ''));
}

describe('references into another backend', () => {
  it('may be by id in a field of text, or by a field of the other backend', async () => {
    expect(await problemsOf('{ field: memberUid, reference: { to: [User] } }')).toEqual([]);
    expect(await problemsOf('{ field: memberUid, reference: { to: [User], by: login } }')).toEqual([]);
    expect(await problemsOf('{ field: member, reference: { to: [User], by: name } }')).toEqual([]);
  });

  it('are refused by id where the directory keeps names of its own entries', async () => {
    for (const field of ['member', 'team']) {
      const [problem, ...others] = await problemsOf(`{ field: ${field}, reference: { to: [Group, User] } }`);
      expect(others).toEqual([]);
      expect(problem).toMatch(
        /^2\d:\d+: error: A User lives in another backend \("hr"\)\. The attribute ".*ember".*memberUid/,
      );
    }
  });

  it('are refused by a field that the other backend has not', async () => {
    const [problem] = await problemsOf('{ field: memberUid, reference: { to: [User], by: dn } }');
    expect(problem).toMatch(/^2\d:\d+: error: The entity "people" of the adapter "hr" has no field "dn".*login, name/);
  });

  it('are refused as the other end of a rule that does not refer to the type', async () => {
    const groups =
      '\n          groups: { field: groups, readOnly: true, reference: { to: [Group], inverseOf: Group.members } }';
    expect(await problemsOf('{ field: member, reference: { to: [Group] } }', groups)).toEqual([
      expect.stringMatching(
        /^23:\d+: error: "members" of Group does not refer to User: add it to the "to" of that rule\./,
      ),
    ]);
    expect(await problemsOf('{ field: memberUid, reference: { to: [User], by: login } }', groups)).toEqual([]);
  });
});
