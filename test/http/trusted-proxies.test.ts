import { describe, expect, it } from 'vitest';
import { createProxyTrust, type Forwarding, forwardedOrigin } from '../../src/http/trusted-proxies.js';

const networks = ['10.0.0.0/8', '192.0.2.7', 'fd00::/8', '::1'];

function read(peer: string | undefined, headers: Readonly<Record<string, string>>, trusted = networks): Forwarding {
  return createProxyTrust(trusted).read(peer, (name) => headers[name]);
}

describe('a peer that is not trusted', () => {
  it.each(['203.0.113.9', '192.0.2.8', '::2', '2001:db8::1'])('%s is not believed', (peer) => {
    const headers = {
      'x-forwarded-for': '198.51.100.1',
      'x-forwarded-proto': 'https',
      'x-forwarded-host': 'evil.example',
      forwarded: 'for=198.51.100.1;proto=https;host=evil.example',
    };
    expect(read(peer, headers)).toEqual({ address: peer });
  });

  it('is everybody where no proxy is trusted', () => {
    expect(read('10.0.0.1', { 'x-forwarded-for': '198.51.100.1' }, [])).toEqual({ address: '10.0.0.1' });
    expect(read(undefined, { 'x-forwarded-for': '198.51.100.1' })).toEqual({ address: undefined });
  });
});

describe('X-Forwarded-For of a trusted peer', () => {
  it.each([
    ['one client', '198.51.100.1', '198.51.100.1'],
    ['what the client invented before its own', '1.1.1.1, 10.9.9.9, 198.51.100.1', '198.51.100.1'],
    ['a chain of proxies', '198.51.100.1, 10.0.0.2,10.0.0.3', '198.51.100.1'],
    ['a chain of different families', '2001:db8::9, fd00::1, ::1', '2001:db8::9'],
    ['proxies all the way', '10.0.0.4, 10.0.0.3', '10.0.0.4'],
    ['a port', '198.51.100.1:4711', '198.51.100.1'],
    ['brackets and a port', '[2001:DB8::1]:4711', '2001:db8::1'],
    ['an IPv4 address within IPv6', '::ffff:198.51.100.1', '198.51.100.1'],
    ['garbage', 'unknown', '10.0.0.1'],
    ['garbage behind a proxy', '198.51.100.1, _x, 10.0.0.2', '10.0.0.2'],
    ['nothing', '', '10.0.0.1'],
    ['commas', ',,,', '10.0.0.1'],
  ])('gives %s', (_name, value, address) => {
    expect(read('10.0.0.1', { 'x-forwarded-for': value })).toEqual({ address });
    expect(read('::ffff:10.0.0.1', { 'x-forwarded-for': value })).toEqual({ address });
  });
});

describe('X-Forwarded-Proto and -Host of a trusted peer', () => {
  it('give scheme and host', () => {
    const headers = { 'x-forwarded-proto': 'HTTPS', 'x-forwarded-host': 'scim.example.com:8443' };
    expect(read('192.0.2.7', headers)).toEqual({
      address: '192.0.2.7',
      scheme: 'https',
      host: 'scim.example.com:8443',
    });
  });

  it('count from the right when several proxies added to them', () => {
    const headers = {
      'x-forwarded-for': '1.1.1.1, 198.51.100.1, 10.0.0.2',
      'x-forwarded-proto': 'ftp, https, http',
      'x-forwarded-host': 'evil.example, scim.example.com, inner.example',
    };
    expect(read('10.0.0.1', headers)).toEqual({
      address: '198.51.100.1',
      scheme: 'https',
      host: 'scim.example.com',
    });
  });

  it('are taken as they are when the outer proxy set them and the inner ones left them', () => {
    const headers = {
      'x-forwarded-for': '198.51.100.1, 10.0.0.3, 10.0.0.2',
      'x-forwarded-proto': 'https',
      'x-forwarded-host': 'scim.example.com',
    };
    expect(read('10.0.0.1', headers)).toMatchObject({ scheme: 'https', host: 'scim.example.com' });
  });

  it.each([
    '',
    'a b',
    'user@evil.example',
    'evil.example/path',
    'evil.example:x',
    '[::1',
    'a?b',
    'a\\b',
    'x'.repeat(300),
  ])('ignores the host %j [7644-7.1-01]', (host) => {
    expect(read('10.0.0.1', { 'x-forwarded-host': host })).toEqual({ address: '10.0.0.1' });
  });

  it.each(['ftp', 'javascript', 'https:', ''])('ignores the scheme %j', (scheme) => {
    expect(read('10.0.0.1', { 'x-forwarded-proto': scheme })).toEqual({ address: '10.0.0.1' });
  });
});

