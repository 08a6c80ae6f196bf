import type { Caller } from '../provisioning/service.js';

/** Who calls, or why the call is refused. */
export type AuthResult = Accepted | Refused;

export interface Accepted {
  readonly caller: Caller;
}

export interface Refused {
  readonly caller?: never;
  readonly status: 400 | 401 | 403;
  /** For the caller: no more than RFC 6750 §3.1 allows. */
  readonly detail: string;
  /** The value of WWW-Authenticate. */
  readonly challenge: string;
  /** For the log: exactly which check failed. Holds nothing of the credential. */
  readonly reason: string;
}

/** What one check of a credential found. `undefined`: a credential of another kind, so the next authenticator is asked. */
export type Verdict = Accepted | Rejected | undefined;

/** The credential is of this authenticator's kind, and is not enough. */
export interface Rejected {
  readonly caller?: never;
  /** For the log: exactly which check failed. Holds nothing of the credential. */
  readonly reason: string;
  /** For the caller, in place of "The token is not valid": no final stop, no double quote, no backslash. */
  readonly description?: string;
  /** The token is good, but does not allow this: `insufficient_scope`. Else 401 and `invalid_token`. */
  readonly status?: 403;
  /** With 403: the scope that is needed (RFC 6750 §3). */
  readonly scope?: string;
}

/** One way to authenticate: generated tokens, tokens of an issuer, a password. */
export interface Authenticator {
  /** The HTTP scheme, as challenges spell it. */
  readonly scheme: 'Bearer' | 'Basic';
  /** @param value what follows the scheme's name */
  verify(value: string): Verdict | Promise<Verdict>;
}

/** Answers at once where the credential is known, so that a request need not wait. */
export type Authenticate = (authorization: string | undefined) => AuthResult | Promise<AuthResult>;

const authorizationPattern = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+)(?: +(\S.*))?$/;

/**
 * Asks the authenticators in turn. Credentials are only ever taken from the Authorization header (RFC 6750 §2.1).
 * @see RFC 6750 §3, RFC 7644 §2
 */
export function createAuthentication(options: {
  /** Names the protected space in challenges: the gateway. */
  readonly realm: string;
  readonly authenticators: readonly Authenticator[];
}): Authenticate {
  const { authenticators } = options;
  const schemes = [...new Set(authenticators.map((authenticator) => authenticator.scheme))];
  const plainChallenge = schemes.map((scheme) => `${scheme} realm="${options.realm}"`).join(', ');
  const noCredentials: Refused = {
    status: 401,
    detail: 'No credentials came with the request: send "Authorization: Bearer" and the token.',
    challenge: plainChallenge,
    reason: 'no Authorization header',
  };

  const refuseUnknown = (scheme: string | undefined, value: string | undefined): Refused => {
    if (value === undefined || scheme === undefined) {
      return {
        ...noCredentials,
        detail: wrongForm,
        reason: 'the Authorization header names no scheme, or only a scheme',
      };
    }
    if (!schemes.some((known) => known.toLowerCase() === scheme)) {
      return { ...noCredentials, detail: wrongForm, reason: `the scheme "${scheme}" is not accepted here` };
    }
    return refuseInvalid(isJwt(value) ? 'a JWT came, and none is accepted here' : 'not a token that was issued here');
  };
  const refuseInvalid = (reason: string, description = 'The token is not valid'): Refused => ({
    status: 401,
    detail: `${description}.`,
    challenge: schemes
      .map((scheme) =>
        scheme === 'Bearer'
          ? `Bearer realm="${options.realm}", error="invalid_token", error_description="${description}"`
          : `${scheme} realm="${options.realm}"`,
      )
      .join(', '),
    reason,
  });
  const refuseScope = ({ reason, description = 'The token does not allow this', scope }: Rejected): Refused => ({
    status: 403,
    detail: `${description}.`,
    challenge: `Bearer realm="${options.realm}", error="insufficient_scope", error_description="${description}"${scope === undefined ? '' : `, scope="${scope}"`}`,
    reason,
  });
  const conclude = (verdict: Accepted | Rejected): AuthResult => {
    if (verdict.caller !== undefined) return verdict;
    return verdict.status === 403 ? refuseScope(verdict) : refuseInvalid(verdict.reason, verdict.description);
  };

  const ask = (scheme: string, value: string, from: number): AuthResult | Promise<AuthResult> => {
    for (let index = from; index < authenticators.length; index++) {
      const authenticator = authenticators[index]!;
      if (authenticator.scheme.toLowerCase() !== scheme) continue;
      const verdict = authenticator.verify(value);
      if (verdict instanceof Promise) {
        return verdict.then((later) => (later === undefined ? ask(scheme, value, index + 1) : conclude(later)));
      }
      if (verdict !== undefined) return conclude(verdict);
    }
    return refuseUnknown(scheme, value);
  };

  return (authorization) => {
    if (authorization === undefined) return noCredentials;
    const match = authorizationPattern.exec(authorization);
    const scheme = match?.[1]?.toLowerCase();
    const value = match?.[2];
    return scheme === undefined || value === undefined ? refuseUnknown(scheme, value) : ask(scheme, value, 0);
  };
}

const wrongForm = 'The Authorization header is not understood: send "Bearer", a space and the token.';

function isJwt(value: string): boolean {
  return /^[\w-]+\.[\w-]+\.[\w-]*$/.test(value);
}
