import { beforeEach, describe, expect, it } from 'vitest';
import { createBasicAuthenticator } from '../../src/auth/basic.js';
import { generateSecret } from '../../src/auth/generated-secret.js';
import { createTokenAuthenticator, issueToken } from '../../src/auth/tokens.js';
import { type CountingStore, createCountingStore } from './counting-store.js';

let store: CountingStore;
let token: string;
beforeEach(async () => {
  store = createCountingStore();
  token = (await issueToken(store, { gateway: 'corp', label: 'PingFederate', readOnly: true })).token;
});

function basic(user = 'scim') {
  return createBasicAuthenticator({ user, tokens: createTokenAuthenticator({ gateway: 'corp', store }) });
}
const encode = (text: string): string => Buffer.from(text).toString('base64');

describe('createBasicAuthenticator', () => {
  it('takes the fixed user with a generated token as the password, with its label and limits [capabilities-19]', async () => {
    expect(await basic().verify(encode(`scim:${token}`))).toEqual({
      caller: { id: 'token:PingFederate', readOnly: true },
    });
  });

  it('answers at once while the check is fresh', async () => {
    const { verify } = basic();
    await verify(encode(`scim:${token}`));
    expect(verify(encode(`scim:${token}`))).toHaveProperty('caller');
  });

  it('takes a user name of your own, in any script (RFC 7617 §2.1)', async () => {
    expect(await basic('příjem').verify(encode(`příjem:${token}`))).toHaveProperty('caller');
    expect(await basic('příjem').verify(encode(`scim:${token}`))).not.toHaveProperty('caller');
  });

  it.each(['admin', '', 'SCIM', 'scim '])(
    'refuses the user name %j, and does not repeat it [capabilities-19]',
    async (user) => {
      expect(await basic().verify(encode(`${user}:${token}`))).toEqual({
        reason: 'Basic came with another user name than "scim"',
        description: 'The credentials are not valid',
      });
    },
  );

  it('says why a password is refused', async () => {
    const reason = async (password: string) =>
      ((await basic().verify(encode(`scim:${password}`))) as { reason: string }).reason;
    expect(await reason('s3cret')).toBe('the Basic password is no generated token');
    expect(await reason(`${token}x`)).toContain('checksum');
    expect(await reason(generateSecret('scimb_'))).toBe('the token is unknown');
    await store.revoke('corp', 'PingFederate', Date.now());
    expect(await reason(token)).toBe('token "PingFederate" was revoked');
  });

  it.each(['', '%%%', encode('scim'), 'c2NpbTp4 c2NpbTp4'])(
    'refuses %j, which is not "user:password"',
    async (value) => {
      expect(await basic().verify(value)).toEqual({
        reason: 'the Basic credentials are not "user:password" in Base64',
      });
    },
  );
});
