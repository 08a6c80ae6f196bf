import { createServer, type Server, type Socket } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { BerReader, berElement, berInteger, berSequence, berTag, MessageSplitter } from '../../adapters/ldap/ber.js';
import { everything } from '../../adapters/ldap/ldap-filter.js';
import { openDirectory } from '../../adapters/ldap/open-directory.js';
import { contextFor, keptLog } from './wire-support.js';

const request = { bind: 0x60, search: 0x63, modify: 0x66, compare: 0x6e, abandon: 0x50, extended: 0x77 } as const;
const done: Readonly<Record<number, number>> = { 96: 0x61, 99: 0x65, 102: 0x67, 110: 0x6f, 119: 0x78 };

interface Seen {
  readonly id: number;
  readonly tag: number;
  readonly socket: Socket;
}

/** A server that answers everything with success, but what the test wants to answer itself. */
class ScriptedServer {
  readonly seen: Seen[] = [];
  readonly held: Seen[] = [];
  readonly holds = new Set<number>();
  private readonly server: Server;

  constructor() {
    this.server = createServer((socket) => {
      const splitter = new MessageSplitter(1_000_000);
      socket.on('error', () => {});
      socket.on('data', (chunk) => {
        splitter.push(chunk, (bytes) => {
          const message = new BerReader(bytes).enter(berTag.sequence);
          this.take({ id: message.integer(), tag: message.peek(), socket });
        });
      });
    });
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    return `ldap://127.0.0.1:${(this.server.address() as { port: number }).port}`;
  }

  count(tag: number): number {
    return this.seen.filter((one) => one.tag === tag).length;
  }

  answer({ id, tag, socket }: Seen, code = 0, answerTag = done[tag] ?? 0x78): void {
    const body = berElement(answerTag, berInteger(code, berTag.enumerated), Buffer.from([4, 0, 4, 0]));
    socket.write(berSequence(berInteger(id), body));
  }

  close(): void {
    this.server.close();
    for (const { socket } of this.seen) socket.destroy();
  }

  private take(message: Seen): void {
    this.seen.push(message);
    if (this.holds.has(message.tag)) this.held.push(message);
    else if (done[message.tag] !== undefined) this.answer(message);
  }
}

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function connected(timeoutMs = 300) {
  const server = new ScriptedServer();
  cleanups.push(() => server.close());
  const bind = { dn: 'cn=a', password: 'b' };
  const pool = { connections: 1, pipeline: 20, leases: 2 };
  const config = { url: await server.listen(), bind, pool, timeoutMs, connectTimeoutMs: 300 };
  const directory = await openDirectory(config, '/', keptLog());
  cleanups.push(() => directory.close());
  await directory.connect(contextFor());
  return { server, directory };
}

const anything = { base: '', scope: 'base', filter: everything, attributes: [] } as const;

it('leaves the others alone when answers are late, abandons reads, and drops what comes after all', async () => {
  const { server, directory } = await connected();
  server.holds.add(request.compare).add(request.modify);
  const modify = [{ op: 'replace', name: 'title', values: ['a'] }] as const;
  const write = expect(directory.modify('cn=a', modify, [], contextFor())).rejects.toMatchObject({
    kind: 'timeout',
    applied: 'unknown',
  });
  const read = expect(directory.compare('cn=a', 'cn', 'a', contextFor())).rejects.toMatchObject({
    kind: 'timeout',
    applied: 'no',
  });
  let isWaiting = true;
  const others = (async () => {
    while (isWaiting) await directory.search(anything, contextFor());
  })();
  await Promise.all([write, read]);
  isWaiting = false;
  await others;
  expect(server.held).toHaveLength(2);
  for (const late of server.held) server.answer(late, 6);
  server.holds.clear();
  expect(await directory.compare('cn=a', 'cn', 'a', contextFor()).catch((error: unknown) => error)).toMatchObject({
    code: 0,
  });
  expect([server.count(request.bind), server.count(request.abandon)]).toEqual([1, 1]);
});

