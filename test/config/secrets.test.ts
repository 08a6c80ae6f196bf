// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references to secrets are written so

import { describe, expect, it } from 'vitest';
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
