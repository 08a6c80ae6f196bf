import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { JwtAuthenticator } from '../../src/auth/jwt.js';
import { refreshMs } from '../../src/auth/key-remote.js';
import { ScimError } from '../../src/scim/error.js';
import { AuthorizationServer, createSigningKey, sign, tenantId } from '../support/authorization-server.js';
import { accepted, refused, useJwtBench } from './jwt-bench.js';

const bench = useJwtBench();
const discoveryPath = `/${tenantId}/.well-known/openid-configuration`;
const keysPath = '/common/discovery/keys';

/** A server of the test's own, whose keys may come and go. */
async function ownServer(): Promise<{ server: AuthorizationServer; gateway: JwtAuthenticator }> {
  const server = await AuthorizationServer.start();
  onTestFinished(() => server.stop());
  return { server, gateway: bench.authenticator({ issuer: server.issuer() }) };
}

/** The request is answered 503: nobody can tell whether the token is good. */
async function unavailable(gateway: JwtAuthenticator, token: string): Promise<ScimError> {
  try {
    await gateway.verify(token);
  } catch (error) {
    if (!(error instanceof ScimError)) throw error;
    expect(error.status).toBe(503);
    expect(error.retryAfterSeconds).toBeGreaterThan(0);
    expect(error.message).not.toContain('http');
    return error;
  }
  expect.fail('The token was judged.');
}

/** What was started without waiting for it has ended. */
async function settled(server: AuthorizationServer, count: number): Promise<void> {
  await vi.waitFor(() => expect(server.requests.length).toBeGreaterThanOrEqual(count), { interval: 1 });
  for (let turn = 0; turn < 200; turn++) await new Promise((resolve) => setImmediate(resolve));
}

describe('keys of an issuer', () => {
  it('are found by OpenID discovery, and fetched once [capabilities-20]', async () => {
    const gateway = bench.authenticator();
    await accepted(gateway, await bench.server.token());
    await accepted(gateway, await bench.server.token({ jti: 'other' }));
    expect(bench.server.requests).toEqual([discoveryPath, keysPath]);
  });

  it('are found at a discovery address of their own, also one for all tenants [capabilities-20]', async () => {
    const discovery = `${bench.server.url}/common/.well-known/openid-configuration`;
    await accepted(bench.authenticator({ discovery }), await bench.server.token());
    expect(bench.server.requests).toEqual(['/common/.well-known/openid-configuration', keysPath]);
  });

  it('are found at a key set address, without discovery [capabilities-20]', async () => {
    await accepted(bench.authenticator({ jwks: bench.server.jwksUrl }), await bench.server.token());
    expect(bench.server.requests).toEqual([keysPath]);
  });

  it('are fetched before the first caller comes, if asked for, and what fails is told', async () => {
    const gateway = bench.authenticator();
    await gateway.prepare();
    expect(bench.server.requests).toEqual([discoveryPath, keysPath]);
    await accepted(gateway, await bench.server.token());
    expect(bench.server.requests).toHaveLength(2);
    bench.server.mood = 'down';
    await bench.authenticator().prepare();
    expect(bench.lines).toEqual([expect.stringMatching(/^error The keys of the issuer cannot be fetched/)]);
  });

  it('are fetched once for callers that come together', async () => {
    const gateway = bench.authenticator();
    const tokens = await Promise.all(Array.from({ length: 20 }, (_, jti) => bench.server.token({ jti })));
    await Promise.all(tokens.map((token) => accepted(gateway, token)));
    expect(bench.server.requests).toHaveLength(2);
  });

  it('of any supported type are taken [8725-3.2-01]', async () => {
    for (const alg of ['RS384', 'PS256', 'ES256', 'ES384', 'ES512', 'EdDSA']) {
      const server = await AuthorizationServer.start(alg);
      try {
        await accepted(bench.authenticator({ issuer: server.issuer(), algorithms: [alg] }), await server.token());
      } finally {
        await server.stop();
      }
    }
  });

  it('for encryption, of other uses, or broken are left out, and named [8725-3.1-01]', async () => {
    const { server, gateway } = await ownServer();
    const encryption = await createSigningKey('RS256', 'encryption');
    server.publish = (keys) => [
      ...keys,
      { ...encryption.publicJwk, use: 'enc' },
      { ...encryption.publicJwk, kid: 'ops', use: undefined, key_ops: ['wrapKey'] },
      { ...encryption.publicJwk, kid: 'alg', alg: 'RSA-OAEP' },
      { kty: 'RSA', kid: 'broken', n: '?', e: 'AQAB' },
      { kty: 'EC', crv: 'P-256', kid: 'point', x: 'AAAA', y: 'AAAA' },
      { kty: 'XX', kid: 'type' },
      Object('text'),
      { kid: 7 },
    ];
    await accepted(gateway, await server.token());
    await refused(
      gateway,
      await server.token({}, { key: encryption }),
      /not used: "encryption": it is not for signatures \("use"\); "ops": .*"key_ops".*"alg": .*RSA-OAEP.*"broken": .*"point": it cannot be read; "type": .*; key 8: it is no JSON object; key 9: "kid" is no text$/,
    );
  });

  it('that sign for another tenant are none of the issuer [8725-3.8-01]', async () => {
    const server = await AuthorizationServer.start();
    onTestFinished(() => server.stop());
    const [key] = [server.key];
    const named = (issuer: string) => {
      server.publish = (keys) => keys.map((jwk) => ({ ...jwk, issuer }));
      return bench.authenticator({ issuer: server.issuer() });
    };
    const shared = 'https://login.microsoftonline.com/{tenantid}/v2.0';
    await accepted(named(shared), await server.token());
    await accepted(named(shared.replace('{tenantid}', tenantId)), await server.token());
    const other = named(shared.replace('{tenantid}', '9188040d-6c67-4c5b-b112-36a304b66dad'));
    expect((await unavailable(other, await server.token())).cause).toMatchObject({
      message: expect.stringContaining(`"${key.kid}": it signs for another tenant`),
    });
  });

  it('without ids serve tokens without an id [8725-3.10-01]', async () => {
    const { server, gateway } = await ownServer();
    await server.addKey('RS256');
    server.publish = (keys) => keys.map(({ kid: _, ...jwk }) => jwk);
    await accepted(gateway, await server.token({}, { header: { kid: undefined } }));
    await refused(gateway, await server.token(), /^key: .* it has one without id, one without id$/);
  });
});

