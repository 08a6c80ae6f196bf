import { readFile } from 'node:fs/promises';
import { isIPv4 } from 'node:net';
import { resolve } from 'node:path';
import { Agent, type Dispatcher, EnvHttpProxyAgent } from 'undici';
import { misconfigured } from './auth.js';
import type { RestConfig } from './config.js';

/** Only a safety net: exchanges have their own time limit, which is exact. */
const netMs = 610_000;

type TlsSettings = {
  readonly [name in 'ca' | 'cert' | 'key' | 'passphrase' | 'servername']?: string;
} & { readonly minVersion?: 'TLSv1.2' | 'TLSv1.3'; readonly rejectUnauthorized?: boolean };

/** What requests are sent through: connections that are kept, to the target and to the token endpoint. */
export async function openConnections(config: RestConfig, baseDir: string): Promise<Dispatcher> {
  checkClearText(config);
  const tls = await tlsSettings(config.tls, baseDir);
  const options = {
    connections: config.connections ?? 16,
    pipelining: 1,
    headersTimeout: netMs,
    bodyTimeout: netMs,
    connect: { ...tls, timeout: config.connectTimeoutMs ?? 5_000 },
  };
  return config.proxy === 'environment' ? new EnvHttpProxyAgent(options) : new Agent(options);
}

/** Credentials and personal data are not sent in clear text, unless that is wanted. */
function checkClearText({ baseUrl, auth, allowClearText }: RestConfig): void {
  if (!URL.canParse(baseUrl)) throw misconfigured('"baseUrl" is no URL.');
  const urls: [name: string, text: string][] = [['baseUrl', baseUrl]];
  if (auth?.kind === 'oauth2ClientCredentials') urls.push(['auth.tokenUrl', auth.tokenUrl]);
  for (const [name, text] of urls) {
    const url = URL.canParse(text) ? new URL(text) : undefined;
    if (url?.protocol !== 'http:' || allowClearText === true || isLoopback(url.hostname)) continue;
    throw misconfigured(
      `"${name}" would send everything in clear text: use https, or "allowClearText: true" permits that.`,
    );
  }
}

function isLoopback(hostname: string): boolean {
  const host = hostname.toLowerCase();
  return host === 'localhost' || host === '[::1]' || (isIPv4(host) && host.startsWith('127.'));
}

async function tlsSettings(tls: RestConfig['tls'], baseDir: string): Promise<TlsSettings> {
  if (tls === undefined) return {};
  const { ca, certificate, key, passphrase, serverName, minVersion, verify } = tls;
  const read = (name: string, what: string): Promise<string> => readPem(resolve(baseDir, name), what);
  return {
    ...(ca === undefined ? {} : { ca: await read(ca, 'tls.ca') }),
    ...(certificate === undefined ? {} : { cert: await read(certificate, 'tls.certificate') }),
    ...(key === undefined ? {} : { key: await read(key, 'tls.key') }),
    ...(passphrase === undefined ? {} : { passphrase }),
    ...(serverName === undefined ? {} : { servername: serverName }),
    minVersion: minVersion ?? 'TLSv1.2',
    rejectUnauthorized: verify ?? true,
  };
}

async function readPem(file: string, what: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch {
    throw misconfigured(`The file of "${what}" cannot be read.`);
  }
}
