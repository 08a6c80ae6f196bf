/** `auth` of a gateway: who may call, and what each kind of credential may do. */

const texts = {
  anyOf: [
    { type: 'string', minLength: 1 },
    { type: 'array', minItems: 1, items: { type: 'string', minLength: 1 } },
  ],
} as const;

const tokensSchema = {
  type: 'object',
  additionalProperties: false,
  default: {},
  description: 'Tokens that the gateway generates: `scimbridge token create`.',
  properties: {
    enabled: { type: 'boolean', default: true, description: 'false: generated tokens are refused here.' },
    validityDays: {
      type: 'integer',
      minimum: 1,
      default: 365,
      description: 'How long a new token is valid, in days, when the command does not say.',
    },
    minimumDays: { type: 'integer', minimum: 1, maximum: 3650, default: 90, description: 'The shortest validity.' },
    maximumDays: { type: 'integer', minimum: 1, maximum: 3650, default: 730, description: 'The longest validity.' },
    single: {
      type: 'boolean',
      default: false,
      description: 'A new token revokes the former ones at once. Else several are valid side by side.',
    },
    overlapDays: {
      type: 'number',
      minimum: 0,
      maximum: 365,
      default: 7,
      description: 'How long the former token stays valid after `token rotate`, in days.',
    },
    bare: {
      type: 'boolean',
      default: false,
      description: "A token is taken without the word Bearer before it too (Okta's HTTP Header mode).",
    },
  },
} as const;

const basicSchema = {
  type: 'object',
  additionalProperties: false,
  description: 'HTTP Basic with a generated token as the password (PingFederate). Off unless this section is there.',
  properties: {
    user: { type: 'string', pattern: '^[^:\\p{C}]+$', default: 'scim', description: 'The fixed user name.' },
  },
} as const;

const oauthSchema = {
  type: 'object',
  additionalProperties: false,
  description:
    'OAuth 2 client credentials at /oauth/token, with clients that `scimbridge client create` makes. Off unless this section is there.',
  properties: {
    tokenMinutes: {
      type: 'integer',
      minimum: 5,
      maximum: 1440,
      default: 60,
      description: 'How long an access token is valid.',
    },
  },
} as const;

export const jwtIssuerSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['issuer'],
  properties: {
    issuer: {
      type: 'string',
      minLength: 1,
      description: 'What the claim `iss` must be, to the letter. Always checked.',
      examples: ['https://sts.windows.net/2f1d…/'],
    },
    discovery: {
      type: 'string',
      pattern: '^https?://',
      description:
        'The OpenID configuration that names the keys. Default: issuer + "/.well-known/openid-configuration".',
    },
    jwks: { type: 'string', pattern: '^https?://', description: 'The key set, where there is no discovery.' },
    keys: {
      anyOf: [
        { type: 'string', minLength: 1 },
        { type: 'object', required: ['keys'] },
      ],
      description: 'A local key set (RFC 7517): a file, read again when it changes, or written out here.',
    },
    secret: {
      type: 'string',
      description: 'A shared key for HS256, HS384 and HS512 of at least 32 bytes: a reference, not a password.',
    },
    audience: { ...texts, description: 'The claim `aud` must hold one of these. Not checked when left out.' },
    tenant: {
      type: 'string',
      minLength: 1,
      description:
        'The tenant that the token must come from: a GUID, or the host part of https://{tenant}.example.com/. Not checked when left out.',
    },
    tenantClaim: { type: 'string', minLength: 1, default: 'tid', description: 'The claim that names the tenant.' },
    algorithms: {
      type: 'array',
      minItems: 1,
      uniqueItems: true,
      items: {
        enum: [
          'RS256',
          'RS384',
          'RS512',
          'PS256',
          'PS384',
          'PS512',
          'ES256',
          'ES384',
          'ES512',
          'EdDSA',
          'HS256',
          'HS384',
          'HS512',
        ],
      },
      description: 'Signature algorithms that are taken. Default: RS256, PS256, ES256 and EdDSA; with `secret`, HS256.',
    },
    types: {
      type: 'array',
      minItems: 1,
      items: { type: 'string', minLength: 1 },
      description: 'What the header `typ` may be. Default: JWT, at+jwt, or nothing. With a list it must be there.',
      examples: [['at+jwt']],
    },
    clockToleranceSeconds: {
      type: 'integer',
      minimum: 0,
      maximum: 300,
      default: 60,
      description: "How far the issuer's clock may be off.",
    },
    maxLifetimeMinutes: {
      type: 'integer',
      minimum: 1,
      description: 'Tokens that are valid for longer than this after `iat` are refused.',
    },
    requiredClaims: {
      type: 'object',
      additionalProperties: texts,
      default: {},
      description: 'Claims that must have, or hold, one of the values: { roles: [Provisioning.All] }. Else 403.',
    },
    scopes: {
      type: 'object',
      additionalProperties: false,
      description: 'Values of `scope`, `scp` or `roles` and what they allow. A token with none of them is 403.',
      properties: {
        read: { ...texts, description: 'May read.' },
        write: { ...texts, description: 'May read and write.' },
      },
    },
    resourceTypes: {
      type: 'array',
      minItems: 1,
      items: { type: 'string' },
      description: 'Callers of this issuer are limited to these resource types.',
    },
    subject: {
      type: 'object',
      additionalProperties: false,
      description: '/Me: the resource whose attribute has the value of the claim.',
      required: ['attribute'],
      properties: {
        claim: { type: 'string', minLength: 1, default: 'sub' },
        attribute: { type: 'string', minLength: 1, examples: ['externalId'] },
      },
    },
  },
} as const;

const jwtSchema = {
  anyOf: [jwtIssuerSchema, { type: 'array', minItems: 1, items: jwtIssuerSchema }],
  description:
    "JSON Web Tokens of an issuer, or of several: Entra ID's own token, or an authorization server of yours.",
} as const;

export const authSchema = {
  type: 'object',
  additionalProperties: false,
  default: {},
  description: 'Who may call. Several ways may be on side by side.',
  properties: {
    publicDiscovery: {
      type: 'boolean',
      default: false,
      description:
        '/ServiceProviderConfig answers callers without credentials too, so that a client learns how to authenticate.',
    },
    tokens: tokensSchema,
    basic: basicSchema,
    jwt: jwtSchema,
    oauth: oauthSchema,
  },
} as const;
