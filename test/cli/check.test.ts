import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadAdapterModules } from '../../adapters/registry.js';
import { loadConfig } from '../../config/load.js';
import { formatProblem, sortProblems } from '../../config/problem.js';
import { toProblem } from '../../config/source.js';
import { addCheck } from '../../src/cli/check.js';
import { runCli } from '../../src/cli/cli.js';
import { addExplain } from '../../src/cli/explain.js';
import { checkDeclared, compileGateway } from '../../src/composition.js';
import type { Configuration } from '../../src/serving/configuration.js';

const text = `version: 1
adapters:
  hr:
    type: sqlite
    file: ./hr.db
    entities:
      people:
        table: employees
        key: id
        fields: { login: login, first: first_name, mail: email, enabled: is_active }
gateways:
  default:
    address: /scim
    resources:
      User:
        adapter: hr
        entity: people
        mapping:
          userName: { field: login, unique: true, required: true }
          externalId: mail
          active: { field: enabled, default: true }
          name.givenName: first
`;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'scimbridge-check-'));
  const db = new Database(join(folder, 'hr.db'));
  db.exec(
    'CREATE TABLE employees (id TEXT PRIMARY KEY, login TEXT UNIQUE, first_name TEXT, email TEXT, is_active INTEGER)',
  );
  db.close();
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function configure(file: string | undefined): Promise<Configuration> {
  const modules = await loadAdapterModules();
  const adapterSchemas = new Map([...modules].map(([type, module]) => [type, module.configSchema]));
  const loaded = loadConfig({ ...(file === undefined ? {} : { file }), adapterSchemas });
  const { draft } = loaded;
  const compiled = (draft?.gateways ?? []).map((gateway) => ({ gateway, ...compileGateway(gateway) }));
  const found = compiled.flatMap(({ gateway, problems }) => [
    ...problems,
    ...(draft === undefined ? [] : checkDeclared(draft, gateway, modules)),
  ]);
  return {
    ...loaded,
    plans: new Map(compiled.map(({ gateway, plans }) => [gateway.id, plans])),
    problems: sortProblems(
      [...loaded.problems, ...found.map((problem) => toProblem(loaded.sources, problem))],
      [...loaded.sources.documents.keys()],
    ),
    modules,
  };
}

async function run(yaml: string | undefined, ...args: readonly string[]): Promise<{ code: number; out: string }> {
  const file = join(folder, 'gateway.yaml');
  if (yaml !== undefined) writeFileSync(file, yaml);
  let out = '';
  const output = { write: (part: string) => (out += part) };
  const code = await runCli(
    args.map((argument) => (argument === 'FILE' ? file : argument)),
    [addCheck, addExplain],
    {
      version: '0',
      stdout: output,
      stderr: output,
      configure,
      builtInModules: loadAdapterModules,
      formatProblem,
      stopRequested: () => new Promise(() => undefined),
      onReloadRequest: () => () => undefined,
    },
  );
  return { code, out: out.replaceAll(file, 'gateway.yaml') };
}

describe('check', () => {
  it('says nothing of a file without faults, and exits with 0', async () => {
    expect(await run(text, 'check', 'FILE')).toEqual({ code: 0, out: 'gateway.yaml: no errors, 0 warnings.\n' });
  });

  it('reports several problems at once with file, line, column and what would be right', async () => {
    const { code, out } = await run(
      text.replace('first\n', 'frist\n').replace('userName: {', 'userNam: {').replace('default: true', 'defalt: true'),
      'check',
      'FILE',
    );
    expect(code).toBe(2);
    expect(out).toMatch(/gateway\.yaml:19:11: error: "userNam" names no attribute of User\. .*userName/);
    expect(out).toMatch(/gateway\.yaml:21:37: error: .*"defalt".*"default"/);
    expect(out).toMatch(
      /gateway\.yaml:22:27: error: The entity "people" of the adapter "hr" has no field "frist"; it has login, first, mail, enabled\./,
    );
    expect(out).toMatch(/gateway\.yaml: 3 errors, 0 warnings/);
  });

  it('finds an entity that the adapter does not have, without connecting', async () => {
    const { code, out } = await run(text.replace('entity: people', 'entity: peple'), 'check', 'FILE');
    expect(code).toBe(2);
    expect(out).toContain('gateway.yaml:17:17: error: The adapter "hr" has no entity "peple"; it has people.');
  });

  it('says of an entity without its fields that, and no more', async () => {
    const { code, out } = await run(text.replace(/ {8}fields: .*\n/, ''), 'check', 'FILE');
    expect(code).toBe(2);
    expect(out).toMatch(
      /^gateway\.yaml:\d+:\d+: error: "fields" is missing in "people"\. [^\n]*\ngateway\.yaml: 1 error, /,
    );
  });

  it('--connect compares with the real tables', async () => {
    const { code, out } = await run(text.replace('mail: email', 'mail: e_mail'), 'check', '--connect', 'FILE');
    expect(code).toBe(2);
    expect(out).toMatch(/gateway\.yaml:10:\d+: error: The table "employees" has no column "e_mail"/);
  });

  it('--json gives the problems as data', async () => {
    const { out } = await run(text.replace('entity: people', 'entity: peple'), 'check', '--json', 'FILE');
    expect(out).toContain('"line": 17');
  });
});

