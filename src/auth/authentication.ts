import type { Caller } from '../provisioning/service.js';
import { createRefusals } from './refused.js';

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

export interface AuthenticationOptions {
  /** Names the protected space in challenges: the gateway. */
  readonly realm: string;
  readonly authenticators: readonly Authenticator[];
  /** Asked with a header that is a credential and nothing else, against RFC 6750 §2.1: see `auth.tokens.bare`. */
  readonly bare?: Authenticator;
  /** The kinds of bearer tokens that are taken, for those who sent another: `a JWT`. */
  readonly expects?: readonly string[];
}

/**
 * Asks the authenticators in turn. Credentials are only ever taken from the Authorization header (RFC 6750 §2.1).
 * @see RFC 6750 §3, RFC 7644 §2
 */
export function createAuthentication(options: AuthenticationOptions): Authenticate {
  const { bare } = options;
  const byScheme = groupByScheme(options.authenticators);
  const refuse = createRefusals(options);

  const conclude = (scheme: string, verdict: Accepted | Rejected): AuthResult => {
    if (verdict.caller !== undefined) return verdict;
    return verdict.status === 403 ? refuse.scope(verdict) : refuse.invalid(scheme, verdict.reason, verdict.description);
  };
  const ask = (
    scheme: string,
    value: string,
    authenticators: readonly Authenticator[],
    from = 0,
  ): AuthResult | Promise<AuthResult> => {
    for (let index = from; index < authenticators.length; index++) {
      const verdict = authenticators[index]!.verify(value);
      if (verdict instanceof Promise) {
        return verdict.then((later) =>
          later === undefined ? ask(scheme, value, authenticators, index + 1) : conclude(scheme, later),
        );
      }
      if (verdict !== undefined) return conclude(scheme, verdict);
    }
    return refuse.otherKind(scheme, value);
  };

  return (authorization) => {
    if (authorization === undefined) return refuse.noCredentials;
    const match = authorizationPattern.exec(authorization);
    if (match?.[1] === undefined) return refuse.wrongForm('the Authorization header names no scheme, or only a scheme');
    const [, scheme, value] = match;
    if (value === undefined) {
      // "Bearer" alone holds no credential, whatever the leniency.
      const verdict = byScheme.has(scheme.toLowerCase()) ? undefined : bare?.verify(scheme);
      if (verdict === undefined) return refuse.alone(scheme);
      return verdict instanceof Promise
        ? verdict.then((later) => (later === undefined ? refuse.alone(scheme) : conclude('bearer', later)))
        : conclude('bearer', verdict);
    }
    const name = scheme.toLowerCase();
    const authenticators = byScheme.get(name);
    return authenticators === undefined ? refuse.otherScheme(name) : ask(name, value, authenticators);
  };
}

function groupByScheme(authenticators: readonly Authenticator[]): ReadonlyMap<string, readonly Authenticator[]> {
  const groups = new Map<string, Authenticator[]>();
  for (const authenticator of authenticators) {
    const scheme = authenticator.scheme.toLowerCase();
    groups.set(scheme, [...(groups.get(scheme) ?? []), authenticator]);
  }
  return groups;
}
