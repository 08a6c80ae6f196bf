import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { generateSecret, hashSecret } from '../../src/auth/generated-secret.js';
import { issueToken, rotateToken } from '../../src/auth/tokens.js';
import { openState } from '../../src/state/sqlite/sqlite-state.js';
import type { State } from '../../src/state/state.js';
import type { Answer, TestGateway, TestServer } from '../support/gateway.js';
import { startServer } from '../support/in-process-server.js';

const resources = '{ User: { adapter: store, use: [scim] }, Group: { adapter: store, use: [scim] } }';
const config = `version: 1
adapters: { store: { type: memory } }
gateways:
  plain: { resources: ${resources} }
  many: { auth: { tokens: { bare: true }, basic: {} }, resources: ${resources} }
  named: { auth: { basic: { user: ping } }, resources: ${resources} }
`;

let server: TestServer;
let state: State;
const gateways = new Map<string, TestGateway>();
beforeAll(async () => {
  server = await startServer({ config });
  // As a command in another process does.
  state = openState(server.dataDir);
  for (const id of ['plain', 'many', 'named']) gateways.set(id, await server.gateway(id));
});
afterAll(async () => {
  await state.close();
  await server.close();
});

const tokenOf = (id: string) => gateways.get(id)!.token;
const basic = (user: string, password: string) => `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
const user = () => ({ schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'], userName: `u${Math.random()}` });

function ask(
  id: string,
  authorization: string | null,
  method = 'GET',
  path = '/Users',
  body?: object,
): Promise<Answer> {
  return gateways
    .get(id)!
    .request(method, path, { headers: { authorization }, ...(body === undefined ? {} : { body }) });
}
const challengeOf = (answer: Answer) => answer.headers.get('www-authenticate');

describe('ways to send a token', () => {
  it('Authorization: Bearer is answered, everything else is refused with a challenge [capabilities-17 7644-2-01 6750-2.1-01]', async () => {
    expect((await ask('plain', `Bearer ${tokenOf('plain')}`)).status).toBe(200);
    for (const header of [null, 'Bearer', `Bearer ${generateSecret('scimb_')}`, basic('scim', tokenOf('plain'))]) {
      const answer = await ask('plain', header);
      expect(answer.status).toBe(401);
      expect(challengeOf(answer)).toMatch(/^Bearer realm="plain"/);
    }
  });

  it('a header that is only the token is taken where that is switched on [capabilities-18]', async () => {
    expect((await ask('many', tokenOf('many'))).status).toBe(200);
    const refused = await ask('plain', tokenOf('plain'));
    expect(refused.status).toBe(401);
    expect(refused.text).not.toContain(tokenOf('plain').slice(6, 30));
  });

  it('HTTP Basic with the fixed user and the token is taken where that is switched on [capabilities-19 7644-2-05 7644-2-06]', async () => {
    expect((await ask('many', basic('scim', tokenOf('many')))).status).toBe(200);
    expect((await ask('named', basic('ping', tokenOf('named')))).status).toBe(200);
    for (const [id, header] of [
      ['many', basic('other', tokenOf('many'))],
      ['many', basic('scim', tokenOf('plain'))],
      ['named', basic('scim', tokenOf('named'))],
    ] as const) {
      const answer = await ask(id, header);
      expect(answer.status).toBe(401);
      expect(challengeOf(answer)).toBe(`Bearer realm="${id}", Basic realm="${id}"`);
    }
    expect((await ask('plain', basic('scim', tokenOf('plain')))).status).toBe(401);
  });
});

describe('the life of a token', () => {
  const bearer = async (token: string) => (await ask('plain', `Bearer ${token}`)).status;
  const refusedSoon = async (token: string) => {
    const deadline = Date.now() + 1000;
    while ((await bearer(token)) === 200) if (Date.now() > deadline) return false;
    return true;
  };

  it('old and new are both valid until the old one is revoked, which holds within a second [capabilities-10 capabilities-12]', async () => {
    const first = await issueToken(state.tokens, { gateway: 'plain', label: 'rotated' });
    const request = { gateway: 'plain', label: 'rotated', kind: 'token' } as const;
    const second = await rotateToken(state.tokens, request, { overlapDays: 7 });
    expect(await bearer(first.token)).toBe(200);
    expect(await bearer(second?.token ?? '')).toBe(200);
    await state.tokens.revoke('plain', 'rotated', Date.now());
    expect(await refusedSoon(first.token)).toBe(true);
  });

  it('until proven, the first use of the new one ends the old one within a second [capabilities-10]', async () => {
    const first = await issueToken(state.tokens, { gateway: 'plain', label: 'proven' });
    const second = await rotateToken(state.tokens, { gateway: 'plain', label: 'proven', kind: 'token' }, 'proven');
    expect(await bearer(first.token)).toBe(200);
    expect(await bearer(second?.token ?? '')).toBe(200);
    expect(await refusedSoon(first.token)).toBe(true);
    expect(await bearer(second?.token ?? '')).toBe(200);
  });

  it('an expired one is told so [capabilities-14 7644-7.4-03]', async () => {
    const token = generateSecret('scimb_');
    const times = { createdAtMs: Date.now() - 1000, expiresAtMs: Date.now() - 1 };
    await state.tokens.create({ gateway: 'plain', label: 'late', hash: hashSecret(token), ...times });
    const answer = await ask('plain', `Bearer ${token}`);
    expect(answer.status).toBe(401);
    expect(answer.body.detail).toMatch(/^The token expired\./);
    expect(challengeOf(answer)).toBe(
      'Bearer realm="plain", error="invalid_token", error_description="The token expired"',
    );
  });
});

describe('limits of a token', () => {
  it('a read-only one reads, and changes nothing [7644-2-02 7644-2-03 7644-2.1-02 6750-3.1-01]', async () => {
    const { token } = await issueToken(state.tokens, { gateway: 'plain', label: 'reader', readOnly: true });
    const full = `Bearer ${tokenOf('plain')}`;
    const { id } = (await ask('plain', full, 'POST', '/Users', user())).body;
    const header = `Bearer ${token}`;
    for (const path of ['/Users', `/Users/${id}`, '/Schemas'])
      expect((await ask('plain', header, 'GET', path)).status).toBe(200);
    for (const [method, path, body] of [
      ['POST', '/Users', user()],
      ['PUT', `/Users/${id}`, user()],
      ['DELETE', `/Users/${id}`, undefined],
    ] as const) {
      const answer = await ask('plain', header, method, path, body);
      expect(answer.status).toBe(403);
      expect(challengeOf(answer)).toContain('error="insufficient_scope"');
    }
    expect((await ask('plain', full, 'GET', `/Users/${id}`)).status).toBe(200);
  });

  it('holds in a bulk job for each operation as if it came alone [7644-3.7-19]', async () => {
    const { token } = await issueToken(state.tokens, { gateway: 'plain', label: 'bulk', resourceTypes: ['Group'] });
    const { token: reader } = await issueToken(state.tokens, { gateway: 'plain', label: 'bulk read', readOnly: true });
    const job = {
      schemas: ['urn:ietf:params:scim:api:messages:2.0:BulkRequest'],
      Operations: [
        { method: 'POST', path: '/Users', bulkId: 'u', data: user() },
        { method: 'POST', path: '/Groups', bulkId: 'g', data: { displayName: 'g' } },
      ],
    };
    const statusesWith = async (credential: string) => {
      const { body } = await ask('plain', `Bearer ${credential}`, 'POST', '/Bulk', job);
      return (body.Operations as readonly { readonly status: string }[]).map(({ status }) => status);
    };
    expect(await statusesWith(token)).toEqual(['403', '201']);
    expect(await statusesWith(reader)).toEqual(['403', '403']);
  });

  it('one of some resource types gets no others [7644-2-03]', async () => {
    const { token } = await issueToken(state.tokens, { gateway: 'plain', label: 'users', resourceTypes: ['User'] });
    expect((await ask('plain', `Bearer ${token}`, 'POST', '/Users', user())).status).toBe(201);
    expect((await ask('plain', `Bearer ${token}`, 'GET', '/Groups')).status).toBe(403);
  });
});
