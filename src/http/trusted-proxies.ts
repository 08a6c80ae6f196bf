import { BlockList, isIPv4 } from 'node:net';
import { parseAddress } from './address.js';

/** What is believed about a request's way here. Absent: nothing was forwarded, or nothing that can be believed. */
export interface Forwarding {
  /** The client's address: the last one that is not of a trusted proxy, else the peer's. */
  readonly address: string | undefined;
  readonly scheme?: 'http' | 'https';
  /** Host and port as the client spelled them. */
  readonly host?: string;
}

/** Which peers are believed when they tell whom they speak for. */
export interface ProxyTrust {
  /**
   * @param peer the address of the connection's other end
   * @param header gives a header's value, all lines of it joined by commas, by its name in lower case
   */
  read(peer: string | undefined, header: (name: string) => string | undefined): Forwarding;
  /** Whether the peer may name a request (`X-Request-Id`): one of the proxies, or anybody where none is configured. */
  mayName(peer: string | undefined): boolean;
}

/**
 * Believes X-Forwarded-For, -Proto and -Host, or RFC 7239's Forwarded, from the given peers alone. The lists are read
 * from the right, as far as their entries are trusted proxies themselves; what stands further left may be invented. Where
 * both kinds of headers come and tell different things, one of them came from the client and was passed on: then neither
 * is believed. What is malformed counts as absent.
 * @param networks addresses and networks: `10.0.0.0/8`, `::1`
 * @throws Error that names a network which is none
 * @see RFC 7239
 */
export function createProxyTrust(networks: readonly string[]): ProxyTrust {
  if (networks.length === 0) return { read: (peer) => ({ address: peer }), mayName: () => true };
  const trusted = createBlockList(networks);
  const isTrusted = (address: string): boolean => trusted.check(address, isIPv4(address) ? 'ipv4' : 'ipv6');
  return {
    mayName: (peer) => {
      const address = peer === undefined ? undefined : parseAddress(peer);
      return address !== undefined && isTrusted(address);
    },
    read: (peer, header) => {
      const address = peer === undefined ? undefined : parseAddress(peer);
      if (address === undefined || !isTrusted(address)) return { address: address ?? peer };
      const told = [
        readSeparate(address, header, isTrusted),
        readForwarded(address, header('forwarded'), isTrusted),
      ].filter((one) => one !== undefined);
      const client = agreed(told.map((one) => one.address));
      const scheme = agreed(told.map((one) => one.scheme));
      const host = agreed(told.map((one) => one.host));
      return {
        address: client ?? address,
        ...(scheme === undefined ? {} : { scheme }),
        ...(host === undefined ? {} : { host }),
      };
    },
  };
}

/** The origin with the scheme and the host that the client used: `https://scim.example.com`. */
export function forwardedOrigin(origin: string, { scheme, host }: Forwarding): string {
  if (scheme === undefined && host === undefined) return origin;
  const end = origin.indexOf('://');
  return `${scheme ?? origin.slice(0, end)}://${host ?? origin.slice(end + 3)}`;
}

function createBlockList(networks: readonly string[]): BlockList {
  const list = new BlockList();
  for (const network of networks) {
    const [text = '', prefix] = network.split('/');
    const address = parseAddress(text);
    const family = address !== undefined && isIPv4(address) ? 'ipv4' : 'ipv6';
    const longest = family === 'ipv4' ? 32 : 128;
    const bits = prefix === undefined ? longest : Number(prefix);
    if (address === undefined || !/^\d{1,3}$/.test(prefix ?? '0') || bits > longest) {
      throw new Error(`"${network}" is no address and no network: write 10.0.0.0/8, 192.0.2.1, fd00::/8 or ::1.`);
    }
    list.addSubnet(address, bits, family);
  }
  return list;
}

/** What one kind of headers tells. */
interface Told {
  readonly address: string | undefined;
  readonly scheme: 'http' | 'https' | undefined;
  readonly host: string | undefined;
}

