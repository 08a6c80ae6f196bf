import { isCurrent } from '../auth/tokens.js';
import { createMetrics, type GatewaySource, type Metrics, type TokenSource } from '../http/metrics.js';
import type { TokenStore } from '../state/state.js';
import { readActivity } from '../transactions/search.js';
import type { LiveGateways } from './live-gateways.js';

export interface MetricParts {
  readonly version: string;
  readonly dataDir: string;
  readonly tokens: Pick<TokenStore, 'list'>;
  /** Undefined until they are open. */
  readonly live: () => LiveGateways | undefined;
  readonly connections: () => number;
  readonly certificateExpiresAtMs: () => number | undefined;
}

/** Metrics of what is served, looked up when somebody asks. */
export function metricsOf({ version, dataDir, tokens, live, ...server }: MetricParts): Metrics {
  const gateways = () => live()?.gateways ?? [];
  return createMetrics({
    version,
    ...server,
    gateways: () => {
      const activity = readActivity(dataDir);
      return gateways().map(({ running, http }): GatewaySource => {
        const lastCallMs = activity.get(http.id)?.lastCallMs;
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
      });
    },
    tokens: async () => {
      const nowMs = Date.now();
      const lists = await Promise.all(gateways().map(({ http }) => tokens.list(http.id)));
      return lists.flat().flatMap((token): readonly TokenSource[] => {
        const { gateway, label, expiresAtMs } = token;
        return isCurrent(token, nowMs) ? [{ gateway, label, expiresAtMs }] : [];
      });
    },
  });
}

const circuitStates = { closed: 'up', open: 'down', 'half-open': 'unknown' } as const;
