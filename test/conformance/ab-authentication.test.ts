import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { expectError, newUser, read, user } from './resources.js';
import { useServer } from './server.js';

const server = useServer('default');
const anonymous = (method: string, path: string, headers: Readonly<Record<string, string | null>> = {}, query = {}) =>
  server.gateway('default').request(method, path, { headers: { authorization: null, ...headers }, query });

describe('AB. Bearer tokens', () => {
  it('are kept as hashes only, and never logged [7644-7.7-02 7644-7.3-01]', async () => {
    const { token } = server.gateway('default');
    await read(server.gateway('default'), '/Users', { count: 1 });
    for (const file of await readdir(server.server.dataDir, { recursive: true, withFileTypes: true })) {
      if (!file.isFile()) continue;
      const content = (await readFile(join(file.parentPath, file.name))).toString('latin1');
      expect(content.includes(token) || content.includes(token.slice(6, 30)), file.name).toBe(false);
    }
    expect(server.server.log()).not.toContain(token.slice(6, 30));
  });

  it('are accepted in the Authorization header, the scheme in any case [6750-2.1-01]', async () => {
    const gateway = server.gateway('default');
    await read(gateway, '/Users', { count: 1 });
    for (const scheme of ['Bearer', 'bearer', 'BEARER']) {
      const answer = await anonymous('GET', '/Users?count=1', { authorization: `${scheme} ${gateway.token}` });
      expect(answer.status).toBe(200);
    }
  });

  it('are needed for every request [7644-2.2-01 7644-2-02]', async () => {
    const { id } = await newUser(server.gateway('default'));
    for (const [method, path] of [
      ['GET', '/Users'],
      ['GET', `/Users/${id}`],
      ['GET', '/Schemas'],
      ['POST', '/Users'],
      ['PUT', `/Users/${id}`],
      ['PATCH', `/Users/${id}`],
      ['DELETE', `/Users/${id}`],
      ['POST', '/Bulk'],
      ['POST', '/.search'],
      ['GET', '/Me'],
    ] as const) {
      expectError(await anonymous(method, path), 401);
    }
    expect((await server.gateway('default').request('GET', `/Users/${id}`)).status).toBe(200);
  });

  it('are asked for by WWW-Authenticate, with a parameter and without an error when none came [7644-2-01 6750-3-01 6750-3.1-02]', async () => {
    const answer = await anonymous('GET', '/Users');
    expectError(answer, 401);
    const challenge = answer.headers.get('www-authenticate') ?? '';
    expect(challenge).toMatch(/^Bearer [a-z]+="/);
    expect(challenge).not.toContain('error');
  });

  it('that are wrong are answered with invalid_token [6750-3-02 6750-3.1-01]', async () => {
    const gateway = server.gateway('default');
    const flipped = gateway.token.slice(0, -1) + (gateway.token.endsWith('A') ? 'B' : 'A');
    for (const token of ['wrong', flipped, `${gateway.token}x`, gateway.token.slice(0, -1)]) {
      const answer = await gateway.withToken(token).request('GET', '/Users');
      expectError(answer, 401);
      expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer .*error="invalid_token"/);
      expect(answer.text).not.toContain(token);
    }
  });

  it('are not read from anywhere else [6750-2.3-01 6750-2-01]', async () => {
    const { token } = server.gateway('default');
    const inQuery = await anonymous('GET', '/Users', {}, { access_token: token });
    expect([400, 401]).toContain(inQuery.status);
    expectError(inQuery, inQuery.status);
    expect(server.server.log()).not.toContain(token);
    const rawBody = `access_token=${token}`;
    const headers = { authorization: null, 'content-type': 'application/x-www-form-urlencoded' };
    const inBody = await server.gateway('default').request('POST', '/Users', { rawBody, headers });
    expect([400, 401]).toContain(inBody.status);
    const twice = await server.gateway('default').request('GET', '/Users', { query: { access_token: token } });
    expectError(twice, 400);
    expect(twice.headers.get('www-authenticate')).toContain('invalid_request');
  });

  it('carry 128 random bits at least [7644-7.4-01]', async () => {
    const tokens = [];
    for (const label of ['a', 'b', 'c']) tokens.push(await server.server.createToken('default', label));
    expect(new Set(tokens).size).toBe(3);
    for (const token of tokens) expect(token.replace(/^[a-z]+_/, '').length * 5).toBeGreaterThanOrEqual(128);
  });

  it('of other kinds are refused [7644-2-05 7644-2-06]', async () => {
    const { token } = server.gateway('default');
    const basic = Buffer.from(`admin:${token}`).toString('base64');
    for (const authorization of [`Basic ${basic}`, `Digest username="x"`, `Negotiate ${token}`, 'Bearer', 'Bearer ']) {
      const answer = await anonymous('GET', '/Users', { authorization });
      expect([400, 401]).toContain(answer.status);
      expectError(answer, answer.status);
    }
    expectError(await anonymous('GET', '/Users', { cookie: `token=${token}` }), 401);
  });

  it('are checked before the request is looked at [7644-2-03]', async () => {
    expectError(await anonymous('POST', '/Users', { 'content-type': 'text/xml' }), 401);
    const gateway = server.gateway('default').withToken('wrong');
    expectError(await gateway.request('POST', '/Users', { rawBody: '{' }), 401);
    expectError(await gateway.request('POST', '/Users', { body: user() }), 401);
  });
});
