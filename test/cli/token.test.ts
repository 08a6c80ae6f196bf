import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { hashSecret } from '../../src/auth/generated-secret.js';
import { openState } from '../../src/state/sqlite-state.js';
import type { TokenRecord } from '../../src/state/state.js';
import { TestCli } from './test-cli.js';

let cli: TestCli;
beforeEach(() => {
  cli = new TestCli();
});
afterEach(() => cli.end());

const twoGateways = `version: 1
adapters: { store: { type: memory } }
gateways:
  corp: { address: /corp, auth: { tokens: { validityDays: 100 } }, resources: { User: { adapter: store, use: [scim] } } }
  lab: { address: /lab, resources: { User: { adapter: store, use: [scim] } } }
`;

async function stored(token: string): Promise<TokenRecord | undefined> {
  const state = openState(cli.dataDir);
  const record = await state.tokens.find(hashSecret(token));
  await state.close();
  return record;
}

describe('token create', () => {
  it('prints the token as JSON, and keeps only its hash', async () => {
    const { code, stdout } = await cli.run(
      'token',
      'create',
      'default',
      '--label',
      'Entra',
      '--json',
      '--data',
      cli.dataDir,
    );
    expect(code).toBe(0);
    const printed = JSON.parse(stdout) as { token: string; label: string; gateway: string; expires: string };
    expect(printed).toMatchObject({ token: expect.stringMatching(/^scimb_/), gateway: 'default', label: 'Entra' });
    const record = await stored(printed.token);
    expect(record).toMatchObject({ gateway: 'default', label: 'Entra' });
    expect(new Date(printed.expires).getTime()).toBe(record?.expiresAtMs);
    expect(record!.expiresAtMs - record!.createdAtMs).toBe(365 * 86_400_000);
  });

  it('prints the token alone on the first line without --json', async () => {
    const { stdout } = await cli.run('token', 'create', 'default', '--label', 'Entra', '--data', cli.dataDir);
    const [token, ...words] = stdout.split('\n');
    expect(await stored(token ?? '')).toMatchObject({ label: 'Entra' });
    expect(words.join(' ')).toContain('shown only now');
  });

  it("takes the gateway's validity, or its own [7644-7.4-03]", async () => {
    const config = cli.write('gateway.yaml', twoGateways);
    const place = ['--config', config, '--data', cli.dataDir, '--json'];
    const days = async (...more: string[]) => {
      const { stdout } = await cli.run('token', 'create', 'corp', ...place, ...more);
      const record = await stored((JSON.parse(stdout) as { token: string }).token);
      return (record!.expiresAtMs - record!.createdAtMs) / 86_400_000;
    };
    expect(await days('--label', 'a')).toBe(100);
    expect(await days('--label', 'b', '--valid-days', '730')).toBe(730);
  });

  it.each([
    [['--label', 'a', '--valid-days', '30'], '90 to 730 days'],
    [['--label', 'a', '--valid-days', 'x'], 'whole number'],
    [['--label', ''], '1 to 100 printable characters'],
    [[], "required option '--label <text>'"],
  ])('refuses %j with exit code 2', async (args, message) => {
    const { code, stderr, stdout } = await cli.run('token', 'create', 'default', '--data', cli.dataDir, ...args);
    expect(code).toBe(2);
    expect(stderr).toContain(message);
    expect(stdout).toBe('');
  });

  it('refuses a label that is in use, and a gateway that is not there', async () => {
    await cli.run('token', 'create', 'default', '--label', 'a', '--data', cli.dataDir);
    const again = await cli.run('token', 'create', 'default', '--label', 'a', '--data', cli.dataDir);
    expect(again).toMatchObject({ code: 2, stderr: expect.stringContaining('choose another label') });
    const unknown = await cli.run('token', 'create', 'corp', '--label', 'a', '--data', cli.dataDir);
    expect(unknown).toMatchObject({ code: 2, stderr: expect.stringContaining('no gateway "corp", but default') });
  });

  it('says what is wrong with the configuration, with its place', async () => {
    const config = cli.write('gateway.yaml', twoGateways.replace('type: memory', 'type: memry'));
    const { code, stderr } = await cli.run('token', 'create', 'corp', '--label', 'a', '--config', config);
    expect(code).toBe(2);
    expect(stderr).toMatch(/gateway\.yaml:2:\d+: error: .*memory/);
  });
});

describe('token list and revoke', () => {
  it("tell a gateway's tokens apart by label, and end one", async () => {
    const place = ['--data', cli.dataDir];
    for (const label of ['old', 'new']) await cli.run('token', 'create', 'default', '--label', label, ...place);
    expect(await cli.run('token', 'revoke', 'default', '--label', 'old', ...place)).toMatchObject({ code: 0 });
    const { stdout } = await cli.run('token', 'list', 'default', '--json', ...place);
    expect(JSON.parse(stdout)).toMatchObject([
      { label: 'old', revoked: expect.stringMatching(/^\d{4}-/), lastUsed: null },
      { label: 'new', revoked: null },
    ]);
    expect((await cli.run('token', 'list', 'default', ...place)).stdout).toMatch(
      /^old: .*revoked.*\nnew: .*valid until/,
    );
    expect(await cli.run('token', 'revoke', 'default', '--label', 'old', ...place)).toMatchObject({ code: 2 });
  });

  it('say when there are none', async () => {
    const { stdout } = await cli.run('token', 'list', 'default', '--data', cli.dataDir);
    expect(stdout).toBe('Gateway "default" has no tokens.\n');
  });
});
