import { existsSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openState } from '../../src/state/sqlite/sqlite-state.js';
import { Recording, someId } from '../transactions/recording.js';
import { TestCli } from './test-cli.js';

let cli: TestCli;
let recording: Recording;
let place: readonly string[];
beforeEach(async () => {
  cli = new TestCli();
  place = ['--config', cli.write('gateway.yaml', config), '--data', cli.dataDir];
  const state = openState(cli.dataDir);
  recording = new Recording(cli.dataDir, await state.key('transactions'));
  await state.close();
});
afterEach(async () => {
  await recording.end();
  await cli.end();
});

const config = `version: 1
adapters: { store: { type: memory } }
gateways:
  corp: { resources: { User: { adapter: store, use: [scim] } } }
  lab: { resources: { User: { adapter: store, use: [scim] } } }
`;

const log = (...args: string[]) => cli.run('log', ...args, ...place);
const linesOf = async (...args: string[]): Promise<readonly string[]> =>
  (await log(...args)).stdout.split('\n').slice(0, -1);

/** A change four seconds ago, a refusal that is repeated, a failure, and an act just now. */
async function record(): Promise<void> {
  const recorder = recording.start();
  const nowMs = performance.now();
  const noted = (secondsAgo: number, ...parts: Parameters<Recording['noted']>) =>
    Object.assign(recording.noted(...parts), { startedAtMs: nowMs - secondsAgo * 1000 });
  const patch = {
    resourceId: someId,
    body: '{"Operations":[{"op":"replace","path":"userName","value":"alice@example.com"}]}',
    meant: ['replace userName', 'replace active'],
    dropped: [['addresses.country', 'not mapped'] as const],
    backend: ['UPDATE person SET …', 1.25],
  };
  recorder.finished(noted(4, patch, 'PATCH'), 200);
  const expired = { caller: undefined, reason: 'the token expired' };
  for (let count = 0; count < 4; count++) recorder.finished(noted(3, expired, 'GET', 'collection', 'lab'), 401);
  recorder.finished(noted(2, { resourceId: someId, reason: 'The backend is down.' }, 'GET'), 503);
  recorder.act({ gateway: 'corp', operation: 'gateway disable', meant: [] });
  await recorder.flush();
}

