import { generateKeyPairSync } from 'node:crypto';
import { importSPKI, jwtVerify } from 'jose';
import { describe, expect, it } from 'vitest';
import type { RestConfig } from '../../adapters/rest/config.js';
import { expectKind } from '../contract/contract-fixture.js';
import { type Asked, context, openOn, startTarget, type Told } from './small-target.js';

const alice = { id: 'a1', login: 'alice' };
type Auth = NonNullable<RestConfig['auth']>;

async function headersWith(auth: Auth): Promise<Asked> {
  const target = await startTarget(() => ({ json: alice }));
  const adapter = await openOn(target.url, {}, { section: { auth } });
  await adapter.get('people', 'a1', { fields: [] }, context());
  return target.asked[0]!;
}

describe('credentials that do not change', () => {
  it('bearer', async () => {
    expect((await headersWith({ kind: 'bearer', token: 't.o-k' })).headers.authorization).toBe('Bearer t.o-k');
  });
  it('basic, in UTF-8 (RFC 7617 §2.1)', async () => {
    const { headers } = await headersWith({ kind: 'basic', username: 'hr', password: 'pä:ss' });
    expect(headers.authorization).toBe(`Basic ${Buffer.from('hr:pä:ss').toString('base64')}`);
  });
  it('a key in a header or in the query', async () => {
    expect((await headersWith({ kind: 'apiKey', key: 'k1' })).headers['x-api-key']).toBe('k1');
    expect((await headersWith({ kind: 'apiKey', key: 'k2', header: 'Api-Token' })).headers['api-token']).toBe('k2');
    expect((await headersWith({ kind: 'apiKey', key: 'k&3', query: 'api key' })).query.get('api key')).toBe('k&3');
  });
  it.each([
    ['a line break in a token', { kind: 'bearer', token: 'a\r\nX: y' }],
    ['a colon in a user name', { kind: 'basic', username: 'a:b', password: 'c' }],
    ['two places for a key', { kind: 'apiKey', key: 'k', header: 'A', query: 'b' }],
    ['no secret', { kind: 'oauth2ClientCredentials', tokenUrl: 'http://127.0.0.1/t', clientId: 'c' }],
    [
      'a key that is none',
      { kind: 'oauth2ClientCredentials', tokenUrl: 'http://127.0.0.1/t', clientId: 'c', privateKey: 'x' },
    ],
  ] satisfies (readonly [string, Auth])[])('refuses %s when it is opened', async (_, auth) => {
    await expectKind(openOn('http://127.0.0.1:9', {}, { section: { auth } }), 'unsupported');
  });
  it('are not sent in clear text to another machine', async () => {
    const auth = { kind: 'bearer', token: 't' } as const;
    await expectKind(openOn('http://hr.example.com', {}, { section: { auth } }), 'unsupported');
    await openOn('http://hr.example.com', {}, { section: { auth, allowClearText: true } });
    await openOn('https://hr.example.com', {}, { section: { auth } });
  });
});

