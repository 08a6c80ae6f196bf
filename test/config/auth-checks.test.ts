import { rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { load } from './temp-config.js';

const tenant = '11111111-2222-4333-8444-555555555555';
const audience = '8adf8e6e-67b2-4cf2-a259-e3dc5476c621';

/** What is found of `auth` in a gateway that is right but for it. */
function problemsOf(auth: object, env: NodeJS.ProcessEnv = {}): readonly string[] {
  const text = `version: 1
adapters: { store: { type: memory } }
gateways:
  corp:
    auth: ${JSON.stringify(auth)}
    resources: { User: { adapter: store, use: [scim] } }
`;
  return load({ 'gateway.yaml': text }, env).lines.map((line) => line.replace(/^gateway\.yaml:\d+:\d+: /, ''));
}

const ofJwt = (jwt: object) => problemsOf({ jwt });
const unpinned = expect.stringMatching(/^error: Every tenant of Entra ID sends this audience/);

describe("Entra's shared audience", () => {
  it('is refused when nothing pins the tenant [capabilities-20 8725-3.9-01]', () => {
    expect(ofJwt({ issuer: 'https://login.microsoftonline.com/common/v2.0', audience })).toContainEqual(unpinned);
    expect(ofJwt({ issuer: 'https://sts.windows.net/', audience })).toContainEqual(unpinned);
    expect(ofJwt({ issuer: 'https://idp.example.com/', audience: ['x', audience.toUpperCase()] })).toEqual([unpinned]);
    // A GUID in somebody else's issuer is no tenant of Entra ID.
    expect(ofJwt({ issuer: `https://idp.example.com/${tenant}/`, audience })).toEqual([unpinned]);
  });

  it('is taken where the tenant is named, or the issuer is that of one tenant [capabilities-20 capabilities-22]', () => {
    const issuer = `https://sts.windows.net/${tenant}/`;
    expect(ofJwt({ issuer, audience, tenant })).toEqual([]);
    expect(ofJwt({ issuer, audience })).toEqual([]);
    expect(ofJwt({ issuer: `https://login.microsoftonline.com/${tenant}/v2.0`, audience })).toEqual([]);
    expect(ofJwt({ issuer: 'https://idp.example.com/', audience, tenant })).toEqual([]);
  });
});

describe('a shared secret', () => {
  const issuer = 'https://idp.example.com/';
  const secret = '${' + 'env:JWT_SECRET}';
  const withSecret = (JWT_SECRET: string, algorithms?: readonly string[]) =>
    problemsOf({ jwt: { issuer, audience: 'a', secret, algorithms } }, { JWT_SECRET });

  it('of 32 random bytes is taken, shorter ones and passwords stop the start [8725-3.5-01 7644-2-04]', () => {
    expect(withSecret('0Jf8sLq2Vt6Xw1Zb4Nc7Rm3Kp9Hd5Gy0')).toEqual([]);
    for (const [text, message] of [
      ['0Jf8sLq2Vt6Xw1Zb4Nc7Rm3Kp9Hd5Gy', 'HS256 needs 32'],
      ['correct horse battery', 'HS256 needs 32'],
      ['passwordpasswordpasswordpassword', 'can be guessed'],
      ['11111111111111111111111111111111', 'can be guessed'],
    ] as const) {
      const [problem = '', ...more] = withSecret(text);
      expect(problem).toMatch(/^error: /);
      expect(problem).toContain(message);
      expect(problem).not.toContain(text);
      expect(more).toEqual([]);
    }
    expect(withSecret('0Jf8sLq2Vt6Xw1Zb4Nc7Rm3Kp9Hd5Gy0', ['HS512'])).toEqual([
      expect.stringContaining('HS512 needs 64'),
    ]);
  });
});

describe('who may call', () => {
  it('must be somebody [7644-2-01]', () => {
    const tokens = { enabled: false };
    expect(problemsOf({ tokens })).toEqual([expect.stringMatching(/^error: Nobody could call this gateway/)]);
    expect(problemsOf({ tokens, oauth: {} })).toEqual([]);
    expect(problemsOf({ tokens, jwt: { issuer: 'https://idp.example.com/', audience: 'a' } })).toEqual([]);
  });

  it('says what is misspelt in a section for tokens of an issuer', () => {
    expect(ofJwt({ isuer: 'https://idp.example.com/' })).toContainEqual(
      expect.stringContaining('"isuer" is not known here; did you mean "issuer"?'),
    );
    expect(ofJwt([{ issuer: 'https://idp.example.com/', audience: 'a', algorithms: ['none'] }])).toEqual([
      expect.stringMatching(/^error: .*"algorithms" is "none"; it must be "RS256"/),
    ]);
  });
});

describe('a key set in a file', () => {
  it('is found beside the configuration, and looked into', () => {
    const file = join(tmpdir(), `keys-${process.pid}.json`);
    onTestFinished(() => rmSync(file, { force: true }));
    const keys = [{ kty: 'EC', crv: 'P-256', x: 'AAAA', y: 'AAAA', kid: 'a' }];
    writeFileSync(file, JSON.stringify({ keys }));
    const section = { issuer: 'urn:idp', audience: 'a', keys: file };
    expect(ofJwt(section)).toEqual([]);
    writeFileSync(file, JSON.stringify({ keys: [{ ...keys[0], d: 'AAAA' }] }));
    expect(ofJwt(section)).toEqual(['error: The key "a" is a private one: only public keys belong here.']);
  });
});
