import { describe, expect, it } from 'vitest';
import { isTenant } from '../../src/auth/jwt-checks.js';
import { otherTenantId, tenantId } from '../support/authorization-server.js';
import { accepted, refused, rejection, useJwtBench } from './jwt-bench.js';

const bench = useJwtBench();
const sharedAudience = '8adf8e6e-67b2-4cf2-a259-e3dc5476c621';
const seconds = () => Math.floor(Date.now() / 1000);

describe('the token that Entra ID makes when its secret field is empty', () => {
  it('is taken with issuer, audience and tenant, and names its caller [capabilities-20 7519-4.1-01]', async () => {
    const gateway = bench.authenticator({ audience: sharedAudience, tenant: tenantId });
    const caller = await accepted(gateway, await bench.server.token());
    expect(caller).toEqual({ id: 'jwt:c0ffee00-1111-4222-8333-444444444444' });
  });

  it('is refused from a second tenant, which has the same keys and the same audience [capabilities-22 8725-3.8-01 7644-2.1-01]', async () => {
    const gateway = bench.authenticator({ audience: sharedAudience, tenant: tenantId });
    const token = await bench.server.token({}, { tenant: otherTenantId });
    await refused(gateway, token, `issuer: the token is of "${bench.server.issuer(otherTenantId)}"`);
    // The issuer written for us, the tenant its own: the claim tells.
    await refused(
      gateway,
      await bench.server.token({ tid: otherTenantId }),
      `tenant: the claim "tid" is "${otherTenantId}"; it must name the tenant "${tenantId}"`,
    );
    await refused(gateway, await bench.server.token({ tid: undefined }), 'tenant: the claim "tid" is nothing');
  });
});

describe('issuer', () => {
  it('must be one of the configured ones to the letter, and no other is asked for keys [8725-3.8-01]', async () => {
    const gateway = bench.authenticator({ audience: sharedAudience });
    for (const iss of [
      `${bench.server.url}/evil/`,
      bench.server.issuer().slice(0, -1),
      bench.server.issuer().toUpperCase(),
      'https://sts.windows.net/',
      '',
      null,
      undefined,
      [bench.server.issuer()],
    ]) {
      await refused(
        gateway,
        await bench.server.token({ iss }),
        /^issuer: the token is of .*; this gateway takes those/,
      );
    }
    expect(bench.fetched).toEqual([]);
  });

  it('picks its own section, whose keys alone count [8725-3.8-01]', async () => {
    const gateway = bench.authenticator({ tenant: tenantId }, { issuer: bench.server.issuer(otherTenantId) });
    const issuer = bench.server.issuer(otherTenantId).replace('http://', '').slice(0, -1);
    const token = await bench.server.token({}, { tenant: otherTenantId });
    expect((await accepted(gateway, token)).id).toBe(`jwt:${issuer}:c0ffee00-1111-4222-8333-444444444444`);
    await accepted(gateway, await bench.server.token());
  });
});

describe('audience', () => {
  it('is not checked unless configured [capabilities-21]', async () => {
    await accepted(bench.authenticator(), await bench.server.token({ aud: 'anything' }));
    await accepted(bench.authenticator(), await bench.server.token({ aud: undefined }));
  });

  it('may be one or several, on both sides [capabilities-21 8725-3.9-01]', async () => {
    const one = bench.authenticator({ audience: 'api://gateway' });
    await accepted(one, await bench.server.token({ aud: 'api://gateway' }));
    await accepted(one, await bench.server.token({ aud: ['api://other', 'api://gateway'] }));
    const several = bench.authenticator({ audience: ['api://gateway', 'api://old'] });
    await accepted(several, await bench.server.token({ aud: 'api://old' }));
    await refused(
      several,
      await bench.server.token({ aud: 'api://other' }),
      'audience: the token is for "api://other"; this gateway takes "api://gateway" or "api://old"',
    );
  });

  it.each([
    [undefined, 'has no "aud"'],
    [[], 'is for nobody'],
    [['api://other'], 'is for "api://other"'],
    ['API://GATEWAY', 'is for "API://GATEWAY"'],
    ['api://gateway/', 'is for "api://gateway/"'],
    [['api://gateway', 7], 'has an "aud" that is no text'],
    [{ 'api://gateway': true }, 'has an "aud" that is no text'],
  ])('%j is refused where it is configured [capabilities-21 8725-3.9-01 7644-2.1-01]', async (aud, reason) => {
    const gateway = bench.authenticator({ audience: 'api://gateway' });
    await refused(gateway, await bench.server.token({ aud }), `audience: the token ${reason}`);
  });
});

