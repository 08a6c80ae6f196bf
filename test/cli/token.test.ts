import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { hashSecret } from '../../src/auth/generated-secret.js';
import { openState } from '../../src/state/sqlite/sqlite-state.js';
import type { TokenRecord } from '../../src/state/state.js';
import { recordedActs, TestCli } from './test-cli.js';

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
  it('prints the token as JSON, and keeps only its hash [capabilities-7 capabilities-8 capabilities-9]', async () => {
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
    [['--label', 'a', '--valid-days', '89'], '90 to 730 days'],
    [['--label', 'a', '--valid-days', '731'], '90 to 730 days'],
    [['--label', 'a', '--valid-days', 'x'], 'whole number'],
    [['--label', ''], '1 to 100 printable characters'],
    [[], "required option '--label <text>'"],
  ])('refuses %j with exit code 2 [capabilities-13 capabilities-8]', async (args, message) => {
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

  it('works while the configuration has errors, and tells them: a token may have to be revoked just then', async () => {
    const config = cli.write('gateway.yaml', twoGateways.replace('type: memory', 'type: memry'));
    const place = ['--config', config, '--data', cli.dataDir];
    const { code, stderr } = await cli.run('token', 'create', 'corp', '--label', 'a', ...place);
    expect(code).toBe(0);
    expect(stderr).toMatch(/gateway\.yaml:2:\d+: error: .*memory/);
    expect((await cli.run('token', 'revoke', 'corp', '--label', 'a', ...place)).code).toBe(0);
    expect((await cli.run('gateway', 'disable', 'corp', ...place)).code).toBe(0);
  });

  it('says what is wrong with a configuration that cannot be read', async () => {
    const config = cli.write('gateway.yaml', `${twoGateways}\n  - [`);
    const { code, stderr } = await cli.run('token', 'create', 'corp', '--label', 'a', '--config', config);
    expect(code).toBe(2);
    expect(stderr).toMatch(/gateway\.yaml:\d+:\d+: error: /);
    expect(stderr).toContain('The configuration cannot be read.');
  });
});

describe('token create with limits', () => {
  it('makes a token that may only read, or only see some resource types [7644-2-02]', async () => {
    const config = cli.write('gateway.yaml', twoGateways);
    const place = ['--config', config, '--data', cli.dataDir];
    const args = ['token', 'create', 'corp', '--label', 'audit', '--read-only', '--resource-type', 'user', '--json'];
    const { stdout } = await cli.run(...args, ...place);
    const { token } = JSON.parse(stdout) as { token: string };
    expect(await stored(token)).toMatchObject({ readOnly: true, resourceTypes: ['User'] });
    const { stdout: listed } = await cli.run('token', 'list', 'corp', ...place);
    expect(listed).toMatch(/^audit: .*, read-only, only User\n$/);
  });

  it('refuses a resource type that the gateway has not', async () => {
    const args = ['token', 'create', 'default', '--label', 'a', '--resource-type', 'Printer', '--data', cli.dataDir];
    expect(await cli.run(...args)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('no resource type "Printer", but User, Group'),
    });
  });

  it("takes the gateway's own bounds and its policy of a single token [capabilities-11 capabilities-13]", async () => {
    const auth = 'auth: { tokens: { minimumDays: 7, maximumDays: 30, validityDays: 14, single: true } }';
    const config = cli.write('gateway.yaml', twoGateways.replace(/auth: \{.*?\} \}/, auth));
    const place = ['--config', config, '--data', cli.dataDir, '--json'];
    const create = (...args: string[]) => cli.run('token', 'create', 'corp', ...place, ...args);
    expect(await create('--label', 'a', '--valid-days', '31')).toMatchObject({ code: 2 });
    await create('--label', 'a', '--valid-days', '7');
    await create('--label', 'b');
    const { stdout } = await cli.run('token', 'list', 'corp', ...place);
    expect(JSON.parse(stdout)).toMatchObject([
      { label: 'a', state: 'revoked' },
      { label: 'b', state: 'valid' },
    ]);
    const overlap = await cli.run('token', 'rotate', 'corp', '--label', 'b', '--overlap-days', '1', ...place);
    expect(overlap).toMatchObject({ code: 2, stderr: expect.stringContaining('single token') });
    expect(await cli.run('token', 'rotate', 'corp', '--label', 'b', ...place)).toMatchObject({ code: 0 });
  });

  it('warns when the gateway would refuse the token', async () => {
    const config = cli.write(
      'gateway.yaml',
      twoGateways.replace('{ validityDays: 100 }', '{ enabled: false }, oauth: {}'),
    );
    const { code, stderr } = await cli.run(
      'token',
      'create',
      'corp',
      '--label',
      'a',
      '--config',
      config,
      '--data',
      cli.dataDir,
    );
    expect(code).toBe(0);
    expect(stderr).toContain('auth.tokens.enabled is false');
  });
});

