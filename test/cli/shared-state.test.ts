import { existsSync } from 'node:fs';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { describeOnPostgresql } from '../state/state-places.js';
import { TestCli } from './test-cli.js';

await describeOnPostgresql('commands on a shared state', (fixture) => {
  let cli: TestCli;
  let place: readonly string[];
  beforeEach(() => {
    cli = new TestCli();
    place = ['--config', cli.write('gateway.yaml', configuration()), '--data', cli.dataDir];
  });
  afterEach(() => cli.end());

  function configuration(graceSeconds = 60): string {
    const { password } = fixture.server;
    return `version: 1
state: { url: '${fixture.database.url}', password: '${password}', graceSeconds: ${graceSeconds} }
adapters: { store: { type: sqlite } }
gateways:
  corp:
    resources: { User: { adapter: store, use: [scim] }, Group: { adapter: store, use: [scim] } }
`;
  }

  const createToken = async (label: string): Promise<string> => {
    const { stdout } = await cli.run('token', 'create', 'corp', '--label', label, '--json', ...place);
    return (JSON.parse(stdout) as { readonly token: string }).token;
  };

  it('make, show and end tokens there and nowhere else [capabilities-10]', async () => {
    const token = await createToken('Entra');
    expect(existsSync(cli.dataDir)).toBe(false);
    expect((await cli.run('token', 'list', 'corp', ...place)).stdout).toMatch(/^Entra: .*valid until .*never used/);
    expect((await cli.run('doctor', 'token', token, ...place)).stdout).toContain('Gateway "corp" would take it.');
    expect((await cli.run('token', 'revoke', 'corp', '--label', 'Entra', ...place)).code).toBe(0);
    const refused = await cli.run('doctor', 'token', token, ...place);
    expect(refused.stdout).toContain('was revoked');
    expect(refused.code).toBe(1);
  });

  it('switch a gateway that is served, and show what it did', async () => {
    const base = `${await cli.serve(...place)}/scim`;
    const other = new TestCli();
    try {
      const { stdout } = await other.run('token', 'create', 'corp', '--label', 'Entra', '--json', ...place);
      const { token } = JSON.parse(stdout) as { readonly token: string };
      const status = async (): Promise<number> =>
        (await fetch(`${base}/Users?count=0`, { headers: { authorization: `Bearer ${token}` } })).status;
      expect(await status()).toBe(200);
      await other.run('gateway', 'disable', 'corp', ...place);
      while ((await status()) !== 503) await new Promise((resolve) => setTimeout(resolve, 10));
      const shown = async () =>
        JSON.parse((await other.run('status', '--json', ...place)).stdout) as readonly {
          readonly enabled: boolean;
          readonly requests: { readonly ok: number; readonly failed: number };
          readonly tokens: readonly object[];
        }[];
      while (((await shown())[0]?.requests.failed ?? 0) === 0) await new Promise((resolve) => setTimeout(resolve, 50));
      expect(await shown()).toMatchObject([{ enabled: false, requests: { ok: 1 }, tokens: [{ label: 'Entra' }] }]);
      const log = (await other.run('log', 'corp', '--outcome', 'ok,act', '--json', ...place)).stdout.trim().split('\n');
      const operations = log.map((line) => (JSON.parse(line) as { readonly operation: string }).operation);
      expect(operations).toEqual(['token create', 'search', 'gateway disable']);
    } finally {
      await other.end();
    }
  });

  it('say what is wrong when the database is not there, and change nothing elsewhere', async () => {
    await fixture.server.stop();
    try {
      const { code, stderr } = await cli.run('token', 'create', 'corp', '--label', 'Entra', ...place);
      expect(code).toBe(1);
      expect(stderr).toMatch(/The state database "test_\d+" on 127\.0\.0\.1:\d+ cannot be used: .*ECONNREFUSED/);
      expect(stderr).not.toContain(fixture.server.password);
      expect(existsSync(cli.dataDir)).toBe(false);
    } finally {
      await fixture.server.restart();
    }
  });

  it('tell with check --connect whether the database could be used, and change nothing in it', async () => {
    const check = async (user?: string) => {
      const text = user === undefined ? configuration() : configuration().replace('//scim@', `//${user}@`);
      return cli.run('check', '--connect', cli.write('gateway.yaml', text));
    };
    expect(await check()).toMatchObject({ code: 0 });
    expect(await fixture.database.run("SELECT to_regclass('scimbridge.versions')")).toEqual([[null]]);
    await fixture.server.administer(`CREATE ROLE reader LOGIN PASSWORD '${fixture.server.password}'`);
    const { code, stdout } = await check('reader');
    expect(code).toBe(2);
    expect(stdout).toMatch(
      /gateway\.yaml:2:\d+: error: The account may not make the schema "scimbridge".*GRANT CREATE ON/,
    );
    cli.write('gateway.yaml', configuration());
    await createToken('Entra');
    await fixture.database.run('UPDATE scimbridge.versions SET version = 99, oldest = 98');
    expect((await check()).stdout).toMatch(/newer version of scimbridge/);
    await fixture.server.stop();
    try {
      expect((await check()).stdout).toMatch(
        /:2:\d+: error: The state database "test_\d+" .* cannot be used: .*ECONNREFUSED/,
      );
    } finally {
      await fixture.server.restart();
    }
  });

  it('do nothing where the section cannot be read', async () => {
    cli.write('gateway.yaml', configuration(-1));
    const { code, stderr } = await cli.run('token', 'revoke', 'corp', '--label', 'Entra', ...place);
    expect(code).toBe(2);
    expect(stderr).toMatch(/"state" has to be correct/);
    expect(existsSync(cli.dataDir)).toBe(false);
  });
});