describe('tenant', () => {
  it.each([
    ['acme', 'https://acme.example.com/'],
    ['acme', 'https://acme.example.com'],
    ['Acme', 'https://acme.example.com/path?x=1'],
    ['acme.example.com', 'https://acme.example.com/'],
    ['https://acme.example.com/', 'https://acme.example.com'],
    ['acme', 'acme'],
    [tenantId.toUpperCase(), tenantId],
  ])('%s is named by %s [capabilities-22]', (tenant, claim) => {
    expect(isTenant(claim, tenant)).toBe(true);
  });

  it.each([
    ['acme', 'https://acme2.example.com/'],
    ['acme', 'https://example.com/acme'],
    ['acme', 'https://www.acme.example.com/'],
    ['acme', 'http://acme.example.com/'],
    ['acme', 'https://acme@evil.example.com/'],
    ['acme', 'https://acme:x@acme.example.com/'],
    ['acme.example.com', 'https://acme.evil.com/'],
    ['acme', 'ACME'],
    ['acme', 'https://'],
    [tenantId, otherTenantId],
    [tenantId, ''],
  ])('%s is not named by %s [capabilities-22]', (tenant, claim) => {
    expect(isTenant(claim, tenant)).toBe(false);
  });

  it('may stand in another claim, also inside one [capabilities-22]', async () => {
    const gateway = bench.authenticator({ tenant: 'acme', tenantClaim: 'organization' });
    await accepted(gateway, await bench.server.token({ organization: 'https://acme.example.com/' }));
    await refused(gateway, await bench.server.token({ organization: 'https://other.example.com/' }), /^tenant: /);
    await refused(gateway, await bench.server.token({ organization: ['acme'] }), /^tenant: .*no text/);
    const inside = bench.authenticator({ tenant: 'acme', tenantClaim: 'org.id' });
    await accepted(inside, await bench.server.token({ org: { id: 'acme' } }));
    await refused(inside, await bench.server.token({ org: 'acme' }), /^tenant: /);
  });
});

describe('times', () => {
  it('exp is honoured with the tolerance, and its caller told so [7519-4.1-01 7644-2.1-01]', async () => {
    const gateway = bench.authenticator();
    await accepted(gateway, await bench.server.token({ exp: seconds() - 50 }));
    const verdict = await rejection(gateway, await bench.server.token({ exp: seconds() - 300 }));
    expect(verdict.reason).toMatch(/^expiry: the token expired at \d{4}-\d\d-\d\dT.*Z$/);
    expect(verdict.description).toBe('The token expired');
    const strict = bench.authenticator({ clockToleranceSeconds: 0 });
    await refused(strict, await bench.server.token({ exp: seconds() - 2 }), /^expiry: /);
  });

  it('exp must be there, a number [7644-7.4-03 7519-4.1-01]', async () => {
    const gateway = bench.authenticator();
    await refused(gateway, await bench.server.token({ exp: undefined }), 'expiry: the token has no "exp"');
    for (const exp of ['4102444800', null, 1e300, [seconds() + 60], true]) {
      await refused(gateway, await bench.server.token({ exp }), 'expiry: "exp" is no number');
    }
  });

  it('nbf and iat in the future are refused beyond the tolerance [7519-4.1-01]', async () => {
    const gateway = bench.authenticator();
    await accepted(gateway, await bench.server.token({ nbf: seconds() + 50, iat: seconds() + 50 }));
    await refused(gateway, await bench.server.token({ nbf: seconds() + 600 }), 'start: the token is valid only from');
    await refused(gateway, await bench.server.token({ iat: seconds() + 600 }), /^start: .* issued in the future/);
    await refused(gateway, await bench.server.token({ nbf: 'now' }), 'start: "nbf" is no number');
    await accepted(gateway, await bench.server.token({ nbf: undefined, iat: undefined }));
  });

  it('maxLifetimeMinutes bounds how long after iat a token is valid [7644-7.4-03]', async () => {
    const gateway = bench.authenticator({ maxLifetimeMinutes: 60 });
    await accepted(gateway, await bench.server.token());
    const reason = 'lifetime: the token is valid for 2 h; at most 60 min would be taken';
    await refused(gateway, await bench.server.token({ exp: seconds() + 7200, iat: seconds() }), reason);
    await refused(gateway, await bench.server.token({ iat: undefined }), 'lifetime: the token has no "iat"');
  });

  it('a token that was taken before is refused once it has expired [7519-4.1-01]', async () => {
    const gateway = bench.authenticator();
    const token = await bench.server.token();
    await accepted(gateway, token);
    bench.pass(3600 + 59);
    await accepted(gateway, token);
    bench.pass(3);
    await refused(gateway, token, /^expiry: /);
  });
});

