import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Ajv } from 'ajv';
import addFormats from 'ajv-formats';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { editorSchema } from '../../config/editor-schema.js';
import {
  authSchema,
  gatewayFileSchema,
  gatewaySchema,
  limitsSchema,
  resourceSchema,
} from '../../config/file-schema.js';
import { loadConfig } from '../../config/load.js';
import { toProblem } from '../../config/source.js';
import { compileMappings } from '../../src/mapping/compile.js';
import { referenceSchema, ruleObjectSchema } from '../../src/mapping/rule.js';
import { realAdapterSchemas } from './real-adapter-schemas.js';

const root = new URL('../../', import.meta.url);
const example = fileURLToPath(new URL('gateway.example.yaml', root));
const exampleText = readFileSync(example, 'utf8');

async function validator(): Promise<(data: unknown) => readonly string[]> {
  const ajv = new Ajv({ allErrors: true, strict: false });
  addFormats.default(ajv);
  const validate = ajv.compile(editorSchema(await realAdapterSchemas()));
  return (data) => {
    validate(data);
    return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
  };
}

describe('schemas/gateway.schema.json', () => {
  it('is what the program generates: `npm run schema` writes it anew', async () => {
    const written: unknown = JSON.parse(readFileSync(new URL('schemas/gateway.schema.json', root), 'utf8'));
    expect(written).toEqual(JSON.parse(JSON.stringify(editorSchema(await realAdapterSchemas()))));
  });

  it('accepts the example, and checks the section of an adapter by its type', async () => {
    const validate = await validator();
    expect(validate(parse(exampleText))).toEqual([]);
    const gateways = { corp: { resources: { User: { adapter: 'store', mapping: { userName: 'uid' } } } } };
    expect(validate({ version: 1, adapters: { store: { type: 'sqlite', fiel: 'x' } }, gateways })).not.toEqual([]);
    expect(validate({ version: 1, adapters: { store: { type: './our-adapter.js', any: 'x' } }, gateways })).toEqual([]);
  });

  it('offers attribute paths, named mappings and presets', async () => {
    const text = JSON.stringify(editorSchema(await realAdapterSchemas()));
    for (const key of ['name.givenName', 'emails', 'workEmail', 'securityEnabled', 'scim', 'unifybroker']) {
      expect(text).toContain(`"${key}"`);
    }
  });

  it('describes every key of the file', () => {
    const schemas = [gatewayFileSchema, gatewaySchema, resourceSchema, limitsSchema, ruleObjectSchema, referenceSchema];
    for (const { properties } of schemas) {
      for (const [key, property] of Object.entries(properties)) {
        const described = 'description' in property || 'properties' in property;
        expect(described, key).toBe(true);
      }
    }
  });
});

describe('gateway.example.yaml', () => {
  it('has no problem, nor has its mapping', async () => {
    const { config, problems, sources } = loadConfig({
      file: example,
      adapterSchemas: await realAdapterSchemas(),
      env: {},
    });
    expect(problems).toEqual([]);
    const found = (config?.gateways ?? []).flatMap((gateway) => compileMappings(gateway.resources).problems);
    expect(found.map((problem) => toProblem(sources, problem))).toEqual([]);
  });

  it('starts with the line by which editors find the schema', () => {
    expect(exampleText.split('\n')[0]).toBe('# yaml-language-server: $schema=./schemas/gateway.schema.json');
  });

  it('shows every key that the file may have', () => {
    const schemas = [
      gatewayFileSchema,
      gatewaySchema,
      resourceSchema,
      limitsSchema,
      authSchema,
      ruleObjectSchema,
      referenceSchema,
      gatewaySchema.properties.pagination,
    ];
    const keys = schemas.flatMap(({ properties }) => Object.keys(properties));
    const missing = keys.filter((key) => !new RegExp(`(^|[\\s{])${key}:`, 'm').test(exampleText));
    expect(missing).toEqual([]);
  });
});