it('abandons a search whose caller has left, long before its time is over', async () => {
  const { server, directory } = await connected(60_000);
  server.holds.add(request.search);
  const controller = new AbortController();
  const running = directory.search(anything, { signal: controller.signal });
  const ended = expect(running).rejects.toMatchObject({ kind: 'timeout', applied: 'no' });
  await expect.poll(() => server.held.length).toBe(1);
  controller.abort();
  await ended;
  await expect.poll(() => server.count(request.abandon)).toBe(1);
});

it('sends nothing for a caller that has left already', async () => {
  const { server, directory } = await connected();
  const before = server.seen.length;
  const signal = AbortSignal.abort();
  await expect(directory.search(anything, { signal })).rejects.toMatchObject({ kind: 'timeout', applied: 'no' });
  await expect(directory.modify('cn=a', [], [], { signal })).rejects.toMatchObject({ kind: 'timeout', applied: 'no' });
  expect(server.seen).toHaveLength(before);
});

it('ends a connection that stays silent when it is asked whether it is there', async () => {
  const { server, directory } = await connected();
  server.holds.add(request.search).add(request.modify);
  await expect(directory.modify('cn=a', [], [], contextFor())).rejects.toMatchObject({ kind: 'timeout' });
  await expect.poll(() => server.held.every(({ socket }) => socket.destroyed || socket.readableEnded)).toBe(true);
  server.holds.clear();
  await expect
    .poll(() =>
      directory.search(anything, contextFor()).then(
        () => 'ok',
        () => 'not yet',
      ),
    )
    .toBe('ok');
  expect(server.count(request.bind)).toBe(2);
});

it('takes a notice of disconnection for the end (RFC 4511 section 4.4.1)', async () => {
  const { server, directory } = await connected(60_000);
  server.holds.add(request.modify);
  const running = directory.modify('cn=a', [], [], contextFor());
  const ended = expect(running).rejects.toMatchObject({ kind: 'unavailable', applied: 'unknown' });
  await expect.poll(() => server.held.length).toBe(1);
  const [held] = server.held;
  if (held !== undefined) server.answer({ ...held, id: 0 }, 52, 0x78);
  await ended;
});

it('passes over news on the way (RFC 4511 section 4.13) and answers that nobody asked for', async () => {
  const { server, directory } = await connected();
  server.holds.add(request.search);
  const running = directory.search(anything, contextFor());
  await expect.poll(() => server.held.length).toBe(1);
  const [held] = server.held;
  if (held !== undefined) {
    server.answer({ ...held, id: 4711 });
    held.socket.write(berSequence(berInteger(held.id), berElement(0x79, berElement(0x80, Buffer.from('1.2.3')))));
    server.answer(held);
  }
  expect((await running).entries).toEqual([]);
});

it('asks reads again that a busy server refused, once, and writes never', async () => {
  const { server, directory } = await connected(2_000);
  server.holds.add(request.search).add(request.modify);
  const search = expect(directory.search(anything, contextFor())).rejects.toMatchObject({ code: 51 });
  for (let attempt = 0; attempt < 2; attempt++) {
    await expect.poll(() => server.held.length).toBe(attempt + 1);
    const held = server.held[attempt];
    if (held !== undefined) server.answer(held, 51);
  }
  await search;
  const modify = expect(directory.modify('cn=a', [], [], contextFor())).rejects.toMatchObject({ code: 51 });
  await expect.poll(() => server.held.length).toBe(3);
  const held = server.held[2];
  if (held !== undefined) server.answer(held, 51);
  await modify;
  expect(server.held).toHaveLength(3);
});

it('lets no more requests be under way than the server bears, and ends those that wait in time', async () => {
  const { server, directory } = await connected();
  server.holds.add(request.search);
  const outcomes = Array.from({ length: 50 }, () => directory.search(anything, contextFor()).catch((error) => error));
  await expect.poll(() => server.held.length).toBe(20);
  for (const held of server.held.slice(0, 10)) server.answer(held);
  await expect.poll(() => server.held.length).toBe(30);
  const ended = await Promise.all(outcomes);
  expect(ended.filter((outcome) => 'entries' in outcome)).toHaveLength(10);
  expect(ended.filter((outcome) => outcome.kind === 'timeout' && outcome.applied === 'no')).toHaveLength(40);
});
