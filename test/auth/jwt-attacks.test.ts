import { createHmac, sign as cryptoSign, generateKeyPairSync } from 'node:crypto';
import { type CryptoKey, exportSPKI, importJWK, type JWK } from 'jose';
import { beforeAll, describe, expect, it } from 'vitest';
import { createAuthentication } from '../../src/auth/authentication.js';
import { AuthorizationServer, assemble, createSigningKey, encode, sign } from '../support/authorization-server.js';
import { accepted, refused, useJwtBench } from './jwt-bench.js';

const bench = useJwtBench();
const claims = (more: object = {}) => {
  const now = Math.floor(Date.now() / 1000);
  return { iss: bench.server.issuer(), sub: 'app', iat: now, exp: now + 3600, ...more };
};
const hmac = (header: object, payload: object, secret: string | Buffer, hash = 'sha256') => {
  const input = `${encode(header)}.${encode(payload)}`;
  return `${input}.${createHmac(hash, secret).update(input).digest('base64url')}`;
};

describe('the algorithm', () => {
  it.each(['none', 'None', 'NONE', 'nOnE'])(
    '%s: an unsigned token is refused [8725-3.1-01 8725-3.2-01]',
    async (alg) => {
      const gateway = bench.authenticator();
      const reason = 'algorithm: the token is not signed ("none")';
      await refused(gateway, assemble({ alg }, claims()), reason);
      await refused(gateway, assemble({ alg, kid: bench.server.key.kid }, claims(), 'AAAA'), reason);
      const genuine = await bench.server.token();
      await refused(gateway, assemble({ alg }, claims(), genuine.split('.')[2]), reason);
    },
  );

  it.each([
    undefined,
    null,
    '',
    7,
    ['RS256'],
    { alg: 'RS256' },
    ' none',
    'none ',
    'RS1',
    'RS256 ',
    'rs256',
    'HS1',
    'ES256K',
  ])('%j is refused [8725-3.2-01]', async (alg) => {
    await refused(bench.authenticator(), assemble({ alg }, claims(), 'AAAA'), /^algorithm: /);
  });

  it('HS256 with the public key as the secret is refused, whatever text of it [8725-3.1-01]', async () => {
    const gateway = bench.authenticator();
    const { publicJwk, kid } = bench.server.key;
    const pem = await exportSPKI((await importJWK(publicJwk, 'RS256', { extractable: true })) as CryptoKey);
    const der = Buffer.from(pem.replace(/-----[^-]+-----|\s/g, ''), 'base64');
    const secrets = [
      pem,
      pem.trim(),
      pem.replaceAll('\n', '\r\n'),
      der,
      JSON.stringify(publicJwk),
      String(publicJwk.n),
    ];
    for (const secret of [...secrets, Buffer.from(String(publicJwk.n), 'base64url')]) {
      for (const header of [{ alg: 'HS256', kid }, { alg: 'HS256' }]) {
        await refused(gateway, hmac(header, claims(), secret), /^algorithm: the token has "HS256"/);
      }
    }
  });

  it('HS256 is refused for a public key even where it is listed [8725-3.1-01]', async () => {
    const gateway = bench.authenticator({ algorithms: ['HS256', 'RS256'] });
    const { publicJwk, kid } = bench.server.key;
    const token = hmac({ alg: 'HS256', kid }, claims(), JSON.stringify(publicJwk));
    await refused(gateway, token, 'algorithm: the token has "HS256", but the key is for RS256');
  });

  it('one key has one algorithm: what its JWK says [8725-3.1-01]', async () => {
    const gateway = bench.authenticator({ algorithms: ['RS256', 'PS256', 'RS512'] });
    const key = bench.server.key;
    const pss = await createSigningKey('PS256', key.kid);
    await refused(gateway, await sign(claims(), pss), 'the token has "PS256", but the key is for RS256');
    const input = `${encode({ alg: 'RS512', kid: key.kid })}.${encode(claims())}`;
    await refused(gateway, `${input}.AAAA`, 'the token has "RS512", but the key is for RS256');
  });

  it('one key has one algorithm: else the first that is configured and fits [8725-3.1-01]', async () => {
    bench.server.publish = (keys) => keys.map(({ alg: _, ...jwk }) => jwk);
    await accepted(bench.authenticator(), await bench.server.token());
    await accepted(bench.authenticator({ algorithms: ['ES256', 'RS256', 'PS256'] }), await bench.server.token());
    await refused(
      bench.authenticator({ algorithms: ['PS256', 'RS256'] }),
      await bench.server.token(),
      'the token has "RS256", but the key is for PS256 (it names none itself; "algorithms: [RS256]" makes it one for RS256)',
    );
  });

  it('only those of the list are taken [8725-3.1-01 8725-3.2-01]', async () => {
    const gateway = bench.authenticator({ algorithms: ['ES256'] });
    await refused(gateway, await bench.server.token(), 'algorithm: the token has "RS256"; ES256 would be taken');
    expect(bench.fetched).toEqual([]);
  });
});

