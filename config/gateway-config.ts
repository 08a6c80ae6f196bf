import type { OperationsConfig, Origin, SourcedRule } from '../src/mapping/rule.js';
import type { ResourceType } from '../src/scim/schema.js';
import type { AdapterKeys } from './adapter-keys.js';
import type { AuthConfig, GatewayFile, GatewaySection, LimitsConfig } from './file-schema.js';

/** gateway.yaml, read, checked and completed. */
export interface GatewayConfig {
  /** Undefined for the built-in configuration. */
  readonly file: string | undefined;
  /** Absolute: the folder of gateway.yaml. */
  readonly baseDir: string;
  readonly listen: { readonly host: string; readonly port: number };
  /** Without a trailing slash. */
  readonly publicUrl: string | undefined;
  /** Absolute. */
  readonly dataDir: string;
  /** Where the state lies when not in `dataDir`. */
  readonly state: StateConfig | undefined;
  /** The section `state` is there and cannot be read, so nobody can tell where the state lies. Only of a draft. */
  readonly isStateFaulty: boolean;
  readonly log: { readonly level: 'trace' | 'debug' | 'info' | 'warn' | 'error' };
  /** File names are absolute. */
  readonly tls: GatewayFile['tls'];
  readonly trustedProxies: readonly string[];
  readonly metrics: { readonly host: string; readonly port: number } | undefined;
  readonly transactions: { readonly keepDays: number };
  readonly reloadOnChange: boolean;
  /** Absolute: gateway.yaml and every file whose content went into this, secrets and key sets included. */
  readonly files: readonly string[];
  /** Those of them that are read again whenever they change: `${file:…}`, key sets, TLS certificates and keys. */
  readonly secretFiles: readonly string[];
  readonly adapters: ReadonlyMap<string, AdapterConfig>;
  readonly gateways: readonly Gateway[];
}

/** A PostgreSQL database. */
export interface StateConfig {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  readonly password: string | undefined;
  readonly schema: string;
  readonly connections: number;
  readonly graceSeconds: number;
  /** File names are absolute. Undefined: clear text. */
  readonly tls: NonNullable<GatewayFile['state']>['tls'];
}

export interface AdapterConfig {
  readonly name: string;
  readonly type: string;
  /** The section without the keys of all adapters, checked by the adapter's own schema, defaults filled in, secrets resolved. */
  readonly settings: unknown;
  /** How fast and how much at a time it may be asked, where that is written. */
  readonly guard: AdapterKeys;
}

export interface Gateway {
  readonly id: string;
  readonly name: string;
  readonly description: string | undefined;
  /** A path without a trailing slash: `/scim`. */
  readonly address: string;
  readonly enabled: boolean;
  readonly level: GatewaySection['level'];
  /** Until when values are recorded, in milliseconds since 1970; undefined when they are not. */
  readonly recordValuesUntilMs: number | undefined;
  readonly strict: boolean;
  readonly auth: AuthConfig;
  readonly limits: LimitsConfig;
  readonly pagination: { readonly default: 'index' | 'cursor'; readonly cursorTimeoutSeconds: number };
  readonly requireIfMatch: boolean;
  /** As written; each is an attribute of at least one of the types. */
  readonly sensitiveFilters: readonly string[];
  readonly resources: readonly GatewayResource[];
}

export interface GatewayResource {
  readonly type: ResourceType;
  readonly adapter: string;
  readonly entity: string;
  readonly id?: string;
  readonly idPrefix?: string;
  readonly lookupField?: string;
  /** After `use`: a later rule has replaced an earlier one. */
  readonly rules: readonly SourcedRule[];
  readonly operations: OperationsConfig;
  /** Always `reject` when the gateway is strict. */
  readonly unmapped: 'drop' | 'reject';
  readonly shared: boolean;
  readonly canonicalValues: 'free' | 'enforce';
  /** Where the resource type stands, for problems that concern it as a whole. */
  readonly origin: Origin;
}