describe('explain', () => {
  it('shows what is sent to the backend for a filter and what is left to do here', async () => {
    const { code, out } = await run(
      text,
      'explain',
      'filter',
      'User',
      'userName eq "bob" and active eq true',
      '--config',
      'FILE',
    );
    expect(code).toBe(0);
    expect(out).toMatch(/Understood as +userName eq "bob" and active eq true/);
    expect(out).toMatch(/Sent to the backend +SELECT .*"login".*'bob'/);
    expect(out).toMatch(/Evaluated here +nothing: the backend selects exactly/);
  });

  it('shows a refusal as the caller would see it', async () => {
    const { code, out } = await run(text, 'explain', 'filter', 'User', 'title eq "x"', '--config', 'FILE');
    expect(code).toBe(0);
    expect(out).toMatch(/Refused +400 invalidFilter/);
    expect(out).toContain('title: <field>');
  });

  it('shows the field changes of a PATCH, what is read first and what is dropped', async () => {
    const patch = join(folder, 'patch.json');
    writeFileSync(
      patch,
      JSON.stringify({
        schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
        Operations: [
          { op: 'Replace', path: 'active', value: 'False' },
          { op: 'add', path: 'title', value: 'Guide' },
        ],
      }),
    );
    const { out } = await run(text, 'explain', 'patch', 'User', patch, '--config', 'FILE');
    expect(out).toMatch(/Changes +set enabled = false/);
    expect(out).toMatch(/Read first +nothing/);
    expect(out).toMatch(/Sent to the backend +UPDATE "employees"|BEGIN|SELECT/);
    expect(out).toMatch(/Dropped +title: not mapped/);
  });

  it('shows the record that a resource becomes', async () => {
    const body = join(folder, 'user.json');
    writeFileSync(body, JSON.stringify({ userName: 'bob', name: { givenName: 'Bob' } }));
    const { out } = await run(text, 'explain', 'resource', 'User', body, '--config', 'FILE');
    expect(out).toMatch(/login = "bob"/);
    expect(out).toMatch(/enabled = true/);
  });

  it.each([
    ['entra-id', /userPrincipalName +userName +keep +matching precedence 1/],
    ['okta', /name\.givenName +urn:ietf:params:scim:schemas:core:2\.0:User +string/],
    ['onelogin', /"userName": "\{\$parameters\.scimusername\}"/],
    ['pingfederate', /userName +required/],
  ])('prints the attribute contract for %s', async (provider, expected) => {
    const { code, out } = await run(text, 'explain', 'mapping', '--for', provider, '--config', 'FILE');
    expect(code).toBe(0);
    expect(out).toMatch(expected);
  });

  it("prints OneLogin's contract as its JSON template, which is JSON", async () => {
    const { out } = await run(text, 'explain', 'mapping', 'User', '--for', 'onelogin', '--config', 'FILE');
    expect(JSON.parse(out.slice(out.indexOf('{')))).toEqual({
      schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'],
      userName: '{$parameters.scimusername}',
      externalId: '{$user.id}',
      active: '{$user.active}',
      name: { givenName: '{$user.firstname}' },
    });
  });
});