describe('rotation', () => {
  it('a token of a new key is taken at once: an unknown key id makes the keys be fetched [capabilities-20]', async () => {
    const { server, gateway } = await ownServer();
    await accepted(gateway, await server.token());
    const old = await server.token({ jti: 'old' });
    await server.addKey();
    bench.pass(31);
    await accepted(gateway, await server.token());
    await accepted(gateway, old);
    expect(server.requests.filter((path) => path === keysPath)).toHaveLength(2);
    expect(bench.lines).toEqual([expect.stringMatching(/^info The keys of the issuer changed.*key-2/)]);
  });

  it('unknown key ids make the keys be fetched at most once in 30 seconds, whatever comes [8725-3.10-01]', async () => {
    const { server, gateway } = await ownServer();
    const unknown = await createSigningKey('RS256', 'unknown');
    await accepted(gateway, await server.token());
    for (let second = 0; second < 60; second += 5) {
      const tokens = await Promise.all(
        [1, 2, 3].map((jti) => server.token({ jti: `${second}-${jti}` }, { key: unknown })),
      );
      await Promise.all(tokens.map((token) => refused(gateway, token, 'has no key "unknown"')));
      bench.pass(5);
    }
    expect(server.requests.filter((path) => path === keysPath)).toHaveLength(2);
  });

  it('a withdrawn key is noticed within five minutes, also for tokens that were taken before [8725-3.8-01]', async () => {
    const { server, gateway } = await ownServer();
    const token = await server.token();
    await accepted(gateway, token);
    await server.addKey();
    const former = server.key;
    server.removeKey(former);
    server.publish = () => [former.publicJwk];
    bench.pass(refreshMs / 1000 - 1);
    await accepted(gateway, token);
    bench.pass(2);
    // This one finds that the keys are old; it is not kept waiting for new ones.
    await accepted(gateway, token);
    await settled(server, 4);
    await refused(gateway, token, /^key: /);
  });

  it('keys that stay the same leave the tokens that are known alone', async () => {
    const { server, gateway } = await ownServer();
    const token = await server.token();
    await accepted(gateway, token);
    server.publish = (keys) => [...keys].reverse();
    bench.pass(refreshMs / 1000 + 1);
    await accepted(gateway, token);
    await settled(server, 4);
    expect(gateway.verify(token)).not.toBeInstanceOf(Promise);
    expect(bench.lines).toEqual([]);
  });

  it('a key that was replaced under the same id is taken after the next fetch', async () => {
    const { server, gateway } = await ownServer();
    await accepted(gateway, await server.token());
    const replacement = await createSigningKey('RS256', server.key.kid);
    server.publish = () => [replacement.publicJwk];
    const token = await sign({ iss: server.issuer(), sub: 'a', exp: 4_102_444_800 }, replacement);
    await refused(gateway, token, /^signature: /);
    bench.pass(refreshMs / 1000 + 1);
    await gateway.verify(token);
    await settled(server, 4);
    await accepted(gateway, token);
  });
});

