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

  it('tells the log that a JWT came where none is accepted', async () => {
    expect(await authenticate('Bearer aaaa.bbbb.cccc')).toMatchObject({
      status: 401,
      reason: 'a JWT came, and none is accepted here',
    });
  });

  it('asks authenticators in turn, also those that answer later', async () => {
    expect(await authenticate('Bearer jwt')).toEqual({ caller: { id: 'jwt:1' } });
    expect(await authenticate('Bearer else')).toMatchObject({ reason: 'not a token that was issued here' });
  });

  it('tells every scheme that is supported [7644-2-01]', async () => {
    const both = createAuthentication({ realm: 'corp', authenticators: [tokens, basic] });
    expect(both(undefined)).toMatchObject({ challenge: 'Bearer realm="corp", Basic realm="corp"' });
    expect(both('Basic c2NpbTpnb29k')).toEqual({ caller: { id: 'basic:1' } });
    expect(both('Basic x')).toMatchObject({ status: 401, reason: 'wrong password' });
  });
});
