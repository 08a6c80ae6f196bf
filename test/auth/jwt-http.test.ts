import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AuthorizationServer, otherTenantId, sign, tenantId } from '../support/authorization-server.js';
import type { Answer, TestGateway, TestServer } from '../support/gateway.js';
import { startServer } from '../support/in-process-server.js';

let issuer: AuthorizationServer;
let server: TestServer;
let entra: TestGateway;
let scopes: TestGateway;
let own: TestGateway;

beforeAll(async () => {
  issuer = await AuthorizationServer.start();
  const users =
    'resources: { User: { adapter: store, use: [scim], mapping: { externalId: { field: ext, unique: true } } } }';
  const config = `version: 1
adapters: { store: { type: memory } }
gateways:
  entra:
    address: /entra
    auth:
      tokens: { enabled: false }
      jwt: { issuer: "${issuer.issuer()}", audience: 8adf8e6e-67b2-4cf2-a259-e3dc5476c621, tenant: "${tenantId}" }
    ${users}
  scopes:
    address: /scopes
    auth:
      jwt: { issuer: "${issuer.issuer()}", audience: api, scopes: { read: scim.read, write: scim.write } }
    ${users}
  own:
    address: /own
    auth:
      jwt: { issuer: "${issuer.issuer()}", audience: api, subject: { claim: oid, attribute: externalId } }
    ${users}
  types:
    address: /types
    auth:
      jwt: { issuer: "${issuer.issuer()}", audience: api, resourceTypes: [Group] }
    resources:
      User: { adapter: store, entity: typedUsers, use: [scim] }
      Group: { adapter: store, entity: typedGroups, use: [scim] }
  away:
    address: /away
    auth:
      jwt: { issuer: "https://idp.example.com/", audience: api, jwks: "http://127.0.0.1:9/keys" }
    ${users}
`;
  server = await startServer({ config });
  [entra, scopes, own] = await Promise.all([server.gateway('entra'), server.gateway('scopes'), server.gateway('own')]);
});
afterAll(async () => {
  await server.close();
  await issuer.stop();
});

const user = (userName: string, more: object = {}) => ({
  schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'],
  userName,
  ...more,
});

function expectError(answer: Answer, status: number): string {
  expect(answer.status).toBe(status);
  expect(answer.body).toMatchObject({
    schemas: ['urn:ietf:params:scim:api:messages:2.0:Error'],
    status: String(status),
    detail: expect.any(String),
  });
  return answer.headers.get('www-authenticate') ?? '';
}

/** The reasons that were logged for what `act` did. */
async function logged(act: () => Promise<unknown>): Promise<string> {
  const before = server.log().length;
  await act();
  return server.log().slice(before);
}

describe('a gateway that takes the token of Entra ID, whose secret field is empty', () => {
  it('serves it: the connection test and a new user [capabilities-20 6750-2.1-01]', async () => {
    const caller = entra.withToken(await issuer.token());
    const probe = await caller.request('GET', '/Users?filter=userName+eq+"0a1b2c3d-no-such-user"');
    expect(probe).toMatchObject({ status: 200, body: { totalResults: 0 } });
    expect((await caller.request('POST', '/Users', { body: user('jane') })).status).toBe(201);
  });

  it('refuses that of a second tenant, with the same keys and audience [capabilities-22 8725-3.8-01]', async () => {
    const token = await issuer.token({}, { tenant: otherTenantId });
    const log = await logged(async () => {
      expect(expectError(await entra.withToken(token).request('GET', '/Users'), 401)).toContain(
        'error="invalid_token"',
      );
    });
    expect(log).toContain(`issuer: the token is of \\"${issuer.issuer(otherTenantId)}\\"`);
    expect(log).not.toContain(token.split('.')[2]);
  });

  it('tells the caller that a token expired, and the log when [6750-3.1-01 capabilities-20]', async () => {
    const token = await issuer.token({ exp: Math.floor(Date.now() / 1000) - 7200 });
    const log = await logged(async () => {
      const answer = await entra.withToken(token).request('GET', '/Users');
      expect(expectError(answer, 401)).toContain('error="invalid_token", error_description="The token expired"');
    });
    expect(log).toMatch(/expiry: the token expired at \d{4}-.*Z/);
  });

  it('tells no more of other checks than that the token is not valid [6750-3.1-01]', async () => {
    const token = await issuer.token({ aud: 'api://other', upn: 'jane@example.com' });
    const log = await logged(async () => {
      const answer = await entra.withToken(token).request('GET', '/Users');
      expect(expectError(answer, 401)).toContain('error_description="The token is not valid"');
      expect(answer.text).not.toContain('api://');
    });
    expect(log).toContain('audience: the token is for \\"api://other\\"; this gateway takes');
    expect(log).not.toContain('jane');
  });

  it('explains that an opaque token came where a JWT is expected [capabilities-23]', async () => {
    for (const token of ['opaque-secret-from-a-form', entra.token]) {
      const log = await logged(async () => {
        const answer = await entra.withToken(token).request('GET', '/Users');
        const challenge = expectError(answer, 401);
        expect(challenge).toContain('error="invalid_token"');
        expect(challenge).toContain('a JWT is expected');
        expect(answer.text).not.toContain(token);
      });
      expect(log).toMatch(/(an opaque|a generated) token came, this gateway expects a JWT/);
      expect(log).not.toContain(token);
    }
  });
});

