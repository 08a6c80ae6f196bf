import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import type { Directory, SearchAnswer } from '../../adapters/ldap/directory.js';
import type { DirectoryConfig } from '../../adapters/ldap/open-directory.js';
import { DirectoryPool } from '../../adapters/ldap/pool.js';
import { serverAddresses } from '../../adapters/ldap/tls-options.js';
import { readTlsSection } from '../../adapters/tls-section.js';
import type { AdapterError } from '../../src/backend/adapter-error.js';
import { describeOnLdap, startLdap } from '../support/ldap/available.js';
import { type Fault, type FaultProxy, startFaultProxy } from '../support/ldap/fault-proxy.js';
import type { LdapServer } from '../support/ldap/ldap-server.js';
import { contextFor, directoryOf, keptLog, person } from './wire-support.js';

const timeoutMs = 600;
const connectTimeoutMs = 400;
const atOnce = 50;

await describeOnLdap('openldap', 'faults on the wire', () => {
  let server: LdapServer;
  let proxy: FaultProxy;
  let directory: Directory | undefined;
  const log = keptLog();

  beforeAll(async () => {
    server = await startLdap('openldap');
    const filler = await directoryOf(server);
    const names = Array.from({ length: 60 }, (_, index) => `user${index}`);
    await Promise.all(
      names.map((name) => filler.add(`uid=${name},${server.peopleDn}`, person(name), [], contextFor())),
    );
    await filler.close();
  }, 30_000);
  afterAll(() => server?.close());

  beforeEach(async () => {
    proxy = await startFaultProxy(server);
  });
  afterEach(async () => {
    await directory?.close();
    directory = undefined;
    expect(proxy.violations()).toEqual([]);
    await proxy.close();
    expect(log.lines.join()).not.toMatch(/dc=example|Scim\.Secret/);
  });

  type Way = 'ldaps' | 'StartTLS';
  async function open(way: Way, settings: Partial<DirectoryConfig> = {}): Promise<Directory> {
    const url = way === 'ldaps' ? proxy.urls.ldaps : proxy.urls.ldap;
    directory = await directoryOf(
      server,
      {
        url,
        startTls: true,
        timeoutMs,
        connectTimeoutMs,
        pool: { connections: 2, pipeline: 32, leases: 4 },
        ...settings,
      },
      log,
    );
    return directory;
  }

  function read(from: Directory, index: number): Promise<SearchAnswer> {
    const filter = { kind: 'equality', attribute: 'uid', value: `user${index}` } as const;
    return from.search({ base: server.peopleDn, scope: 'one', filter, attributes: ['uid'] }, contextFor());
  }

  /** Every answer is the right one or an error of the kinds that a dead directory gives, and comes in time. */
  async function ask(from: Directory): Promise<{ readonly answered: number; readonly slowestMs: number }> {
    const started = performance.now();
    let answered = 0;
    let slowestMs = 0;
    const one = async (index: number): Promise<void> => {
      try {
        const { entries } = await read(from, index);
        expect(entries.map((entry) => entry.attributes.get('uid'))).toEqual([[`user${index}`]]);
        answered++;
      } catch (error) {
        expect(['unavailable', 'timeout']).toContain((error as AdapterError).kind);
        expect((error as AdapterError).applied).toBe('no');
      }
      slowestMs = Math.max(slowestMs, performance.now() - started);
    };
    await Promise.all(Array.from({ length: atOnce }, (_, index) => one(index)));
    return { answered, slowestMs };
  }

  /** As a caller does that is told to try again. */
  async function recovers(from: Directory): Promise<void> {
    await expect.poll(async () => (await ask(from)).answered, { timeout: 8_000, interval: 100 }).toBe(atOnce);
  }

  const ways: readonly Way[] = ['ldaps', 'StartTLS'];
  const stages: readonly (readonly [string, Fault])[] = [
    ['a connection on which nothing is ever said', { kind: 'silentConnect' }],
    ['a handshake that is cut', { kind: 'cutHandshake' }],
    ['a bind that is cut', { kind: 'loseRequest', of: ['bind'], by: 'cut' }],
    ['a bind that gets no answer', { kind: 'loseAnswer', of: ['bind'], by: 'silence' }],
    ['a bind that is refused as busy', { kind: 'answer', of: ['bind'], resultCode: 51 }],
    ['requests that are cut', { kind: 'loseRequest', of: ['search'], by: 'cut' }],
    ['requests that nobody sees', { kind: 'loseRequest', of: ['search'], by: 'silence' }],
    ['answers that are cut', { kind: 'loseAnswer', of: ['search'], by: 'cut' }],
    ['answers that are lost', { kind: 'loseAnswer', of: ['search'], by: 'silence' }],
    ['an answer that is cut in its middle', { kind: 'cutInAnswer', of: ['search'], bytes: 20 }],
    ['a bind that is answered late', { kind: 'delayAnswer', of: ['bind'], ms: 150 }],
  ];
  it.each(ways.flatMap((way) => stages.map(([name, fault]) => [name, way, fault] as const)))(
    'survives %s (%s), before it is connected and after',
    async (_, way, fault) => {
      const fresh = await open(way);
      proxy.inject(fault);
      const first = await ask(fresh);
      expect(first.slowestMs).toBeLessThan(2 * (timeoutMs + connectTimeoutMs) + 500);
      await recovers(fresh);
      proxy.inject(fault, 3);
      const second = await ask(fresh);
      expect(second.slowestMs).toBeLessThan(2 * (timeoutMs + connectTimeoutMs) + 500);
      proxy.heal();
      await recovers(fresh);
    },
    15_000,
  );

  it.each(ways)('makes new connections when all are reset at once (%s), and asks reads once more', async (way) => {
    const used = await open(way);
    await used.connect(contextFor());
    for (let round = 0; round < 3; round++) {
      const running = ask(used);
      proxy.cutAll();
      const { answered } = await running;
      expect(answered).toBe(atOnce);
    }
  });

  it.each(ways)('does not wait for connections that have fallen silent (%s)', async (way) => {
    const used = await open(way);
    expect((await ask(used)).answered).toBe(atOnce);
    proxy.silenceAll();
    const { answered, slowestMs } = await ask(used);
    expect(answered).toBeLessThan(atOnce);
    expect(slowestMs).toBeLessThan(timeoutMs + 500);
    await recovers(used);
  });

  it('says of a write whether it may have been carried out', async () => {
    const used = await open('ldaps');
    await used.connect(contextFor());
    const dn = `uid=user1,${server.peopleDn}`;
    const set = (title: string) =>
      used.modify(dn, [{ op: 'replace', name: 'title', values: [title] }], [], contextFor());
    proxy.inject({ kind: 'loseAnswer', of: ['modify'], by: 'cut' });
    await expect(set('a')).rejects.toMatchObject({ kind: 'unavailable', applied: 'unknown' });
    proxy.inject({ kind: 'loseAnswer', of: ['modify'], by: 'silence' });
    await expect(set('b')).rejects.toMatchObject({ kind: 'timeout', applied: 'unknown' });
    await proxy.refuse();
    await expect(set('c')).rejects.toMatchObject({ kind: 'unavailable', applied: 'no' });
    await proxy.accept();
    await expect
      .poll(
        () =>
          set('d').then(
            () => 'done',
            () => 'failed',
          ),
        { timeout: 5_000 },
      )
      .toBe('done');
    expect(proxy.seen.filter(({ operation }) => operation === 'modify').length).toBeGreaterThanOrEqual(3);
  });

  it('ends an operation when its caller leaves', async () => {
    const used = await open('ldaps');
    await used.connect(contextFor());
    proxy.inject({ kind: 'loseAnswer', of: ['search'], by: 'silence' });
    const controller = new AbortController();
    const filter = { kind: 'equality', attribute: 'uid', value: 'user2' } as const;
    const started = performance.now();
    const running = used.search(
      { base: server.peopleDn, scope: 'one', filter, attributes: ['uid'] },
      { signal: controller.signal },
    );
    controller.abort();
    await expect(running).rejects.toMatchObject({ kind: 'timeout', applied: 'no' });
    expect(performance.now() - started).toBeLessThan(timeoutMs / 2);
  });

  it('closes while operations run, and nothing waits for them', async () => {
    const used = await open('ldaps');
    await used.connect(contextFor());
    proxy.inject({ kind: 'loseAnswer', of: ['search'], by: 'silence' }, atOnce);
    const running = Array.from({ length: atOnce }, (_, index) => read(used, index).catch((error: unknown) => error));
    await used.close();
    for (const error of await Promise.all(running)) expect(error).toMatchObject({ kind: 'unavailable' });
    await expect(read(used, 1)).rejects.toMatchObject({ kind: 'unavailable' });
    await used.close();
  });

  it('closes while it connects', async () => {
    const used = await open('ldaps');
    proxy.inject({ kind: 'silentConnect' }, 5);
    const running = read(used, 1).catch((error: unknown) => error);
    await used.close();
    expect(await running).toMatchObject({ kind: 'unavailable' });
  });

  it('gives connections for long searches to one user at a time, and takes back what drops', async () => {
    const used = await open('ldaps', { pool: { connections: 1, pipeline: 32, leases: 2 } });
    const one = await used.lease(contextFor());
    const two = await used.lease(contextFor());
    await expect(used.lease(contextFor(150))).rejects.toMatchObject({ kind: 'timeout', applied: 'no' });
    const waiting = used.lease(contextFor());
    two.release();
    const three = await waiting;
    proxy.cutAll();
    await expect.poll(() => [one.isOpen, three.isOpen], { timeout: 2_000 }).toEqual([false, false]);
    one.release();
    three.cut();
    const four = await used.lease(contextFor());
    const five = await used.lease(contextFor());
    expect([four.isOpen, five.isOpen]).toEqual([true, true]);
    four.release();
    five.release();
    await expect(five.delete(`uid=user0,${server.peopleDn}`, [], contextFor())).rejects.toMatchObject({
      kind: 'unsupported',
    });
  });

  it('goes to the next server when the first fails, and back once it is there again', async () => {
    const second = await startFaultProxy(server);
    await proxy.refuse();
    const used = await open('ldaps', { url: [proxy.urls.ldaps, second.urls.ldaps] });
    expect((await ask(used)).answered).toBe(atOnce);
    expect(second.openConnections).toBeGreaterThan(0);
    await proxy.accept();
    second.cutAll();
    await second.refuse();
    await recovers(used);
    expect(proxy.openConnections).toBeGreaterThan(0);
    expect(second.violations()).toEqual([]);
    await second.close();
  });

  it('returns to the first server when it answers again, with nothing lost on the way', async () => {
    const second = await startFaultProxy(server);
    await proxy.refuse();
    const tls = await readTlsSection({ ca: server.caFile }, '/');
    const pool = new DirectoryPool({
      addresses: serverAddresses({ url: [proxy.urls.ldaps, second.urls.ldaps] }),
      tls,
      bind: { dn: server.bindDn, password: server.password },
      connections: 2,
      pipeline: 32,
      leases: 1,
      timeoutMs,
      connectTimeoutMs,
      idleProbeMs: 60_000,
      returnEveryMs: 60,
      log,
    });
    directory = pool;
    expect((await ask(pool)).answered).toBe(atOnce);
    await proxy.accept();
    await expect
      .poll(async () => [(await ask(pool)).answered, proxy.openConnections > 0, second.openConnections], {
        timeout: 5_000,
      })
      .toEqual([atOnce, true, 0]);
    expect(second.violations()).toEqual([]);
    await second.close();
  });

  it('keeps the connections that it has when none of them was silent for too long', async () => {
    const used = await open('ldaps', { pool: { connections: 1, pipeline: 100, leases: 1 }, idleProbeMs: 0 });
    for (let round = 0; round < 8; round++) {
      expect((await read(used, round)).entries).toHaveLength(1);
      await used.check(contextFor());
    }
    await expect(used.lease(contextFor()).then((lease) => lease.release())).resolves.toBeUndefined();
    // Longer than a connection that was idle gets to answer before another one is made.
    const started = performance.now();
    while (performance.now() - started < 400) await read(used, 1);
    expect(proxy.seen.filter(({ operation }) => operation === 'bind')).toHaveLength(2);
  });

  it('asks a connection that was idle whether it is still there', async () => {
    const used = await open('ldaps', { idleProbeMs: 0 });
    expect((await ask(used)).answered).toBe(atOnce);
    await expect.poll(() => proxy.openConnections).toBeGreaterThan(0);
    proxy.silenceAll();
    const started = performance.now();
    expect((await read(used, 1)).entries).toHaveLength(1);
    expect(performance.now() - started).toBeLessThan(timeoutMs + connectTimeoutMs);
  });

  it('follows a server that is stopped and started again', async () => {
    const used = await directoryOf(server, { timeoutMs, connectTimeoutMs }, log);
    directory = used;
    expect((await ask(used)).answered).toBe(atOnce);
    await server.stop();
    expect((await ask(used)).answered).toBe(0);
    await server.restart();
    await recovers(used);
    server.pause();
    expect((await ask(used)).slowestMs).toBeLessThan(timeoutMs + 500);
    server.resume();
    await recovers(used);
  }, 20_000);
});
