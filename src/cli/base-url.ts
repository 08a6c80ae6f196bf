import type { GatewayConfig } from '../../config/gateway-config.js';

/**
 * Where clients reach the gateways, without a trailing slash: `publicUrl`, or else where the process listens.
 * @param port where it really listens, when the configuration leaves that to the system
 */
export function baseUrl(
  { publicUrl, tls, listen }: Pick<GatewayConfig, 'publicUrl' | 'tls' | 'listen'>,
  port: number = listen.port,
): string {
  return publicUrl ?? `${tls === undefined ? 'http' : 'https'}://${urlHost(listen.host)}:${port}`;
}

/** The host in a URL to try. */
function urlHost(host: string): string {
  if (host === '0.0.0.0' || host === '::') return 'localhost';
  return host.includes(':') ? `[${host}]` : host;
}
