import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse, parseDocument } from 'yaml';
import { loadConfig } from '../../config/load.js';
import { adapterSchemas } from './adapter-schemas.js';
import { load, withResources } from './temp-config.js';

const userOnly = '      User: { adapter: store, use: [scim] }\n';

describe('loadConfig', () => {
  it('without a file gives one gateway at /scim with users and groups in a managed store', () => {
    const { config, problems } = loadConfig({ adapterSchemas });
    expect(problems).toEqual([]);
    expect(config?.adapters.get('store')).toMatchObject({ type: 'sqlite', settings: { file: 'store.db' } });
    expect(config).toMatchObject({ file: undefined, listen: { host: '127.0.0.1', port: 8080 } });
    const [gateway] = config?.gateways ?? [];
    expect(gateway).toMatchObject({ id: 'default', address: '/scim', enabled: true, strict: false });
    expect(gateway?.resources.map(({ type, entity }) => [type.name, type.endpoint, entity])).toEqual([
      ['User', '/Users', 'User'],
      ['Group', '/Groups', 'Group'],
    ]);
  });

  it('fills in every default', () => {
    const { config, dir } = load({ 'gateway.yaml': withResources(userOnly) });
    expect(config).toMatchObject({ baseDir: dir, dataDir: join(dir, 'data'), log: { level: 'info' } });
    expect(config?.publicUrl).toBeUndefined();
    expect(config?.gateways[0]).toMatchObject({
      name: 'corp',
      auth: { tokens: { validityDays: 365 } },
      limits: {
        maxResults: 1000,
        defaultResults: 100,
        scanLimit: 10_000,
        bodyBytes: 33_554_432,
        bulkOperations: 1000,
        bulkBytes: 4_194_304,
        requestSeconds: 25,
        maxMembers: 250_000,
        filterLength: 8192,
      },
      pagination: { default: 'index', cursorTimeoutSeconds: 3600 },
      requireIfMatch: false,
      sensitiveFilters: [],
      resources: [
        {
          operations: { create: true, update: true, delete: true, list: true },
          unmapped: 'drop',
          shared: false,
          canonicalValues: 'free',
        },
      ],
    });
  });

  it('gives each of several gateways an address of its own', () => {
    const resources = `    resources:\n${userOnly}`;
    const text = `version: 1\nadapters: { store: { type: memory } }\ngateways:\n  one:\n${resources}  two:\n${resources}`;
    const { config, lines } = load({ 'gateway.yaml': text });
    expect(lines).toEqual([]);
    expect(config?.gateways.map(({ address }) => address)).toEqual(['/one/scim', '/two/scim']);
  });

  it('resolves paths from the folder of the file, addresses and URLs without a trailing slash', () => {
    const top = 'publicUrl: https://scim.example.com/base/\ndata: state\nlisten: "[::1]:9000"\n';
    const text = withResources(userOnly, top).replace('    resources', '    address: /\n    resources');
    const { config, dir } = load({ 'gateway.yaml': text });
    expect(config).toMatchObject({
      publicUrl: 'https://scim.example.com/base',
      dataDir: join(dir, 'state'),
      listen: { host: '::1', port: 9000 },
      gateways: [{ address: '' }],
    });
  });

  it('lowers defaults to the bounds that are written', () => {
    const limits = 'limits: { maxResults: 50, bodyBytes: 65536 }';
    const text = withResources(userOnly).replace('    resources', `    ${limits}\n    resources`);
    const { config, lines } = load({ 'gateway.yaml': text });
    expect(lines).toEqual([]);
    expect(config?.gateways[0]?.limits).toMatchObject({ defaultResults: 50, bulkBytes: 65_536 });
  });

  it('refuses unmapped attributes when the gateway is strict', () => {
    const text = withResources(userOnly).replace('    resources', '    strict: true\n    resources');
    expect(load({ 'gateway.yaml': text }).config?.gateways[0]?.resources[0]?.unmapped).toBe('reject');
  });

  it('says so when the file cannot be read', () => {
    const { config, problems } = loadConfig({ file: '/no/such/gateway.yaml', adapterSchemas });
    expect(config).toBeUndefined();
    expect(problems).toMatchObject([{ severity: 'error', file: '/no/such/gateway.yaml', line: 1, column: 1 }]);
  });

  it('finds networks of proxies that are none', () => {
    const lines = (list: string) =>
      load({ 'gateway.yaml': withResources(userOnly, `trustedProxies: [${list}]\n`) }).lines;
    expect(lines("10.0.0.0/8, '::1', 192.0.2.1, 'fd00::/8'")).toEqual([]);
    for (const wrong of ['10.0.0/8', '10.0.0.0/33', "'::1/129'", "'1:2'"]) expect(lines(wrong)).toHaveLength(1);
  });

  it('gives a config when there are only warnings, and a draft in spite of errors', () => {
    const unused = withResources(userOnly).replace('{ store:', '{ spare: { type: memory }, store:');
    expect(load({ 'gateway.yaml': unused }).config).toBeDefined();
    const broken = withResources(userOnly).replace('User: {', 'User: { colour: red, idPrefix: 7,');
    const { config, draft, lines } = load({ 'gateway.yaml': broken });
    expect(lines).toHaveLength(2);
    expect(config).toBeUndefined();
    expect(draft?.gateways[0]?.resources[0]?.rules.length).toBeGreaterThan(20);
  });

  it('goes on to adapters, presets and schemas after values of a wrong shape', () => {
    const resources = `      User: { adapter: stor, use: [scmi], mapping: { title: 5 }, extensions: [urn:example:nowhere] }\n`;
    const text = withResources(resources).replace('    resources', '    enabled: maybe\n    resources');
    const { lines } = load({ 'gateway.yaml': text });
    expect(lines.map((line) => line.split(':').slice(0, 3).join(':'))).toEqual([
      'gateway.yaml:5:14',
      'gateway.yaml:7:24',
      'gateway.yaml:7:36',
      'gateway.yaml:7:61',
      'gateway.yaml:7:79',
    ]);
  });
});

