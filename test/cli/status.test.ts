import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openState } from '../../src/state/sqlite/sqlite-state.js';
import { Recording } from '../transactions/recording.js';
import { TestCli } from './test-cli.js';

let cli: TestCli;
let recording: Recording;
let place: readonly string[];
beforeEach(() => {
  cli = new TestCli();
  place = ['--config', cli.write('gateway.yaml', config), '--data', cli.dataDir];
  recording = new Recording(cli.dataDir);
});
afterEach(async () => {
  await recording.end();
  await cli.end();
});

const config = `version: 1
publicUrl: https://scim.example.com
adapters: { store: { type: memory } }
gateways:
  corp:
    name: Corporate users
    description: From Entra ID into HR
    address: /corp
    resources: { User: { adapter: store, use: [scim] } }
  lab: { enabled: false, level: warning, resources: { User: { adapter: store, use: [scim] } } }
`;

const dayMs = 86_400_000;

async function addToken(label: string, expiresInDays: number): Promise<void> {
  const state = openState(cli.dataDir);
  const times = { createdAtMs: Date.now(), expiresAtMs: Date.now() + expiresInDays * dayMs };
  await state.tokens.create({ gateway: 'corp', label, hash: `hash of ${label}`, ...times });
  await state.close();
}

async function record(): Promise<void> {
  const recorder = recording.start();
  recorder.finished(recording.noted(), 200);
  recorder.finished(recording.noted(), 200);
  recorder.finished(recording.noted(), 404);
  recorder.finished(recording.noted(), 503);
  await recorder.flush();
}

describe('status', () => {
  it('shows each gateway: name, identifier, Tenant URL, whether it is on [capabilities-3 capabilities-87]', async () => {
    const { code, stdout } = await cli.run('status', ...place);
    expect(code).toBe(0);
    const [corp, lab] = stdout.split('\n\n');
    expect(corp).toBe(`Corporate users
  description  From Entra ID into HR
  identifier   corp
  Tenant URL   https://scim.example.com/corp
  enabled      yes
  level        information
  values       not recorded
  last call    never
  requests     0 ok, 0 rejected, 0 refused, 0 failed
  tokens       none`);
    expect(lab).toMatch(/^ {2}enabled {6}no \(the configuration\)$/m);
    expect(lab).toMatch(/^ {2}level {8}warning$/m);
    expect(lab).toMatch(/^ {2}Tenant URL {3}https:\/\/scim\.example\.com\/lab\/scim$/m);
  });

  it('shows time and result of the last call, in UTC, and how many there were [capabilities-98 capabilities-110]', async () => {
    await record();
    const { stdout } = await cli.run('status', 'corp', ...place);
    expect(stdout).toMatch(/^ {2}last call {4}\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z: 503 failed$/m);
    expect(stdout).toMatch(/^ {2}requests {5}2 ok, 1 rejected, 0 refused, 1 failed$/m);
  });

  it('shows tokens and when they end, marks those that end soon, and never the tokens [capabilities-14]', async () => {
    const created = await cli.run('token', 'create', 'corp', '--label', 'Entra', '--json', ...place);
    const { token } = JSON.parse(created.stdout) as { token: string };
    await addToken('old', 20);
    await addToken('gone', -1);
    const { stdout } = await cli.run('status', 'corp', ...place);
    expect(stdout).toMatch(/^ {2}token {8}Entra: created .*valid until \d{4}-\d\d-\d\d \(36\d days\), never used$/m);
    expect(stdout).toMatch(/^ {2}token {8}old: .*\(!\) expires soon: rotate it$/m);
    expect(stdout).toMatch(/^ {2}token {8}gone: .*expired \d{4}-\d\d-\d\d, never used$/m);
    expect(stdout).not.toContain(token);
  });

  it('shows what an operator has set over the configuration [capabilities-90 capabilities-95]', async () => {
    await cli.run('gateway', 'disable', 'corp', ...place);
    await cli.run('gateway', 'level', 'corp', 'debug', ...place);
    await cli.run('gateway', 'record', 'corp', 'values', '--for', '2h', ...place);
    await cli.run('gateway', 'enable', 'lab', ...place);
    const { stdout } = await cli.run('status', ...place);
    const [corp, lab] = stdout.split('\n\n');
    expect(corp).toContain('no (set by "gateway disable"): it answers 503');
    expect(corp).toContain('debug (set by "gateway level")');
    expect(corp).toMatch(/values {7}recorded until \d{4}-.*Z/);
    expect(lab).toContain('yes (set by "gateway enable")');
  });

  it('prints JSON', async () => {
    await record();
    await addToken('old', 20);
    const { stdout } = await cli.run('status', '--json', ...place);
    expect(JSON.parse(stdout)).toMatchObject([
      {
        id: 'corp',
        name: 'Corporate users',
        tenantUrl: 'https://scim.example.com/corp',
        enabled: true,
        level: 'information',
        recordsValuesUntil: null,
        lastCall: { outcome: 'failed', status: 503, at: expect.stringMatching(/Z$/) },
        requests: { ok: 2, rejected: 1, refused: 0, failed: 1 },
        tokens: [{ label: 'old', expiresSoon: true, state: 'valid' }],
      },
      { id: 'lab', enabled: false, lastCall: null, tokens: [] },
    ]);
  });

  it('refuses a gateway that there is not', async () => {
    const { code, stderr } = await cli.run('status', 'nowhere', ...place);
    expect(code).toBe(2);
    expect(stderr).toContain('There is no gateway "nowhere", but corp, lab.');
  });
});
