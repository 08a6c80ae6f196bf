import { beforeEach, describe, expect, it } from 'vitest';
import { createTokenEndpoint, type TokenEndpointResponse } from '../../src/auth/oauth-token-endpoint.js';
import { issueToken, rotateToken } from '../../src/auth/tokens.js';
import { type CountingStore, createCountingStore } from './counting-store.js';

const key = new Uint8Array(32).fill(7);
const form = 'application/x-www-form-urlencoded';
let nowMs: number;
let store: CountingStore;
let secret: string;

beforeEach(async () => {
  nowMs = Date.UTC(2030, 0, 1);
  store = createCountingStore();
  secret = (await issueToken(store, { gateway: 'corp', label: 'Okta', clientId: 'c1' }, nowMs)).token;
});

interface Sent {
  readonly method?: string;
  readonly contentType?: string | undefined;
  readonly authorization?: string;
  readonly body?: string;
}

function send(sent: Sent): Promise<TokenEndpointResponse> {
  const endpoint = createTokenEndpoint({
    gateways: [{ id: 'corp', tokenMinutes: 60 }],
    tokens: store,
    key,
    now: () => nowMs,
  });
  return endpoint({
    method: 'POST',
    contentType: form,
    authorization: undefined,
    body: 'grant_type=client_credentials',
    ...sent,
  });
}
const basic = (id: string, password: string) => `Basic ${Buffer.from(`${id}:${password}`).toString('base64')}`;
const inBody = (more = '') => `grant_type=client_credentials&client_id=c1&client_secret=${secret}${more}`;
const json = (response: TokenEndpointResponse) =>
  JSON.parse(response.body) as { scope?: unknown; expires_in?: unknown };

