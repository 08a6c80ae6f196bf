import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request as httpsRequest } from 'node:https';
import { connect as connectPlain } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ConnectionOptions, connect, createServer, type SecureVersion, type TLSSocket } from 'node:tls';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type HttpServer, startServer } from '../../src/http/server.js';
import { readTlsPair, type TlsFiles } from '../../src/http/tls.js';
import { createCertificate } from '../support/certificate.js';
import { createTestApp } from './test-app.js';

const host = '127.0.0.1';
const first = createCertificate({ name: 'first.example.com' });
const second = createCertificate({ name: 'second.example.com' });
const expired = createCertificate({ validTo: new Date(Date.now() - 1000) });

let folder: string;
let files: TlsFiles;
let server: HttpServer;
const logged: { readonly level: string; readonly fields: object; readonly text: string }[] = [];
const note = (level: string) => (fields: object, text: string) => {
  logged.push({ level, fields, text });
};
const log = { info: note('info'), warn: note('warn'), error: note('error') } as unknown as NonNullable<
  Parameters<typeof startServer>[0]['log']
>;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'scimbridge-tls-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function put(certificate: string, key: string): Promise<void> {
  await writeFile(files.certificate, certificate);
  await writeFile(files.key, key);
}

async function start(minimumVersion: TlsFiles['minimumVersion'] = 'TLSv1.2'): Promise<void> {
  const { fetch } = createTestApp().app;
  server = await startServer({ host, port: 0, fetch, tls: { ...files, minimumVersion }, log });
}

beforeEach(async () => {
  files = { certificate: join(folder, 'tls.crt'), key: join(folder, 'tls.key'), minimumVersion: 'TLSv1.2' };
  await put(first.certificate, first.key);
  logged.length = 0;
});
afterEach(async () => {
  await server?.stop(0);
});

interface Handshake {
  readonly protocol: string | null;
  readonly name: string;
  readonly alpn: string | false | null;
  readonly cipher: string;
}

function shakeHands(options: ConnectionOptions, port = server.port): Promise<Handshake> {
  return new Promise((resolve, reject) => {
    const socket: TLSSocket = connect({ host, port, rejectUnauthorized: false, ...options }, () => {
      const name = String(socket.getPeerCertificate().subject.CN);
      resolve({
        protocol: socket.getProtocol(),
        name,
        alpn: socket.alpnProtocol,
        cipher: socket.getCipher().standardName,
      });
      socket.destroy();
    });
    socket.once('error', reject);
  });
}

const only = (version: SecureVersion): { minVersion: SecureVersion; maxVersion: SecureVersion; ciphers: string } => ({
  minVersion: version,
  maxVersion: version,
  // Today's clients refuse these versions themselves unless they are told not to.
  ciphers: 'DEFAULT@SECLEVEL=0',
});

