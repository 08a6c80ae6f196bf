import { connect } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { createMetrics, type MetricSources, type Metrics } from '../../src/http/metrics.js';
import { type MetricsServer, startMetricsServer } from '../../src/http/metrics-server.js';

const host = '127.0.0.1';

const sources: MetricSources = {
  version: '1.2.3',
  gateways: () => [
    {
      id: 'corp',
      enabled: true,
      admission: { atWork: 3, waiting: 2, refused: 1 },
      lastCallMs: 1_790_000_000_500,
      adapters: [
        { name: 'directory', state: 'up', inFlight: 4, queued: 5, waiting: 3, pausedForMs: 1_500, ratePerSecond: 12.5 },
        { name: 'hr', state: 'down', inFlight: 0, queued: 0, waiting: 0, pausedForMs: 0 },
        { name: 'new', state: 'unknown', inFlight: 0, queued: 0, waiting: 0, pausedForMs: 0 },
      ],
    },
    { id: 'other', enabled: false, adapters: [] },
  ],
  tokens: async () => [{ gateway: 'corp', label: 'Connection from "AAD"\n', expiresAtMs: 1_800_000_000_000 }],
  connections: () => 7,
  certificateExpiresAtMs: () => 1_800_000_000_000,
};

/** The lines of one metric, its histogram's parts included. */
async function linesOf(metrics: Metrics, name: string): Promise<readonly string[]> {
  return (await metrics.text()).split('\n').filter((line) => line.startsWith(name));
}

describe('the state', () => {
  it.each([
    [true, 1],
    [false, 0],
  ])('that answers or not (%s) is told', async (isUp, value) => {
    const metrics = createMetrics({ ...sources, stateUp: () => isUp });
    expect(await linesOf(metrics, 'scimbridge_state_up')).toEqual([`scimbridge_state_up ${value}`]);
  });
});

describe('what is counted', () => {
  it('is requests by gateway, operation and status', async () => {
    const metrics = createMetrics(sources);
    const corp = metrics.gateway('corp');
    corp.finished('read', 200, 3);
    corp.finished('read', 200, 4);
    corp.finished('read', 404, 1);
    metrics.gateway('other').finished('none', 401, 1);
    expect(await linesOf(metrics, 'scimbridge_requests_total')).toEqual([
      'scimbridge_requests_total{gateway="corp",operation="read",status="200"} 2',
      'scimbridge_requests_total{gateway="corp",operation="read",status="404"} 1',
      'scimbridge_requests_total{gateway="other",operation="none",status="401"} 1',
    ]);
  });

  it('is how long they took, as a histogram in seconds', async () => {
    const metrics = createMetrics(sources);
    const corp = metrics.gateway('corp');
    for (const durationMs of [0.5, 1, 1.1, 30, 90_000]) corp.finished('search', 200, durationMs);
    const name = 'scimbridge_request_duration_seconds';
    const lines = await linesOf(metrics, name);
    const bucket = (le: string): string | undefined =>
      lines.find((line) => line.includes(`le="${le}"`))?.replace(/.* /, '');
    expect(['0.001', '0.0025', '0.025', '0.05', '60', '+Inf'].map(bucket)).toEqual(['2', '3', '3', '4', '4', '5']);
    expect(lines.slice(-2)).toEqual([
      `${name}_sum{gateway="corp",operation="search"} ${90_032.6 / 1000}`,
      `${name}_count{gateway="corp",operation="search"} 5`,
    ]);
    expect(await metrics.text()).toContain(`# TYPE ${name} histogram`);
  });

  it('is refusals by kind, and calls of backends by how they ended', async () => {
    const metrics = createMetrics(sources);
    const corp = metrics.gateway('corp');
    corp.refused('expired');
    corp.refused('expired');
    corp.refused('rate');
    corp.backendCalled('directory', 'ok', 2);
    corp.backendCalled('directory', 'ok', 2);
    corp.backendCalled('directory', 'timeout', 20_000);
    expect(await linesOf(metrics, 'scimbridge_refusals_total')).toEqual([
      'scimbridge_refusals_total{gateway="corp",reason="expired"} 2',
      'scimbridge_refusals_total{gateway="corp",reason="rate"} 1',
    ]);
    const calls = 'scimbridge_backend_call_duration_seconds';
    expect(await linesOf(metrics, `${calls}_count`)).toEqual([
      `${calls}_count{gateway="corp",adapter="directory",outcome="ok"} 2`,
      `${calls}_count{gateway="corp",adapter="directory",outcome="timeout"} 1`,
    ]);
  });

  it('goes on when a gateway is asked for again, as after a reload', async () => {
    const metrics = createMetrics(sources);
    metrics.gateway('corp').finished('read', 200, 1);
    metrics.gateway('corp').finished('read', 200, 1);
    expect(await linesOf(metrics, 'scimbridge_requests_total')).toEqual([
      'scimbridge_requests_total{gateway="corp",operation="read",status="200"} 2',
    ]);
  });
});

