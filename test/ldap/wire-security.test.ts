import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { serverAddresses, tlsOptionsFor } from '../../adapters/ldap/tls-options.js';
import { createCertificate } from '../support/certificate.js';
import { describeOnLdap } from '../support/ldap/available.js';
import { startFaultProxy } from '../support/ldap/fault-proxy.js';
import type { LdapServer } from '../support/ldap/ldap-server.js';
import { startOpenLdap } from '../support/ldap/openldap.js';
import { runTool } from '../support/ldap/run-tool.js';
import { contextFor, directoryOf, keptLog } from './wire-support.js';

describe('how servers are reached', () => {
  const of = (url: string | string[], others: { startTls?: boolean; allowClearText?: boolean } = {}) =>
    serverAddresses({ url, ...others });

  it('encrypts everything that leaves the machine, unless it is told not to', () => {
    expect(of('ldaps://dc1.example.com')).toEqual([
      { host: 'dc1.example.com', port: 636, encryption: 'tls', isConfidential: true },
    ]);
    expect(of('ldap://dc1.example.com')).toMatchObject([{ port: 389, encryption: 'startTls', isConfidential: true }]);
    expect(of('ldap://dc1.example.com', { startTls: true, allowClearText: true })).toMatchObject([
      { encryption: 'startTls', isConfidential: true },
    ]);
    expect(of('ldap://dc1.example.com', { allowClearText: true })).toMatchObject([
      { encryption: 'none', isConfidential: false },
    ]);
    expect(() => of('ldap://dc1.example.com', { startTls: false })).toThrow(/allowClearText/);
  });

  it.each(['ldap://localhost', 'ldap://127.0.0.1:1389', 'ldap://[::1]', 'ldap://127.9.9.9'])(
    'needs no encryption for %s, which stays on this machine',
    (url) => {
      expect(of(url)).toMatchObject([{ encryption: 'none', isConfidential: true }]);
      expect(of(url, { startTls: true })).toMatchObject([{ encryption: 'startTls' }]);
      expect(of(url, { startTls: false })).toMatchObject([{ encryption: 'none' }]);
    },
  );

  it.each(['ldap://127.0.0.1.example.com', 'ldap://localhost.example.com', 'ldap://10.0.0.1', 'ldap://[fe80::1]'])(
    'does not take %s for this machine',
    (url) => expect(of(url)).toMatchObject([{ encryption: 'startTls' }]),
  );

  it('checks the certificate against the host, and sends names but no addresses along', () => {
    const settings = { rejectUnauthorized: true };
    expect(tlsOptionsFor('dc1.example.com', settings)).toMatchObject({
      host: 'dc1.example.com',
      servername: 'dc1.example.com',
      rejectUnauthorized: true,
    });
    expect(tlsOptionsFor('10.0.0.1', settings)).not.toHaveProperty('servername');
    expect(tlsOptionsFor('10.0.0.1', { ...settings, servername: 'dc1.example.com' })).toMatchObject({
      servername: 'dc1.example.com',
    });
  });
});