describe('TLS in the server', () => {
  it.each<SecureVersion>(['TLSv1', 'TLSv1.1'])(
    'refuses a handshake of %s [7644-7.2-01 capabilities-105]',
    async (version) => {
      await start();
      await expect(shakeHands(only(version))).rejects.toMatchObject({ code: 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION' });
      // The client can do it: a server of former days is served.
      const old = createServer({ ...pemOf(createCertificate({ rsa: true })), ...only('TLSv1'), maxVersion: 'TLSv1.2' });
      await new Promise<void>((resolve) => old.listen(0, host, () => resolve()));
      const address = old.address();
      const port = typeof address === 'object' ? address?.port : undefined;
      expect((await shakeHands(only(version), port)).protocol).toBe(version);
      old.close();
    },
  );

  it.each<SecureVersion>(['TLSv1.2', 'TLSv1.3'])('works with %s [7644-7.2-01 capabilities-105]', async (version) => {
    await start();
    expect(await shakeHands({ minVersion: version, maxVersion: version })).toMatchObject({ protocol: version });
    const answer = await get('/scim/Users/1', { minVersion: version, maxVersion: version });
    expect(answer.status).toBe(200);
  });

  it('may be 1.3 alone', async () => {
    await start('TLSv1.3');
    await expect(shakeHands(only('TLSv1.2'))).rejects.toMatchObject({ code: 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION' });
    expect((await shakeHands({})).protocol).toBe('TLSv1.3');
  });

  it('uses ciphers with forward secrecy and authenticated encryption only (RFC 9325 §4.2)', async () => {
    await put(...pairOf(createCertificate({ rsa: true })));
    await start();
    const { cipher } = await shakeHands({ maxVersion: 'TLSv1.2' });
    expect(cipher).toMatch(/^TLS_ECDHE_RSA_WITH_.*(GCM|POLY1305)/);
    for (const ciphers of ['AES128-GCM-SHA256', 'ECDHE-RSA-AES128-SHA', 'ECDHE-RSA-AES256-SHA384']) {
      await expect(shakeHands({ maxVersion: 'TLSv1.2', ciphers })).rejects.toThrow();
    }
  });

  it('offers HTTP/1.1, and refuses who speaks HTTP/2 only', async () => {
    await start();
    expect((await shakeHands({ ALPNProtocols: ['h2', 'http/1.1'] })).alpn).toBe('http/1.1');
    await expect(shakeHands({ ALPNProtocols: ['h2'] })).rejects.toThrow();
  });

  it('tells clients to stay with HTTPS, in every answer [capabilities-105]', async () => {
    await start();
    for (const path of ['/scim/Users/1', '/health/live', '/nowhere', '/scim/\\']) {
      expect((await get(path)).hsts, path).toBe('max-age=31536000');
    }
  });

  it('says nothing of the sort over HTTP (RFC 6797 §7.2)', async () => {
    server = await startServer({ host, port: 0, fetch: createTestApp().app.fetch });
    const answer = await fetch(`http://${host}:${server.port}/health/live`);
    expect(answer.headers.get('strict-transport-security')).toBeNull();
  });

  it('tells the operator once why handshakes fail', async () => {
    await start();
    for (let n = 0; n < 3; n++) await expect(shakeHands(only('TLSv1.1'))).rejects.toThrow();
    const warnings = logged.filter(({ level }) => level === 'warn');
    expect(warnings).toEqual([
      {
        level: 'warn',
        fields: { reason: 'ERR_SSL_UNSUPPORTED_PROTOCOL', remoteAddress: '127.0.0.1' },
        text: 'A TLS handshake failed.',
      },
    ]);
  });

  it('ends connections that begin no handshake, or speak HTTP without it', async () => {
    const { fetch } = createTestApp().app;
    const patience = { headMs: 50, checkEveryMs: 10 };
    server = await startServer({ host, port: 0, fetch, tls: files, log, patience });
    for (const text of ['', 'GET / HTTP/1.1\r\nHost: a\r\n\r\n']) {
      const socket = connectPlain(server.port, host, () => socket.write(text));
      socket.on('error', () => undefined).resume();
      await new Promise((resolve) => socket.once('close', resolve));
    }
    expect(server.connections()).toBe(0);
  });
});

describe('a new certificate', () => {
  it('is used for new connections, and those that are open go on', async () => {
    await start();
    const socket = await open();
    expect(await exchange(socket)).toMatch(/^HTTP\/1\.1 200/);
    await put(second.certificate, second.key);
    expect(await server.reloadTls()).toBe(true);
    expect((await shakeHands({})).name).toBe('second.example.com');
    expect(await exchange(socket)).toMatch(/^HTTP\/1\.1 200/);
    socket.destroy();
    expect(logged.at(-1)).toMatchObject({
      level: 'info',
      fields: { names: expect.stringContaining('second.example.com') },
    });
  });

  it.each([
    ['a key that does not belong to it', second.certificate, first.key, 'does not belong to the certificate'],
    ['no certificate', 'nonsense', first.key, 'holds no certificate in PEM'],
    ['no key', first.certificate, '', 'holds no private key in PEM'],
    ['an expired one', expired.certificate, expired.key, 'has expired'],
  ])('that is faulty is reported and changes nothing: %s', async (_name, certificate, key, reason) => {
    await start();
    await put(certificate, key);
    expect(await server.reloadTls()).toBe(false);
    expect((await shakeHands({})).name).toBe('first.example.com');
    const last = logged.at(-1);
    expect(last).toMatchObject({ level: 'error', fields: { reason: expect.stringContaining(reason) } });
    expect(JSON.stringify(last)).not.toContain('PRIVATE');
    // And it recovers.
    await put(second.certificate, second.key);
    expect(await server.reloadTls()).toBe(true);
    expect((await shakeHands({})).name).toBe('second.example.com');
  });

  it('that is gone changes nothing', async () => {
    await start();
    await rm(files.key);
    expect(await server.reloadTls()).toBe(false);
    expect((await shakeHands({})).name).toBe('first.example.com');
    expect(logged.at(-1)).toMatchObject({ fields: { reason: expect.stringContaining('cannot be read (ENOENT)') } });
  });

  it('tells metrics until when it is valid', async () => {
    const validTo = new Date(Math.floor(Date.now() / 1000) * 1000 + 3_600_000);
    await put(...pairOf(createCertificate({ validTo })));
    await start();
    expect(server.certificateExpiresAtMs()).toBe(validTo.getTime());
  });
});

describe('starting with TLS', () => {
  it('fails with a sentence when the pair cannot be used', async () => {
    await put(first.certificate, second.key);
    await expect(start()).rejects.toThrow(`The key ${files.key} does not belong to the certificate`);
    await expect(readTlsPair({ ...files, key: join(folder, 'none') })).rejects.toThrow('cannot be read (ENOENT)');
  });

  it('warns of a certificate that has expired', async () => {
    await put(expired.certificate, expired.key);
    await start();
    expect(logged).toMatchObject([{ level: 'warn', text: expect.stringContaining('has expired') }]);
  });
});

function pemOf({ certificate, key }: ReturnType<typeof createCertificate>): { cert: string; key: string } {
  return { cert: certificate, key };
}

function pairOf({ certificate, key }: ReturnType<typeof createCertificate>): [string, string] {
  return [certificate, key];
}

function get(path: string, options: ConnectionOptions = {}): Promise<{ status: number; hsts: string | undefined }> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: 'Bearer t' };
    const { port } = server;
    const sent = httpsRequest({ host, port, path, headers, rejectUnauthorized: false, agent: false, ...options });
    sent.on('response', (answer) => {
      answer.resume();
      resolve({ status: answer.statusCode ?? 0, hsts: answer.headers['strict-transport-security'] });
    });
    sent.on('error', reject);
    sent.end();
  });
}

function open(): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket: TLSSocket = connect({ host, port: server.port, rejectUnauthorized: false }, () => resolve(socket));
    socket.once('error', reject);
  });
}

function exchange(socket: TLSSocket): Promise<string> {
  return new Promise((resolve, reject) => {
    socket.once('data', (data) => resolve(String(data)));
    socket.once('close', () => reject(new Error('It was closed.')));
    socket.write('GET /health/live HTTP/1.1\r\nHost: a\r\n\r\n');
  });
}
