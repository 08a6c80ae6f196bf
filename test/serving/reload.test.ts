// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references to secrets are written so

import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { formatProblem } from '../../config/problem.js';
import { Reloader, type ReloadOptions } from '../../src/serving/reload.js';
import { type LiveSetup, startLive } from './live-setup.js';

const config = ({ limits = '', top = '', use = './rules.yaml' } = {}): string => `version: 1
${top}
adapters:
  store: { type: gated, password: "\${file:secret}" }
  other: { type: gated }
gateways:
  corp:
    address: /corp
    limits: { ${limits} }
    resources:
      User: { adapter: store, use: ["${use}"], mapping: { userName: login } }
  lab:
    address: /lab
    resources:
      User: { adapter: other, mapping: { userName: login } }
`;
const files = { secret: 'one', 'rules.yaml': 'mapping: { title: role }\n' };

interface Started extends LiveSetup {
  readonly reloader: Reloader;
  readonly acts: object[];
  write(name: string, text: string): void;
  messages(): readonly unknown[];
  /** Until the log says so. */
  told(message: string | RegExp): Promise<void>;
}

async function start(text: string = config(), options: Partial<ReloadOptions> = {}): Promise<Started> {
  const setup = await startLive(text, files);
  const acts: object[] = [];
  const live = setup.live;
  const reloader = new Reloader({
    environment: { configure: async (_, texts) => setup.configure(texts), formatProblem },
    file: 'gateway.yaml',
    configuration: setup.configure(),
    live,
    override: (config) => config,
    log: setup.log,
    recorder: { act: (act) => acts.push(act) },
    everyMs: 5,
    ...options,
  });
  onTestFinished(() => reloader.close());
  const messages = (): readonly unknown[] => setup.logged.map(({ msg }) => msg);
  return {
    ...setup,
    reloader,
    acts,
    messages,
    write: (name, content) => writeFileSync(join(setup.folder, name), content),
    told: (message) =>
      vi.waitFor(() => expect(messages()).toContainEqual(expect.stringMatching(message)), {
        interval: 2,
        timeout: 5000,
      }),
  };
}

describe('reading the configuration again', () => {
  it('takes it, tells what changed by name, and leaves an act for each gateway', async () => {
    const { reloader, live, write, messages, acts } = await start();
    write('gateway.yaml', config({ limits: 'requestsPerSecond: 7, burst: 9', top: 'publicUrl: https://a.example' }));
    write('rules.yaml', 'mapping: { title: function }\n');
    write('secret', 'two');
    await reloader.reload('SIGHUP');
    expect(messages()).toContain(
      'The configuration has changed: publicUrl; gateway corp: limits.requestsPerSecond, limits.burst, resources.User.mapping.title; adapter store: password (secret).',
    );
    expect(live.config.gateways[0]?.limits).toMatchObject({ requestsPerSecond: 7, burst: 9 });
    expect(acts).toEqual([
      {
        gateway: 'corp',
        operation: 'reload',
        meant: [
          'limits.requestsPerSecond',
          'limits.burst',
          'resources.User.mapping.title',
          'adapter store: password (secret)',
        ],
      },
      { gateway: '', operation: 'reload', meant: ['publicUrl'] },
    ]);
  });

  it('changes nothing when there is a fault, and tells every one with file, line and column', async () => {
    const { reloader, live, write, logged, acts } = await start();
    const { served } = live;
    write('gateway.yaml', config({ limits: 'requestsPerSecond: many, bulkBytes: 1', top: 'publicUrl: nowhere' }));
    write('rules.yaml', 'mapping: { nonsense: [] }\n');
    await reloader.reload('SIGHUP');
    expect(live.served).toBe(served);
    const errors = logged.filter(({ level }) => level === 50);
    expect(errors.slice(0, -1).map(({ line, column }) => [line, column])).toEqual([
      [2, 12],
      [9, 34],
      [9, 51],
      [1, 22],
    ]);
    expect(errors[0]?.msg).toMatch(/gateway\.yaml:2:12: error: /);
    expect(errors[3]?.msg).toMatch(/rules\.yaml:1:22: error: /);
    expect(errors.at(-1)).toMatchObject({
      errors: 4,
      msg: 'The configuration stays as it was: what was read has errors.',
    });
    expect(acts).toEqual([]);
  });

  it('changes nothing when an adapter cannot be opened, and says why', async () => {
    const { reloader, live, write, logged } = await start();
    const { served } = live;
    write(
      'gateway.yaml',
      config({ limits: 'maxResults: 500' }).replace('other: { type: gated }', 'other: { type: gated, fails: true }'),
    );
    await reloader.reload('SIGHUP');
    expect(live.served).toBe(served);
    expect(logged.at(-1)).toMatchObject({
      level: 50,
      msg: 'The configuration stays as it was.',
      reason: 'This backend is too old.',
    });
    write('gateway.yaml', config({ limits: 'maxResults: 500' }));
    await reloader.reload('SIGHUP');
    expect(live.config.gateways[0]?.limits.maxResults).toBe(500);
  });

  it('keeps what cannot change while the process runs, and says when it takes effect', async () => {
    const { reloader, live, write, messages } = await start();
    const { listen } = live.config;
    write('gateway.yaml', config({ top: 'listen: 127.0.0.1:1\ndata: elsewhere', limits: 'maxResults: 500' }));
    await reloader.reload('SIGHUP');
    expect(live.config).toMatchObject({ listen, dataDir: expect.stringMatching(/data$/) });
    expect(messages()).toContain('This takes effect at the next start: listen, data.');
    expect(messages()).toContain('The configuration has changed: gateway corp: limits.maxResults.');
  });

  it('is silent about what the command line says over it', async () => {
    const { reloader, write, live, messages } = await start(config(), {
      override: (read) => ({ ...read, listen: live.config.listen, dataDir: live.config.dataDir }),
    });
    write('gateway.yaml', config({ top: 'listen: 127.0.0.1:1\ndata: elsewhere' }));
    await reloader.reload('SIGHUP');
    expect(messages().at(-1)).toBe('The configuration was read again: nothing has changed.');
  });

  it('changes the level of the log at once', async () => {
    const { reloader, log, write } = await start();
    write('gateway.yaml', config({ top: 'log: { level: warn }' }));
    await reloader.reload('SIGHUP');
    expect(log.level).toBe('warn');
  });

  it('reads the certificate again when it is asked for', async () => {
    const reloadTls = vi.fn(async () => true);
    const { reloader } = await start(config(), { reloadTls });
    await reloader.reload('SIGHUP');
    expect(reloadTls).toHaveBeenCalledTimes(1);
  });

  it('is done once for requests that come while one waits, and one after the other', async () => {
    let reading = 0;
    let most = 0;
    let count = 0;
    const { reloader, configure } = await start(config(), {
      environment: {
        configure: async (_, texts) => {
          count++;
          most = Math.max(most, ++reading);
          await new Promise((resolve) => setImmediate(resolve));
          reading--;
          return configure(texts);
        },
        formatProblem,
      },
    });
    await Promise.all(Array.from({ length: 20 }, () => reloader.reload('SIGHUP')));
    expect(most).toBe(1);
    expect(count).toBeLessThanOrEqual(2);
  });
});

