import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { TestCli } from './test-cli.js';

let cli: TestCli;
beforeEach(() => {
  cli = new TestCli();
});
afterEach(() => cli.end());

const tokenPattern = /scimb_[\w-]{49}/;

async function until<T>(find: () => T | undefined): Promise<T> {
  for (;;) {
    const found = find();
    if (found !== undefined) return found;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

describe('serve without a configuration', () => {
  it('shows tenant URL and token on a terminal, once, and they work', async () => {
    cli.isTTY = true;
    const base = await cli.serve();
    const token = await until(() => tokenPattern.exec(cli.stdout)?.[0]);
    expect(cli.stdout).toContain(`Tenant URL    ${base}/scim`);
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/scim+json' };
    const created = await fetch(`${base}/scim/Users`, {
      method: 'POST',
      headers,
      body: JSON.stringify({ schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'], userName: 'bjensen' }),
    });
    expect(created.status).toBe(201);
    const found = await fetch(`${base}/scim/Users?filter=userName%20eq%20%22BJENSEN%22`, { headers });
    expect(await found.json()).toMatchObject({ totalResults: 1 });
    expect(await cli.stop()).toMatchObject({ code: 0 });

    const again = await cli.serve();
    await until(() => (cli.stdout.includes('token list default') ? true : undefined));
    expect(cli.stdout).toContain(`Tenant URL    ${again}/scim`);
    expect(cli.stdout).toContain(`npx scimbridge token create default --data ${cli.dataDir} --label …`);
    expect(cli.stdout).not.toMatch(tokenPattern);
    const { stdout } = await cli.stop('SIGINT');
    expect(stdout).toContain('Stopped.');
  });

  it('puts the token in a file for its owner when there is no terminal, never into the log', async () => {
    await cli.serve();
    const file = join(cli.dataDir, 'first-token.txt');
    await until(() => (cli.stdout.includes(file) ? true : undefined));
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readFileSync(file, 'utf8')).toMatch(tokenPattern);
    expect(cli.stdout).not.toMatch(tokenPattern);
    for (const line of cli.stdout.trim().split('\n')) expect(JSON.parse(line)).toHaveProperty('msg');
    await cli.stop();
    await cli.serve();
    await until(() => (cli.stdout.includes('token list default') ? true : undefined));
    for (const line of cli.stdout.trim().split('\n')) expect(JSON.parse(line)).toHaveProperty('msg');
  });

  it('prints the token anyway when asked to', async () => {
    await cli.serve('--print-token');
    expect(await until(() => tokenPattern.exec(cli.stdout)?.[0])).toBeDefined();
  });

  it('is live and ready, with the state of its backends', async () => {
    const base = await cli.serve();
    expect((await fetch(`${base}/health/live`)).status).toBe(200);
    expect(await (await fetch(`${base}/health/ready`)).json()).toEqual({
      status: 'ready',
      state: 'up',
      gateways: [
        {
          id: 'default',
          enabled: true,
          adapters: [{ name: 'store', state: 'up', inFlight: 0, queued: 0, waiting: 0 }],
        },
      ],
    });
  });

  it('is found by status where it really listens, whatever the configuration says, and no more when it has ended', async () => {
    const base = await cli.serve();
    const other = new TestCli();
    const tenantUrl = async (): Promise<unknown> =>
      JSON.parse((await other.run('status', '--data', cli.dataDir, '--json')).stdout)[0].tenantUrl;
    expect(await tenantUrl()).toBe(`${base}/scim`);
    await cli.stop();
    expect(await tenantUrl()).toBe('http://127.0.0.1:8080/scim');
    writeFileSync(
      join(cli.dataDir, 'served-at.json'),
      JSON.stringify({ pid: 2 ** 22 + 1, host: '127.0.0.1', port: 9 }),
    );
    expect(await tenantUrl()).toBe('http://127.0.0.1:8080/scim');
    await other.end();
  });

  it('serves on for a while when it is asked to end, and says to balancers that it goes', async () => {
    const base = await cli.serve('--drain', '3');
    expect((await fetch(`${base}/scim/Users`)).headers.get('connection')).toBe('keep-alive');
    const stopping = cli.stop();
    for (;;) {
      const ready = await fetch(`${base}/health/ready`);
      expect(await ready.json()).toMatchObject({ status: ready.status === 503 ? 'not ready' : 'ready' });
      if (ready.status === 503) break;
    }
    const answer = await fetch(`${base}/scim/Users`);
    expect(answer.status).toBe(401);
    expect(answer.headers.get('connection')).toBe('close');
    expect((await fetch(`${base}/health/live`)).status).toBe(200);
    expect(await stopping).toMatchObject({ code: 0, stdout: expect.stringContaining('Draining') });
    await expect(fetch(`${base}/health/live`)).rejects.toThrow();
  });

  it.each([
    ['--drain', '-1'],
    ['--grace', 'soon'],
  ])('refuses %s %s', async (option, value) => {
    expect(await cli.run('serve', option, value)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('0 to 3600'),
    });
  });

  it('makes cursors that are valid after a restart', async () => {
    cli.isTTY = true;
    let base = await cli.serve();
    const token = await until(() => tokenPattern.exec(cli.stdout)?.[0]);
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/scim+json' };
    for (const userName of ['a', 'b', 'c']) {
      await fetch(`${base}/scim/Users`, { method: 'POST', headers, body: JSON.stringify({ userName }) });
    }
    const first = (await (await fetch(`${base}/scim/Users?cursor&count=2`, { headers })).json()) as {
      nextCursor: string;
    };
    await cli.stop();
    base = await cli.serve();
    const next = await fetch(`${base}/scim/Users?cursor=${first.nextCursor}&count=2`, { headers });
    expect(await next.json()).toMatchObject({ totalResults: 3, Resources: [{ userName: 'c' }] });
  });
});

describe('serve with a configuration', () => {
  const config = `version: 1
publicUrl: https://scim.example.com
adapters: { store: { type: memory } }
gateways:
  corp: { address: /corp, requireIfMatch: true, sensitiveFilters: [userName], limits: { bodyBytes: 2048 }, resources: { User: { adapter: store, use: [scim] } } }
  off: { address: /off, enabled: false, resources: { User: { adapter: store, use: [scim] } } }
`;

  const place = (file: string) => ['--config', file, '--data', cli.dataDir];

  async function createToken(file: string, gateway: string): Promise<string> {
    const { stdout } = await cli.run('token', 'create', gateway, '--label', 'a', '--json', ...place(file));
    return (JSON.parse(stdout) as { token: string }).token;
  }

  it('serves each gateway as it says [7644-6-01 7644-6.1-01]', async () => {
    const file = cli.write('gateway.yaml', config);
    const [corp, off] = [await createToken(file, 'corp'), await createToken(file, 'off')];
    const base = await cli.serve('--config', file);
    const send = (path: string, token: string, init: RequestInit = {}) =>
      fetch(base + path, {
        ...init,
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      });
    const user = JSON.stringify({ userName: 'a' });
    const created = await send('/corp/Users', corp, { method: 'POST', body: user });
    expect(created.headers.get('location')).toMatch(/^https:\/\/scim\.example\.com\/corp\/Users\/./);
    const path = new URL(created.headers.get('location') ?? '').pathname;
    expect((await send(path, corp, { method: 'PUT', body: user })).status).toBe(428);
    expect((await send('/corp/Users?filter=userName%20pr', corp)).status).toBe(403);
    expect((await send('/corp/Users', corp, { method: 'POST', body: ' '.repeat(2049) })).status).toBe(413);
    expect((await send('/corp/Users', off)).status).toBe(401);
    expect((await send('/off/Users', off)).status).toBe(503);
  });

  it('makes no tokens by itself, but says how to', async () => {
    await cli.serve('--config', cli.write('gateway.yaml', config));
    await until(() => (cli.stdout.includes('scimbridge token create off') ? true : undefined));
    expect(cli.stdout).toContain('scimbridge token create corp');
    expect(cli.stdout).not.toMatch(tokenPattern);
  });

  it('warns when tokens would travel unencrypted [7644-7.4-02]', async () => {
    const file = cli.write('gateway.yaml', config);
    const warned = async (...args: string[]) => {
      await cli.serve(...args);
      return (await cli.stop()).stdout.includes('Tokens travel unencrypted');
    };
    expect(await warned()).toBe(false);
    expect(await warned('--listen', '0.0.0.0:0')).toBe(true);
    expect(await warned('--listen', '0.0.0.0:0', '--config', file)).toBe(false);
  });

  it.each([
    [['--listen', 'nowhere'], 2, 'such as 127.0.0.1:8080'],
    [['--listen', '127.0.0.1:99999'], 2, 'such as 127.0.0.1:8080'],
    [['--config', '/does/not/exist.yaml'], 2, 'cannot be read'],
    [['--nonsense'], 2, "unknown option '--nonsense'"],
  ])('refuses %j with exit code %d', async (args, code, message) => {
    const finished = await cli.run('serve', '--data', cli.dataDir, ...args);
    expect(finished.code).toBe(code);
    expect(finished.stderr).toContain(message);
  });

  it('fails with exit code 1 when the state cannot be opened', async () => {
    const file = cli.write('not-a-folder', '');
    const finished = await cli.run('serve', '--listen', '127.0.0.1:0', '--data', file);
    expect(finished.code).toBe(1);
    expect(finished.stderr).toContain('state.db" cannot be used');
  });

  it('fails at once where no folder for the state can be made', async () => {
    const finished = await cli.run('serve', '--listen', '127.0.0.1:0', '--data', '/proc/nowhere/data');
    expect(finished.code).toBe(1);
    expect(finished.stderr).toContain('"/proc" is there, but no folder can be made in it');
  });

  it('reads its configuration again when it is asked to, and warns of tokens that expire soon [capabilities-14]', async () => {
    const file = cli.write('gateway.yaml', config.replace('limits:', 'auth: { tokens: { minimumDays: 1 } }, limits:'));
    await cli.run('token', 'create', 'corp', '--label', 'short', '--valid-days', '5', ...place(file));
    await cli.serve('--config', file);
    await until(() => (cli.stdout.includes('The token \\"short\\" expires in 5 days') ? true : undefined));
    cli.write('gateway.yaml', config.replace('bodyBytes: 2048', 'bodyBytes: 4096'));
    cli.reload();
    await until(() => (cli.stdout.includes('The configuration has changed: gateway corp:') ? true : undefined));
    expect(cli.stdout).toContain('limits.bodyBytes');
  });
});

describe('the program', () => {
  it('tells its version and its help on stdout', async () => {
    expect(await cli.run('--version')).toEqual({ code: 0, stdout: '1.2.3\n', stderr: '' });
    const help = await cli.run('serve', '--help');
    expect(help.code).toBe(0);
    expect(help.stdout).toContain('--print-token');
  });

  it('refuses an unknown command with exit code 2', async () => {
    expect(await cli.run('sevre')).toMatchObject({ code: 2, stderr: expect.stringContaining('serve') });
  });
});
