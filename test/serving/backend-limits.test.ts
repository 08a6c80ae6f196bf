import { describe, expect, it } from 'vitest';
import { AdapterError } from '../../src/backend/adapter-error.js';
import { type LiveSetup, startLive } from './live-setup.js';

const yaml = (adapter: string): string => `version: 1
adapters:
  store: { type: gated, ${adapter} }
gateways:
  corp: { level: debug, resources: { User: { adapter: store, use: [scim], shared: true } } }
  lab: { resources: { User: { adapter: store, use: [scim], shared: true } } }
`;

const users = '/corp/scim/Users';
const tooMany = (retryAfterSeconds: number): AdapterError =>
  new AdapterError('unavailable', '429', { retryAfterSeconds, applied: 'no' });

async function setUp(adapter: string) {
  const setup = await startLive(yaml(adapter));
  const corp = await setup.token('corp');
  const search = (): Promise<Response> => setup.send(`${users}?filter=userName%20eq%20%22a%22`, corp);
  return { ...setup, corp, search };
}

async function adapterHealth({ app }: Pick<LiveSetup, 'app'>) {
  const body = (await (await app.request('/health/ready')).json()) as {
    readonly gateways: readonly { readonly adapters: readonly Readonly<Record<string, unknown>>[] }[];
  };
  return body.gateways[0]?.adapters[0];
}

describe('a backend that asks to be left alone', () => {
  it('is told to the caller as 503 with its own number, and is asked no more until then', async () => {
    const setup = await setUp('concurrency: 5');
    const { gated, search } = setup;
    expect(await adapterHealth(setup)).toEqual({ name: 'store', state: 'up', inFlight: 0, queued: 0, waiting: 0 });
    gated.rejectWith(tooMany(90));
    const first = await search();
    expect([first.status, first.headers.get('retry-after')]).toEqual([503, '90']);
    gated.rejectWith(undefined);
    const second = await search();
    expect(second.status).toBe(503);
    expect(Number(second.headers.get('retry-after'))).toBeGreaterThan(80);
    expect(gated.calls()).toBe(1);
    const health = await adapterHealth(setup);
    expect(health).toMatchObject({ state: 'up', inFlight: 0 });
    expect(Date.parse(String(health?.pausedUntil)) - Date.now()).toBeGreaterThan(80_000);
  });

  it('is left alone by all gateways that use the same section', async () => {
    const { gated, search, send, token } = await setUp('concurrency: 5');
    gated.rejectWith(tooMany(90));
    await search();
    gated.rejectWith(undefined);
    const other = await send('/lab/scim/Users?count=0', await token('lab'));
    expect(other.status).toBe(503);
    expect(gated.calls()).toBe(1);
  });

  it('gets a write once more when the pause is short enough, and the caller notices nothing', async () => {
    const { gated, send, corp } = await setUp('concurrency: 5');
    gated.rejectWith(tooMany(0.05));
    setTimeout(() => gated.rejectWith(undefined), 10);
    const body = { schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'], userName: 'a' };
    const created = await send(users, corp, { method: 'POST', body: JSON.stringify(body) });
    expect(created.status).toBe(201);
    expect(gated.calls()).toBeGreaterThan(1);
  });
});

describe('a declared rate', () => {
  it('lets callers wait, and shows it in the record of the request', async () => {
    const setup = await setUp('rate: { requests: 2, perSeconds: 0.25 }');
    const beganAtMs = performance.now();
    const answers = await Promise.all(Array.from({ length: 6 }, () => setup.search()));
    expect(answers.map(({ status }) => status)).toEqual(Array(6).fill(200));
    // Two at once, two after a quarter of a second, two after another one.
    expect(performance.now() - beganAtMs).toBeGreaterThanOrEqual(500);
    const waits = setup.logged.flatMap(({ backend }) =>
      JSON.stringify(backend ?? '').includes('pace') ? [backend] : [],
    );
    expect(waits).toHaveLength(4);
    expect(await adapterHealth(setup)).toMatchObject({ rate: { requests: 2, perSeconds: 0.25 }, waiting: 0 });
  });

  it('refuses with the time to wait what would wait too long', async () => {
    const { search } = await setUp('rate: { requests: 1, perSeconds: 100 }');
    expect((await search()).status).toBe(200);
    const refused = await search();
    expect(refused.status).toBe(503);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(90);
  });
});