describe('Forwarded of a trusted peer (RFC 7239)', () => {
  it.each([
    ['for=198.51.100.1;proto=https;host=scim.example.com', '198.51.100.1', 'https', 'scim.example.com'],
    ['For="[2001:db8:cafe::17]:4711" ; Proto=HTTP', '2001:db8:cafe::17', 'http', undefined],
    ['for=1.1.1.1, for=198.51.100.1;proto=https, for="10.0.0.2";proto=http', '198.51.100.1', 'https', undefined],
    ['proto=https;host="scim.example.com:8443"', '10.0.0.1', 'https', 'scim.example.com:8443'],
    ['for=unknown;proto=https', '10.0.0.1', 'https', undefined],
    ['for="_mystery"', '10.0.0.1', undefined, undefined],
    ['for=198.51.100.1;by=10.0.0.1;ext="a\\"b,c;d"', '198.51.100.1', undefined, undefined],
  ])('%s', (forwarded, address, scheme, host) => {
    expect(read('10.0.0.1', { forwarded })).toEqual({
      address,
      ...(scheme && { scheme }),
      ...(host && { host }),
    });
  });

  it.each([
    'for',
    'for=',
    'for="198.51.100.1',
    '=x',
    'for=198.51.100.1;;',
    ',',
    'for=a b',
    'for=198.51.100.1 proto=https',
  ])('ignores %j', (forwarded) => {
    expect(read('10.0.0.1', { forwarded })).toEqual({ address: '10.0.0.1' });
  });
});

describe('both kinds of headers', () => {
  it('are believed where they agree', () => {
    const headers = {
      'x-forwarded-for': '198.51.100.1',
      'x-forwarded-proto': 'https',
      forwarded: 'for=198.51.100.1;host=scim.example.com',
    };
    expect(read('10.0.0.1', headers)).toEqual({
      address: '198.51.100.1',
      scheme: 'https',
      host: 'scim.example.com',
    });
  });

  it('are not believed where they differ: the proxy passed one of them on as the client made it', () => {
    const headers = {
      'x-forwarded-for': '203.0.113.66',
      'x-forwarded-proto': 'https',
      forwarded: 'for=198.51.100.1;proto=http;host=scim.example.com',
    };
    expect(read('10.0.0.1', headers)).toEqual({ address: '10.0.0.1', host: 'scim.example.com' });
  });
});

describe('forwardedOrigin', () => {
  it.each<[Partial<Forwarding>, string]>([
    [{}, 'http://inner:8080'],
    [{ scheme: 'https' }, 'https://inner:8080'],
    [{ host: 'scim.example.com' }, 'http://scim.example.com'],
    [{ scheme: 'https', host: 'scim.example.com:8443' }, 'https://scim.example.com:8443'],
  ])('with %j', (forwarding, origin) => {
    expect(forwardedOrigin('http://inner:8080', { address: undefined, ...forwarding })).toBe(origin);
  });
});

describe('the networks', () => {
  it.each(['10.0.0.0/33', '::1/129', '999.1.1.1', '10.0.0', 'proxy.example.com', '10.0.0.0/', '10.0.0.0/x', ''])(
    'cannot be %j',
    (network) => {
      expect(() => createProxyTrust(['::1', network])).toThrow(`"${network}" is no address and no network`);
    },
  );

  it('may be everything', () => {
    expect(read('203.0.113.9', { 'x-forwarded-for': '198.51.100.1' }, ['0.0.0.0/0', '::/0'])).toEqual({
      address: '198.51.100.1',
    });
  });
});

describe('who may name a request', () => {
  it('is a trusted proxy where some are named, and anybody where none is', () => {
    const trust = createProxyTrust(['10.0.0.0/8', '::1']);
    expect(['10.1.2.3', '::ffff:10.1.2.3', '::1'].map(trust.mayName)).toEqual([true, true, true]);
    expect(['192.0.2.1', undefined, 'nonsense'].map(trust.mayName)).toEqual([false, false, false]);
    expect(createProxyTrust([]).mayName('192.0.2.1')).toBe(true);
  });
});