type IsTrusted = (address: string) => boolean;

/** The one thing that those say who say anything. */
function agreed<T>(values: readonly (T | undefined)[]): T | undefined {
  const said = new Set(values.filter((value) => value !== undefined));
  return said.size === 1 ? [...said][0] : undefined;
}

/**
 * Follows the hops from the nearest one outwards.
 * @param hops the nearest last; undefined for one that is no address
 * @returns the client, and which hop from the right it is: 1 is the one that our peer names
 */
function follow(
  peer: string,
  hops: readonly (string | undefined)[],
  isTrusted: IsTrusted,
): { readonly address: string; readonly steps: number } {
  let address = peer;
  let steps = 0;
  while (steps < hops.length && isTrusted(address)) {
    const next = hops[hops.length - 1 - steps];
    if (next === undefined) break;
    address = next;
    steps++;
  }
  return { address, steps: Math.max(steps, 1) };
}

/** X-Forwarded-For, -Proto, -Host: lists that each proxy adds to, or single values that one of them has set. */
function readSeparate(
  peer: string,
  header: (name: string) => string | undefined,
  isTrusted: IsTrusted,
): Told | undefined {
  const addresses = splitList(header('x-forwarded-for'));
  const schemes = splitList(header('x-forwarded-proto'));
  const hosts = splitList(header('x-forwarded-host'));
  if (addresses.length === 0 && schemes.length === 0 && hosts.length === 0) return undefined;
  const { address, steps } = follow(peer, addresses.map(parseAddress), isTrusted);
  const at = (values: readonly string[]): string | undefined => values[Math.max(values.length - steps, 0)];
  return {
    address: addresses.length === 0 ? undefined : address,
    scheme: toScheme(at(schemes)),
    host: toHost(at(hosts)),
  };
}

/** RFC 7239: each proxy adds an element, which holds all that it knows. */
function readForwarded(peer: string, header: string | undefined, isTrusted: IsTrusted): Told | undefined {
  const elements = parseForwarded(header);
  if (elements === undefined) return undefined;
  const hops = elements.map((element) => {
    const node = element.get('for');
    return node === undefined ? undefined : parseAddress(node);
  });
  const { address, steps } = follow(peer, hops, isTrusted);
  const element = elements[elements.length - steps];
  return {
    address: hops.at(-1) === undefined ? undefined : address,
    scheme: toScheme(element?.get('proto')),
    host: toHost(element?.get('host')),
  };
}

const pairPattern = /[ \t]*([!#$%&'*+\-.^_`|~\w]+)=(?:([!#$%&'*+\-.^_`|~\w:[\]]+)|"((?:[^"\\]|\\.)*)")[ \t]*(;|,|$)/y;

/** @returns undefined when there is none, or it is malformed */
function parseForwarded(text: string | undefined): readonly ReadonlyMap<string, string>[] | undefined {
  if (text === undefined) return undefined;
  const elements = [new Map<string, string>()];
  pairPattern.lastIndex = 0;
  while (pairPattern.lastIndex < text.length) {
    const match = pairPattern.exec(text);
    if (match === null) return undefined;
    const [, name = '', token, quoted = '', end] = match;
    elements.at(-1)?.set(name.toLowerCase(), token ?? quoted.replace(/\\(.)/g, '$1'));
    if (end === ',') elements.push(new Map());
  }
  return elements;
}

function splitList(text: string | undefined): readonly string[] {
  return text === undefined || text.trim() === '' ? [] : text.split(',').map((item) => item.trim());
}

function toScheme(text: string | undefined): 'http' | 'https' | undefined {
  const lower = text?.toLowerCase();
  return lower === 'http' || lower === 'https' ? lower : undefined;
}

/** A name or an address with a port, and nothing that could lead elsewhere: no userinfo, no path. */
function toHost(text: string | undefined): string | undefined {
  return text !== undefined && /^(?:[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::\d{1,5})?$/.test(text)
    ? text
    : undefined;
}