describe('the signature', () => {
  it('of another key with the same id is refused [8725-3.3-01]', async () => {
    const own = await createSigningKey('RS256', bench.server.key.kid);
    const reason = `signature: it is not that of the issuer's key "${own.kid}"`;
    await refused(bench.authenticator(), await sign(claims(), own), reason);
  });

  it('of a published key of another issuer is refused [8725-3.8-01]', async () => {
    const other = await AuthorizationServer.start();
    try {
      const issuers = [{}, { issuer: other.issuer() }] as const;
      const gateway = bench.authenticator(...issuers);
      await accepted(gateway, await other.token());
      const mixed = await other.token({ iss: bench.server.issuer() });
      await refused(gateway, mixed, /^signature: /);
    } finally {
      await other.stop();
    }
  });

  it('that is missing, cut, or of changed claims is refused [8725-3.3-01]', async () => {
    const gateway = bench.authenticator();
    const [header = '', payload = '', signature = ''] = (await bench.server.token()).split('.');
    for (const wrong of ['', signature.slice(0, 40), signature.slice(0, -4), `${signature}AAAA`, 'A'.repeat(342)]) {
      await refused(gateway, `${header}.${payload}.${wrong}`, /^(signature|form): /);
    }
    const changed = encode(claims({ sub: 'admin' }));
    await refused(gateway, `${header}.${changed}.${signature}`, /^signature: /);
    const otherHeader = encode({ alg: 'RS256', kid: bench.server.key.kid, typ: 'JWT', x: 1 });
    await refused(gateway, `${otherHeader}.${payload}.${signature}`, /^signature: /);
  });

  it('of ES256 that is all zero is refused, and so are its other tricks [8725-3.3-01]', async () => {
    const server = await AuthorizationServer.start('ES256');
    try {
      const gateway = bench.authenticator({ issuer: server.issuer() });
      await accepted(gateway, await server.token());
      const input = (await server.token()).split('.').slice(0, 2).join('.');
      const order = Buffer.from('ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551', 'hex');
      for (const bytes of [
        Buffer.alloc(64),
        Buffer.alloc(0),
        Buffer.concat([order, order]),
        Buffer.alloc(64, 1),
        // DER, where JWS has r and s side by side.
        Buffer.from('3006020100020100', 'hex'),
      ]) {
        await refused(gateway, `${input}.${bytes.toString('base64url')}`, /^signature: /);
      }
    } finally {
      await server.stop();
    }
  });

  it('of a weak key is refused, though the issuer publishes it [8725-3.2-01]', async () => {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 1024 });
    bench.server.publish = (keys) => [...keys, { ...publicKey.export({ format: 'jwk' }), kid: 'weak', use: 'sig' }];
    const input = `${encode({ alg: 'RS256', kid: 'weak' })}.${encode(claims())}`;
    const token = `${input}.${cryptoSign('sha256', Buffer.from(input), privateKey).toString('base64url')}`;
    await refused(bench.authenticator(), token, /has no key "weak".*not used: "weak": it has fewer than 2048 bits/);
  });
});