describe('what is looked up', () => {
  it('is the expiry of tokens and the last call, in seconds since 1970 [capabilities-14 capabilities-98 capabilities-110]', async () => {
    const metrics = createMetrics(sources);
    expect(await linesOf(metrics, 'scimbridge_token_expiry_timestamp_seconds')).toEqual([
      'scimbridge_token_expiry_timestamp_seconds{gateway="corp",label="Connection from \\"AAD\\"\\n"} 1800000000',
    ]);
    expect(await linesOf(metrics, 'scimbridge_last_call_timestamp_seconds')).toEqual([
      'scimbridge_last_call_timestamp_seconds{gateway="corp"} 1790000000.5',
    ]);
  });

  it('is the state of gateways and of their backends [capabilities-100]', async () => {
    const text = await createMetrics(sources).text();
    for (const line of [
      'scimbridge_build_info{version="1.2.3"} 1',
      'scimbridge_gateway_enabled{gateway="corp"} 1',
      'scimbridge_gateway_enabled{gateway="other"} 0',
      'scimbridge_requests_in_flight{gateway="corp"} 3',
      'scimbridge_requests_waiting{gateway="corp"} 2',
      'scimbridge_backend_up{gateway="corp",adapter="directory"} 1',
      'scimbridge_backend_up{gateway="corp",adapter="hr"} 0',
      'scimbridge_backend_calls_in_flight{gateway="corp",adapter="directory"} 4',
      'scimbridge_backend_calls_queued{gateway="corp",adapter="directory"} 5',
      'scimbridge_backend_pace_waiting{gateway="corp",adapter="directory"} 3',
      'scimbridge_backend_pause_seconds{gateway="corp",adapter="directory"} 1.5',
      'scimbridge_backend_pause_seconds{gateway="corp",adapter="hr"} 0',
      'scimbridge_backend_rate_limit{gateway="corp",adapter="directory"} 12.5',
      'scimbridge_connections 7',
      'scimbridge_certificate_expiry_timestamp_seconds 1800000000',
    ]) {
      expect(text.split('\n')).toContain(line);
    }
    expect(text).not.toContain('adapter="new"} 1');
    expect(text).not.toContain('backend_rate_limit{gateway="corp",adapter="hr"}');
    expect(text).toContain('process_cpu_seconds_total');
    expect(text).toContain('nodejs_eventloop_lag_seconds');
  });

  it('and cannot be, hides nothing else', async () => {
    const broken = async (): Promise<never> => Promise.reject(new Error('The state is locked.'));
    const text = await createMetrics({ ...sources, tokens: broken }).text();
    expect(text).toContain('scimbridge_connections 7');
    expect(text).not.toContain('scimbridge_token_expiry_timestamp_seconds{');
  });
});

describe('the listener', () => {
  let server: MetricsServer | undefined;
  afterEach(async () => {
    await server?.stop();
    server = undefined;
  });
  const start = async (text: () => Promise<string>): Promise<string> => {
    server = await startMetricsServer({ host, port: 0, metrics: { contentType: 'text/plain; version=0.0.4', text } });
    return `http://${host}:${server.port}`;
  };

  it('gives metrics at /metrics, and nothing else', async () => {
    const metrics = createMetrics(sources);
    server = await startMetricsServer({ host, port: 0, metrics });
    const base = `http://${host}:${server.port}`;
    const answer = await fetch(`${base}/metrics`);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(await answer.text()).toContain('scimbridge_build_info{version="1.2.3"} 1');
    expect((await fetch(`${base}/metrics`, { method: 'HEAD' })).status).toBe(200);
    for (const path of ['/', '/metricsx', '/scim/Users', '/health/live']) {
      expect((await fetch(base + path)).status).toBe(404);
    }
    const posted = await fetch(`${base}/metrics`, { method: 'POST', body: 'x' });
    expect(posted.status).toBe(405);
    expect(posted.headers.get('allow')).toBe('GET, HEAD');
  });

  it('collects once for all who ask at the same time', async () => {
    let collected = 0;
    const base = await start(async () => `collected ${++collected}\n`);
    let received = '';
    // In one packet, so that all are there before any is answered.
    const ask = 'GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n';
    const last = ask.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n');
    const socket = connect(Number(new URL(base).port), host, () => socket.write(ask + ask + last));
    socket.on('data', (data) => {
      received += String(data);
    });
    await new Promise((resolve) => socket.once('close', resolve));
    expect(received.match(/collected \d/g)).toEqual(Array(3).fill('collected 1'));
    expect(await (await fetch(`${base}/metrics`)).text()).toBe('collected 2\n');
  });

  it('says so when metrics cannot be collected', async () => {
    const base = await start(() => Promise.reject(new Error('secret')));
    const answer = await fetch(`${base}/metrics`);
    expect(answer.status).toBe(500);
    expect(await answer.text()).not.toContain('secret');
  });

  it('says in words that its port is in use', async () => {
    const { port } = new URL(await start(async () => ''));
    const metrics = { contentType: 'text/plain', text: async () => '' };
    await expect(startMetricsServer({ host, port: Number(port), metrics })).rejects.toThrow(
      `port ${port} is in use by another program. Stop that program, or choose another port with "metrics.listen".`,
    );
  });
});
