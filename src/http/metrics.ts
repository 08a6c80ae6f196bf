import { collectDefaultMetrics, type Metric, Registry } from 'prom-client';
import type { AdmissionState } from './admission.js';

/** What a request was, as transactions call it. `none`: refused before that was known. */
export const operations = [
  'create',
  'read',
  'replace',
  'patch',
  'delete',
  'search',
  'bulk',
  'discovery',
  'token',
  'none',
] as const;
export type MeteredOperation = (typeof operations)[number];

/** Why a request was refused, in few and fixed words. */
export type RefusalKind =
  | 'missing' // no credentials came
  | 'malformed' // credentials that are not understood, or came twice
  | 'invalid'
  | 'expired'
  | 'forbidden' // known, but not allowed to
  | 'rate' // more requests than the gateway serves
  | 'repeated'; // too many refusals of one address

/** How a call of a backend ended: `ok`, or the kind of its error. */
export type BackendOutcome = string;

/** Counts one gateway's requests. Cheap enough for each of them. */
export interface GatewayMeter {
  finished(operation: MeteredOperation, status: number, durationMs: number): void;
  refused(kind: RefusalKind): void;
  backendCalled(adapter: string, outcome: BackendOutcome, durationMs: number): void;
}

export interface Metrics {
  /** The same for the same id, so that counts go on after the configuration was read again. */
  gateway(id: string): GatewayMeter;
  readonly contentType: string;
  /** In Prometheus' text format. */
  text(): Promise<string>;
}

/** What is not counted but looked up whenever metrics are asked for. */
export interface MetricSources {
  /** Of the program. */
  readonly version: string;
  readonly gateways: () => readonly GatewaySource[];
  /** Valid tokens and clients' secrets. */
  readonly tokens: () => Promise<readonly TokenSource[]>;
  readonly connections?: () => number;
  /** False while the state, where tokens are kept, cannot be asked. */
  readonly stateUp?: () => boolean;
  /** Until when the server's own certificate is valid. */
  readonly certificateExpiresAtMs?: () => number | undefined;
}

export interface GatewaySource {
  readonly id: string;
  readonly enabled: boolean;
  readonly admission?: AdmissionState;
  readonly lastCallMs?: number;
  readonly adapters: readonly AdapterSource[];
}

export interface AdapterSource {
  readonly name: string;
  readonly state: 'up' | 'down' | 'unknown';
  readonly inFlight: number;
  readonly queued: number;
  /** For their moment: the declared rate, or what the backend asked for. */
  readonly waiting: number;
  readonly pausedForMs: number;
  /** As declared. */
  readonly ratePerSecond?: number;
}

export interface TokenSource {
  readonly gateway: string;
  readonly label: string;
  readonly expiresAtMs: number;
}

/**
 * Metrics for Prometheus. What happens on every request is counted in plain numbers and put into words when somebody
 * asks. Labels hold names of the configuration and of tokens, never anything of a request.
 */
export function createMetrics(sources: MetricSources): Metrics {
  const registry = new Registry();
  const meters = new Map<string, Meter>();
  collectDefaultMetrics({ register: registry });
  registerCounts(registry, meters);
  registerSources(registry, sources);
  return {
    gateway: (id) => {
      let meter = meters.get(id);
      if (meter === undefined) {
        meter = new Meter();
        meters.set(id, meter);
      }
      return meter;
    },
    contentType: registry.contentType,
    text: () => registry.metrics(),
  };
}

/** Upper bounds in milliseconds: from an answer out of memory to the longest that identity providers wait. */
const boundsMs = [1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 25_000, 60_000] as const;

class Histogram {
  /** By bound, not cumulated; the last one is for what is beyond all. */
  readonly buckets: number[] = Array(boundsMs.length + 1).fill(0);
  sumMs = 0;

  observe(durationMs: number): void {
    let index = 0;
    while (index < boundsMs.length && durationMs > (boundsMs[index] as number)) index++;
    (this.buckets[index] as number)++;
    this.sumMs += durationMs;
  }
}

