import type { AuthenticationScheme } from '../provisioning/discovery.js';

/** What a gateway's `auth` switches on. */
export interface EnabledWays {
  readonly tokens: { readonly enabled: boolean };
  readonly basic?: { readonly user: string };
  readonly oauth?: object;
  readonly jwt?: object;
}

/** The ways to authenticate as ServiceProviderConfig tells them; the first is the one to prefer (RFC 7643 §5). */
export function authenticationSchemes({ tokens, basic, oauth, jwt }: EnabledWays): readonly AuthenticationScheme[] {
  const schemes: Omit<AuthenticationScheme, 'primary'>[] = [];
  if (tokens.enabled || jwt !== undefined) {
    const generated = tokens.enabled ? ['a token that the gateway generated ("scimbridge token create")'] : [];
    const issued = jwt === undefined ? [] : ['a JSON Web Token of an issuer that the gateway trusts'];
    schemes.push({
      type: 'oauthbearertoken',
      name: 'Bearer token',
      description: `Sent as "Authorization: Bearer <token>": ${[...generated, ...issued].join(', or ')}.`,
      specUri: 'https://www.rfc-editor.org/info/rfc6750',
    });
  }
  if (oauth !== undefined) {
    schemes.push({
      type: 'oauth2',
      name: 'OAuth 2.0 client credentials',
      description: 'An access token from /oauth/token, with the id and the secret of a client.',
      specUri: 'https://www.rfc-editor.org/info/rfc6749',
    });
  }
  if (basic !== undefined) {
    schemes.push({
      type: 'httpbasic',
      name: 'HTTP Basic',
      description: `The user "${basic.user}" with a token that the gateway generated as the password.`,
      specUri: 'https://www.rfc-editor.org/info/rfc7617',
    });
  }
  return schemes.map((scheme, index) => ({ ...scheme, primary: index === 0 }));
}
