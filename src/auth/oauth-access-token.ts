import type { Caller } from '../provisioning/service.js';
import { createSealer } from '../state/sealer.js';
import type { Accepted, Authenticator, Verdict } from './authentication.js';
import { hashSecret, prefixes } from './generated-secret.js';
import { createTokenCheck, type TokenCheckOptions } from './token-check.js';

/** What an access token says: nothing of it is kept anywhere, and only this gateway can read it. */
export interface AccessToken {
  /** Hash of the secret that it was got with: it is good as long as that one is. */
  readonly secretHash: string;
  readonly expiresAtMs: number;
  readonly readOnly: boolean;
}

/** Access tokens of one gateway: those of another do not open. */
export interface AccessTokens {
  seal(token: AccessToken): string;
  /** @returns undefined when it was not sealed here, whatever the time */
  open(text: string): AccessToken | undefined;
}

/** A sealed token has some 220 characters. */
const maxLength = 512;

/** @param key the state's key named `oauth`, the same in every replica */
export function createAccessTokens(key: Uint8Array, gateway: string): AccessTokens {
  const sealer = createSealer(key);
  const context = `access token of ${gateway}`;
  return {
    seal({ secretHash, expiresAtMs, readOnly }) {
      return prefixes.accessToken + sealer.seal({ s: secretHash, e: expiresAtMs, r: readOnly }, context);
    },
    open(text) {
      const payload = sealer.open(text.slice(prefixes.accessToken.length), context) as SealedPayload | undefined;
      if (payload === undefined) return undefined;
      return { secretHash: payload.s, expiresAtMs: payload.e, readOnly: payload.r };
    },
  };
}

/** As it was sealed: nobody else has the key. */
interface SealedPayload {
  readonly s: string;
  readonly e: number;
  readonly r: boolean;
}

/** Opened tokens that are kept at hand. Clients may ask for any number of tokens, but use a few. */
const maxOpened = 1000;

/** Access tokens of /oauth/token as an authenticator. The client's secret is looked up as generated tokens are. */
export function createAccessTokenAuthenticator(
  options: Omit<TokenCheckOptions, 'kind'> & { readonly key: Uint8Array },
): Authenticator {
  const { now = Date.now } = options;
  const accessTokens = createAccessTokens(options.key, options.gateway);
  const check = createTokenCheck({ ...options, kind: 'client' });
  const opened = new Map<string, AccessToken>();

  const open = (value: string): AccessToken | undefined => {
    if (value.length > maxLength) return undefined;
    const hash = hashSecret(value);
    const known = opened.get(hash);
    if (known !== undefined) return known;
    const token = accessTokens.open(value);
    if (token === undefined) return undefined;
    if (opened.size >= maxOpened) opened.delete(opened.keys().next().value ?? '');
    opened.set(hash, token);
    return token;
  };

  return {
    scheme: 'Bearer',
    verify(value) {
      if (!value.startsWith(prefixes.accessToken)) return undefined;
      const token = open(value);
      if (token === undefined) return { reason: 'the access token is not of this gateway, or was changed' };
      if (now() >= token.expiresAtMs) return { reason: 'the access token expired', description: 'The token expired' };
      const known = check.recall(token.secretHash);
      if (known !== undefined) return narrow(known, token);
      return check.lookUp(token.secretHash).then((verdict) => narrow(verdict, token));
    },
  };
}

function narrow(verdict: Verdict, { readOnly }: AccessToken): Verdict {
  if (!readOnly || verdict?.caller === undefined || verdict.caller.readOnly === true) return verdict;
  return { caller: { ...verdict.caller, readOnly: true } satisfies Caller } satisfies Accepted;
}
