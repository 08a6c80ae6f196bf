import { describe, expect, it } from 'vitest';
import { type LiveSetup, startLive } from './live-setup.js';

const config = (level: string, more = ''): string => `version: 1
adapters: { store: { type: gated }, other: { type: gated } }
gateways:
  corp:
    address: /corp
    level: ${level}
    resources: { User: { adapter: store, mapping: { userName: login${more} } } }
  lab:
    address: /lab
    resources: { User: { adapter: other, mapping: { userName: login } } }
`;

/** What the log says of a read, a change, a request that is refused for its content, and one that the gateway fails at. */
async function linesOf({ logged, send, gated }: LiveSetup, token: string): Promise<readonly string[]> {
  const from = logged.length;
  const create = (userName: unknown) =>
    send('/corp/Users', token, { method: 'POST', body: JSON.stringify({ userName }) });
  await send('/corp/Users?count=1', token);
  await create(`user-${from}`);
  await create(7);
  gated.fail(true);
  await send('/corp/Users?count=1', token);
  gated.fail(false);
  const labels: Readonly<Record<number, string>> = { 20: 'debug', 30: 'information', 40: 'warning', 50: 'error' };
  return logged.slice(from).map(({ level, msg }) => `${labels[Number(level)]}: ${msg}`);
}

describe('the level of a gateway', () => {
  it.each([
    ['warning', []],
    ['information', ['information: Answered.', 'information: Rejected.']],
    [
      'debug',
      [
        'debug: Answered.',
        'debug: In detail.',
        'information: Answered.',
        'debug: In detail.',
        'information: Rejected.',
      ],
    ],
  ])(
    '%s holds what the narrower ones hold, and errors always [capabilities-95 capabilities-96]',
    async (level, told) => {
      const setup = await startLive(config(level));
      const lines = await linesOf(setup, await setup.token('corp'));
      expect(lines.filter((line) => !line.startsWith('error:') && !line.endsWith('In detail.'))).toEqual(
        told.filter((line) => !line.endsWith('In detail.')),
      );
      expect(lines.some((line) => line.startsWith('error:'))).toBe(true);
      expect(lines.some((line) => line.endsWith('In detail.'))).toBe(told.some((line) => line.endsWith('In detail.')));
    },
  );

  it('debug tells the calls of the backend with their time [capabilities-96]', async () => {
    const setup = await startLive(config('debug'));
    await setup.send('/corp/Users?filter=userName%20eq%20%22a%22', await setup.token('corp'));
    const detail = setup.logged.find(({ msg }) => msg === 'In detail.');
    expect(detail).toMatchObject({
      gateway: 'corp',
      backend: [{ operation: expect.any(String), durationMs: expect.any(Number) }],
    });
  });

  it('is changed by the configuration at once, also for adapters that stay open [capabilities-95]', async () => {
    const setup = await startLive(config('warning'));
    const token = await setup.token('corp');
    const isTold = async (): Promise<boolean> =>
      (await linesOf(setup, token)).some((line) => line === 'information: Answered.');
    expect(await isTold()).toBe(false);
    const { log } = setup.gated.environments[0] ?? {};
    const { length } = setup.logged;
    log?.info({}, 'An adapter says.');
    expect(setup.logged).toHaveLength(length);
    const changes = await setup.change(config('information'));
    expect([...changes.gateways]).toEqual([['corp', ['level']]]);
    expect(await isTold()).toBe(true);
    expect(setup.gated.opened()).toBe(2);
    log?.info({}, 'An adapter says.');
    expect(setup.logged.at(-1)).toMatchObject({ gateway: 'corp', msg: 'An adapter says.' });
  });

  it('that an operator sets goes before the configured one, for this gateway alone, until it is taken back', async () => {
    const setup = await startLive(config('warning'));
    const { state, live } = setup;
    const token = await setup.token('corp');
    const isTold = async (): Promise<boolean> =>
      (await linesOf(setup, token)).some((line) => line === 'information: Answered.');
    await state.controls.set('corp', { level: 'debug' });
    expect(await isTold()).toBe(true);
    expect(live.gateways.map(({ http }) => http.log.level)).toEqual(['debug', 'info']);
    await setup.change(config('warning', ', title: role'));
    expect(await isTold()).toBe(true);
    await state.controls.set('corp', { level: null });
    expect(await isTold()).toBe(false);
  });
});

describe('a gateway that is switched off', () => {
  it('answers 503 without a call of its backend, whatever the configuration says [capabilities-89]', async () => {
    const setup = await startLive(config('information'));
    const { state, send, gated, live } = setup;
    const token = await setup.token('corp');
    await state.controls.set('corp', { enabled: false });
    const release = gated.hold();
    const answer = await send('/corp/Users', token);
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, expect.stringMatching(/^\d+$/)]);
    expect(await answer.json()).toMatchObject({
      schemas: ['urn:ietf:params:scim:api:messages:2.0:Error'],
      status: '503',
    });
    expect(gated.held()).toBe(0);
    release();
    await setup.change(config('information', ', title: role'));
    expect((await send('/corp/Users', token)).status).toBe(503);
    expect(live.health()).toMatchObject([
      { id: 'corp', enabled: false },
      { id: 'lab', enabled: true },
    ]);
    await state.controls.set('corp', { enabled: null });
    expect((await send('/corp/Users', token)).status).toBe(200);
  });

  it('by the configuration can be switched on by an operator [capabilities-90]', async () => {
    const off = config('information').replace('address: /corp', 'address: /corp\n    enabled: false');
    const { state, send, token } = await startLive(off);
    const corp = await token('corp');
    expect((await send('/corp/Users', corp)).status).toBe(503);
    await state.controls.set('corp', { enabled: true });
    expect((await send('/corp/Users', corp)).status).toBe(200);
  });
});
