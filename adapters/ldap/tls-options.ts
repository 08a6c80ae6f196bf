import { isIP } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import { AdapterError } from '../../src/backend/adapter-error.js';
import { isLoopback } from '../../src/backend/loopback.js';
import type { TlsSettings } from '../tls-section.js';
import type { LdapConfig } from './config.js';

/** How what is sent to a server is protected: from the first byte, after one request that asks for it, or not at all. */
export type Encryption = 'tls' | 'startTls' | 'none';

/** One of the configured servers. */
export interface ServerAddress {
  readonly host: string;
  readonly port: number;
  readonly encryption: Encryption;
  /** Nobody in between can read: it is encrypted, or stays on this machine. */
  readonly isConfidential: boolean;
}

type UrlConfig = Pick<LdapConfig, 'url'> & Partial<Pick<LdapConfig, 'startTls' | 'allowClearText'>>;

/**
 * The servers in the order in which they are tried. `ldap://` to another machine is encrypted by StartTLS, unless
 * `allowClearText` says that it need not be.
 * @throws AdapterError `unsupported` when the configuration contradicts itself
 */
export function serverAddresses(config: UrlConfig): readonly ServerAddress[] {
  const urls = typeof config.url === 'string' ? [config.url] : config.url;
  return urls.map((text) => {
    const url = new URL(text);
    const host = url.hostname.replace(/^\[|\]$/g, '') || 'localhost';
    const isSecure = url.protocol.toLowerCase() === 'ldaps:';
    const encryption: Encryption = isSecure ? 'tls' : startTlsFor(host, config) ? 'startTls' : 'none';
    const port = url.port === '' ? (isSecure ? 636 : 389) : Number(url.port);
    return { host, port, encryption, isConfidential: encryption !== 'none' || isLoopback(host) };
  });
}

function startTlsFor(host: string, config: UrlConfig): boolean {
  if (config.startTls !== undefined) {
    if (!config.startTls && !config.allowClearText && !isLoopback(host)) {
      const message =
        '"startTls: false" would send the account\'s password in clear text: "allowClearText: true" permits that.';
      throw new AdapterError('unsupported', message);
    }
    return config.startTls;
  }
  return !config.allowClearText && !isLoopback(host);
}

/** For one server: the certificate is checked against its host, and a name (not an address) is sent along. */
export function tlsOptionsFor(host: string, settings: TlsSettings): ConnectionOptions {
  const servername = settings.servername ?? (isIP(host) === 0 ? host : undefined);
  const { servername: _, ...others } = settings;
  return servername === undefined ? { ...others, host } : { ...others, host, servername };
}
