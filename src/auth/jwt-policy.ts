/** What the configuration says of one issuer: `auth.jwt`. Whatever is left out has a default. */
export interface JwtIssuerSettings {
  readonly issuer: string;
  readonly discovery?: string | undefined;
  readonly jwks?: string | undefined;
  /** A file, or a key set as it is (RFC 7517 §5). */
  readonly keys?: string | object | undefined;
  readonly secret?: string | undefined;
  readonly audience?: Texts | undefined;
  readonly tenant?: string | undefined;
  readonly tenantClaim?: string | undefined;
  readonly algorithms?: readonly string[] | undefined;
  readonly types?: readonly string[] | undefined;
  readonly clockToleranceSeconds?: number | undefined;
  readonly maxLifetimeMinutes?: number | undefined;
  readonly requiredClaims?: Readonly<Record<string, Texts>> | undefined;
  readonly scopes?: { readonly read?: Texts | undefined; readonly write?: Texts | undefined } | undefined;
  readonly resourceTypes?: readonly string[] | undefined;
  readonly subject?: { readonly claim?: string | undefined; readonly attribute: string } | undefined;
}

type Texts = string | readonly string[];

/** What is asked of a token of one issuer. */
export interface JwtPolicy {
  readonly issuer: string;
  readonly algorithms: readonly string[];
  /** In lower case, without `application/`. Undefined: the usual ones, or none. */
  readonly types: readonly string[] | undefined;
  /** Undefined: not checked. */
  readonly audiences: readonly string[] | undefined;
  readonly tenant: string | undefined;
  readonly tenantClaim: string;
  readonly toleranceSeconds: number;
  readonly maxLifetimeSeconds: number | undefined;
  readonly requiredClaims: readonly { readonly name: string; readonly values: readonly string[] }[];
  readonly scopes: { readonly read: readonly string[]; readonly write: readonly string[] } | undefined;
  readonly resourceTypes: readonly string[] | undefined;
  readonly subject: { readonly claim: string; readonly attribute: string } | undefined;
}

const asymmetricAlgorithms = ['RS256', 'PS256', 'ES256', 'EdDSA'];
const secretAlgorithms = ['HS256'];

export function toPolicy(settings: JwtIssuerSettings): JwtPolicy {
  const { scopes, subject, maxLifetimeMinutes } = settings;
  return {
    issuer: settings.issuer,
    algorithms: settings.algorithms ?? (settings.secret === undefined ? asymmetricAlgorithms : secretAlgorithms),
    types: settings.types?.map(toType),
    audiences: settings.audience === undefined ? undefined : texts(settings.audience),
    tenant: settings.tenant,
    tenantClaim: settings.tenantClaim ?? 'tid',
    toleranceSeconds: settings.clockToleranceSeconds ?? 60,
    maxLifetimeSeconds: maxLifetimeMinutes === undefined ? undefined : maxLifetimeMinutes * 60,
    requiredClaims: Object.entries(settings.requiredClaims ?? {}).map(([name, values]) => ({
      name,
      values: texts(values),
    })),
    scopes: scopes && { read: texts(scopes.read), write: texts(scopes.write) },
    resourceTypes: settings.resourceTypes,
    subject: subject && { claim: subject.claim ?? 'sub', attribute: subject.attribute },
  };
}

/** `typ` is a media type whose "application/" may be left out, in any case (RFC 7515 §4.1.9). */
export function toType(text: string): string {
  return text.toLowerCase().replace(/^application\//, '');
}

/** `Ed25519` is the later name of what JWKs and tokens mostly call `EdDSA` (RFC 9864 §2.2). */
export function toAlgorithm(name: string): string {
  return name === 'Ed25519' ? 'EdDSA' : name;
}

function texts(value: Texts | undefined): readonly string[] {
  if (value === undefined) return [];
  return typeof value === 'string' ? [value] : value;
}