describe('what the RFCs ask of a configuration', () => {
  const problemsOf = (text: string): readonly string[] => load({ 'gateway.yaml': text }).lines;
  const schema = (attribute: string): string => {
    return `schemas: [{ id: 'urn:example:params:scim:schemas:extension:acme:2.0:User', attributes: [${attribute}] }]\n`;
  };
  const extended = `      User: { adapter: store, use: [scim], extensions: ['urn:example:params:scim:schemas:extension:acme:2.0:User'] }\n`;

  it('refuses a base URL with a query string [7644-1.3-01]', () => {
    expect(problemsOf(withResources(userOnly, 'publicUrl: https://scim.example.com/?a=1\n'))).toHaveLength(1);
    expect(problemsOf(withResources(userOnly, 'publicUrl: https://scim.example.com/a\n'))).toEqual([]);
    const address = withResources(userOnly).replace('    resources', '    address: /scim?a=1\n    resources');
    expect(problemsOf(address)[0]).toMatch(/^gateway\.yaml:5:14: error/);
  });

  it('refuses two resource types at one endpoint [7643-6-07]', () => {
    const people = "People: { adapter: store, schema: 'urn:ietf:params:scim:schemas:core:2.0:User', use: [scim]";
    expect(problemsOf(withResources(`${userOnly}      ${people}, endpoint: /Users }\n`))[0]).toMatch(
      /^gateway\.yaml:7:/,
    );
    expect(problemsOf(withResources(`${userOnly}      ${people}, endpoint: /People }\n`))).toEqual([]);
  });

  it('refuses attribute names outside of the grammar [7643-2.1-03]', () => {
    for (const name of ['1abc', 'a.b', '"a b"']) {
      expect(problemsOf(withResources(extended, schema(`{ name: ${name} }`)))[0], name).toMatch(/:2:\d+: error/);
    }
    expect(problemsOf(withResources(extended, schema('{ name: a-b_c$1 }')))).toEqual([]);
  });

  it('refuses data types that RFC 7643 does not have [7643-2.3-01]', () => {
    expect(problemsOf(withResources(extended, schema('{ name: key, type: uuid }')))[0]).toMatch(/is one of string/);
  });

  it('refuses sub-attributes of a simple attribute, and complex ones inside a complex one [7643-1.2-01 7643-2.3.8-01]', () => {
    const simple = '{ name: desk, type: string, subAttributes: [{ name: floor }] }';
    expect(problemsOf(withResources(extended, schema(simple)))).toHaveLength(1);
    const inner = '{ name: inner, type: complex, subAttributes: [{ name: x }] }';
    const nested = `{ name: outer, type: complex, subAttributes: [${inner}] }`;
    expect(problemsOf(withResources(extended, schema(nested)))).toHaveLength(1);
  });

  it('warns of an extension that redefines a core attribute [7643-3.3-04]', () => {
    for (const name of ['userName', 'Title']) {
      const found = load({ 'gateway.yaml': withResources(extended, schema(`{ name: ${name} }`)) });
      expect(found.lines).toEqual([expect.stringMatching(/^gateway\.yaml:2:\d+: warning: .* redefines/)]);
      expect(found.config).toBeDefined();
    }
  });

  it('refuses a required extension that no rule maps, and warns of its required attributes [7643-6-01]', () => {
    const required = (mapping: string): string => {
      const extension = "{ schema: 'urn:example:params:scim:schemas:extension:acme:2.0:User', required: true }";
      const attributes = '{ name: badge, required: true }, { name: desk }';
      return withResources(
        `      User: { adapter: store, extensions: [${extension}], mapping: { userName: uid${mapping} } }\n`,
        schema(attributes),
      );
    };
    expect(problemsOf(required(''))).toEqual([expect.stringMatching(/: error: The extension .* is required/)]);
    expect(problemsOf(required(', desk: room'))).toEqual([expect.stringMatching(/: warning: "badge" is required/)]);
    expect(problemsOf(required(', badge: badge'))).toEqual([]);
  });

  it('reads custom resource types with their schema and endpoint [7643-6-03]', () => {
    const device =
      "schemas: [{ id: 'urn:example:params:scim:schemas:core:2.0:Device', attributes: [{ name: serial }] }]\n";
    const section =
      "      Device: { adapter: store, schema: 'urn:example:params:scim:schemas:core:2.0:Device', use: [scim] }\n";
    const { config, lines } = load({ 'gateway.yaml': withResources(section, device) });
    expect(lines).toEqual([]);
    const [resource] = config?.gateways[0]?.resources ?? [];
    expect(resource?.type).toMatchObject({ name: 'Device', endpoint: '/Devices' });
    expect(resource?.rules.map(({ key }) => key)).toEqual(['externalId', 'serial']);
  });
});

