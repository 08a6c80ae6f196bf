import type { AuthenticationOptions, Refused, Rejected } from './authentication.js';
import { kindOf } from './generated-secret.js';

/** Schemes that a log may name. Any other word in that place may be a credential. */
const knownSchemes = new Set([
  'basic',
  'bearer',
  'digest',
  'dpop',
  'hoba',
  'mutual',
  'negotiate',
  'ntlm',
  'oauth',
  'apikey',
  'token',
]);

const wrongFormDetail = 'The Authorization header is not understood: send "Bearer", a space and the token.';

/** Why a caller is refused: in words for the operator, and no more for the caller than RFC 6750 §3.1 allows. */
export interface Refusals {
  readonly noCredentials: Refused;
  wrongForm(reason: string): Refused;
  /** The header is a single word. */
  alone(word: string): Refused;
  otherScheme(scheme: string): Refused;
  /** No authenticator of the scheme knows credentials of this kind. */
  otherKind(scheme: string, credential: string): Refused;
  invalid(scheme: string, reason: string, description?: string): Refused;
  scope(rejected: Rejected): Refused;
}

export function createRefusals({ realm, authenticators, expects = [] }: AuthenticationOptions): Refusals {
  const used = [...new Set(authenticators.map((authenticator) => authenticator.scheme))];
  const schemes = used.length > 0 ? used : (['Bearer'] as const);
  /** Every scheme that is supported (RFC 7644 §2), with parameters for the one that failed. */
  const challenge = (failed?: string, parameters = ''): string =>
    schemes
      .map((scheme) => `${scheme} realm="${realm}"${scheme.toLowerCase() === failed ? parameters : ''}`)
      .join(', ');
  const plainChallenge = challenge();
  const expected = expects.join(' or ');

  const wrongForm = (reason: string): Refused => ({
    status: 401,
    detail: wrongFormDetail,
    challenge: plainChallenge,
    reason,
  });
  const invalid = (scheme: string, reason: string, description = 'The token is not valid'): Refused => ({
    status: 401,
    detail: `${description}.`,
    challenge:
      scheme === 'bearer'
        ? challenge('bearer', `, error="invalid_token", error_description="${description}"`)
        : plainChallenge,
    reason,
  });
  return {
    noCredentials: {
      status: 401,
      detail: 'No credentials came with the request: send "Authorization: Bearer" and the token.',
      challenge: plainChallenge,
      reason: 'no Authorization header',
    },
    wrongForm,
    alone(word) {
      const kind = kindOf(word);
      return wrongForm(
        kind === 'an opaque token'
          ? 'the Authorization header names no scheme, or only a scheme'
          : `${kind} came without the word Bearer before it${kind === 'a generated token' ? ': auth.tokens.bare would allow that' : ''}`,
      );
    },
    otherScheme(scheme) {
      const named = knownSchemes.has(scheme) ? `the scheme "${scheme}"` : 'an unknown scheme';
      return wrongForm(`${named} came, this gateway takes ${schemes.join(' and ')}`);
    },
    otherKind(scheme, credential) {
      if (expected === '') return invalid(scheme, `${kindOf(credential)} came, and none is accepted here`);
      const description = `The token is not valid: ${expected} is expected`;
      return invalid(scheme, `${kindOf(credential)} came, this gateway expects ${expected}`, description);
    },
    invalid,
    scope: ({ reason, description = 'The token does not allow this', scope }) => ({
      status: 403,
      detail: `${description}.`,
      challenge: challenge(
        'bearer',
        `, error="insufficient_scope", error_description="${description}"${scope === undefined ? '' : `, scope="${scope}"`}`,
      ),
      reason,
    }),
  };
}