describe('the token endpoint', () => {
  it('gives an access token for HTTP Basic (RFC 6749 §2.3.1, §4.4.3, §5.1)', async () => {
    const response = await send({ authorization: basic('c1', secret) });
    expect(response).toMatchObject({
      status: 200,
      headers: { 'Content-Type': 'application/json', 'Cache-Control': 'no-store', Pragma: 'no-cache' },
      granted: { gateway: 'corp', caller: 'client:c1' },
    });
    expect(json(response)).toEqual({
      access_token: expect.stringMatching(/^scimba_[\w-]+$/),
      token_type: 'Bearer',
      expires_in: 3600,
      scope: 'read write',
    });
  });

  it('takes the secret in the body too, with a charset, and parameters it does not know (RFC 6749 §2.3.1, §3.2)', async () => {
    const response = await send({ contentType: `${form}; charset=UTF-8`, body: inBody('&resource=x&scope=') });
    expect(response.status).toBe(200);
  });

  it('decodes what was form-urlencoded inside Basic (RFC 6749 §2.3.1)', async () => {
    const clientId = 'id with:colon+ž';
    const { token } = await issueToken(store, { gateway: 'corp', label: 'odd', clientId }, nowMs);
    const encode = (text: string) => encodeURIComponent(text).replaceAll('%20', '+');
    expect((await send({ authorization: basic(encode(clientId), encode(token)) })).status).toBe(200);
    expect(await send({ authorization: basic('%zz', token) })).toMatchObject({ status: 401 });
  });

  it.each([
    ['no content type', { contentType: undefined }, 400, 'invalid_request'],
    ['JSON', { contentType: 'application/json', body: '{"grant_type":"client_credentials"}' }, 400, 'invalid_request'],
    ['no credentials', {}, 401, 'invalid_client'],
    ['another scheme', { authorization: 'Bearer x' }, 401, 'invalid_client'],
    ['Basic that is no Base64', { authorization: 'Basic %%%' }, 401, 'invalid_client'],
    ['an id without a secret', { body: 'grant_type=client_credentials&client_id=c1' }, 401, 'invalid_client'],
    ['an unknown secret', { authorization: basic('c1', 's3cret') }, 401, 'invalid_client'],
    ['GET', { method: 'GET' }, 405, 'invalid_request'],
  ])('refuses %s (RFC 6749 §5.2)', async (what, sent, status, error) => {
    const response = await send(sent);
    // A client that is known has its refusals in the record of its gateway.
    const gateway = what === 'an unknown secret' ? 'corp' : '';
    expect(response).toMatchObject({ status, refusal: { gateway }, headers: { 'Cache-Control': 'no-store' } });
    expect(json(response)).toEqual({
      error,
      error_description: expect.stringMatching(/^[\x20-\x21\x23-\x5b\x5d-\x7e]+$/),
    });
    expect(response.headers['WWW-Authenticate']).toBe(status === 401 ? 'Basic realm="oauth"' : undefined);
  });

  it.each([
    ['no grant_type', '', 'invalid_request'],
    ['an empty grant_type', 'grant_type=', 'invalid_request'],
    ['a grant_type twice', 'grant_type=client_credentials&grant_type=client_credentials', 'invalid_request'],
    ['another grant_type', 'grant_type=password&username=a&password=b', 'unsupported_grant_type'],
    ['credentials twice', 'grant_type=client_credentials&client_id=c1&client_secret=x', 'invalid_request'],
    ['another client_id', 'grant_type=client_credentials&client_id=c2', 'invalid_request'],
    ['an unknown scope', 'grant_type=client_credentials&scope=read+admin', 'invalid_scope'],
  ])('refuses %s (RFC 6749 §3.2, §5.2)', async (_what, body, error) => {
    const response = await send({ authorization: basic('c1', secret), body });
    expect(response.status).toBe(400);
    expect(json(response)).toMatchObject({ error });
  });

  it('repeats neither the secret nor anything else that was sent [capabilities-106]', async () => {
    const wrong = `${secret.slice(0, -1)}${secret.endsWith('A') ? 'B' : 'A'}`;
    for (const sent of [
      { authorization: basic('s3cret-id', wrong) },
      { authorization: basic('s3cret-id', secret) },
      { authorization: basic('c1', secret), body: 'grant_type=s3cret' },
      { authorization: basic('c1', secret), body: 'grant_type=client_credentials&scope=s3cret' },
    ]) {
      const text = JSON.stringify(await send(sent));
      expect(text).not.toContain('s3cret');
      expect(text).not.toContain(secret.slice(7, 40));
    }
  });

  it('tells the operator what was wrong, and whose client it is', async () => {
    expect(await send({ authorization: basic('c2', secret) })).toMatchObject({
      status: 401,
      refusal: { gateway: 'corp', reason: 'the secret of client "Okta" came with another id' },
    });
    await store.revoke('corp', 'Okta', nowMs);
    expect(await send({ authorization: basic('c1', secret) })).toMatchObject({
      status: 401,
      refusal: { gateway: 'corp', reason: 'client "Okta" was revoked' },
    });
  });

  it('says when the secret expired, so that somebody renews it', async () => {
    nowMs += 365 * 86_400_000;
    const response = await send({ authorization: basic('c1', secret) });
    expect(json(response)).toEqual({ error: 'invalid_client', error_description: "The client's secret expired" });
  });

  it('refuses a generated token as a secret, and clients of gateways without OAuth', async () => {
    const { token } = await issueToken(store, { gateway: 'corp', label: 'Entra' }, nowMs);
    expect(await send({ authorization: basic('', token) })).toMatchObject({ status: 401 });
    const { token: other } = await issueToken(store, { gateway: 'lab', label: 'Okta', clientId: 'c2' }, nowMs);
    expect(await send({ authorization: basic('c2', other) })).toMatchObject({
      status: 401,
      refusal: { gateway: 'lab', reason: 'auth.oauth is off for this gateway' },
    });
  });

  it('grants the scope that was asked for, and no more than the client may have (RFC 6749 §3.3) [7644-2.1-02]', async () => {
    const scopeOf = async (scope: string) =>
      json(await send({ body: inBody(`&scope=${encodeURIComponent(scope)}`) })).scope;
    expect(await scopeOf('read')).toBe('read');
    expect(await scopeOf('write')).toBe('read write');
    expect(await scopeOf('read write')).toBe('read write');
    const { token } = await issueToken(
      store,
      { gateway: 'corp', label: 'audit', clientId: 'c3', readOnly: true },
      nowMs,
    );
    const authorization = basic('c3', token);
    expect(json(await send({ authorization })).scope).toBe('read');
    const response = await send({ authorization, body: 'grant_type=client_credentials&scope=write' });
    expect(json(response)).toMatchObject({ error: 'invalid_scope' });
  });

  it('gives no access token that outlives the secret', async () => {
    nowMs += 365 * 86_400_000 - 90_500;
    expect(json(await send({ authorization: basic('c1', secret) })).expires_in).toBe(90);
  });

  it("notes the secret's first use, which ends the one it replaces until proven", async () => {
    const rotated = await rotateToken(store, { gateway: 'corp', label: 'Okta', kind: 'client' }, 'proven', nowMs);
    expect((await send({ authorization: basic('c1', secret) })).status).toBe(200);
    expect((await send({ authorization: basic('c1', rotated?.token ?? '') })).status).toBe(200);
    expect(await send({ authorization: basic('c1', secret) })).toMatchObject({
      status: 401,
      refusal: { reason: 'client "Okta" was replaced, and is revoked since' },
    });
  });
});
