import { type JwtIssuerSettings, toPolicy } from './jwt-policy.js';
import { FileKeys, inlineSource, secretSource } from './key-local.js';
import { RemoteKeys } from './key-remote.js';
import type { KeySource, KeySourceOptions } from './key-source.js';

/** The one source that the settings name; without any, discovery at the issuer. */
export function createKeySource(settings: JwtIssuerSettings, options: KeySourceOptions): KeySource {
  const { secret, keys, jwks, discovery, issuer } = settings;
  const wanted = { issuer, algorithms: toPolicy(settings).algorithms };
  if (secret !== undefined) return secretSource(secret, wanted.algorithms);
  if (typeof keys === 'string') return new FileKeys(options.resolveFile(keys), wanted, options);
  if (keys !== undefined) return inlineSource(keys, wanted);
  if (jwks !== undefined) return new RemoteKeys({ jwks }, wanted, options);
  const address = discovery ?? `${issuer.replace(/\/+$/, '')}/.well-known/openid-configuration`;
  return new RemoteKeys({ discovery: address }, wanted, options);
}
