import { describe, expect, it } from 'vitest';
import { authenticationSchemes } from '../../src/auth/schemes.js';

const typesOf = (auth: Parameters<typeof authenticationSchemes>[0]) =>
  authenticationSchemes(auth).map(({ type, primary }) => [type, primary]);

describe('authentication schemes in ServiceProviderConfig', () => {
  it('are those that are on, the one to prefer first [7643-5-03]', () => {
    expect(typesOf({ tokens: { enabled: true } })).toEqual([['oauthbearertoken', true]]);
    expect(typesOf({ tokens: { enabled: true }, basic: { user: 'scim' }, oauth: {}, jwt: {} })).toEqual([
      ['oauthbearertoken', true],
      ['oauth2', false],
      ['httpbasic', false],
    ]);
    expect(typesOf({ tokens: { enabled: false }, oauth: {} })).toEqual([['oauth2', true]]);
  });

  it('say which kinds of bearer token are taken', () => {
    const descriptionOf = (auth: Parameters<typeof authenticationSchemes>[0]) =>
      authenticationSchemes(auth)[0]?.description;
    expect(descriptionOf({ tokens: { enabled: true } })).not.toMatch(/JSON Web Token/);
    expect(descriptionOf({ tokens: { enabled: false }, jwt: {} })).not.toMatch(/scimbridge/);
    expect(descriptionOf({ tokens: { enabled: true }, jwt: {} })).toMatch(/scimbridge.*JSON Web Token/);
  });
});
