import { isIPv4, isIPv6 } from 'node:net';

/** An IPv4 address within IPv6 (`::ffff:192.0.2.1`), as sockets that listen on both give it. */
const mappedPattern = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i;

/**
 * An address as it is compared and logged: IPv4 never within IPv6, no brackets, no port, no zone.
 * @param text as proxies write it, too: `192.0.2.1:4711`, `[2001:db8::1]:4711`
 * @returns undefined when it is no address
 */
export function parseAddress(text: string): string | undefined {
  if (isIPv4(text)) return text;
  const bracketed = /^\[([^\]]+)\](?::\d{1,5})?$/.exec(text)?.[1];
  const withPort = /^(\d+\.\d+\.\d+\.\d+):\d{1,5}$/.exec(text)?.[1];
  const [bare = ''] = (bracketed ?? withPort ?? text).split('%');
  if (!isIPv6(bare)) return isIPv4(bare) && bracketed === undefined ? bare : undefined;
  return mappedPattern.exec(bare)?.[1] ?? bare.toLowerCase();
}

/**
 * Who is behind an address: an IPv4 address itself, the /64 of an IPv6 address, since whoever has one has all of it.
 * What is no address stands for itself.
 */
export function networkOf(address: string): string {
  const parsed = parseAddress(address) ?? address;
  if (!isIPv6(parsed)) return parsed;
  const [head = '', tail] = parsed.split('::');
  const groups = head === '' ? [] : head.split(':');
  if (tail !== undefined) {
    const rest = tail === '' ? [] : tail.split(':');
    // An IPv4 address at the end fills two groups.
    const width = rest.length + (rest.at(-1)?.includes('.') ? 1 : 0);
    while (groups.length + width < 8) groups.push('0');
    groups.push(...rest);
  }
  const network = groups.slice(0, 4).map((group) => group.replace(/^0+(?=.)/, ''));
  return `${network.join(':')}::/64`;
}