describe('log', () => {
  it('shows one line for each transaction, the latest last, times in UTC [capabilities-97 capabilities-110]', async () => {
    await record();
    const lines = await linesOf();
    const time = '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z ';
    expect(lines).toHaveLength(5);
    for (const line of lines) expect(line).toMatch(new RegExp(`${time}.* \\[[0-9a-z]{11,}\\]$`));
    expect(lines[0]).toContain(`corp 200 patch User ${someId} in 4`);
    expect(lines[0]).toContain(
      'by token:Entra: replace userName; replace active; dropped addresses.country (not mapped) [',
    );
    expect(lines.find((line) => line.includes('more within'))).toMatch(
      /lab 401 refused 3 more within 1 s from 192\.0\.2\.1; the token expired \[/,
    );
    expect(lines).toContainEqual(expect.stringMatching(/corp gateway disable by os:/));
  });

  it.each([
    ['warning', { refused: true, ok: false, backend: false }],
    ['information', { refused: true, ok: true, backend: false }],
    ['debug', { refused: true, ok: true, backend: true }],
  ])(
    'at level %s shows what the levels before it show, and more [capabilities-95 capabilities-96]',
    async (level, shows) => {
      await record();
      const { stdout } = await log('--level', level);
      expect(stdout.includes(' 401 ')).toBe(shows.refused);
      expect(stdout.includes(' 503 ')).toBe(true);
      expect(stdout.includes(' 200 ')).toBe(shows.ok);
      expect(stdout.includes('gateway disable')).toBe(shows.ok);
      expect(/^ {4}1\.25 ms {2}UPDATE person SET …$/m.test(stdout)).toBe(shows.backend);
    },
  );

  it.each([
    ['a gateway', ['lab'], 2],
    ['a user', ['--user', 'ALICE@example.com'], 2],
    ['a resource', ['--resource', someId], 2],
    ['outcomes', ['--outcome', 'failed,act'], 2],
    ['a request', ['--outcome', 'ok', '--request', 'request-1', '--json'], 1],
    ['a caller', ['--caller', 'Entra'], 2],
    ['a time', ['--since', '1h', '--until', '2126-11-22'], 5],
    ['a time before', ['--until', '2026-01-01T00:00:00Z', '--json'], 0],
    ['the last ones', ['--limit', '3'], 3],
  ])('selects by %s', async (_, args, count) => {
    await record();
    expect(await linesOf(...args)).toHaveLength(count);
  });

  it('takes a time without a zone for UTC', async () => {
    await record();
    const now = new Date().toISOString().slice(0, 16);
    expect(await linesOf('--until', now, '--json')).toHaveLength(
      (await linesOf('--until', `${now}Z`, '--json')).length,
    );
    expect(await linesOf('--since', now)).toEqual(await linesOf('--since', `${now}Z`));
  });

  it('shows everything of a request', async () => {
    await record();
    const { stdout } = await log('--request', 'request-1');
    for (const part of [
      /^request id {2}request-1$/m,
      /^caller {6}token:Entra$/m,
      /^address {5}192\.0\.2\.1$/m,
      /^outcome {5}200 ok$/m,
      /^meant {7}replace active$/m,
      /^dropped {5}addresses\.country: not mapped$/m,
      /^backend {5}1\.25 ms {2}UPDATE person SET …$/m,
      /^shape {7}\{"Operations":\[\{"op":"replace","path":"userName","value":"\$\{mail1\}"\}\]\}$/m,
    ])
      expect(stdout).toMatch(part);
    expect(stdout).not.toContain('alice');
  });

  it('prints JSON, one object a line, with times as text', async () => {
    await record();
    const [first] = (await linesOf('--json')).map((line) => JSON.parse(line) as object);
    expect(first).toMatchObject({
      at: expect.stringMatching(/^\d{4}-.*Z$/),
      gateway: 'corp',
      outcome: 'ok',
      backend: [{ operation: 'UPDATE person SET …', durationMs: 1.25 }],
      shape: { Operations: [{ op: 'replace' }] },
    });
  });

  it('goes on with those that come, each once, until it is stopped', async () => {
    await record();
    const other = new TestCli();
    const following = other.run('log', '--follow', '--limit', '2', ...place);
    try {
      while (!other.stdout.includes('gateway disable')) await new Promise((resolve) => setTimeout(resolve, 10));
      const recorder = recording.start();
      for (let count = 0; count < 3; count++) recorder.finished(recording.noted({ resourceId: `late-${count}` }), 200);
      await recorder.flush();
      while (!other.stdout.includes('late-2')) await new Promise((resolve) => setTimeout(resolve, 10));
      await other.stop();
      const { code, stdout } = await following;
      expect(code).toBe(0);
      expect(stdout.match(/late-\d/g)).toEqual(['late-0', 'late-1', 'late-2']);
      expect(stdout.split('\n')).toHaveLength(6);
    } finally {
      await other.end();
    }
  });

  it('prints a case that can be replayed, by the id at the end of a line', async () => {
    await record();
    const id = /\[(\w+)\]$/.exec((await linesOf())[0] ?? '')?.[1] ?? '';
    const cases = JSON.parse((await log('--export-test', id)).stdout) as {
      steps: { method: string; path: string }[];
    }[];
    expect(cases).toHaveLength(1);
    expect(cases[0]?.steps.map(({ method }) => method)).toEqual(['POST', 'PATCH']);
    expect(JSON.stringify(cases)).not.toContain('alice');
  });

  it('lets no text of a client steer the terminal, or look like another line', async () => {
    const recorder = recording.start();
    const caller = { id: 'jwt:x\u001b[2J\n2026 corp 200 forged\u202e' };
    recorder.finished(recording.noted({ caller, resourceId: 'a\rb' }), 200);
    await recorder.flush();
    const { stdout } = await log('--level', 'debug');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
    expect(stdout).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u202e]/);
    expect(stdout.split('\n')).toHaveLength(2);
  });

  it('shows what happened though the configuration has errors meanwhile', async () => {
    await record();
    cli.write('gateway.yaml', config.replace('use: [scim]', 'use: [nothing]'));
    expect(await linesOf()).toHaveLength(5);
  });

  it('says so when there is nothing, and makes no file for it', async () => {
    const { code, stdout } = await log();
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'There are no such transactions.\n' });
    expect((await log('--json')).stdout).toBe('');
    expect(existsSync(`${cli.dataDir}/transactions.db`)).toBe(false);
  });

  it.each([
    [['nowhere'], /no gateway "nowhere", but corp, lab/],
    [['--outcome', 'good'], /Outcomes are ok, refused/],
    [['--since', 'yesterday'], /30m, 2h, 7d/],
    [['--limit', '0'], /1 to 100000/],
    [['--level', 'error'], /warning, information, debug/],
    [['--export-test', 'nothing'], /no transaction "nothing"/],
  ])('refuses %j in words', async (args, message) => {
    const { code, stderr } = await log(...args);
    expect(code).toBe(2);
    expect(stderr).toMatch(message);
  });

  it('finds what a served gateway recorded, after a graceful stop too', async () => {
    const { stdout } = await cli.run('token', 'create', 'corp', '--label', 'Entra', '--json', ...place);
    const { token } = JSON.parse(stdout) as { token: string };
    const base = await cli.serve('--config', cli.write('gateway.yaml', config));
    const send = (path: string, credential: string) =>
      fetch(`${base}/corp/scim${path}`, { headers: { authorization: `Bearer ${credential}`, 'x-request-id': 'mine' } });
    const filter = encodeURIComponent('userName eq "Someone@example.com"');
    expect((await send(`/Users?filter=${filter}`, token)).status).toBe(200);
    expect((await send('/Users', 'wrong')).status).toBe(401);
    await cli.stop();
    const lines = await linesOf('--request', 'mine', '--json');
    expect(lines.map((line) => JSON.parse(line) as object)).toMatchObject([
      { operation: 'search', status: 200, caller: 'token:Entra', meant: ['userName eq "…"'] },
      { status: 401, outcome: 'refused' },
    ]);
    expect(await linesOf('--user', 'someone@EXAMPLE.com')).toHaveLength(1);
  });
});
