import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openState } from '../../src/state/sqlite/sqlite-state.js';
import type { Control } from '../../src/state/state.js';
import { recordedActs, TestCli } from './test-cli.js';

let cli: TestCli;
let place: readonly string[];
beforeEach(() => {
  cli = new TestCli();
  place = ['--config', cli.write('gateway.yaml', config), '--data', cli.dataDir];
});
afterEach(() => cli.end());

const until = new Date(Date.now() + 86_400_000).toISOString();
const config = `version: 1
adapters: { store: { type: memory } }
gateways:
  corp: { resources: { User: { adapter: store, use: [scim] } } }
  off: { enabled: false, level: warning, resources: { User: { adapter: store, use: [scim] } } }
  recorded: { record: { values: true, until: "${until}" }, resources: { User: { adapter: store, use: [scim] } } }
`;

const gateway = (...args: string[]) => cli.run('gateway', ...args, ...place);

async function control(id: string): Promise<Control> {
  const state = openState(cli.dataDir);
  try {
    return state.controls.get(id);
  } finally {
    await state.close();
  }
}

describe('gateway enable and disable', () => {
  it('hold for a running gateway at once, and through a restart [capabilities-89 capabilities-90]', async () => {
    const { stdout } = await cli.run('token', 'create', 'corp', '--label', 'a', '--json', ...place);
    const { token } = JSON.parse(stdout) as { token: string };
    const read = async (base: string) => {
      const answer = await fetch(`${base}/corp/scim/Users`, { headers: { authorization: `Bearer ${token}` } });
      return { status: answer.status, body: (await answer.json()) as { schemas: readonly string[] } };
    };
    const readUntil = async (base: string, status: number) => {
      const deadline = Date.now() + 1000;
      for (;;) {
        const answer = await read(base);
        if (answer.status === status || Date.now() > deadline) return answer;
      }
    };

    const first = await cli.serve('--config', cli.write('gateway.yaml', config));
    expect((await read(first)).status).toBe(200);
    expect(await gateway('disable', 'corp')).toMatchObject({ code: 0, stdout: expect.stringContaining('disabled') });
    const refused = await readUntil(first, 503);
    expect(refused).toMatchObject({ status: 503, body: { schemas: ['urn:ietf:params:scim:api:messages:2.0:Error'] } });
    await cli.stop();

    const second = await cli.serve('--config', cli.write('gateway.yaml', config));
    expect((await read(second)).status).toBe(503);
    await gateway('enable', 'corp');
    expect((await readUntil(second, 200)).status).toBe(200);
  });

  it('go before the configuration, until it says the same again', async () => {
    await gateway('enable', 'off');
    expect(await control('off')).toEqual({ enabled: true });
    await gateway('disable', 'corp');
    expect(await control('corp')).toEqual({ enabled: false });
    await gateway('enable', 'corp');
    expect(await control('corp')).toEqual({});
  });

  it('refuse a gateway that is not there', async () => {
    expect(await gateway('disable', 'nobody')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('no gateway "nobody", but corp, off, recorded'),
    });
  });
});

describe('gateway level', () => {
  it('sets a level, and takes it back', async () => {
    expect((await gateway('level', 'off', 'debug')).stdout).toBe('Gateway "off" logs at level debug.\n');
    expect(await control('off')).toEqual({ level: 'debug' });
    expect((await gateway('level', 'off', '--reset')).stdout).toBe(
      'Gateway "off" logs at level warning, as the configuration says.\n',
    );
    expect(await control('off')).toEqual({});
  });

  it.each([[['trace']], [[]], [['debug', '--reset']]])('refuses %j', async (args) => {
    expect(await gateway('level', 'corp', ...args)).toMatchObject({ code: 2, stdout: '' });
  });
});

describe('gateway record', () => {
  it('records values for a while, and ends by itself', async () => {
    const before = Date.now();
    expect((await gateway('record', 'corp', 'values', '--for', '2h')).stdout).toContain('personal data');
    const { recordValuesUntilMs = 0 } = await control('corp');
    expect(recordValuesUntilMs).toBeGreaterThanOrEqual(before + 7_200_000);
    expect(recordValuesUntilMs).toBeLessThanOrEqual(Date.now() + 7_200_000);
  });

  it('stops when it is told to, also where the configuration says otherwise', async () => {
    await gateway('record', 'corp', 'values', '--for', '30d');
    await gateway('record', 'corp', 'off');
    expect(await control('corp')).toEqual({});
    await gateway('record', 'recorded', 'off');
    expect(await control('recorded')).toEqual({ recordValuesUntilMs: 0 });
  });

  it.each([
    [['values'], '--for 2h'],
    [['values', '--for', '31d'], 'at most 30d'],
    [['values', '--for', '0h'], 'at most 30d'],
    [['values', '--for', '2'], 'at most 30d'],
    [['off', '--for', '2h'], 'Leave --for out'],
    [['everything'], 'values, off'],
    [[], 'missing required argument'],
  ])('refuses %j', async (args, message) => {
    expect(await gateway('record', 'corp', ...args)).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringContaining(message),
    });
  });
});

it('every act leaves a transaction [capabilities-90]', async () => {
  await gateway('disable', 'corp');
  await gateway('enable', 'corp');
  await gateway('level', 'corp', 'debug');
  await gateway('record', 'corp', 'values', '--for', '1h');
  await gateway('record', 'corp', 'off');
  expect(recordedActs(cli.dataDir)).toMatchObject([
    { gateway: 'corp', operation: 'gateway disable', caller: expect.stringMatching(/^os:/) },
    { operation: 'gateway enable' },
    { operation: 'gateway level', meant: '["debug"]' },
    { operation: 'gateway record', meant: expect.stringContaining('values until') },
    { operation: 'gateway record', meant: '["off"]' },
  ]);
});
