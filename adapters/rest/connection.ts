import { Agent, type Dispatcher, EnvHttpProxyAgent } from 'undici';
import { isLoopback } from '../../src/backend/loopback.js';
import { readTlsSection } from '../tls-section.js';
import { misconfigured } from './auth.js';
import type { RestConfig } from './config.js';

/** Only a safety net: exchanges have their own time limit, which is exact. */
const netMs = 610_000;

/** What requests are sent through: connections that are kept, to the target and to the token endpoint. */
export async function openConnections(config: RestConfig, baseDir: string): Promise<Dispatcher> {
  checkClearText(config);
  const tls = await readTlsSection(config.tls, baseDir);
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