describe('an issuer that cannot be reached', () => {
  it('leaves the last good keys in use, and says so once, with their age [capabilities-20]', async () => {
    const { server, gateway } = await ownServer();
    await accepted(gateway, await server.token());
    server.mood = 'down';
    for (let minute = 0; minute < 60; minute += 10) {
      bench.pass(600);
      await accepted(gateway, await server.token({ exp: Math.floor(bench.nowMs / 1000) + 60 }));
      await settled(server, 3 + minute / 10);
    }
    expect(bench.lines).toEqual([
      expect.stringMatching(
        /^warn The keys of the issuer cannot be fetched; the last ones, 10 min old, stay in use\. .*ECONNRESET|UND_ERR_SOCKET/,
      ),
    ]);
    expect(bench.lines[0]).toContain(`${server.url}${discoveryPath}`);
    server.mood = 'well';
    bench.pass(600);
    await accepted(gateway, await server.token({ exp: Math.floor(bench.nowMs / 1000) + 60 }));
    await vi.waitFor(() => expect(bench.lines.at(-1)).toMatch(/^info The keys of the issuer can be fetched again/), {
      interval: 1,
    });
  });

  it('answers 503 at a cold start, logs which address failed, and recovers by itself [capabilities-20]', async () => {
    const { server, gateway } = await ownServer();
    server.mood = 'down';
    const token = await server.token();
    const { cause } = await unavailable(gateway, token);
    expect(cause).toMatchObject({ message: expect.stringContaining(`${server.url}${discoveryPath}`) });
    await unavailable(gateway, token);
    expect(server.requests).toHaveLength(1);
    expect(bench.lines).toEqual([
      expect.stringMatching(/^error The keys of the issuer cannot be fetched; its tokens are answered 503/),
    ]);
    server.mood = 'well';
    bench.pass(11);
    await accepted(gateway, token);
  });

  it('answers 503, not 401, for a key that may be new [capabilities-20]', async () => {
    const { server, gateway } = await ownServer();
    await accepted(gateway, await server.token());
    server.mood = 'down';
    await server.addKey();
    bench.pass(31);
    const token = await server.token();
    await unavailable(gateway, token);
    await unavailable(gateway, token);
    server.mood = 'well';
    bench.pass(11);
    await accepted(gateway, token);
  });

  it.each([
    ['error', 'it answered 500'],
    ['garbage', 'the answer is not JSON'],
    ['huge', 'the answer is longer than 524288 bytes'],
    ['wrongIssuer', 'it is the configuration of the issuer'],
    ['noKeys', 'the key set has no key that can be used (it is empty)'],
    ['redirectAway', 'it redirects to another host (http://localhost:'],
    ['redirectAround', 'it redirects again and again'],
  ] as const)('so to speak: mood "%s" leaves the last good keys in use too', async (mood, reason) => {
    const { server, gateway } = await ownServer();
    server.mood = mood;
    const token = await server.token();
    expect((await unavailable(gateway, token)).cause).toMatchObject({ message: expect.stringContaining(reason) });
    server.mood = 'well';
    bench.pass(11);
    await accepted(gateway, token);
    server.mood = mood;
    bench.pass(refreshMs / 1000 + 1);
    await accepted(gateway, token);
    await vi.waitFor(() => expect(bench.lines.at(-1)).toMatch(/^warn .* stay in use/), { interval: 1 });
    await accepted(gateway, await server.token({ jti: 'other' }));
  });

  it('that moved on its own host is followed', async () => {
    const { server, gateway } = await ownServer();
    server.mood = 'redirectOnce';
    await accepted(gateway, await server.token());
  });

  it('that does not answer is given up after five seconds, while others are served', async () => {
    const { server, gateway } = await ownServer();
    const patience = new AbortController();
    vi.spyOn(AbortSignal, 'timeout').mockImplementation((ms) => {
      expect(ms).toBe(5000);
      return patience.signal;
    });
    onTestFinished(() => void vi.restoreAllMocks());
    server.mood = 'slow';
    const asked = server.nextRequest();
    const answer = unavailable(gateway, await server.token());
    await asked;
    await accepted(bench.authenticator({ jwks: bench.server.jwksUrl }), await bench.server.token());
    patience.abort(new DOMException('', 'TimeoutError'));
    expect((await answer).cause).toMatchObject({ message: expect.stringContaining('no answer within 5 seconds') });
    server.release();
  });
});

