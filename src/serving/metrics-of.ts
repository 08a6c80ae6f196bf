import { isCurrent } from '../auth/tokens.js';
import { createMetrics, type GatewaySource, type Metrics, type TokenSource } from '../http/metrics.js';
import type { State } from '../state/state.js';
import type { GatewayActivity } from '../transactions/transaction.js';
import type { LiveGateways } from './live-gateways.js';

export interface MetricParts {
  readonly version: string;
  readonly activity: () => Promise<ReadonlyMap<string, GatewayActivity>>;
  readonly state: Pick<State, 'tokens' | 'isUp'>;
  /** Undefined until they are open. */
  readonly live: () => LiveGateways | undefined;
  readonly connections: () => number;
  readonly certificateExpiresAtMs: () => number | undefined;
}

/** Metrics of what is served, looked up when somebody asks. */
export function metricsOf({ version, activity, state, live, ...server }: MetricParts): Metrics {
  let known: ReadonlyMap<string, GatewayActivity> = new Map();
  const gateways = () => live()?.gateways ?? [];
  const metrics = createMetrics({
    version,
    stateUp: state.isUp,
    ...server,
    gateways: () =>
      gateways().map(({ running, http }): GatewaySource => {
        const lastCallMs = known.get(http.id)?.lastCallMs;
        return {
          id: http.id,
          enabled: http.enabled(),
          admission: http.admission.state(),
          ...(lastCallMs === undefined ? {} : { lastCallMs }),
          adapters: [...running.adapters].map(([name, adapter]) => {
            const { circuit, inFlight, queued, pace } = adapter.state();
            const { waiting, pausedForMs, rate } = pace;
            const perSecond = rate === undefined ? {} : { ratePerSecond: rate.requests / rate.perSeconds };
            return { name, state: circuitStates[circuit], inFlight, queued, waiting, pausedForMs, ...perSecond };
          }),
        };
      }),
    tokens: async () => {
      const nowMs = Date.now();
      const lists = await Promise.all(gateways().map(({ http }) => state.tokens.list(http.id)));
      return lists.flat().flatMap((token): readonly TokenSource[] => {
        const { gateway, label, expiresAtMs } = token;
        return isCurrent(token, nowMs) ? [{ gateway, label, expiresAtMs }] : [];
      });
    },
  });
  return {
    ...metrics,
    async text() {
      // While it cannot be asked, what was known is told on.
      known = await activity().catch(() => known);
      return metrics.text();
    },
  };
}

const circuitStates = { closed: 'up', open: 'down', 'half-open': 'unknown' } as const;
