import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';

export interface TestCertificate {
  /** PEM */
  readonly certificate: string;
  /** PEM */
  readonly key: string;
}

export interface CertificateOptions {
  readonly name?: string;
  readonly validFrom?: Date;
  readonly validTo?: Date;
  /** RSA instead of a curve, for clients of former days. */
  readonly rsa?: boolean;
}

const dayMs = 86_400_000;

/** A self-signed certificate for a name, `localhost` and 127.0.0.1, made here so that none is kept. */
export function createCertificate(options: CertificateOptions = {}): TestCertificate {
  const { privateKey, publicKey } = options.rsa
    ? generateKeyPairSync('rsa', { modulusLength: 2048 })
    : generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const body = toBeSigned(options, publicKey);
  const signature = sign('sha256', body, privateKey);
  const certificate = sequence(body, signatureAlgorithm(options), bitString(signature));
  return {
    certificate: toPem('CERTIFICATE', certificate),
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
  };
}

function toBeSigned(options: CertificateOptions, publicKey: KeyObject): Buffer {
  const name = options.name ?? 'scim.example.com';
  const validFrom = options.validFrom ?? new Date(Date.now() - dayMs);
  const validTo = options.validTo ?? new Date(Date.now() + 90 * dayMs);
  const distinguishedName = sequence(der(0x31, sequence(objectId('550403'), der(0x0c, Buffer.from(name)))));
  const names = sequence(
    der(0x82, Buffer.from(name)),
    der(0x82, Buffer.from('localhost')),
    der(0x87, Buffer.from([127, 0, 0, 1])),
  );
  const alternativeNames = sequence(objectId('551d11'), der(0x04, names));
  return sequence(
    der(0xa0, integer(Buffer.from([2]))),
    integer(Buffer.concat([Buffer.from([1]), randomBytes(8)])),
    signatureAlgorithm(options),
    distinguishedName,
    sequence(time(validFrom), time(validTo)),
    distinguishedName,
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(alternativeNames)),
  );
}

function signatureAlgorithm({ rsa }: CertificateOptions): Buffer {
  return rsa ? sequence(objectId('2a864886f70d01010b'), der(0x05)) : sequence(objectId('2a8648ce3d040302'));
}

function der(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return der(0x30, ...parts);
}

function integer(bytes: Buffer): Buffer {
  return der(0x02, bytes);
}

function objectId(hex: string): Buffer {
  return der(0x06, Buffer.from(hex, 'hex'));
}

function bitString(bytes: Buffer): Buffer {
  return der(0x03, Buffer.from([0]), bytes);
}

/** GeneralizedTime */
function time(date: Date): Buffer {
  return der(0x18, Buffer.from(date.toISOString().replace(/[-:T]|\.\d+/g, '')));
}

function toPem(label: string, bytes: Buffer): string {
  const lines = bytes.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}