describe('a file that is wrong in any place', () => {
  const text = `version: 1
listen: 127.0.0.1:8080
publicUrl: https://scim.example.com
schemas: [{ id: 'urn:example:acme', attributes: [{ name: badge }] }]
adapters: { store: { type: sqlite, entities: { people: { table: people } } } }
gateways:
  corp:
    address: /scim
    auth: { tokens: { validityDays: 120 } }
    limits: { maxResults: 10 }
    sensitiveFilters: [emails]
    resources:
      User:
        adapter: store
        entity: people
        extensions: [{ schema: 'urn:example:acme', required: true }]
        use: [unifybroker]
        mapping: { badge: { field: badge, codec: { name: join } }, userName: uid }
        operations: { list: lookup }
`;
  type Steps = readonly (string | number)[];
  const pathsIn = (value: unknown, path: Steps): readonly Steps[] =>
    typeof value === 'object' && value !== null
      ? Object.entries(value).flatMap(([key, item]) => {
          const own = [...path, Array.isArray(value) ? Number(key) : key];
          return [own, ...pathsIn(item, own)];
        })
      : [];

  it.each([null, 5, 'x y', [[]], {}])('is a list of problems with places, never an exception: %j', (wrong) => {
    for (const path of pathsIn(parse(text), [])) {
      const document = parseDocument(text);
      document.setIn(path, document.createNode(wrong));
      const { problems } = load({ 'gateway.yaml': String(document) });
      for (const { line, column, message } of problems) {
        expect(line, message).toBeGreaterThan(0);
        expect(column, message).toBeGreaterThan(0);
        expect(message).not.toMatch(/undefined|\[object/);
      }
    }
  });
});
