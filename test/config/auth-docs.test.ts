import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { authSchema, jwtIssuerSchema } from '../../config/auth-schema.js';
import { claimChecks, headerChecks } from '../../src/auth/jwt-checks.js';
import { load } from './temp-config.js';

const text = readFileSync(new URL('../../docs/authentication.md', import.meta.url), 'utf8');
const examples = [...text.matchAll(/^( *)```yaml\n(.*?)```/gms)].map(([, indent = '', block = '']) =>
  block.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
);

describe('docs/authentication.md', () => {
  it.each(examples)('has examples without an error: %#', (example) => {
    const gateway = `version: 1
adapters: { store: { type: memory } }
gateways:
  corp:
    resources: { User: { adapter: store, mapping: { userName: uid, externalId: { field: ext, unique: true } } } }
${example.replace(/^(?=.)/gm, '    ')}`;
    const keys = { keys: [{ kty: 'EC', crv: 'P-256', x: 'AAAA', y: 'AAAA' }] };
    const env = { SCHEDULER_KEY: '0Jf8sLq2Vt6Xw1Zb4Nc7Rm3Kp9Hd5Gy0' };
    const { lines } = load({ 'gateway.yaml': gateway, 'login-keys.json': JSON.stringify(keys) }, env);
    expect(lines).toEqual([]);
  });

  it('has nine examples, one section for each identity provider, and every key and check', () => {
    expect(examples).toHaveLength(9);
    for (const title of [
      'Entra ID with a generated token',
      'Entra ID with its own JWT',
      'Okta',
      'OneLogin',
      'PingFederate',
    ]) {
      expect(text).toContain(`\n## ${title}\n`);
    }
    for (const key of [
      ...Object.keys(jwtIssuerSchema.properties),
      ...Object.keys(authSchema.properties.tokens.properties),
    ]) {
      expect(text, key).toContain(`\`${key}\``);
    }
    for (const { name } of [...headerChecks, ...claimChecks]) expect(text, name).toContain(`\`${name}: …\``);
  });
});