describe('access tokens (RFC 6749 §4.4)', () => {
  interface Grants {
    issued: number;
    readonly valid: Set<string>;
  }

  /** A target and its authorization server in one. */
  async function startServer(token: (asked: Asked, grants: Grants) => Told | Promise<Told>) {
    const grants: Grants = { issued: 0, valid: new Set() };
    const target = await startTarget((asked) => {
      if (asked.path === '/token') return token(asked, grants);
      const own = asked.headers.authorization?.replace('Bearer ', '') ?? '';
      return grants.valid.has(own) ? { json: alice } : { status: 401, json: {} };
    });
    const tokensAsked = () => target.asked.filter(({ path }) => path === '/token');
    return { target, grants, tokensAsked };
  }

  const issue = (grants: Grants, more: object = { expires_in: 3_600 }): Told => {
    const token = `t${++grants.issued}`;
    grants.valid.add(token);
    return { json: { access_token: token, token_type: 'Bearer', ...more } };
  };

  const openWith = (url: string, more: Partial<Auth> = {}) => {
    const auth = {
      kind: 'oauth2ClientCredentials',
      tokenUrl: `${url}/token`,
      clientId: 'my client',
      clientSecret: 's:+ %',
      ...more,
    };
    return openOn(url, {}, { section: { auth: auth as Auth } });
  };
  const read = (adapter: Awaited<ReturnType<typeof openOn>>) =>
    adapter.get('people', 'a1', { fields: ['login'] }, context());

  it('are asked for once for many requests at a time, with name and secret form-encoded (§2.3.1)', async () => {
    const { target, tokensAsked } = await startServer((_, grants) => issue(grants));
    const adapter = await openWith(target.url, { scope: 'users' });
    await Promise.all(Array.from({ length: 10 }, () => read(adapter)));
    await read(adapter);
    expect(tokensAsked()).toHaveLength(1);
    const [asked] = tokensAsked();
    expect(asked?.headers.authorization).toBe(`Basic ${Buffer.from('my+client:s%3A%2B+%25').toString('base64')}`);
    expect(Object.fromEntries(new URLSearchParams(asked?.body))).toEqual({
      grant_type: 'client_credentials',
      scope: 'users',
    });
  });

  it('carry the secret in the body with client_secret_post', async () => {
    const { target, tokensAsked } = await startServer((_, grants) => issue(grants));
    await read(await openWith(target.url, { method: 'client_secret_post', parameters: { resource: 'hr' } }));
    expect(Object.fromEntries(new URLSearchParams(tokensAsked()[0]?.body))).toEqual({
      grant_type: 'client_credentials',
      client_id: 'my client',
      client_secret: 's:+ %',
      resource: 'hr',
    });
    expect(tokensAsked()[0]?.headers.authorization).toBeUndefined();
  });

  it('are asked for with a signed assertion (RFC 7523 §2.2)', async () => {
    const { privateKey, publicKey } = generateKeyPairSync('ec', {
      namedCurve: 'P-256',
      privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
      publicKeyEncoding: { type: 'spki', format: 'pem' },
    });
    const { target, tokensAsked } = await startServer((_, grants) => issue(grants));
    const auth: Auth = {
      kind: 'oauth2ClientCredentials',
      tokenUrl: `${target.url}/token`,
      clientId: 'gateway',
      privateKey,
      algorithm: 'ES256',
      keyId: 'k1',
    };
    await read(await openOn(target.url, {}, { section: { auth } }));
    const form = new URLSearchParams(tokensAsked()[0]?.body);
    expect(form.get('client_assertion_type')).toBe('urn:ietf:params:oauth:client-assertion-type:jwt-bearer');
    const { payload, protectedHeader } = await jwtVerify(
      form.get('client_assertion') ?? '',
      await importSPKI(publicKey, 'ES256'),
      { issuer: 'gateway', subject: 'gateway', audience: `${target.url}/token` },
    );
    expect(protectedHeader).toMatchObject({ alg: 'ES256', kid: 'k1' });
    expect(payload.jti).toBeTypeOf('string');
    expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBeLessThanOrEqual(300);
  });

  it('are got anew, once, when the target takes one no longer', async () => {
    const { target, grants, tokensAsked } = await startServer((_, all) => issue(all));
    const adapter = await openWith(target.url);
    await read(adapter);
    grants.valid.clear();
    expect(await read(adapter)).toEqual({ $id: 'a1', login: 'alice' });
    expect(tokensAsked()).toHaveLength(2);
  });

  it('are not got anew for ever', async () => {
    const { target, tokensAsked } = await startServer(() => ({
      json: { access_token: 'bad', token_type: 'bearer', expires_in: 60 },
    }));
    await expectKind(read(await openWith(target.url)), 'denied');
    expect(tokensAsked()).toHaveLength(2);
  });

  it('that are hardly valid are got anew for the next request', async () => {
    const { target, tokensAsked } = await startServer((_, grants) => issue(grants, { expires_in: 0.001 }));
    const adapter = await openWith(target.url);
    await read(adapter);
    await expect
      .poll(async () => {
        await read(adapter);
        return tokensAsked().length;
      })
      .toBeGreaterThan(1);
  });

  it.each([
    ['a client that is not known', { status: 401, json: { error: 'invalid_client' } }, 'denied'],
    [
      'a scope that is not given',
      { status: 400, json: { error: 'invalid_scope', error_description: 'secret words' } },
      'denied',
    ],
    ['a server that is down', { status: 503, headers: { 'retry-after': '3' }, json: {} }, 'unavailable'],
    ['a redirect', { status: 302, headers: { location: 'https://evil.example' } }, 'unavailable'],
    ['a page for people', { text: '<html>', headers: { 'content-type': 'text/html' } }, 'unavailable'],
    ['an answer without a token', { json: {} }, 'unavailable'],
    ['a token with a line break', { json: { access_token: 'a\nb' } }, 'unavailable'],
    ['another type of token', { json: { access_token: 'a', token_type: 'mac' } }, 'unsupported'],
    ['a connection that ends', { cut: true }, 'unavailable'],
  ] satisfies (readonly [string, Told, string])[])('%s: nothing is sent to the target', async (_, told, kind) => {
    const { target } = await startServer(() => told);
    const adapter = await openWith(target.url);
    const error = await expectKind(adapter.delete('people', '17', {}, context()), kind as 'denied');
    expect(error.applied).toBe('no');
    expect(error.message).not.toMatch(/secret words|s:\+/);
    expect(target.asked.every(({ path }) => path === '/token')).toBe(true);
  });
});
