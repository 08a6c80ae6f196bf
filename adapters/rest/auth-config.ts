import type { FromSchema } from 'json-schema-to-ts';

const secret = { type: 'string', minLength: 1 } as const;

const oauthSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['kind', 'tokenUrl', 'clientId'],
  properties: {
    kind: {
      const: 'oauth2ClientCredentials',
      description: 'Access tokens of an authorization server (RFC 6749 §4.4), renewed before they expire.',
    },
    tokenUrl: {
      type: 'string',
      pattern: '^https?://[^\\s#@]+$',
      description: 'The token endpoint.',
      examples: ['https://login.example.com/oauth2/token'],
    },
    clientId: { type: 'string', minLength: 1 },
    clientSecret: { ...secret, examples: [`\${env:HR_SECRET}`] },
    privateKey: {
      ...secret,
      description: 'The private key (PEM, PKCS #8) that assertions are signed with, instead of a secret.',
      examples: [`\${file:/run/secrets/hr-key.pem}`],
    },
    keyId: { type: 'string', minLength: 1, description: 'The `kid` of the key, where the server knows several.' },
    algorithm: {
      enum: ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'],
      description: 'How assertions are signed. Default: RS256.',
    },
    audience: {
      type: 'string',
      minLength: 1,
      description: 'Whom an assertion is for. Default: the token endpoint.',
    },
    method: {
      enum: ['client_secret_basic', 'client_secret_post', 'private_key_jwt'],
      description:
        'How the gateway proves who it is. Default: client_secret_basic, or private_key_jwt where there is a private key.',
    },
    scope: { type: 'string', minLength: 1, examples: ['users.read users.write'] },
    parameters: {
      type: 'object',
      additionalProperties: { type: 'string' },
      description: 'More parameters of the token request.',
      examples: [{ resource: 'https://hr.example.com' }],
    },
  },
} as const;

/** How the gateway proves to a target who it is. */
export const authSchema = {
  description: "The gateway's own account. Without it requests carry no credentials (but a client certificate).",
  anyOf: [
    {
      type: 'object',
      additionalProperties: false,
      required: ['kind', 'token'],
      properties: {
        kind: { const: 'bearer', description: 'A token that does not change.' },
        token: { ...secret, examples: [`\${env:HR_TOKEN}`] },
      },
    },
    {
      type: 'object',
      additionalProperties: false,
      required: ['kind', 'username', 'password'],
      properties: {
        kind: { const: 'basic', description: 'HTTP Basic authentication.' },
        username: { type: 'string', minLength: 1 },
        password: { ...secret, examples: [`\${env:HR_PASSWORD}`] },
      },
    },
    {
      type: 'object',
      additionalProperties: false,
      required: ['kind', 'key'],
      properties: {
        kind: { const: 'apiKey', description: 'A key in a header or, where it must be, in the query.' },
        key: { ...secret, examples: [`\${env:HR_KEY}`] },
        header: {
          type: 'string',
          pattern: "^[A-Za-z0-9!#$%&'*+.^_`|~-]+$",
          description: 'The header that carries the key. Default: X-API-Key.',
        },
        query: {
          type: 'string',
          minLength: 1,
          description: 'The query parameter that carries the key instead. Proxies write it into their logs.',
        },
      },
    },
    oauthSchema,
  ],
} as const;

export type AuthConfig = FromSchema<typeof authSchema>;
export type OauthConfig = FromSchema<typeof oauthSchema>;