await describeOnLdap('openldap', 'who is let in', () => {
  let server: LdapServer;
  let folder: string;
  let fakes: Server[] = [];

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'wire-security-'));
    server = await startOpenLdap({ extraConfig: 'TLSVerifyClient try' });
    const authority = dirname(server.caFile);
    const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
    const cwd = folder;
    const subject = '/DC=org/DC=example/CN=scim';
    await runTool('openssl', ['req', ...newKey, '-subj', subject, '-keyout', 'client.key', '-out', 'client.csr'], {
      cwd,
    });
    const sign = ['-CA', join(authority, 'ca.crt'), '-CAkey', join(authority, 'ca.key'), '-set_serial', '4711'];
    await runTool('openssl', ['x509', '-req', '-in', 'client.csr', ...sign, '-days', '30', '-out', 'client.crt'], {
      cwd,
    });
    writeFileSync(join(folder, 'other-ca.crt'), createCertificate({ name: 'somebody' }).certificate);
  }, 30_000);
  afterEach(() => {
    for (const fake of fakes) fake.close();
    fakes = [];
  });
  afterAll(async () => {
    await server?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  async function outcome(settings: Parameters<typeof directoryOf>[1]): Promise<string> {
    const log = keptLog();
    const directory = await directoryOf(server, settings, log);
    try {
      await directory.check(contextFor(5_000));
      return 'let in';
    } catch (error) {
      const { kind, message } = error as { readonly kind: string; readonly message: string };
      expect(`${message} ${log.lines.join()}`).not.toMatch(/Scim\.Secret|dc=example/);
      return `${kind}: ${message}`;
    } finally {
      await directory.close();
    }
  }

  const tls = { verify: true, minVersion: 'TLSv1.2' } as const;
  const over = (way: string) =>
    way === 'ldaps' ? { url: server.urls.ldaps } : { url: server.urls.ldap, startTls: true };

  it.each(['ldaps', 'StartTLS'])('lets in by name and password, and by certificate (%s)', async (way) => {
    expect(await outcome(over(way))).toBe('let in');
    const certificate = { certificate: join(folder, 'client.crt'), key: join(folder, 'client.key') };
    const external = { bind: { external: true }, tls: { ...tls, ca: server.caFile, ...certificate } } as const;
    expect(await outcome({ ...over(way), ...external })).toBe('let in');
    expect(await outcome({ ...over(way), bind: { external: true } })).toMatch(/^denied: /);
  });

  it.each(['ldaps', 'StartTLS'])('trusts nobody but the configured authority and name (%s)', async (way) => {
    const proxy = await startFaultProxy(server);
    const through = way === 'ldaps' ? { url: proxy.urls.ldaps } : { url: proxy.urls.ldap, startTls: true };
    expect(await outcome({ ...through, tls })).toMatch(
      /^unavailable: .*certificate is not accepted \((SELF_SIGNED|UNABLE_TO)/,
    );
    const other = { ...tls, ca: join(folder, 'other-ca.crt') };
    expect(await outcome({ ...through, tls: other })).toMatch(/^unavailable: /);
    const misnamed = { ...tls, ca: server.caFile, serverName: 'other.example' };
    expect(await outcome({ ...through, tls: misnamed })).toMatch(/^unavailable: .*ALTNAME/);
    expect(proxy.seen.filter(({ operation }) => operation !== 'startTls')).toEqual([]);
    expect(await outcome({ ...through, tls: { ...tls, verify: false } })).toBe('let in');
    expect(proxy.violations()).toEqual([]);
    await proxy.close();
  });

  it('says what is wrong with the account, and does not try it again and again', async () => {
    const proxy = await startFaultProxy(server);
    const bind = { dn: server.bindDn, password: 'wrong' };
    const directory = await directoryOf(server, { url: proxy.urls.ldaps, bind });
    for (let attempt = 0; attempt < 20; attempt++) {
      await expect(directory.check(contextFor())).rejects.toMatchObject({ kind: 'denied', applied: 'no' });
    }
    await directory.close();
    expect(proxy.seen.filter(({ operation }) => operation === 'bind')).toHaveLength(1);
    await proxy.close();
  });

  it('names a file that is missing by its setting', async () => {
    const config = { tls: { ...tls, ca: join(folder, 'absent.crt') } };
    await expect(directoryOf(server, config)).rejects.toMatchObject({
      kind: 'unsupported',
      message: expect.stringContaining('tls.ca'),
    });
  });

  it('ends when the server does not encrypt, and sends nothing in clear text', async () => {
    const received: Buffer[] = [];
    const refusal = Buffer.from('300c02010178070a010104000400', 'hex');
    const fake = createServer((socket) => {
      socket.on('data', (chunk) => {
        received.push(chunk);
        socket.write(refusal);
      });
      socket.on('error', () => {});
    });
    fakes.push(fake);
    await new Promise<void>((resolve) => fake.listen(0, '127.0.0.1', resolve));
    const { port } = fake.address() as { port: number };
    expect(await outcome({ url: `ldap://127.0.0.1:${port}`, startTls: true })).toMatch(/^denied: .*StartTLS/);
    expect(Buffer.concat(received).toString('latin1')).not.toMatch(/Scim|cn=scim/);
  });

  it('does not believe what comes in clear text after encryption was agreed on', async () => {
    const received: Buffer[] = [];
    const agreed = Buffer.from('300c02010178070a010004000400', 'hex');
    const injected = Buffer.from('300c02010261', 'hex');
    const fake = createServer((socket) => {
      socket.on('data', (chunk) => {
        received.push(chunk);
        socket.write(Buffer.concat([agreed, injected]));
      });
      socket.on('error', () => {});
    });
    fakes.push(fake);
    await new Promise<void>((resolve) => fake.listen(0, '127.0.0.1', resolve));
    const { port } = fake.address() as { port: number };
    expect(await outcome({ url: `ldap://127.0.0.1:${port}`, startTls: true })).toMatch(/^unavailable: /);
    expect(received).toHaveLength(1);
  });

  it.each([
    ['HTTP', 'HTTP/1.1 400 Bad Request\r\n\r\n'],
    ['an endless message', '\u0030\u0084\u00ff\u00ff\u00ff\u00ff'],
    ['a message without a length', '\u0030\u0080aaaa'],
    ['half a message and no more', '\u0030\u0020\u0002\u0001\u0001'],
    ['an answer that holds more than it can', '\u0030\u0008\u0002\u0001\u0001\u0061\u007faaa'],
  ])('survives a server that speaks something else: %s', async (_, text) => {
    const fake = createServer((socket) => {
      socket.on('data', () => socket.end(Buffer.from(text, 'latin1')));
      socket.on('error', () => {});
    });
    fakes.push(fake);
    await new Promise<void>((resolve) => fake.listen(0, '127.0.0.1', resolve));
    const { port } = fake.address() as { port: number };
    expect(await outcome({ url: `ldap://127.0.0.1:${port}`, connectTimeoutMs: 500 })).toMatch(/^unavailable: /);
  });

  it('never sets a password over clear text', async () => {
    const directory = await directoryOf(server, { url: server.urls.ldap.replace('127.0.0.1', 'localhost') });
    expect(directory.isConfidential).toBe(true);
    await directory.close();
    const log = keptLog();
    const open = await directoryOf(server, { url: 'ldap://192.0.2.1', allowClearText: true }, log);
    expect(open.isConfidential).toBe(false);
    expect(log.lines.join()).toContain('allowClearText');
    await open.close();
  });
});
