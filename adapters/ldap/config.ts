import type { FromSchema } from 'json-schema-to-ts';
import { tlsSchema } from '../tls-section.js';
import { entitySchema } from './entity-config.js';

const url = {
  type: 'string',
  pattern: '^[Ll][Dd][Aa][Pp][Ss]?://[^/?#@\\s]+/?$',
  examples: ['ldaps://dc1.example.com', 'ldap://localhost:1389'],
} as const;
const distinguishedName = { type: 'string', minLength: 1 } as const;

const bindSchema = {
  description: "The gateway's own account. Without encryption nothing is sent that belongs to it.",
  anyOf: [
    {
      type: 'object',
      additionalProperties: false,
      required: ['dn', 'password'],
      properties: {
        dn: {
          type: 'string',
          minLength: 1,
          description: 'The name of the account: a DN, in Active Directory also `account@domain`.',
          examples: ['cn=scimbridge,ou=services,dc=example,dc=org', 'scimbridge@example.org'],
        },
        password: { type: 'string', minLength: 1, examples: [`\${env:LDAP_PASSWORD}`, `\${file:/run/secrets/ldap}`] },
      },
    },
    {
      type: 'object',
      additionalProperties: false,
      required: ['external'],
      properties: {
        external: {
          const: true,
          description: 'SASL EXTERNAL: the client certificate says who the gateway is.',
        },
      },
    },
  ],
} as const;

const poolSchema = {
  type: 'object',
  additionalProperties: false,
  description: 'Connections that are kept. Many operations share one at the same time.',
  properties: {
    connections: { type: 'integer', minimum: 1, maximum: 32, default: 2, description: 'Connections that are shared.' },
    pipeline: {
      type: 'integer',
      minimum: 1,
      maximum: 500,
      default: 32,
      description: 'Operations under way on one connection at the same time: more take another one, or wait.',
    },
    leases: {
      type: 'integer',
      minimum: 1,
      maximum: 64,
      default: 8,
      description: 'Connections beside those, each for one long search at a time.',
    },
  },
} as const;

const onOff = { type: 'boolean' } as const;

/** What a server can do: detected, and only to be said where the detection is wrong. */
const featuresSchema = {
  type: 'object',
  additionalProperties: false,
  description: 'What the server does, where it does something else than it says or is known for.',
  properties: {
    assertion: onOff,
    readEntry: onOff,
    paging: onOff,
    deref: onOff,
    treeDelete: onOff,
    passwordModify: onOff,
    bitRules: onOff,
    ranges: onOff,
    emptyGroups: onOff,
    guidDn: onOff,
  },
  examples: [{ deref: false }],
} as const;

/** The `adapters.<name>` section of gateway.yaml for a directory. */
export const ldapConfigSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['type', 'url', 'bind', 'entities'],
  description: 'An LDAP directory or Active Directory.',
  properties: {
    type: { const: 'ldap' },
    url: {
      description:
        'The server. Of several that hold the same data the first that answers is used; when it fails the next, ' +
        'and the first again once it is back.',
      anyOf: [url, { type: 'array', items: url, minItems: 1, uniqueItems: true }],
      examples: ['ldaps://dc1.example.com', ['ldaps://dc1.example.com', 'ldaps://dc2.example.com']],
    },
    bind: bindSchema,
    tls: tlsSchema('How servers prove who they are, and the gateway to them.', 'ldap.example.com'),
    startTls: {
      type: 'boolean',
      description:
        'Encrypt connections to `ldap://` before anything else is sent. Default: true, but for servers on this machine (localhost).',
    },
    allowClearText: {
      type: 'boolean',
      default: false,
      description:
        "Send everything, also the account's password, readable to anybody in between, to `ldap://` servers on other machines. " +
        'Passwords of users are never sent that way.',
    },
    kind: {
      enum: ['openldap', 'active-directory', '389-ds', 'generic'],
      description: 'What the server is, where it is not recognised.',
    },
    features: featuresSchema,
    maxRequestBytes: {
      type: 'integer',
      minimum: 65_536,
      maximum: 16_777_215,
      description:
        'The largest request that the server takes. Default: its usual setting (OpenLDAP 4 MiB, Active Directory 10 MiB, 389 DS 2 MiB).',
    },
    base: {
      ...distinguishedName,
      description:
        "Where relative bases of entities start. Default: the server's default naming context, or the only one it has.",
      examples: ['dc=example,dc=org'],
    },
    pool: poolSchema,
    timeoutMs: {
      type: 'integer',
      minimum: 100,
      maximum: 600_000,
      default: 10_000,
      description: 'How long one operation may take, in milliseconds.',
    },
    connectTimeoutMs: {
      type: 'integer',
      minimum: 100,
      maximum: 60_000,
      default: 5_000,
      description: 'How long connecting, encrypting and binding may take, in milliseconds.',
    },
    idleProbeMs: {
      type: 'integer',
      minimum: 1_000,
      default: 60_000,
      description: 'A connection that was silent for longer is tried before it is used, in milliseconds.',
    },
    pageSize: {
      type: 'integer',
      minimum: 1,
      maximum: 10_000,
      default: 500,
      description: 'Entries in one page of a long search. Active Directory gives at most 1,000.',
    },
    entities: {
      type: 'object',
      minProperties: 1,
      additionalProperties: entitySchema,
      description: 'Kinds of entries, by the name that the mapping calls the entity.',
    },
  },
} as const;

export type LdapConfig = FromSchema<typeof ldapConfigSchema>;
export type BindConfig = LdapConfig['bind'];
