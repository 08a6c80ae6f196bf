import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createAuthentication } from '../../src/auth/authentication.js';
import { createTokenAuthenticator, issueToken } from '../../src/auth/tokens.js';
import { createRefusalLog } from '../../src/http/refusal-log.js';
import { openState } from '../../src/state/sqlite/sqlite-state.js';
import type { State } from '../../src/state/state.js';
import { createTestApp, errorOf, json, type TestApp } from './test-app.js';

let folder: string;
let state: State;
let nowMs: number;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'access-'));
  state = openState(folder);
  nowMs = Date.now();
});
afterEach(async () => {
  await state.close();
  rmSync(folder, { recursive: true });
});

function tokenApp(): TestApp {
  const authenticator = createTokenAuthenticator({ gateway: 'test', store: state.tokens, now: () => nowMs });
  return createTestApp({
    gateway: { authenticate: createAuthentication({ realm: 'test', authenticators: [authenticator] }) },
  });
}

async function issue(label = 'Entra'): Promise<string> {
  return (await issueToken(state.tokens, { gateway: 'test', label }, nowMs)).token;
}

const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });

describe('a generated token', () => {
  it('lets its holder in, known by its label [6750-2.1-01]', async () => {
    const { app, service } = tokenApp();
    const token = await issue('Entra production');
    expect((await app.request('/scim/Users', bearer(token))).status).toBe(200);
    expect(service.contexts[0]?.caller).toEqual({ id: 'token:Entra production' });
  });

  it('is refused within a second of its revocation, by every process on the state', async () => {
    const { app } = tokenApp();
    const token = await issue();
    expect((await app.request('/scim/Users', bearer(token))).status).toBe(200);
    const other = openState(folder);
    await other.tokens.revoke('test', 'Entra', nowMs);
    await other.close();
    nowMs += 1000;
    const response = await app.request('/scim/Users', bearer(token));
    expect(response.status).toBe(401);
    expect((await errorOf(response)).detail).toMatch(/^The token is not valid\./);
  });

  it('is refused after its end, and the challenge says why [7644-7.4-03]', async () => {
    const { app } = tokenApp();
    const token = await issue();
    nowMs += 366 * 86_400_000;
    const response = await app.request('/scim/Users', bearer(token));
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toBe(
      'Bearer realm="test", error="invalid_token", error_description="The token expired"',
    );
  });

  it('several overlap, so that one is replaced without a gap', async () => {
    const { app } = tokenApp();
    const [first, second] = [await issue('2029'), await issue('2030')];
    await state.tokens.revoke('test', '2029', nowMs);
    expect((await app.request('/scim/Users', bearer(first))).status).toBe(401);
    expect((await app.request('/scim/Users', bearer(second))).status).toBe(200);
  });
});

describe('a caller without a valid token', () => {
  it('gets 401 with a challenge, on every path and method [7644-T8-03 7644-2-01 7644-2.2-01 6750-3-01 6750-3.1-02]', async () => {
    const { app, service } = tokenApp();
    const requests: [string, RequestInit][] = [
      ['/scim/Users', {}],
      ['/scim/Users', json('POST', {})],
      ['/scim/Users/1', { method: 'DELETE' }],
      ['/scim/Bulk', json('POST', {})],
      ['/scim/.search', json('POST', {})],
      ['/scim/Schemas', {}],
      ['/scim/Me', {}],
      ['/scim/Nothing', {}],
      ['/scim/v3/Users', {}],
      ['/scim/Users', { method: 'OPTIONS' }],
    ];
    for (const [path, init] of requests) {
      const response = await app.request(path, init);
      expect(response.status, path).toBe(401);
      expect(response.headers.get('www-authenticate')).toBe('Bearer realm="test"');
    }
    expect(service.calls).toEqual([]);
  });

  it.each(['Bearer wrong', 'Bearer scimb_wrong'])(
    '%s: invalid_token [6750-3-02 6750-3.1-01]',
    async (authorization) => {
      const response = await tokenApp().app.request('/scim/Users', { headers: { authorization } });
      expect(response.status).toBe(401);
      expect(response.headers.get('www-authenticate')).toContain('error="invalid_token"');
    },
  );

  it('cannot bring a token in the URL, and the URL is not logged [6750-2.3-01]', async () => {
    const { app, logged } = tokenApp();
    const token = await issue();
    const response = await app.request(`/scim/Users?access_token=${token}`);
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toBe('Bearer realm="test"');
    expect(JSON.stringify(logged)).not.toContain(token);
  });

  it('must not bring two: 400 invalid_request [6750-2-01 6750-3.1-01]', async () => {
    const { app } = tokenApp();
    const token = await issue();
    const response = await app.request(`/scim/Users?count=1&access_token=${token}`, bearer(token));
    expect(response.status).toBe(400);
    expect(response.headers.get('www-authenticate')).toContain('error="invalid_request"');
  });

  it('may read how to authenticate, where that is public [7643-5-04]', async () => {
    const { app } = tokenApp();
    expect((await app.request('/scim/ServiceProviderConfig')).status).toBe(200);
    expect((await app.request('/scim/ServiceProviderConfig', bearer('wrong'))).status).toBe(401);
    const closed = createTestApp({ gateway: { publicDiscovery: false } });
    expect((await closed.app.request('/scim/ServiceProviderConfig')).status).toBe(401);
  });

  it('leaves in the log which check failed, but nothing of the token', async () => {
    const { app, logged } = tokenApp();
    const token = await issue();
    await state.tokens.revoke('test', 'Entra', nowMs);
    const response = await app.request('/scim/Users', bearer(token));
    expect(logged).toMatchObject([
      {
        level: 40,
        gateway: 'test',
        reason: 'token "Entra" was revoked',
        requestId: response.headers.get('x-request-id'),
      },
    ]);
    expect(JSON.stringify(logged)).not.toContain(token.slice(6, 20));
  });
});

describe('createRefusalLog', () => {
  it('warns once a minute for each address and reason, and counts the rest', () => {
    const lines: Record<string, unknown>[] = [];
    let clockMs = 0;
    const logRefusal = createRefusalLog(
      pino({}, { write: (line: string) => void lines.push(JSON.parse(line)) }),
      () => clockMs,
    );
    const refusal = { gateway: 'test', requestId: 'r', remoteAddress: '10.0.0.1', reason: 'unknown' };
    for (let index = 0; index < 100; index++) logRefusal(refusal);
    logRefusal({ ...refusal, remoteAddress: '10.0.0.2' });
    expect(lines).toHaveLength(2);
    clockMs = 60_000;
    logRefusal(refusal);
    expect(lines[2]).toMatchObject({ remoteAddress: '10.0.0.1', repeated: 99 });
  });
});