class OperationMeter extends Histogram {
  readonly byStatus = new Map<number, number>();
}

class Meter implements GatewayMeter {
  readonly operations = Object.fromEntries(operations.map((name) => [name, new OperationMeter()])) as Record<
    MeteredOperation,
    OperationMeter
  >;
  readonly refusals = new Map<RefusalKind, number>();
  /** By adapter and outcome. */
  readonly backends = new Map<string, Map<BackendOutcome, Histogram>>();

  finished(operation: MeteredOperation, status: number, durationMs: number): void {
    const meter = this.operations[operation];
    meter.byStatus.set(status, (meter.byStatus.get(status) ?? 0) + 1);
    meter.observe(durationMs);
  }

  refused(kind: RefusalKind): void {
    this.refusals.set(kind, (this.refusals.get(kind) ?? 0) + 1);
  }

  backendCalled(adapter: string, outcome: BackendOutcome, durationMs: number): void {
    let outcomes = this.backends.get(adapter);
    if (outcomes === undefined) {
      outcomes = new Map();
      this.backends.set(adapter, outcomes);
    }
    let histogram = outcomes.get(outcome);
    if (histogram === undefined) {
      histogram = new Histogram();
      outcomes.set(outcome, histogram);
    }
    histogram.observe(durationMs);
  }
}

type Labels = Readonly<Record<string, string | number>>;

/** One line: labels, value, and for histograms its own name. */
interface Sample {
  readonly labels: Labels;
  readonly value: number;
  readonly metricName?: string;
}

interface Description {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
}

/**
 * A metric whose samples are made when they are asked for; none when that fails. All that a registry asks of a metric is its name and `get`;
 * prom-client's own classes would have to be filled by one call for each number, and cannot take a histogram's counts.
 */
function register(
  registry: Registry,
  description: Description,
  samples: () => Iterable<Sample> | Promise<Iterable<Sample>>,
): void {
  const get = async (): Promise<object> => {
    let values: readonly Sample[] = [];
    try {
      values = [...(await samples())];
    } catch {
      // A state that cannot be read now must not hide everything else.
    }
    return { ...description, aggregator: 'sum', values };
  };
  registry.registerMetric({ ...description, aggregator: 'sum', get } as unknown as Metric);
}

function registerCounts(registry: Registry, meters: ReadonlyMap<string, Meter>): void {
  const requests = 'scimbridge_requests_total';
  register(
    registry,
    { name: requests, help: 'Requests, by what they were and how they were answered.', type: 'counter' },
    function* () {
      for (const [gateway, meter] of meters) {
        for (const operation of operations) {
          for (const [status, value] of meter.operations[operation].byStatus) {
            yield { labels: { gateway, operation, status }, value };
          }
        }
      }
    },
  );
  const durations = 'scimbridge_request_duration_seconds';
  register(registry, { name: durations, help: 'How long requests took.', type: 'histogram' }, function* () {
    for (const [gateway, meter] of meters) {
      for (const operation of operations) {
        const counted = meter.operations[operation];
        if (counted.byStatus.size > 0) yield* histogramSamples(durations, { gateway, operation }, counted);
      }
    }
  });
  const refusals = 'scimbridge_refusals_total';
  register(
    registry,
    { name: refusals, help: 'Requests that were refused, by the kind of reason.', type: 'counter' },
    function* () {
      for (const [gateway, meter] of meters) {
        for (const [reason, value] of meter.refusals) yield { labels: { gateway, reason }, value };
      }
    },
  );
  const calls = 'scimbridge_backend_call_duration_seconds';
  register(
    registry,
    { name: calls, help: 'How long calls of backends took, by how they ended.', type: 'histogram' },
    function* () {
      for (const [gateway, meter] of meters) {
        for (const [adapter, outcomes] of meter.backends) {
          for (const [outcome, counted] of outcomes) {
            yield* histogramSamples(calls, { gateway, adapter, outcome }, counted);
          }
        }
      }
    },
  );
}

