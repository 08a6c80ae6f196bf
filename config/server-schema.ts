/** What the process as a whole does: TLS, proxies before it, its metrics and its records. */

export const tlsSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['certificate', 'key'],
  description: 'TLS 1.2 and up in the gateway itself. The files are read again when they change.',
  properties: {
    certificate: { type: 'string', minLength: 1, description: 'A PEM file with the certificate and its chain.' },
    key: { type: 'string', minLength: 1, description: 'The PEM file of the private key.' },
    minimumVersion: { enum: ['TLSv1.2', 'TLSv1.3'], default: 'TLSv1.2' },
  },
} as const;

export const stateSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['url'],
  description:
    "PostgreSQL for the gateway's own state, so that several replicas share it. Without this section it lies in the folder `data`.",
  properties: {
    url: {
      type: 'string',
      pattern: '^postgres(ql)?://[^\\s/?#]+/[^\\s/?#]+$',
      description: 'Account, host and database; how the connection is secured is said below.',
      examples: ['postgres://scimbridge@db.example.com/scimbridge'],
    },
    password: {
      type: 'string',
      minLength: 1,
      description: "The account's password, where it is not in the URL.",
      examples: [`\${file:/run/secrets/state-password}`],
    },
    tls: {
      type: 'object',
      additionalProperties: false,
      description:
        'How the server proves who it is, and the gateway to it. TLS is spoken unless the server is on this machine and this section is left out. Files are relative to the folder of gateway.yaml.',
      properties: {
        ca: {
          type: 'string',
          minLength: 1,
          description: 'Certificates (PEM) of the authorities to trust, instead of the well-known ones.',
        },
        certificate: { type: 'string', minLength: 1, description: "The gateway's own certificate (PEM)." },
        key: { type: 'string', minLength: 1, description: 'The key (PEM) of that certificate.' },
        serverName: {
          type: 'string',
          minLength: 1,
          description: "The name in the server's certificate, where it is not the host of the URL.",
        },
      },
    },
    allowClearText: {
      type: 'boolean',
      default: false,
      description: 'Send everything, hashes of tokens and keys included, readable to a server on another machine.',
    },
    schema: {
      type: 'string',
      pattern: '^[a-z_][a-z0-9_]{0,39}$',
      default: 'scimbridge',
      description: 'The schema that the tables are made in.',
    },
    connections: {
      type: 'integer',
      minimum: 1,
      maximum: 100,
      default: 4,
      description: 'How many a replica opens, beside one to listen and two for transactions.',
    },
    graceSeconds: {
      type: 'integer',
      minimum: 0,
      maximum: 3600,
      default: 60,
      description: 'How long tokens that were valid a moment ago are taken while the database does not answer.',
    },
  },
} as const;

export const trustedProxiesSchema = {
  type: 'array',
  default: [],
  items: { type: 'string', pattern: '^[0-9A-Fa-f:.]+(/[0-9]{1,3})?$' },
  description:
    'Addresses or networks of your proxies. From them alone X-Forwarded-For, -Proto and -Host, or Forwarded, are believed.',
  examples: [['10.0.0.0/8', '::1']],
} as const;

export const metricsSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['listen'],
  description: 'Prometheus metrics at /metrics, on a listener of their own. Off unless this section is there.',
  properties: {
    listen: {
      type: 'string',
      pattern: '^(\\[[0-9A-Fa-f:.]+\\]|[^\\s:/\\[\\]]+):[0-9]{1,5}$',
      description: 'Host and port.',
      examples: ['127.0.0.1:9464'],
    },
  },
} as const;

/** `transactions` of the file; a gateway's own section says less. */
export const transactionsSchema = {
  type: 'object',
  additionalProperties: false,
  default: {},
  description: 'The record of every request: `scimbridge log`. Without personal values, unless a gateway says so.',
  properties: {
    keepDays: { type: 'integer', minimum: 1, maximum: 3650, default: 30, description: 'Older ones are deleted.' },
  },
} as const;

export const recordSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['values', 'until'],
  description: 'Record the values of requests too, secrets apart, for a while: to find out why something goes wrong.',
  properties: {
    values: { const: true },
    until: {
      type: 'string',
      format: 'date-time',
      description: 'When it ends by itself: at most 30 days ahead.',
      examples: ['2026-12-01T12:00:00Z'],
    },
  },
} as const;