describe('scopes of a token', () => {
  it('for reading: reads are served, writes are 403 [7644-2.1-02 7644-2-03]', async () => {
    const reader = scopes.withToken(await issuer.token({ aud: 'api', scope: 'scim.read' }));
    expect((await reader.request('GET', '/Users')).status).toBe(200);
    const challenge = expectError(await reader.request('POST', '/Users', { body: user('kim') }), 403);
    expect(challenge).toContain('error="insufficient_scope"');
    const writer = scopes.withToken(await issuer.token({ aud: 'api', roles: ['scim.write'] }));
    expect((await writer.request('POST', '/Users', { body: user('kim') })).status).toBe(201);
  });

  it('that allow nothing: 403, with those that would [6750-3.1-01 7644-2-02]', async () => {
    const nobody = scopes.withToken(await issuer.token({ aud: 'api', scope: 'openid' }));
    const challenge = expectError(await nobody.request('GET', '/Users'), 403);
    expect(challenge).toContain('error="insufficient_scope"');
    expect(challenge).toContain('scope="scim.read scim.write"');
  });

  it('are none of the resource types: a caller sees only its own [7644-7.7-03]', async () => {
    const gateway = await server.gateway('types');
    const caller = gateway.withToken(await issuer.token({ aud: 'api' }));
    expect((await caller.request('GET', '/Groups')).status).toBe(200);
    expectError(await caller.request('GET', '/Users'), 403);
  });
});

describe('/Me for a token', () => {
  const oid = 'aaaaaaaa-1111-4222-8333-444444444444';

  it('is the user whose attribute has the value of the claim, at its own location [7644-3.11-03 7644-3.11-04]', async () => {
    const created = await own.request('POST', '/Users', { body: user('lee', { externalId: oid }) });
    await own.request('POST', '/Users', { body: user('other', { externalId: 'x' }) });
    const me = await own.withToken(await issuer.token({ aud: 'api', oid })).request('GET', '/Me');
    expect(me.status).toBe(200);
    expect(me.body).toMatchObject({ id: created.body.id, userName: 'lee' });
    const location = `${own.base}/Users/${created.body.id}`;
    expect(me.headers.get('location') ?? me.headers.get('content-location')).toBe(location);
    expect(me.body.meta.location).toBe(location);
  });

  it('is 404 for a subject without a user, 501 for a token without the claim [7644-3.11-06 7644-3.11-01]', async () => {
    const stranger = own.withToken(await issuer.token({ aud: 'api', oid: 'nobody" or userName pr or id eq "' }));
    expectError(await stranger.request('GET', '/Me'), 404);
    expectError(await own.withToken(await issuer.token({ aud: 'api' })).request('GET', '/Me'), 501);
    expectError(await entra.withToken(await issuer.token()).request('GET', '/Me'), 501);
  });
});

describe('an issuer that cannot be reached', () => {
  it('at a cold start: 503 with Retry-After, never 401, and the log names the address [capabilities-20]', async () => {
    const gateway = await server.gateway('away');
    const token = await sign({ iss: 'https://idp.example.com/', aud: 'api', sub: 'a', exp: 4_102_444_800 }, issuer.key);
    const log = await logged(async () => {
      const answer = await gateway.withToken(token).request('GET', '/Users');
      expect(expectError(answer, 503)).toBe('');
      expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
      expect(answer.text).not.toContain('127.0.0.1');
    });
    expect(log).toContain('http://127.0.0.1:9/keys');
    expect(log).not.toContain(token.split('.')[2]);
    // Generated tokens do not depend on it.
    expect((await gateway.request('GET', '/Users')).status).toBe(200);
  });
});