describe('what the header says of keys', () => {
  let own: Awaited<ReturnType<typeof createSigningKey>>;
  beforeAll(async () => {
    own = await createSigningKey('RS256', 'own');
  });

  it.each([
    '../../../../dev/null',
    '/etc/passwd',
    "' OR '1'='1",
    "x'; DROP TABLE keys; --",
    '*)(uid=*))(|(uid=*',
    '\u0000',
    '$(id)',
    'file:///dev/null',
    'http://127.0.0.1:1/keys',
    '__proto__',
    'constructor',
    '\ud800',
    'a\r\nSet-Cookie: x=y',
    'k'.repeat(1024),
  ])('kid %j is compared as text, and that is all [8725-3.10-01]', async (kid) => {
    const gateway = bench.authenticator();
    await accepted(gateway, await bench.server.token());
    bench.fetched.length = 0;
    const token = assemble({ alg: 'RS256', kid }, claims(), 'AAAA');
    await refused(gateway, token, /^key: http:\/\/127\.0\.0\.1:\d+\/.* has no key/);
    expect(bench.fetched).toEqual([]);
  });

  it.each([null, 7, ['x'], {}, 'k'.repeat(1025)])('kid %j is refused [8725-3.10-01]', async (kid) => {
    await refused(bench.authenticator(), assemble({ alg: 'RS256', kid }, claims(), 'AAAA'), /^key id: /);
  });

  it('jku, x5u, x5c and jwk are not looked at: nothing is fetched from there [8725-3.10-01]', async () => {
    const evil = await AuthorizationServer.start();
    try {
      const gateway = bench.authenticator();
      await accepted(gateway, await bench.server.token());
      const header = {
        jku: evil.jwksUrl,
        x5u: `${evil.url}/certificate`,
        x5c: ['MIIB'],
        jwk: own.publicJwk,
        kid: own.kid,
      };
      bench.fetched.length = 0;
      await refused(gateway, await sign(claims(), own, header), /^key: .* has no key "own"/);
      await refused(gateway, await sign(claims(), own, { ...header, kid: bench.server.key.kid }), /^signature: /);
      await refused(gateway, await sign(claims(), own, { ...header, kid: undefined }), /^signature: /);
      // On a genuine token they do no harm.
      await accepted(gateway, await bench.server.token({}, { header: { jku: evil.jwksUrl, jwk: own.publicJwk } }));
      expect(evil.requests).toEqual([]);
      expect(bench.fetched).toEqual([]);
    } finally {
      await evil.stop();
    }
  });

  it('unknown extensions that are marked critical are refused, also on a genuine token [8725-3.3-01]', async () => {
    const gateway = bench.authenticator();
    for (const header of [
      { crit: ['exp'], exp: 1 },
      { crit: ['http://example.com/x'] },
      { crit: [] },
      { crit: 'exp' },
      { crit: null },
      { crit: ['b64'], b64: false },
    ]) {
      await refused(gateway, assemble({ alg: 'RS256', ...header }, claims(), 'AAAA'), /^crit: the token asks/);
    }
    await refused(gateway, assemble({ alg: 'RS256', b64: false }, claims(), 'AAAA'), /^crit: the header "b64"/);
    const genuine = await sign(claims(), bench.server.key, { b64: true, crit: ['b64'] });
    await refused(gateway, genuine, /^crit: /);
  });
});