describe('addresses', () => {
  it.each([
    [{ issuer: 'http://idp.example.com/' }, 'keys are fetched over https only'],
    [{ jwks: 'http://169.254.169.254/keys' }, 'keys are fetched over https only'],
    [{ discovery: 'http://localhost.example.com/' }, 'keys are fetched over https only'],
    [{ jwks: 'https://user:secret@idp.example.com/keys' }, 'it holds a password'],
    [{ jwks: 'ftp://127.0.0.1/keys' }, 'keys are fetched over https only'],
    [{ issuer: 'not a URL' }, 'this is no URL'],
  ])('%j is not asked [8725-3.10-01]', async (settings, reason) => {
    const gateway = bench.authenticator(settings);
    const iss = 'issuer' in settings ? settings.issuer : bench.server.issuer();
    const token = await bench.server.token({ iss });
    const { cause } = await unavailable(gateway, token);
    expect(cause).toMatchObject({ message: expect.stringContaining(reason) });
    expect(String(cause)).not.toContain('secret');
    expect(bench.fetched).toEqual([]);
  });
});

describe('a key set in a file', () => {
  function keyFile(): string {
    const folder = mkdtempSync(join(tmpdir(), 'keys-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    return join(folder, 'keys.json');
  }

  it('is read again when it changes; a broken one changes nothing [capabilities-20]', async () => {
    const file = keyFile();
    const [first, second] = [await createSigningKey('ES256', 'first'), await createSigningKey('ES256', 'second')];
    const write = (...keys: object[]) => writeFileSync(file, JSON.stringify({ keys }));
    const gateway = bench.authenticator({ keys: file });
    const token = await bench.server.token({}, { key: first });
    expect((await unavailable(gateway, token)).cause).toMatchObject({ message: expect.stringContaining('ENOENT') });
    write(first.publicJwk);
    bench.pass(2);
    await accepted(gateway, token);
    expect(gateway.verify(token)).not.toBeInstanceOf(Promise);
    writeFileSync(file, '{"keys":[');
    bench.pass(2);
    await accepted(gateway, token);
    write(first.publicJwk, second.publicJwk);
    // An unknown key id makes it be looked at without waiting.
    await accepted(gateway, await bench.server.token({}, { key: second }));
    write(second.publicJwk);
    bench.pass(2);
    await refused(gateway, token, 'has no key "first"; it has "second"');
    expect(bench.fetched).toEqual([]);
    expect(bench.lines.map((line) => line.split(' {')[0])).toEqual([
      'error The key set cannot be used; tokens are answered 503.',
      'warn The changed key set cannot be used; the former keys stay in use.',
      'info The key set was read again.',
      'info The key set was read again.',
    ]);
  });

  it('may be written out in the configuration [capabilities-20]', async () => {
    const key = await createSigningKey('ES256', 'inline');
    const gateway = bench.authenticator({ keys: { keys: [key.publicJwk] } });
    await accepted(gateway, await bench.server.token({}, { key }));
    await refused(gateway, await bench.server.token(), /^(key|algorithm): /);
    const wrong = bench.authenticator({ keys: { keys: 'none' } });
    expect((await unavailable(wrong, await bench.server.token())).cause).toMatchObject({
      message: expect.stringContaining('it has no list "keys"'),
    });
    expect(bench.fetched).toEqual([]);
  });
});

describe('a token that is known', () => {
  it('is answered at once, without its keys or its issuer [capabilities-20]', async () => {
    const gateway = bench.authenticator();
    const token = await bench.server.token();
    const caller = await accepted(gateway, token);
    bench.server.mood = 'down';
    const verdict = gateway.verify(token);
    expect(verdict).toEqual({ caller });
    for (let warm = 0; warm < 2000; warm++) void gateway.verify(token);
    const start = performance.now();
    for (let count = 0; count < 2000; count++) void gateway.verify(token);
    expect((performance.now() - start) / 2000).toBeLessThan(0.1);
  });

  it('is known by its whole text: with another signature it is not [8725-3.3-01]', async () => {
    const gateway = bench.authenticator();
    const token = await bench.server.token();
    await accepted(gateway, token);
    await refused(gateway, token.replace(/[^.]{40}$/, 'A'.repeat(40)), /^(signature|form): /);
  });

  it('does not fill the memory: a thousand are known at most', async () => {
    const gateway = bench.authenticator({ secret: 's'.repeat(16) + 't'.repeat(16), algorithms: ['HS256'] });
    const key = { alg: 'HS256', secret: Buffer.from('s'.repeat(16) + 't'.repeat(16)) };
    const make = (jti: number) => sign({ iss: bench.server.issuer(), sub: 'a', exp: 4_102_444_800, jti }, key);
    const first = await make(0);
    await accepted(gateway, first);
    for (let jti = 1; jti <= 1000; jti++) await accepted(gateway, await make(jti));
    expect(gateway.verify(first)).toBeInstanceOf(Promise);
    await accepted(gateway, first);
  });
});
