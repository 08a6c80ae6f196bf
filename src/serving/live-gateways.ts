import { isDeepStrictEqual } from 'node:util';
import type { Logger } from 'pino';
import type { Gateway, GatewayConfig } from '../../config/gateway-config.js';
import { AdapterPool, type PoolOptions } from '../adapter-pool.js';
import { createTokenEndpoint, type TokenEndpoint } from '../auth/oauth-token-endpoint.js';
import { type CompositionParts, composeGateway, type RunningGateway } from '../composition.js';
import type { GatewayHealth } from '../http/app.js';
import type { Served } from '../http/mounts.js';
import { createProxyTrust, type ProxyTrust } from '../http/trusted-proxies.js';
import type { State } from '../state/state.js';
import { type ConfigChanges, compareConfigs } from './config-changes.js';
import type { Configuration } from './configuration.js';
import { GatewayLog } from './gateway-log.js';
import { type ServedGateway, toGatewayHealth, toHttpGateway } from './http-gateway.js';

/** A configuration without errors, to be run. */
export type UsableConfiguration = Pick<Configuration, 'plans' | 'sources'> & { readonly config: GatewayConfig };

/** What stays the same whatever the configuration becomes. */
export interface LiveParts extends Pick<CompositionParts, 'modules' | 'sealer' | 'metaSchemas'> {
  readonly state: Pick<State, 'tokens' | 'controls'>;
  /** The state's key named `oauth`. */
  readonly oauthKey: Uint8Array;
  readonly log: Logger;
  readonly observeAdapter?: PoolOptions['observe'];
}

/** One gateway that is served: its use cases, and how HTTP sees it. */
export interface LiveGateway extends ServedGateway {
  readonly running: RunningGateway;
}

/**
 * The gateways that are served, exchanged for those of another configuration while requests go on. What the new one leaves
 * as it was goes on as it is: gateways, adapters, keys of issuers. What it replaces is closed when its last request ended.
 */
export class LiveGateways {
  readonly #parts: LiveParts;
  readonly #pool: AdapterPool;
  readonly #logs = new Map<string, GatewayLog>();
  /** Replaced, and waiting for their last request. */
  readonly #retiring = new Set<LiveGateway>();
  readonly #ending = new Set<Promise<void>>();
  #configuration: UsableConfiguration;
  #gateways: readonly LiveGateway[] = [];
  #served: Served;