describe('the form', () => {
  it('nested and encrypted tokens are refused [8725-3.3-01]', async () => {
    const gateway = bench.authenticator();
    const inner = await bench.server.token();
    const reason = 'form: a nested or encrypted token is not taken';
    await refused(gateway, assemble({ alg: 'RS256', cty: 'JWT' }, inner, 'AAAA'), reason);
    await refused(gateway, assemble({ alg: 'RS256', cty: 'application/jwt' }, claims(), 'AAAA'), reason);
    await refused(gateway, assemble({ alg: 'RSA-OAEP-256', enc: 'A256GCM' }, claims(), 'AAAA'), reason);
    await refused(gateway, assemble({ alg: 'RS256' }, inner, 'AAAA'), 'form: the claims are not JSON');
    const jwe = `${encode({ alg: 'RSA-OAEP-256', enc: 'A256GCM' })}.AAAA.AAAA.AAAA.AAAA`;
    await refused(gateway, jwe, 'form: an encrypted token (JWE) came');
    await refused(gateway, jwe.replace('.AAAA', '.'), 'form: an encrypted token (JWE) came');
  });

  it('huge tokens are refused unread [8725-3.3-01]', async () => {
    const gateway = bench.authenticator();
    const huge = await bench.server.token({ groups: Array.from({ length: 400 }, (_, index) => `${index}`.padEnd(36)) });
    await refused(gateway, huge, /^form: the token has \d+ characters; at most 16384 are taken$/);
    const start = performance.now();
    await refused(gateway, 'a.'.repeat(5_000_000), /^form: the token has 10000000 characters/);
    expect(performance.now() - start).toBeLessThan(500);
    const large = await bench.server.token({
      groups: Array.from({ length: 200 }, (_, index) => `${index}`.padEnd(36)),
    });
    await accepted(gateway, large);
  });

  it('one part too few or too many is no JWT, and refused as a token that nobody knows [7644-2.1-01]', async () => {
    const gateway = bench.authenticator();
    const token = await bench.server.token();
    const [header = '', payload = '', signature = ''] = token.split('.');
    const authenticate = createAuthentication({ realm: 'corp', authenticators: [gateway] });
    for (const text of [
      `${header}.${payload}`,
      `${token}.`,
      `${token}.${signature}`,
      `.${token}`,
      `${header}..${signature}`,
      `.${payload}.${signature}`,
      '..',
      '.',
      'opaque',
      `${token} ${token}`,
      `${token},${token}`,
    ]) {
      expect(gateway.verify(text), text).toBeUndefined();
      expect(await authenticate(`Bearer ${text}`)).toMatchObject({ status: 401 });
    }
    await accepted(gateway, token);
  });

  it('base64 with padding, its other alphabet, spaces or stray bits is refused [7644-2.1-01]', async () => {
    const gateway = bench.authenticator();
    const [header = '', payload = '', signature = ''] = (await bench.server.token()).split('.');
    for (const token of [
      `${header}=.${payload}.${signature}`,
      `${header}.${payload}==.${signature}`,
      `${header}.${payload}.${signature}=`,
      `${header}.${payload}.${signature.replace(/[-_]/g, '+')}+`,
      `${header}.${payload}.${signature}/`,
      `${header} .${payload}.${signature}`,
      `${header}.${payload}.${signature}\n`,
      `${header}.${payload}.${signature}%3D`,
    ]) {
      expect(gateway.verify(token), token).toBeUndefined();
    }
    // 256 bytes leave four bits of the last character unused: a second spelling of one signature.
    const last = signature.at(-1) ?? '';
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    const twin = signature.slice(0, -1) + alphabet[alphabet.indexOf(last) + 1];
    expect(Buffer.from(twin, 'base64url').equals(Buffer.from(signature, 'base64url'))).toBe(true);
    await refused(
      gateway,
      `${header}.${payload}.${twin}`,
      'form: the signature is not base64url in its canonical form',
    );
    await refused(gateway, `${header}A.${payload}.${signature}`, /^form: /);
  });

  it('a name that stands twice is refused, however it is spelt [7519-4.1-01]', async () => {
    const gateway = bench.authenticator();
    const iss = JSON.stringify(bench.server.issuer());
    const texts = [
      `{"iss":"https://evil.example/","iss":${iss},"sub":"a","exp":4102444800}`,
      `{"iss":${iss},"sub":"a","\\u0073ub":"b","exp":4102444800}`,
      `{"iss":${iss},"exp":1,"sub":"a","exp" :4102444800}`,
      `{"iss":${iss},"sub":"a","x":[{"y":{"z":1,"z":2}}],"exp":4102444800}`,
      `{"iss":${iss},"__proto__":{},"__proto__":{"sub":"a"}}`,
    ];
    for (const text of texts) {
      await refused(gateway, assemble({ alg: 'RS256' }, text, 'AAAA'), 'form: the claims are ambiguous');
    }
    const header = `{"alg":"none","alg":"RS256"}`;
    await refused(gateway, assemble(header, claims(), 'AAAA'), 'form: the header is ambiguous');
    // The same name in two objects, or in a text, is none twice.
    await accepted(gateway, await bench.server.token({ a: { sub: 1 }, b: { sub: 2 }, c: '{"sub":1,"sub":2}' }));
  });

  it('what is no JSON object in UTF-8 is refused [7519-4.1-01]', async () => {
    const gateway = bench.authenticator();
    const iss = JSON.stringify(bench.server.issuer());
    const rest = `.${encode(claims())}.AAAA`;
    for (const header of [
      encode('null'),
      encode('[]'),
      encode('"RS256"'),
      encode('{"alg":"RS256"'),
      encode("{'alg':'RS256'}"),
      encode('{"alg":"RS256",}'),
      encode('\ufeff{"alg":"RS256"}'),
      Buffer.from('{"alg":"RS256"}', 'utf16le').toString('base64url'),
      Buffer.from('7b22616c67223a22ff227d', 'hex').toString('base64url'),
      encode(`${'['.repeat(4000)}`),
      encode('{"alg":NaN}'),
    ]) {
      await refused(gateway, header + rest, /^form: the header is not/);
    }
    for (const text of ['null', '[]', '0', '"x"', `{"iss":${iss}} {}`, `{"iss":${iss},"exp":Infinity}`, '\u0000']) {
      await refused(gateway, assemble({ alg: 'RS256' }, text, 'AAAA'), /^form: the claims are not/);
    }
    expect(bench.fetched).toEqual([]);
  });

  it('look-alikes and claims of the prototype are no claims [8725-3.8-01]', async () => {
    const gateway = bench.authenticator({ audience: 'api://gateway' });
    await refused(gateway, await bench.server.token({ aud: 'api://gаteway' }), /^audience: /);
    await refused(gateway, await bench.server.token({ aud: 'api://gateway\u0000' }), /^audience: /);
    await refused(gateway, await bench.server.token({ aud: 'api://gateway\u200b' }), /^audience: /);
    const polluted = `{"__proto__":${JSON.stringify(claims({ aud: 'api://gateway' }))}}`;
    await refused(gateway, assemble({ alg: 'RS256' }, polluted, 'AAAA'), 'issuer: the token is of nothing');
    expect(Object.hasOwn(Object.prototype, 'aud')).toBe(false);
  });
});