describe('token rotate', () => {
  const run = (...args: string[]) => cli.run('token', ...args, '--data', cli.dataDir);
  const rotate = (...args: string[]) => run('rotate', 'default', '--label', 'Entra', ...args);
  const create = async () => {
    const { stdout } = await run('create', 'default', '--label', 'Entra', '--json');
    return (JSON.parse(stdout) as { token: string }).token;
  };

  it('shows a new token with the same label; the former one stays valid for the overlap [capabilities-10 capabilities-12]', async () => {
    const former = await create();
    const { stdout } = await rotate('--overlap-days', '3', '--json');
    const rotated = JSON.parse(stdout) as { token: string; former: { expires: string } };
    expect(rotated).toMatchObject({ label: 'Entra', former: { state: 'replaced', awaitsProof: false } });
    expect(await stored(rotated.token)).toMatchObject({ label: 'Entra', replacedAtMs: undefined });
    const record = await stored(former);
    expect(new Date(rotated.former.expires).getTime()).toBe(record?.expiresAtMs);
    expect(record!.expiresAtMs - record!.replacedAtMs!).toBe(3 * 86_400_000);
  });

  it('takes the overlap of the configuration when none is given', async () => {
    const former = await create();
    const { stdout } = await rotate();
    expect(stdout.split('\n')[0]).toMatch(/^scimb_/);
    expect(stdout).toMatch(/The former one is valid until \d{4}-\d\d-\d\d\.\n$/);
    const record = await stored(former);
    expect(record!.expiresAtMs - record!.replacedAtMs!).toBe(7 * 86_400_000);
  });

  it('can leave the former one valid until the new one has been used, and lists that [capabilities-12]', async () => {
    const former = await create();
    expect((await rotate('--until-proven')).stdout).toContain('valid until this one has been used');
    expect(await stored(former)).toMatchObject({ awaitsProof: true, revokedAtMs: undefined });
    const { stdout } = await run('list', 'default');
    expect(stdout).toMatch(
      /^Entra: .*replaced .*valid until its successor is used.*\nEntra: .*valid until .*, never used\n$/,
    );
  });

  it.each([
    [['--overlap-days', '1', '--until-proven'], 'Choose'],
    [['--overlap-days', '-1'], '0 to 365 days'],
    [['--overlap-days', 'x'], '0 to 365 days'],
    [['--valid-days', '89'], '90 to 730 days'],
  ])('refuses %j', async (args, message) => {
    await create();
    expect(await rotate(...args)).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining(message) });
  });

  it('needs a valid token with the label', async () => {
    expect(await rotate()).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('no valid token labelled "Entra"'),
    });
  });
});

describe('acts', () => {
  it('leave a transaction each, without the token [capabilities-12 capabilities-106]', async () => {
    const run = (...args: string[]) => cli.run('token', ...args, 'default', '--label', 'Entra', '--data', cli.dataDir);
    const outputs = [
      await run('create', '--read-only'),
      await run('rotate', '--overlap-days', '0'),
      await run('revoke'),
    ];
    const acts = recordedActs(cli.dataDir);
    expect(acts).toMatchObject([
      { gateway: 'default', operation: 'token create', meant: expect.stringContaining('read-only') },
      { operation: 'token rotate', meant: expect.stringContaining('label Entra') },
      { operation: 'token revoke', caller: expect.stringMatching(/^os:./) },
    ]);
    for (const { stdout } of outputs.slice(0, 2)) expect(JSON.stringify(acts)).not.toContain(stdout.slice(6, 30));
  });
});

describe('token list and revoke', () => {
  it("tell a gateway's tokens apart by label, and end one", async () => {
    const place = ['--data', cli.dataDir];
    for (const label of ['old', 'new']) await cli.run('token', 'create', 'default', '--label', label, ...place);
    expect(await cli.run('token', 'revoke', 'default', '--label', 'old', ...place)).toMatchObject({ code: 0 });
    const { stdout } = await cli.run('token', 'list', 'default', '--json', ...place);
    expect(JSON.parse(stdout)).toMatchObject([
      { label: 'old', revoked: expect.stringMatching(/^\d{4}-/), lastUsed: null, state: 'revoked' },
      { label: 'new', revoked: null, state: 'valid', readOnly: false, resourceTypes: null },
    ]);
    expect((await cli.run('token', 'list', 'default', ...place)).stdout).toMatch(
      /^old: .*revoked.*\nnew: .*valid until/,
    );
    expect(await cli.run('token', 'revoke', 'default', '--label', 'old', ...place)).toMatchObject({ code: 2 });
  });

  it('show expiry and last use in UTC [capabilities-14 capabilities-110]', async () => {
    const place = ['default', '--data', cli.dataDir];
    const { stdout: made } = await cli.run('token', 'create', ...place, '--label', 'a', '--json');
    const state = openState(cli.dataDir);
    await state.tokens.prove(hashSecret((JSON.parse(made) as { token: string }).token), Date.UTC(2030, 0, 1, 23, 30));
    await state.close();
    const { stdout: json } = await cli.run('token', 'list', ...place, '--json');
    expect(JSON.parse(json)).toMatchObject([
      { lastUsed: '2030-01-01T23:30:00.000Z', expires: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/) },
    ]);
    const { stdout } = await cli.run('token', 'list', ...place);
    expect(stdout).toMatch(/valid until \d{4}-\d\d-\d\d \(36[45] days\), last used 2030-01-01T23:30:00\.000Z\n$/);
  });

  it('say when there are none', async () => {
    const { stdout } = await cli.run('token', 'list', 'default', '--data', cli.dataDir);
    expect(stdout).toBe('Gateway "default" has no tokens.\n');
  });
});