describe('subject', () => {
  it.each([undefined, '', '  ', null, 7, ['a']])('%j names nobody and is refused [8725-3.8-01]', async (sub) => {
    await refused(bench.authenticator(), await bench.server.token({ sub }), 'subject: the token has no "sub"');
  });

  it.each(['jane@example.com', 'Jane Doe', 'a'.repeat(129), 'x\ny', 'Zoë'])(
    '%j is known by a hash, as callers stand in logs [7644-7.5.1-01]',
    async (sub) => {
      const { id } = await accepted(bench.authenticator(), await bench.server.token({ sub }));
      expect(id).toMatch(/^jwt:sha256-[\w-]{16}$/);
    },
  );

  it('gives the user of /Me by a claim and an attribute [7644-3.11-03]', async () => {
    const own = bench.authenticator({ subject: { attribute: 'externalId' } });
    const caller = await accepted(own, await bench.server.token({ sub: 'jane@example.com' }));
    expect(caller.subject).toEqual({ attribute: 'externalId', value: 'jane@example.com' });
    const other = bench.authenticator({ subject: { claim: 'employee', attribute: 'externalId' } });
    const named = await accepted(other, await bench.server.token({ employee: 4711 }));
    expect(named.subject).toEqual({ attribute: 'externalId', value: '4711' });
    expect((await accepted(other, await bench.server.token())).subject).toBeUndefined();
  });
});

describe('kinds of tokens', () => {
  it.each([
    [{ nonce: 'n' }, 'an ID token (claim "nonce")'],
    [{ at_hash: 'h' }, 'an ID token (claim "at_hash")'],
    [{ c_hash: 'h' }, 'an ID token (claim "c_hash")'],
    [{ s_hash: 'h' }, 'an ID token (claim "s_hash")'],
    [
      { events: { 'https://schemas.openid.net/secevent/risc/event-type/account-purged': {} } },
      'a security event token',
    ],
    [{ typ: 'ID' }, 'an ID token (claim "typ")'],
    [{ typ: 'Refresh' }, 'a refresh token (claim "typ")'],
    [{ token_use: 'id' }, 'an ID token (claim "token_use")'],
  ])('%j is no access token [8725-3.12-01]', async (claims, kind) => {
    await refused(bench.authenticator(), await bench.server.token(claims), `kind: it is ${kind}`);
  });

  it('typ may be JWT, at+jwt, or nothing [8725-3.11-01]', async () => {
    const gateway = bench.authenticator();
    for (const typ of ['JWT', 'jwt', 'at+jwt', 'application/at+jwt', 'AT+JWT', undefined]) {
      await accepted(gateway, await bench.server.token({}, { header: { typ } }));
    }
  });

  it.each(['secevent+jwt', 'application/secevent+jwt', 'logout+jwt', 'dpop+jwt', 'id_token', 'JOSE', '', 7, ['JWT']])(
    'typ %j is refused [8725-3.11-01 8725-3.12-01]',
    async (typ) => {
      await refused(
        bench.authenticator(),
        await bench.server.token({}, { header: { typ } }),
        /^type: the header "typ"/,
      );
    },
  );

  it('typ must be there, and one of them, where types are configured [8725-3.11-01]', async () => {
    const gateway = bench.authenticator({ types: ['application/at+jwt'] });
    await accepted(gateway, await bench.server.token({}, { header: { typ: 'at+jwt' } }));
    for (const typ of ['JWT', undefined]) {
      const token = await bench.server.token({}, { header: { typ } });
      await refused(gateway, token, /^type: the header "typ" is .*; "at\+jwt" would be taken$/);
    }
  });
});