describe('a shared secret', () => {
  const secret = 'w7rV3kP0xY9sT2mQ8bN5cL1dF6gH4jZa';
  const shared = { secret, algorithms: ['HS256'] } as const;

  it('signs with HS256, and with nothing else [8725-3.1-01]', async () => {
    const gateway = bench.authenticator(shared);
    const key = { alg: 'HS256', secret: Buffer.from(secret) };
    await accepted(gateway, await sign(claims(), key));
    await accepted(gateway, await sign(claims(), key, { kid: 'whatever' }));
    await refused(gateway, await sign(claims(), { ...key, secret: Buffer.from(`${secret}x`) }), /^signature: /);
    await refused(gateway, await bench.server.token(), /^algorithm: /);
    await refused(gateway, hmac({ alg: 'HS512' }, claims(), secret, 'sha512'), /^algorithm: /);
    expect(bench.fetched).toEqual([]);
  });

  it('that is too short for its algorithm is an error at the start [8725-3.5-01]', () => {
    expect(() => bench.authenticator({ ...shared, secret: 'x'.repeat(31) })).toThrow(/HS256 needs 32 bytes/);
    const long = { secret: 'x'.repeat(47), algorithms: ['HS384'] };
    expect(() => bench.authenticator(long)).toThrow(/HS384 needs 48 bytes/);
    expect(() => bench.authenticator({ ...long, algorithms: ['HS512'] })).toThrow(/HS512 needs 64 bytes/);
  });

  it('in a published key set is none: anybody could read it [8725-3.1-01]', async () => {
    const k = Buffer.from(secret).toString('base64url');
    bench.server.publish = (keys: readonly JWK[]) => [...keys, { kty: 'oct', k, kid: 'shared', alg: 'HS256' }];
    const gateway = bench.authenticator({ algorithms: ['RS256', 'HS256'] });
    const token = await sign(claims(), { alg: 'HS256', secret: Buffer.from(secret) }, { kid: 'shared' });
    await refused(gateway, token, /not used: "shared": its type is not supported/);
  });
});
