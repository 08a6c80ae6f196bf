import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createCertificate } from '../support/certificate.js';
import { describeOnSql, sqlKinds, startSql } from '../support/sql/available.js';
import { openPool, rowsOf, within } from '../support/sql/open-pool.js';
import type { SqlDatabase, SqlServer } from '../support/sql/sql-server.js';
import { startTcpFaultProxy } from '../support/tcp-fault-proxy.js';

for (const kind of sqlKinds) {
  await describeOnSql(kind, 'encryption', () => {
    let server: SqlServer;
    let database: SqlDatabase;
    let folder: string;
    beforeAll(async () => {
      server = await startSql(kind);
      database = await server.createDatabase();
      folder = mkdtempSync(join(tmpdir(), 'scimbridge-sql-tls-'));
      writeFileSync(join(folder, 'other.crt'), createCertificate().certificate);
    });
    afterAll(async () => {
      await server?.close();
      rmSync(folder, { recursive: true, force: true });
    });

    type Tls = { ca?: string; serverName?: string; certificate?: string; key?: string; verify?: boolean };
    /** What the session is encrypted with; empty when it isn't. */
    const cipher = async (tls: Tls | undefined, url = database.url, more: object = {}): Promise<string> => {
      const withDefaults = tls === undefined ? {} : { tls: { minVersion: 'TLSv1.2' as const, verify: true, ...tls } };
      const pool = await openPool(server, { ...database, url }, { ...withDefaults, ...more });
      const text =
        kind === 'postgresql'
          ? "SELECT coalesce(cipher, '') FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
          : "SELECT variable_value FROM information_schema.session_status WHERE variable_name = 'SSL_CIPHER'";
      try {
        const [row] = (await pool.read((connection) => rowsOf(connection, text), within(5_000))) as string[][];
        return row?.[0] ?? '';
      } finally {
        await pool.close();
      }
    };

    it('on this machine nothing is encrypted unless it is said', async () => {
      expect(await cipher(undefined)).toBe('');
      expect(await cipher({ ca: server.caFile })).toMatch(/^TLS_|^ECDHE/);
    });

    it('a certificate of an authority that is not trusted is refused', async () => {
      await expect(cipher({})).rejects.toMatchObject({
        kind: 'unavailable',
        message: expect.stringContaining('tls.ca'),
      });
      await expect(cipher({ ca: join(folder, 'other.crt') })).rejects.toMatchObject({ kind: 'unavailable' });
      expect(await cipher({ verify: false })).not.toBe('');
    });

    it('a certificate for another name is refused, whether the server is called by a name or an address', async () => {
      const another = { kind: 'unavailable', message: expect.stringContaining('another name') };
      await expect(cipher({ ca: server.caFile, serverName: 'db.example.com' })).rejects.toMatchObject(another);
      await expect(cipher({ ca: server.caFile, serverName: '127.0.0.99' })).rejects.toMatchObject(another);
      expect(await cipher({ ca: server.caFile, serverName: 'localhost' })).not.toBe('');
      expect(await cipher({ ca: server.caFile }, database.url.replace('127.0.0.1', 'localhost'))).not.toBe('');
    });

    it('a certificate of its own lets the gateway in without a password', async () => {
      const { certificateFile, keyFile } = server.clientCertificate;
      const tls = { ca: server.caFile, certificate: certificateFile, key: keyFile };
      const url = database.url.replace(server.user, server.certificateUser);
      expect(await cipher(tls, url, { password: undefined })).not.toBe('');
      await expect(cipher({ ca: server.caFile }, url, { password: undefined })).rejects.toMatchObject({
        kind: 'denied',
      });
    });

    it('an account that has to encrypt is told so where nothing is encrypted', async () => {
      const url = database.url.replace(server.user, server.certificateUser);
      const refused = (tls: Tls | undefined) => cipher(tls, url, { password: 'wrong' }).catch(({ message }) => message);
      expect(await refused(undefined)).toMatch(kind === 'postgresql' ? /does not let|password/ : /`tls` section/);
      expect(await refused({ ca: server.caFile })).not.toContain('`tls` section');
    });

    it('with encryption, neither the account nor the database is seen on the way', async () => {
      const seen: string[] = [];
      const proxy = await startTcpFaultProxy(server, (bytes) => seen.push(bytes.toString('latin1')));
      try {
        const url = database.url.replace(/:\d+\//, `:${proxy.port}/`);
        await cipher({ ca: server.caFile }, url);
        expect(seen.join('')).not.toContain(server.user);
        expect(seen.join('')).not.toContain(database.name);
        expect(seen.length).toBeGreaterThan(1);
      } finally {
        await proxy.close();
      }
    });
  });
}