describe('what a token allows', () => {
  it('required claims: one of the values, else 403 [6750-3.1-01 7644-2-02]', async () => {
    const gateway = bench.authenticator({ requiredClaims: { roles: ['Provisioning.All', 'Admin'], ver: '1.0' } });
    await accepted(gateway, await bench.server.token({ roles: ['x', 'Admin'], ver: '1.0' }));
    await accepted(gateway, await bench.server.token({ roles: 'Provisioning.All', ver: '1.0' }));
    const without = await rejection(gateway, await bench.server.token({ ver: '1.0' }));
    expect(without).toMatchObject({
      status: 403,
      reason: 'required claims: the claim "roles" is not there; "Provisioning.All" or "Admin" is needed',
    });
    const other = await rejection(gateway, await bench.server.token({ roles: ['admin'], ver: '1.0' }));
    expect(other).toMatchObject({ status: 403, reason: expect.stringContaining('has none of the values') });
  });

  it('required claims may stand inside another: realm_access.roles [7644-2-02]', async () => {
    const gateway = bench.authenticator({ requiredClaims: { 'realm_access.roles': 'scim' } });
    await accepted(gateway, await bench.server.token({ realm_access: { roles: ['scim'] } }));
    expect(await rejection(gateway, await bench.server.token({ realm_access: ['scim'] }))).toMatchObject({
      status: 403,
    });
  });

  it('required claims are names of the token, not of JavaScript objects [8725-3.8-01]', async () => {
    const gateway = bench.authenticator({ requiredClaims: { 'constructor.name': 'Object', '__proto__.x': 'y' } });
    expect(await rejection(gateway, await bench.server.token())).toMatchObject({ status: 403 });
  });

  it.each([
    [{ scope: 'openid scim.write' }, undefined],
    [{ scp: ['scim.write'] }, undefined],
    [{ roles: ['scim.write', 'scim.read'] }, undefined],
    [{ scope: 'scim.read' }, true],
    [{ scp: 'scim.read' }, true],
    [{ roles: 'scim.read' }, true],
  ])('%j allows reading, or everything [7644-2.1-02]', async (claims, readOnly) => {
    const gateway = bench.authenticator({ scopes: { read: 'scim.read', write: ['scim.write'] } });
    expect((await accepted(gateway, await bench.server.token(claims))).readOnly).toBe(readOnly);
  });

  it.each([{}, { scope: 'scim' }, { scope: 'SCIM.READ' }, { scp: { 'scim.read': 1 } }, { scope: 'xscim.read' }])(
    '%j allows nothing: 403 with the scope that is needed [6750-3.1-01 7644-2-02]',
    async (claims) => {
      const gateway = bench.authenticator({ scopes: { read: 'scim.read', write: 'scim.write' } });
      expect(await rejection(gateway, await bench.server.token(claims))).toMatchObject({
        status: 403,
        scope: 'scim.read scim.write',
        reason: 'scope: "scope", "scp" and "roles" hold none of "scim.read" or "scim.write"',
      });
    },
  );

  it('callers may be limited to resource types [7644-7.7-03]', async () => {
    const gateway = bench.authenticator({ resourceTypes: ['User'] });
    expect((await accepted(gateway, await bench.server.token())).resourceTypes).toEqual(['User']);
  });

  it('is only looked at when the token is genuine: a forged one is 401, not 403 [8725-3.3-01]', async () => {
    const gateway = bench.authenticator({ scopes: { write: 'scim.write' } });
    const forged = (await bench.server.token()).replace(/\.[^.]{20}/, (start) => start.replace(/.$/, 'A'));
    await refused(gateway, forged, /^(form|signature): /);
  });
});

describe('reasons', () => {
  it('never hold personal claims, whichever check fails [7644-7.5.1-01]', async () => {
    const personal = { upn: 'jane@example.com', email: 'jane@example.com', name: 'Jane Doe', sub: 'jane@example.com' };
    const gateway = bench.authenticator({
      audience: 'api://gateway',
      tenant: 'acme',
      requiredClaims: { email: 'x@y' },
    });
    for (const claims of [
      { aud: 'jane@example.com' },
      { aud: 'api://gateway', tid: 'Jane Doe' },
      { aud: 'api://gateway', tid: 'acme' },
      { iss: 'https://jane@example.com/' },
    ]) {
      const { reason, description } = await rejection(gateway, await bench.server.token({ ...personal, ...claims }));
      expect(`${reason} ${description}`.toLowerCase()).not.toContain('jane');
    }
  });
});
