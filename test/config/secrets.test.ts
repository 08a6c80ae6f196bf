// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references to secrets are written so

import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../config/load.js';
import { adapterSchemas } from './adapter-schemas.js';
import { load } from './temp-config.js';

const gateway = (settings: string): string =>
  `version: 1
adapters:
  store:
    type: sqlite
${settings}
gateways:
  corp:
    resources:
      User: { adapter: store, use: [scim] }
`;

describe('references to secrets', () => {
  it('come from the environment and from files, whole or inside a text', () => {
    const text = gateway('    password: ${env:DB_PASSWORD}\n    file: ${env:FOLDER}/${file:secrets/name}.db');
    const { config, lines } = load(
      { 'gateway.yaml': text, 'secrets/name': 'people\n' },
      { DB_PASSWORD: 'p${env:X}', FOLDER: '/var' },
    );
    expect(lines).toEqual([]);
    expect(config?.adapters.get('store')?.settings).toMatchObject({ password: 'p${env:X}', file: '/var/people.db' });
  });

  it('that cannot be found are errors at their place', () => {
    const { config, lines } = load(
      { 'gateway.yaml': gateway('    password: ${env:NONE}\n    file: ${file:none}'), empty: '' },
      {},
    );
    expect(config).toBeUndefined();
    expect(lines).toEqual([
      'gateway.yaml:5:15: error: The environment variable NONE is not set.',
      'gateway.yaml:6:11: error: The file none cannot be read (ENOENT).',
    ]);
  });

  it('that are empty are errors too', () => {
    const { lines } = load(
      { 'gateway.yaml': gateway('    password: ${env:EMPTY}\n    file: ${file:empty}'), empty: '\n' },
      { EMPTY: '' },
    );
    expect(lines).toEqual([
      'gateway.yaml:5:15: error: The environment variable EMPTY is empty.',
      'gateway.yaml:6:11: error: The file empty is empty.',
    ]);
  });

  it('never show their value in a problem', () => {
    const text = gateway('    busyTimeoutMs: ${env:SECRET}\n    password: 12345');
    const { lines } = load({ 'gateway.yaml': text }, { SECRET: 'hunter2' });
    expect(lines).toEqual([
      'gateway.yaml:5:20: error: "busyTimeoutMs" is "${env:SECRET}"; it must be a whole number.',
      'gateway.yaml:6:15: error: "password" is a value that is not shown; it must be text.',
    ]);
  });

  it('are asked for where a secret is written out, but not where an attribute is called password', () => {
    const text = gateway('    password: hunter2').replace('use: [scim]', 'mapping: { userName: uid, password: pwd }');
    const { config, lines } = load({ 'gateway.yaml': text });
    expect(lines).toEqual([expect.stringMatching(/^gateway\.yaml:5:15: warning: .*\$\{env:NAME\}/)]);
    expect(lines.join()).not.toContain('hunter2');
    expect(config).toBeDefined();
  });
});

describe('the files of a configuration', () => {
  const text = `version: 1
tls: { certificate: tls/crt, key: tls/key }
adapters:
  store: { type: sqlite, password: "\${file:secrets/password}", file: "\${file:secrets/none}" }
gateways:
  corp:
    auth: { jwt: { issuer: 'https://a.example/', audience: a, keys: keys.json } }
    resources:
      User: { adapter: store, use: [scim, ./rules.yaml] }
`;
  const files = {
    'gateway.yaml': text,
    'rules.yaml': 'mapping: { title: role }\n',
    'secrets/password': 'one',
    'secrets/none': 'a.db',
    'keys.json': '{"keys":[{"kty":"EC","crv":"P-256","x":"a","y":"b"}]}',
  };

  it('are told, presets apart; secrets, key sets and TLS by themselves', () => {
    const { config, dir } = load(files);
    const relative = (names: readonly string[] = []): readonly string[] =>
      names.map((name) => name.replace(`${dir}/`, ''));
    const secrets = ['secrets/password', 'secrets/none', 'keys.json', 'tls/crt', 'tls/key'];
    expect(relative(config?.secretFiles)).toEqual(secrets);
    expect(relative(config?.files)).toEqual(['gateway.yaml', 'rules.yaml', ...secrets]);
  });

  it('are told also when they are missing, and when the configuration is faulty', () => {
    const { 'rules.yaml': _, 'secrets/none': __, ...rest } = files;
    const { config, dir, files: named, fingerprints } = load(rest);
    expect(config).toBeUndefined();
    for (const name of ['rules.yaml', 'secrets/none']) {
      expect(named).toContain(join(dir, name));
      expect([fingerprints.has(join(dir, name)), fingerprints.get(join(dir, name))]).toEqual([true, undefined]);
    }
    expect(fingerprints.get(join(dir, 'secrets/password'))).toBe(createHash('sha256').update('one').digest('hex'));
  });

  it('are not read again when their texts are known, but secrets are', () => {
    const { texts, dir } = load(files);
    for (const name of Object.keys(files)) writeFileSync(join(dir, name), 'changed');
    writeFileSync(join(dir, 'keys.json'), files['keys.json']);
    const { config, problems } = loadConfig({ file: join(dir, 'gateway.yaml'), adapterSchemas, env: {}, texts });
    expect(problems.filter(({ severity }) => severity === 'error')).toEqual([]);
    expect(config?.adapters.get('store')?.settings).toMatchObject({ password: 'changed', file: 'changed' });
    expect(config?.gateways[0]?.resources[0]?.rules.find(({ key }) => key === 'title')?.rule).toEqual({
      field: 'role',
    });
  });
});