  private constructor(configuration: UsableConfiguration, parts: LiveParts) {
    const { config } = configuration;
    this.#parts = parts;
    this.#pool = new AdapterPool({
      modules: parts.modules,
      baseDir: config.baseDir,
      dataDir: config.dataDir,
      ...(parts.observeAdapter === undefined ? {} : { observe: parts.observeAdapter }),
    });
    this.#configuration = configuration;
    this.#served = { gateways: [] };
  }

  /** @throws whatever an adapter throws that cannot be opened; nothing is left open then */
  static async open(configuration: UsableConfiguration, parts: LiveParts): Promise<LiveGateways> {
    const live = new LiveGateways(configuration, parts);
    await live.#install(configuration, () => false);
    return live;
  }

  get config(): GatewayConfig {
    return this.#configuration.config;
  }

  /** For `createApp`: the same object until another configuration is taken. */
  get served(): Served {
    return this.#served;
  }

  get gateways(): readonly LiveGateway[] {
    return this.#gateways;
  }

  /** Adapters that are open, also those that only requests of a former configuration use. */
  get openAdapters(): number {
    return this.#pool.size;
  }

  /** Whether the values of the gateway's requests are recorded now. */
  recordsValues(id: string): boolean {
    const configured = (): number | undefined =>
      this.config.gateways.find((gateway) => gateway.id === id)?.recordValuesUntilMs;
    const untilMs = this.#parts.state.controls.get(id).recordValuesUntilMs ?? configured();
    return untilMs !== undefined && Date.now() < untilMs;
  }

  health(): readonly GatewayHealth[] {
    return this.#gateways.map(({ running, http }) => toGatewayHealth(running, http));
  }

  logOf(gateway: Pick<Gateway, 'id' | 'level'>): GatewayLog {
    const known = this.#logs.get(gateway.id);
    if (known !== undefined) return known;
    const made = new GatewayLog(this.#parts.log, gateway, this.#parts.state.controls);
    this.#logs.set(gateway.id, made);
    return made;
  }

  /**
   * Takes another configuration: from the next request on it holds, requests under way finish on the former one. Calls
   * must not overlap. What cannot change while the process runs is for the caller to keep as it was.
   * @throws whatever an adapter throws that cannot be opened; then nothing has changed
   */
  async change(next: UsableConfiguration): Promise<ConfigChanges> {
    const changes = compareConfigs(this.#configuration, next);
    const isSame = ({ id, resources }: Gateway): boolean =>
      !changes.gateways.has(id) && !resources.some(({ adapter }) => changes.adapters.has(adapter));
    const former = this.#gateways;
    await this.#install(next, isSame);
    for (const gateway of former) if (!this.#gateways.includes(gateway)) this.#retire(gateway);
    return changes;
  }

  /** To be called when no requests come any more. Does not wait for those that are left. */
  async close(): Promise<void> {
    for (const gateway of this.#gateways) this.#retiring.add(gateway);
    this.#gateways = [];
    for (const gateway of this.#retiring) this.#end(gateway);
    await Promise.all(this.#ending);
  }

  /** What may fail comes first, and leaves nothing open; the exchange itself cannot. */
  async #install(configuration: UsableConfiguration, isSame: (gateway: Gateway) => boolean): Promise<void> {
    const proxies = this.#proxiesFor(configuration.config);
    this.#take(configuration, await this.#compose(configuration, isSame), proxies);
  }

  /** The same for the same networks, so that handlers are kept. @throws Error for a network that is none */
  #proxiesFor({ trustedProxies }: GatewayConfig): ProxyTrust | undefined {
    if (trustedProxies.length === 0) return undefined;
    const isSame = isDeepStrictEqual(this.config.trustedProxies, trustedProxies);
    return (isSame ? this.#served.proxies : undefined) ?? createProxyTrust(trustedProxies);
  }

  async #compose(
    { config, plans }: UsableConfiguration,
    isSame: (gateway: Gateway) => boolean,
  ): Promise<readonly LiveGateway[]> {
    const { modules, sealer, metaSchemas, state, oauthKey } = this.#parts;
    const composed: LiveGateway[] = [];
    const opened: RunningGateway[] = [];
    try {
      for (const gateway of config.gateways) {
        const former = this.#gateways.find(({ running }) => running.gateway.id === gateway.id);
        if (former !== undefined && isSame(gateway)) {
          composed.push(former);
          continue;
        }
        const log = this.logOf(gateway);
        const parts = { modules, sealer, metaSchemas, log: log.current, pool: this.#pool };
        const running = await composeGateway(config, gateway, plans.get(gateway.id) ?? new Map(), parts);
        opened.push(running);
        const graceMs = (config.state?.graceSeconds ?? 0) * 1000;
        const { tokens, controls } = state;
        const httpParts = { tokens, controls, oauthKey, log, baseDir: config.baseDir, graceMs };
        const served = toHttpGateway(running, httpParts, former);
        // An issuer that cannot be reached is told of now, not with the first request at night.
        if (served.jwt !== former?.jwt) void served.jwt?.prepare();
        composed.push({ running, ...served });
      }
      return composed;
    } catch (error) {
      await Promise.all(opened.map((running) => running.close()));
      throw error;
    }
  }

  /** In one step, so that no request sees one half of each. */
  #take(configuration: UsableConfiguration, gateways: readonly LiveGateway[], proxies: ProxyTrust | undefined): void {
    this.#configuration = configuration;
    this.#gateways = gateways;
    this.#served = {
      gateways: gateways.map(({ http }) => http),
      publicUrl: configuration.config.publicUrl,
      proxies,
      tokenEndpoint: this.#createTokenEndpoint(gateways),
    };
    for (const { running } of gateways) this.logOf(running.gateway).configured = running.gateway.level;
  }

  #createTokenEndpoint(gateways: readonly LiveGateway[]): TokenEndpoint | undefined {
    const withClients = gateways.flatMap(({ running: { gateway }, http }) => {
      const { oauth } = gateway.auth;
      return oauth === undefined ? [] : [{ id: gateway.id, tokenMinutes: oauth.tokenMinutes, enabled: http.enabled }];
    });
    const { state, oauthKey } = this.#parts;
    return withClients.length === 0
      ? undefined
      : createTokenEndpoint({ gateways: withClients, tokens: state.tokens, key: oauthKey });
  }

  /** Every request ends by its deadline at the latest, so this does too. */
  #retire(gateway: LiveGateway): void {
    this.#retiring.add(gateway);
    void gateway.http.inFlight.drained().then(() => this.#end(gateway));
  }

  /** Lets go of the adapters, once. */
  #end(gateway: LiveGateway): void {
    if (!this.#retiring.delete(gateway)) return;
    const { running } = gateway;
    const ending: Promise<void> = running
      .close()
      .catch((error: unknown) => {
        this.logOf(running.gateway).current.warn({ err: error }, 'A backend that is not used any more was not closed.');
      })
      .finally(() => this.#ending.delete(ending));
    this.#ending.add(ending);
  }
}
