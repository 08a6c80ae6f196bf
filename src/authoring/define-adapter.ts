import {
  type Adapter,
  type AdapterEnvironment,
  type AdapterModule,
  type AdapterSetup,
  contractVersion,
} from '../backend/adapter.js';
import type { Draft, DraftRequest } from '../backend/draft.js';
import { CompletedAdapter } from './completed-adapter.js';
import type { ConfigOf } from './config-of.js';

type Optional = 'scan' | 'inspect' | 'describe' | 'check' | 'close';

/**
 * What an author writes of an adapter. Left out may be what has an obvious answer: `scan` goes through `search`, `inspect`
 * tells what the mapping asks for, `describe` is in general words, `check` and `close` have nothing to do.
 */
export type AuthoredAdapter = Omit<Adapter, Optional> & Partial<Pick<Adapter, Optional>>;

export interface AdapterDefinition<Schema extends object> {
  /** JSON Schema (draft 7) of the adapter's section in gateway.yaml, without `type`. Defaults are filled in. */
  readonly configSchema: Schema;
  /** See `AdapterModule.open`: it does not wait for the backend. */
  readonly open: (
    config: ConfigOf<Schema>,
    environment: AdapterEnvironment,
  ) => AuthoredAdapter | Promise<AuthoredAdapter>;
  /** See `AdapterModule.pacedBy`. */
  readonly pacedBy?: 'operations' | 'requests';
  /** See `AdapterModule.retryAfter`. */
  readonly retryAfter?: 'backend' | 'adapter';
  /** See `AdapterModule.declared`. */
  readonly declared?: (config: ConfigOf<Schema>) => ReadonlyMap<string, ReadonlySet<string>> | undefined;
  /** See `AdapterModule.refusesForeignIds`. */
  readonly refusesForeignIds?: (config: ConfigOf<Schema>, entity: string, field: string) => string | undefined;
  /** See `AdapterModule.excludes`. */
  readonly excludes?: (
    open: AdapterSetup<ConfigOf<Schema>>,
    next: AdapterSetup<ConfigOf<Schema>>,
  ) => string | undefined;
  /** See `AdapterModule.draft`. */
  readonly draft?: (request: DraftRequest) => Promise<Draft>;
}

/**
 * Makes the module that gateway.yaml names: its default export. `open` gets the section of gateway.yaml in the type that
 * the schema describes. Around every operation stands what each would begin with: it rejects when the adapter was closed or
 * the request has ended, and leaves a trace where the adapter itself left none.
 */
export function defineAdapter<const Schema extends object>(
  definition: AdapterDefinition<Schema>,
): AdapterModule<ConfigOf<Schema>> {
  return {
    ...definition,
    contractVersion,
    type: 'plug-in',
    open: async (config, environment) => new CompletedAdapter(await definition.open(config, environment), environment),
  };
}
