import { timingSafeEqual } from 'node:crypto';
import type { Authenticator, Rejected, Verdict } from './authentication.js';
import { hashSecret } from './generated-secret.js';

/**
 * HTTP Basic with a fixed user name and a generated token as the password, for identity providers that know nothing
 * else (PingFederate).
 * @param options.tokens the authenticator of generated tokens: same labels, same limits
 * @see RFC 7617
 */
export function createBasicAuthenticator(options: {
  readonly user: string;
  readonly tokens: Pick<Authenticator, 'verify'>;
}): Authenticator {
  const expectedUser = Buffer.from(hashSecret(options.user));
  return {
    scheme: 'Basic',
    verify(value) {
      const credentials = parseBasic(value);
      if (credentials === undefined) return { reason: 'the Basic credentials are not "user:password" in Base64' };
      // Both are looked at whatever the other is, so that the time tells nothing of either.
      const verdict = options.tokens.verify(credentials.password) ?? noToken;
      const isUser = timingSafeEqual(Buffer.from(hashSecret(credentials.user)), expectedUser);
      return verdict instanceof Promise ? verdict.then((later) => both(isUser, later)) : both(isUser, verdict);
    },
  };

  function both(isUser: boolean, verdict: Verdict): Verdict {
    if (isUser) return verdict;
    return {
      reason: `Basic came with another user name than "${options.user}"`,
      description: 'The credentials are not valid',
    };
  }
}

const noToken: Rejected = {
  reason: 'the Basic password is no generated token',
  description: 'A generated token is expected as the password',
};

/** @returns undefined for what is not Base64 of `user:password` in UTF-8 (RFC 7617 §2) */
export function parseBasic(value: string): { readonly user: string; readonly password: string } | undefined {
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(value)) return undefined;
  const text = Buffer.from(value, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  return colon < 0 ? undefined : { user: text.slice(0, colon), password: text.slice(colon + 1) };
}
