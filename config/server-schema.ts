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