function* histogramSamples(name: string, labels: Labels, { buckets, sumMs }: Histogram): Iterable<Sample> {
  let count = 0;
  for (const [index, boundMs] of boundsMs.entries()) {
    count += buckets[index] ?? 0;
    yield { metricName: `${name}_bucket`, labels: { ...labels, le: boundMs / 1000 }, value: count };
  }
  count += buckets.at(-1) ?? 0;
  yield { metricName: `${name}_bucket`, labels: { ...labels, le: '+Inf' }, value: count };
  yield { metricName: `${name}_sum`, labels, value: sumMs / 1000 };
  yield { metricName: `${name}_count`, labels, value: count };
}

function registerSources(registry: Registry, sources: MetricSources): void {
  const gauge = (name: string, help: string, samples: () => Iterable<Sample> | Promise<Iterable<Sample>>): void =>
    register(registry, { name: `scimbridge_${name}`, help, type: 'gauge' }, samples);
  /** A number for each gateway, where there is one. */
  const perGateway = (name: string, help: string, read: (gateway: GatewaySource) => number | undefined): void =>
    gauge(name, help, () => sources.gateways().flatMap((one) => sample({ gateway: one.id }, read(one))));
  const perAdapter = (name: string, help: string, read: (adapter: AdapterSource) => number | undefined): void =>
    gauge(name, help, () =>
      sources
        .gateways()
        .flatMap(({ id, adapters }) =>
          adapters.flatMap((adapter) => sample({ gateway: id, adapter: adapter.name }, read(adapter))),
        ),
    );

  gauge('build_info', 'The version that runs.', () => [{ labels: { version: sources.version }, value: 1 }]);
  const { stateUp } = sources;
  if (stateUp !== undefined) {
    gauge('state_up', '0 while the state, where tokens are kept, does not answer.', () => [
      { labels: {}, value: Number(stateUp()) },
    ]);
  }
  perGateway('gateway_enabled', '0 while it is switched off.', ({ enabled }) => Number(enabled));
  perGateway('requests_in_flight', 'Requests that are worked on.', ({ admission }) => admission?.atWork);
  perGateway('requests_waiting', 'Requests that wait to be let in.', ({ admission }) => admission?.waiting);
  perGateway('last_call_timestamp_seconds', 'When the gateway was last called.', ({ lastCallMs }) =>
    lastCallMs === undefined ? undefined : lastCallMs / 1000,
  );
  perAdapter('backend_up', '0 while the backend fails; absent while it is not known.', ({ state }) =>
    state === 'unknown' ? undefined : Number(state === 'up'),
  );
  perAdapter('backend_calls_in_flight', 'Calls that the backend works on.', ({ inFlight }) => inFlight);
  perAdapter('backend_calls_queued', 'Calls that wait for the backend.', ({ queued }) => queued);
  perAdapter('backend_pace_waiting', 'Calls that wait for the permitted moment.', ({ waiting }) => waiting);
  perAdapter(
    'backend_pause_seconds',
    'For how long nothing is sent, as the backend asked for it.',
    (adapter) => adapter.pausedForMs / 1000,
  );
  perAdapter('backend_rate_limit', 'Calls a second that the configuration allows.', (adapter) => adapter.ratePerSecond);
  gauge('token_expiry_timestamp_seconds', 'Until when each token is valid.', async () =>
    (await sources.tokens()).map(({ gateway, label, expiresAtMs }) => ({
      labels: { gateway, label },
      value: expiresAtMs / 1000,
    })),
  );
  gauge('connections', 'Open connections of callers.', () => sample({}, sources.connections?.()));
  gauge('certificate_expiry_timestamp_seconds', "Until when the server's own certificate is valid.", () => {
    const expiresAtMs = sources.certificateExpiresAtMs?.();
    return sample({}, expiresAtMs === undefined ? undefined : expiresAtMs / 1000);
  });
}

function sample(labels: Labels, value: number | undefined): readonly Sample[] {
  return value === undefined ? [] : [{ labels, value }];
}
