import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createSecureContext, type SecureContextOptions, type SecureVersion } from 'node:tls';

/** PEM files. They may be replaced while the server runs. */
export interface TlsFiles {
  /** With its chain, the server's own certificate first. */
  readonly certificate: string;
  readonly key: string;
  readonly minimumVersion: Extract<SecureVersion, 'TLSv1.2' | 'TLSv1.3'>;
}

/** A certificate and a key that belong together. */
export interface TlsPair {
  readonly options: SecureContextOptions;
  /** What the certificate is for: `DNS:scim.example.com, …` */
  readonly names: string;
  readonly expiresAtMs: number;
}

/** Forward secrecy and authenticated encryption only, as RFC 9325 §4.2 recommends; TLS 1.3 has no others. */
const ciphers = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
].join(':');

/** @throws Error with a sentence for the operator, which names the file and holds nothing of the key */
export async function readTlsPair(files: TlsFiles): Promise<TlsPair> {
  const [cert, key] = await Promise.all([readPem(files.certificate), readPem(files.key)]);
  const certificate = parse(files.certificate, 'certificate in PEM', () => new X509Certificate(cert));
  const privateKey = parse(files.key, 'private key in PEM without a passphrase', () => createPrivateKey(key));
  if (!certificate.checkPrivateKey(privateKey)) {
    throw new Error(`The key ${files.key} does not belong to the certificate ${files.certificate}.`);
  }
  const options: SecureContextOptions = { cert, key, minVersion: files.minimumVersion, ciphers };
  parse(files.certificate, 'certificate that TLS can use', () => createSecureContext(options));
  return {
    options,
    names: certificate.subjectAltName ?? certificate.subject,
    expiresAtMs: Date.parse(certificate.validTo),
  };
}

async function readPem(file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? ` (${error.code})` : '';
    throw new Error(`The file ${file} cannot be read${code}.`, { cause: error });
  }
}

/** The cause is not kept: some errors of OpenSSL quote what they read. */
function parse<T>(file: string, what: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? ` (${error.code})` : '';
    throw new Error(`The file ${file} holds no ${what}${code}.`);
  }
}
