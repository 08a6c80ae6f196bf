import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type TestCertificates, testCertificates } from '../ldap/certificates.js';
import { runTool } from '../ldap/run-tool.js';
import { template } from '../ldap/workspace.js';
import { accounts } from './sql-server.js';

export interface SqlCertificates extends TestCertificates {
  readonly clientCertificate: { readonly certificateFile: string; readonly keyFile: string };
}

/** The servers' certificate, and one that an account is recognised by; both of one authority, made once. */
export async function sqlCertificates(): Promise<SqlCertificates> {
  const server = await testCertificates();
  const authority = dirname(server.caFile);
  const folder = await template('sql-client', `${accounts.certificate} ${authority}`, async (made) => {
    const openssl = (...args: readonly string[]) => runTool('openssl', args, { cwd: made });
    writeFileSync(join(made, 'ext'), 'extendedKeyUsage=clientAuth\n');
    await openssl(
      ...['req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'],
      ...['-subj', `/CN=${accounts.certificate}`, '-keyout', 'client.key', '-out', 'client.csr'],
    );
    await openssl(
      ...['x509', '-req', '-in', 'client.csr', '-CA', join(authority, 'ca.crt'), '-CAkey', join(authority, 'ca.key')],
      ...[
        '-CAserial',
        join(made, 'serial'),
        '-CAcreateserial',
        '-days',
        '3650',
        '-extfile',
        'ext',
        '-out',
        'client.crt',
      ],
    );
  });
  const clientCertificate = { certificateFile: join(folder, 'client.crt'), keyFile: join(folder, 'client.key') };
  return { ...server, clientCertificate };
}
