import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runTool } from './run-tool.js';
import { template } from './workspace.js';

export interface TestCertificates {
  /** PEM files. The certificate is for localhost and the addresses that test servers listen on. */
  readonly caFile: string;
  readonly certificateFile: string;
  readonly keyFile: string;
  /** The authority's certificate, PEM. */
  readonly ca: string;
}

/** Samba's ports are fixed, so each of its servers has an address of its own. */
export const sambaAddresses = Array.from({ length: 8 }, (_, index) => `127.0.0.${11 + index}`);

const names = ['DNS:localhost', 'IP:127.0.0.1', ...sambaAddresses.map((address) => `IP:${address}`)].join(',');
const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
const days = '3650';

/** An authority and a certificate that it signed, made once for all test servers. */
export async function testCertificates(): Promise<TestCertificates> {
  const folder = await template('certificates', `${names} ${days}`, async (made) => {
    const openssl = (...args: readonly string[]) => runTool('openssl', args, { cwd: made });
    writeFileSync(join(made, 'ext'), `subjectAltName=${names}\nextendedKeyUsage=serverAuth\n`);
    await openssl(
      ...['req', '-x509', ...newKey, '-days', days, '-subj', '/CN=Test CA', '-keyout', 'ca.key', '-out', 'ca.crt'],
      ...['-addext', 'basicConstraints=critical,CA:TRUE'],
    );
    await openssl('req', ...newKey, '-subj', '/CN=localhost', '-keyout', 'server.key', '-out', 'server.csr');
    await openssl(
      ...['x509', '-req', '-in', 'server.csr', '-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial'],
      ...['-days', days, '-extfile', 'ext', '-out', 'server.crt'],
    );
  });
  const caFile = join(folder, 'ca.crt');
  return {
    caFile,
    certificateFile: join(folder, 'server.crt'),
    keyFile: join(folder, 'server.key'),
    ca: readFileSync(caFile, 'utf8'),
  };
}
