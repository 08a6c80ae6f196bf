import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../config/load.js';
import { compileMappings } from '../../src/mapping/compile.js';
import { realAdapterSchemas } from './real-adapter-schemas.js';
import { load, withResources } from './temp-config.js';

const resources = '      User: { adapter: app, mapping: { userName: login } }\n';

function withSection(section: string): string {
  return withResources(resources).replace('{ store: { type: memory } }', `{ app: ${section} }`);
}

const base =
  'adapter: { type: sqlite, file: base.db, entities: { people: { table: users }, teams: { table: teams } } }';

describe('use in the section of an adapter', () => {
  it('says what the section does not say; objects are merged, and null takes out', () => {
    const { config, lines } = load({
      'gateway.yaml': withSection(
        '{ type: sqlite, use: ./base.yaml, busyTimeoutMs: 5, entities: { people: { table: staff }, teams: null } }',
      ),
      'base.yaml': base,
    });
    expect(lines).toEqual([]);
    expect(config?.adapters.get('app')?.settings).toEqual({
      type: 'sqlite',
      file: 'base.db',
      busyTimeoutMs: 5,
      entities: { people: { table: 'staff' } },
    });
  });

  it('takes several, the later ones over the earlier ones', () => {
    const { config, lines } = load({
      'gateway.yaml': withSection('{ type: sqlite, use: [./base.yaml, ./more.yaml] }'),
      'base.yaml': base,
      'more.yaml': 'adapter: { type: sqlite, file: more.db }',
    });
    expect(lines).toEqual([]);
    expect(config?.adapters.get('app')?.settings).toMatchObject({
      file: 'more.db',
      entities: { teams: { table: 'teams' } },
    });
  });

  it('is read again with the file that it names', () => {
    const { files, dir } = load({
      'gateway.yaml': withSection('{ type: sqlite, use: ./base.yaml }'),
      'base.yaml': base,
    });
    expect(files).toContain(`${dir}/base.yaml`);
  });

  it.each([
    ['{ type: memory, use: ./base.yaml }', '"./base.yaml" is for adapters of type "sqlite".'],
    ['{ type: sqlite, use: ./rules.yaml }', '"./rules.yaml" has nothing for an adapter'],
    ['{ type: sqlite, use: unifybroker }', '"unifybroker" has nothing for an adapter'],
    ['{ type: sqlite, use: scim-taget }', 'There is no preset "scim-taget"; did you mean "scim-target"?'],
    ['{ type: sqlite, use: [./wrong.yaml] }', '"fiel" is not known here'],
  ])('names what is wrong, with its place: %s', (section, message) => {
    const { lines } = load({
      'gateway.yaml': withSection(section),
      'base.yaml': base,
      'rules.yaml': 'mapping: { title: title }',
      'wrong.yaml': 'adapter: { type: sqlite, fiel: x }',
    });
    expect(lines.filter((line) => line.includes(message))).toHaveLength(1);
    expect(lines.join('\n')).toMatch(/gateway\.yaml:2:/);
  });
});

describe('preset scim-target', () => {
  it('maps users and groups as the preset scim does, without a problem', () => {
    const { config, lines } = load({
      'gateway.yaml': withResources(
        '      User: { adapter: store, use: scim-target }\n      Group: { adapter: store, use: scim-target }\n',
      ),
    });
    expect(lines).toEqual([]);
    expect(compileMappings(config?.gateways[0]?.resources ?? []).problems).toEqual([]);
    const keys = config?.gateways[0]?.resources.map(({ rules }) => rules.map(({ key }) => key)) ?? [];
    expect(keys[0]).toEqual(expect.arrayContaining(['userName', 'emails', 'groups']));
    expect(keys[1]).toEqual(['externalId', 'displayName', 'members']);
  });

  it.each(['scim-target', '[scim-target, scim-target-cursors]'])(
    'makes another SCIM server a backend in four lines: use: %s',
    async (use) => {
      const text = `version: 1
adapters:
  app:
    type: rest
    use: ${use}
    baseUrl: https://app.example.com/scim/v2
    auth: { kind: bearer, token: "\${env:APP_TOKEN}" }
gateways:
  corp:
    resources:
      User: { adapter: app, entity: Users, use: scim-target }
      Group: { adapter: app, entity: Groups, use: scim-target }
`;
      const { dir } = load({ 'gateway.yaml': text });
      const adapterSchemas = await realAdapterSchemas();
      const { config, problems } = loadConfig({ file: `${dir}/gateway.yaml`, adapterSchemas, env: { APP_TOKEN: 'x' } });
      expect(problems).toEqual([]);
      expect(compileMappings(config?.gateways[0]?.resources ?? []).problems).toEqual([]);
      const settings = config?.adapters.get('app')?.settings;
      const { entities } = settings as { readonly entities: Readonly<Record<string, { readonly fields: object }>> };
      const resources = config?.gateways[0]?.resources ?? [];
      for (const { entity, rules } of resources) {
        const fields = rules.map(({ rule }) => rule.field).filter((field) => field !== undefined);
        expect(Object.keys(entities[entity]?.fields ?? {})).toEqual(expect.arrayContaining(fields));
      }
    },
  );
});
