import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { connect as connectTls, createServer, type TLSSocket } from 'node:tls';
import { BerReader, berElement, berTag } from '../../../adapters/ldap/ber.js';
import { testCertificates } from './certificates.js';
import { createMessageReader, type LdapMessage } from './ldap-message.js';
import type { LdapServer } from './ldap-server.js';

const searchTag = 0x63;

export interface RangeProxy {
  readonly url: string;
  /** Where each part that was asked for starts. */
  readonly asked: number[];
  /** Called, and waited for, before a part beyond the first is asked of the server. */
  beforeNext: (() => Promise<void>) | undefined;
  close(): Promise<void>;
}

/**
 * Stands in front of Samba, which gives all values of an attribute unless a range is asked for, and makes a domain
 * controller of it that gives at most `size` values of `member` at once (MaxValRange, MS-ADTS section 3.1.1.3.4.6).
 */
export async function startRangeProxy(server: LdapServer, size: number): Promise<RangeProxy> {
  const { certificateFile, keyFile } = await testCertificates();
  const asked: number[] = [];
  const open = new Set<TLSSocket>();
  const proxy: { beforeNext: RangeProxy['beforeNext'] } = { beforeNext: undefined };
  const forward = async (message: LdapMessage): Promise<Buffer> => {
    const from = message.tag === searchTag ? memberFrom(message) : undefined;
    if (from === undefined) return message.bytes;
    asked.push(from);
    if (from > 0) await proxy.beforeNext?.();
    return withRange(message, from, size);
  };
  const listener = createServer({ cert: readFileSync(certificateFile), key: readFileSync(keyFile) }, (client) => {
    const upstream = connectTls({ host: server.host, port: server.ports.ldaps, ca: readFileSync(server.caFile) });
    const read = createMessageReader();
    let sent = Promise.resolve();
    client.on('data', (chunk: Buffer) => {
      for (const message of read(chunk)) {
        sent = sent.then(async () => {
          upstream.write(await forward(message));
        });
      }
    });
    upstream.on('data', (chunk) => client.write(chunk));
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      open.add(socket);
      socket.on('error', () => undefined);
      socket.once('close', () => {
        open.delete(socket);
        other.destroy();
      });
    }
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  return Object.assign(proxy, {
    url: `ldaps://127.0.0.1:${(listener.address() as AddressInfo).port}`,
    asked,
    close: async () => {
      const closed = once(listener, 'close');
      listener.close();
      for (const socket of open) socket.destroy();
      await closed;
    },
  });
}

interface Element {
  readonly tag: number;
  readonly content: Buffer;
}

function elementsOf(bytes: Buffer): readonly Element[] {
  const reader = new BerReader(bytes);
  const elements: Element[] = [];
  while (!reader.isAtEnd) {
    const tag = reader.peek();
    elements.push({ tag, content: Buffer.from(reader.octets(tag)) });
  }
  return elements;
}

const encode = (tag: number, elements: readonly Element[]): Buffer =>
  berElement(tag, ...elements.map((element) => berElement(element.tag, element.content)));

const member = /^member(?:;range=(\d+)-\*)?$/i;

function namesIn({ content }: LdapMessage): readonly string[] {
  const list = elementsOf(content).at(-1)?.content ?? Buffer.alloc(0);
  return elementsOf(list).map((element) => element.content.toString());
}

/** Where the values of `member` that are asked for start; undefined where they are not asked for. */
function memberFrom(message: LdapMessage): number | undefined {
  const match = namesIn(message)
    .map((name) => member.exec(name))
    .find((found) => found !== null);
  return match === undefined || match === null ? undefined : Number(match[1] ?? 0);
}

function withRange(message: LdapMessage, from: number, size: number): Buffer {
  const names = namesIn(message).map((name) => (member.test(name) ? `member;range=${from}-${from + size - 1}` : name));
  const attributes = encode(
    berTag.sequence,
    names.map((name) => ({ tag: berTag.octetString, content: Buffer.from(name) })),
  );
  const request = elementsOf(message.content)
    .slice(0, -1)
    .map((element) => berElement(element.tag, element.content));
  const [envelope] = elementsOf(message.bytes);
  const parts = elementsOf(envelope?.content ?? Buffer.alloc(0)).map((element) =>
    element.tag === searchTag
      ? berElement(searchTag, ...request, attributes)
      : berElement(element.tag, element.content),
  );
  return berElement(berTag.sequence, ...parts);
}
