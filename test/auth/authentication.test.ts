import { describe, expect, it } from 'vitest';
import { type Authenticator, createAuthentication } from '../../src/auth/authentication.js';

const tokens: Authenticator = {
  scheme: 'Bearer',
  verify: (value) => {
    if (value === 'good') return { caller: { id: 'token:good' } };
    if (value === 'old') return { reason: 'token "old" expired', description: 'The token expired' };
    return value === 'bad' ? { reason: 'unknown' } : undefined;
  },
};
const later: Authenticator = {
  scheme: 'Bearer',
  verify: async (value) => (value === 'jwt' ? { caller: { id: 'jwt:1' } } : undefined),
};
const basic: Authenticator = {
  scheme: 'Basic',
  verify: (value) => (value === 'c2NpbTpnb29k' ? { caller: { id: 'basic:1' } } : { reason: 'wrong password' }),
};

const authenticate = createAuthentication({ realm: 'corp', authenticators: [tokens, later] });

describe('createAuthentication', () => {
  it.each(['Bearer good', 'bearer good', 'BEARER  good'])('accepts "%s" [6750-2.1-01]', (authorization) => {
    expect(authenticate(authorization)).toEqual({ caller: { id: 'token:good' } });
  });

  it('challenges without an error code when no credentials came [6750-3-01 6750-3.1-02 7644-2.2-01]', () => {
    expect(authenticate(undefined)).toMatchObject({ status: 401, challenge: 'Bearer realm="corp"' });
  });

  it.each(['Basic c2NpbTpnb29k', 'good', 'Bearer', 'Bearer ', '', 'Digest username="x"'])(
    'refuses "%s", which is no bearer token [6750-3-01]',
    async (authorization) => {
      expect(await authenticate(authorization)).toMatchObject({ status: 401, challenge: 'Bearer realm="corp"' });
    },
  );

  it('says invalid_token when a token failed [6750-3-02 6750-3.1-01]', async () => {
    expect(await authenticate('Bearer bad')).toMatchObject({
      status: 401,
      detail: 'The token is not valid.',
      challenge: 'Bearer realm="corp", error="invalid_token", error_description="The token is not valid"',
      reason: 'unknown',
    });
  });

  it('says when a token expired, so that somebody renews it [7644-7.4-03]', async () => {
    expect(await authenticate('Bearer old')).toMatchObject({
      detail: 'The token expired.',
      challenge: 'Bearer realm="corp", error="invalid_token", error_description="The token expired"',
    });
  });

  it.each([
    ['aaaa.bbbb.cccc', ['a generated token'], 'a JWT came, this gateway expects a generated token'],
    ['s3cret', ['a JWT'], 'an opaque token came, this gateway expects a JWT'],
    ['scimb_xyz', ['a JWT'], 'a generated token came, this gateway expects a JWT'],
    ['scimbs_xyz', ['a JWT'], "a client's secret came, this gateway expects a JWT"],
    ['s3cret', ['a generated token', 'a JWT'], 'an opaque token came, this gateway expects a generated token or a JWT'],
    ['aaaa.bbbb.cccc', [], 'a JWT came, and none is accepted here'],
  ])(
    'says which kind of token came, and which is expected, without the token: %s, %j [capabilities-23]',
    async (token, expects, reason) => {
      const refused = await createAuthentication({ realm: 'corp', authenticators: [tokens], expects })(
        `Bearer ${token}`,
      );
      expect(refused).toMatchObject({ status: 401, reason });
      expect(JSON.stringify(refused)).not.toContain(token);
      if (expects.length > 0) {
        const description = `The token is not valid: ${expects.join(' or ')} is expected`;
        expect(refused).toMatchObject({
          detail: `${description}.`,
          challenge: `Bearer realm="corp", error="invalid_token", error_description="${description}"`,
        });
      }
    },
  );

  it('refuses a token that does not allow the request with 403 and the scope that is needed [6750-3.1-01]', async () => {
    const verify = () => ({ reason: 'no role', status: 403, scope: 'scim.write' }) as const;
    const limited = createAuthentication({ realm: 'corp', authenticators: [{ scheme: 'Bearer', verify }, basic] });
    expect(await limited('Bearer x')).toEqual({
      status: 403,
      detail: 'The token does not allow this.',
      challenge:
        'Bearer realm="corp", error="insufficient_scope", error_description="The token does not allow this", scope="scim.write", Basic realm="corp"',
      reason: 'no role',
    });
  });

  it.each([
    ['scimb_abc', 'a generated token came without the word Bearer before it: auth.tokens.bare would allow that'],
    ['aaaa.bbbb.cccc', 'a JWT came without the word Bearer before it'],
    ['s3cret', 'the Authorization header names no scheme, or only a scheme'],
    ['s3cret with more', 'an unknown scheme came, this gateway takes Bearer'],
    ['Digest username="s3cret"', 'the scheme "digest" came, this gateway takes Bearer'],
  ])(
    'tells the log what was wrong with %j, and nothing of the credential [capabilities-106]',
    async (header, reason) => {
      const refused = await authenticate(header);
      expect(refused).toMatchObject({ status: 401, reason, challenge: 'Bearer realm="corp"' });
      expect(JSON.stringify(refused)).not.toMatch(/s3cret|scimb_abc|aaaa/);
    },
  );

  it('asks authenticators in turn, also those that answer later', async () => {
    expect(await authenticate('Bearer jwt')).toEqual({ caller: { id: 'jwt:1' } });
    expect(await authenticate('Bearer else')).toMatchObject({ status: 401 });
  });

  it('tells every scheme that is supported, the error beside the one that failed [7644-2-01 7644-2.2-01]', async () => {
    const both = createAuthentication({ realm: 'corp', authenticators: [tokens, basic] });
    expect(both(undefined)).toMatchObject({ challenge: 'Bearer realm="corp", Basic realm="corp"' });
    expect(both('Basic c2NpbTpnb29k')).toEqual({ caller: { id: 'basic:1' } });
    expect(both('Basic x')).toMatchObject({
      status: 401,
      reason: 'wrong password',
      challenge: 'Bearer realm="corp", Basic realm="corp"',
    });
    expect(both('Bearer bad')).toMatchObject({
      challenge:
        'Bearer realm="corp", error="invalid_token", error_description="The token is not valid", Basic realm="corp"',
    });
  });
});

describe('a credential without a scheme', () => {
  const bare = createAuthentication({ realm: 'corp', authenticators: [tokens, later], bare: tokens });

  it('is taken only where that is switched on [capabilities-18]', async () => {
    expect(await bare('good')).toEqual({ caller: { id: 'token:good' } });
    expect(await bare('Bearer good')).toEqual({ caller: { id: 'token:good' } });
    expect(await authenticate('good')).toMatchObject({ status: 401 });
  });

  it('is refused like any other when it is not valid', async () => {
    expect(await bare('old')).toMatchObject({ status: 401, detail: 'The token expired.' });
    expect(await bare('jwt')).toMatchObject({ status: 401, challenge: 'Bearer realm="corp"' });
    expect(await bare('Bearer')).toMatchObject({ status: 401, challenge: 'Bearer realm="corp"' });
  });
});