describe('files that change', () => {
  it('are left alone by default, until somebody asks', async () => {
    const { live, write, told, reloader } = await start();
    write('gateway.yaml', config({ limits: 'maxResults: 500' }));
    write('rules.yaml', 'mapping: { title: function }\n');
    // A secret that changes meanwhile is taken, the rest is not: it may be half finished.
    write('secret', 'two');
    await told('The configuration has changed: adapter store: password \\(secret\\)\\.');
    expect(live.config.gateways[0]?.limits.maxResults).toBe(1000);
    await reloader.reload('SIGHUP');
    expect(live.config.gateways[0]?.limits.maxResults).toBe(500);
  });

  it('and hold the password of the state take effect at the next start, which is told', async () => {
    const state = 'state: { url: "postgres://scim@db.example.com/scim", password: "${file:secret}" }';
    const { live, write, told } = await start(config({ top: state }));
    expect(live.config.state?.password).toBe('one');
    write('secret', 'two');
    await told(/^This takes effect at the next start: state\.$/);
    expect(live.config.state?.password).toBe('one');
  });

  it('are taken with reloadOnChange, included ones too', async () => {
    const { write, told } = await start(config({ top: 'reloadOnChange: true' }));
    write('rules.yaml', 'mapping: { title: function }\n');
    await told('gateway corp: resources.User.mapping.title');
    write('gateway.yaml', config({ top: 'reloadOnChange: true', limits: 'maxResults: 500' }));
    await told('gateway corp: limits.maxResults');
  });

  it('may name one that comes later: it is waited for', async () => {
    const { write, told, live } = await start(config({ top: 'reloadOnChange: true' }));
    write('gateway.yaml', config({ top: 'reloadOnChange: true', use: './later.yaml' }));
    await told(/later\.yaml cannot be read \(ENOENT\)/);
    const { served } = live;
    await vi.waitFor(() => expect(live.served).toBe(served));
    write('later.yaml', 'mapping: { nickName: nick }\n');
    await told('resources.User.mapping.nickName');
  });

  it('that hold a secret open only the adapters anew that have it, also when a link is swapped as Kubernetes does', async () => {
    const setup = await start();
    const { folder, gated, told, live } = setup;
    // As a mounted secret: a link to a file in a folder that is itself a link, which is swapped in one step.
    for (const version of ['v1', 'v2']) {
      mkdirSync(join(folder, version));
      writeFileSync(join(folder, version, 'secret'), version);
    }
    symlinkSync('v1', join(folder, '..data'));
    rmSync(join(folder, 'secret'));
    symlinkSync('..data/secret', join(folder, 'secret'));
    await told('adapter store: password');
    const before = live.gateways[1];
    symlinkSync('v2', join(folder, '..tmp'));
    renameSync(join(folder, '..tmp'), join(folder, '..data'));
    await vi.waitFor(() => expect(gated.settings.at(-1)).toMatchObject({ password: 'v2' }), {
      interval: 2,
      timeout: 5000,
    });
    expect(gated.settings.map(({ password }) => password)).toEqual(['one', undefined, 'v1', 'v2']);
    expect(live.gateways[1]).toBe(before);
    await vi.waitFor(() => expect(gated.open()).toBe(2), { interval: 2 });
    expect(setup.logged.map((line) => JSON.stringify(line)).join()).not.toMatch(/"v2"|"one"/);
  });

  it('that hold a secret and go missing change nothing, and are told with the place that names them', async () => {
    const { folder, live, told, write, gated } = await start();
    const { served } = live;
    rmSync(join(folder, 'secret'));
    await told(/gateway\.yaml:4:35: error: The file secret cannot be read \(ENOENT\)\./);
    expect(live.served).toBe(served);
    write('secret', 'three');
    await vi.waitFor(() => expect(gated.settings.at(-1)).toMatchObject({ password: 'three' }), {
      interval: 2,
      timeout: 5000,
    });
  });

  it('are not looked at any more when the process ends', async () => {
    const { reloader, write, messages } = await start();
    await reloader.close();
    const count = messages().length;
    write('secret', 'two');
    await reloader.reload('SIGHUP');
    expect(messages()).toHaveLength(count);
  });
});
