import { accessSync, constants } from 'node:fs';
import { isIP } from 'node:net';
import { isLoopback } from '../src/backend/loopback.js';
import type { ConfigFile } from './files.js';
import type { GatewayConfig } from './gateway-config.js';
import type { Path, Problem } from './problem.js';

/** Settings of the server that expose what belongs to nobody else, or cannot work. */
export function exposureProblems(
  config: Pick<GatewayConfig, 'listen' | 'publicUrl' | 'tls' | 'trustedProxies' | 'metrics'>,
  main: ConfigFile,
): readonly Problem[] {
  const problems: Problem[] = [];
  const report = (severity: Problem['severity'], path: Path, message: string): void => {
    problems.push(main.document.problem(severity, path, message));
  };
  checkEncryption(config, report);
  checkMetrics(config, report);
  const networks: readonly unknown[] = Array.isArray(config.trustedProxies) ? config.trustedProxies : [];
  for (const [index, network] of networks.entries()) {
    if (typeof network === 'string' && /\/0+$/.test(network)) {
      const message = `"${network}" is everybody: any client may then say that it comes from another address. Name the networks of your proxies.`;
      report('warning', ['trustedProxies', index], message);
    }
  }
  for (const key of ['certificate', 'key'] as const) {
    const file = config.tls?.[key];
    const code = file === undefined ? undefined : unreadable(file);
    // No error: whoever checks may not have the secrets of the service at hand, and a renewal may be under way.
    if (code !== undefined)
      report('warning', ['tls', key], `The file cannot be read here (${code}); without it the gateway does not start.`);
  }
  return problems;
}

type Report = (severity: Problem['severity'], path: Path, message: string) => void;

function checkEncryption(
  { listen, publicUrl, tls }: Pick<GatewayConfig, 'listen' | 'publicUrl' | 'tls'>,
  report: Report,
): void {
  if (publicUrl !== undefined) {
    const { protocol, hostname } = URL.canParse(publicUrl) ? new URL(publicUrl) : { protocol: '', hostname: '' };
    if (protocol === 'http:' && !isLoopback(hostname)) {
      const message =
        'Tokens and personal data would cross the network unencrypted, and identity providers refuse http. Use https, by "tls" or a proxy in front.';
      report('warning', ['publicUrl'], message);
    }
    return;
  }
  if (tls !== undefined || isLoopback(listen.host)) return;
  const message = `Others can reach ${listen.host}, and nothing is encrypted: tokens and personal data would cross the network as they are. Add "tls", or a proxy that encrypts and its address as "publicUrl: https://…".`;
  report('warning', ['listen'], message);
}

function checkMetrics({ listen, metrics }: Pick<GatewayConfig, 'listen' | 'metrics'>, report: Report): void {
  if (metrics === undefined || metrics.port !== listen.port || listen.port === 0) return;
  const isSameHost = metrics.host === listen.host || isAnyHost(metrics.host) || isAnyHost(listen.host);
  if (!isSameHost) return;
  report(
    'error',
    ['metrics', 'listen'],
    `The gateways listen on port ${listen.port} themselves; give metrics another one.`,
  );
}

function isAnyHost(host: string): boolean {
  return host === '0.0.0.0' || host === '::';
}

function unreadable(file: string): string | undefined {
  try {
    accessSync(file, constants.R_OK);
    return undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? 'unknown';
  }
}

/** Entries of `trustedProxies` that have the look of a network and are none. */
export function networkProblems(networks: unknown, main: ConfigFile): readonly Problem[] {
  if (!Array.isArray(networks)) return [];
  return networks.flatMap((network: unknown, index): readonly Problem[] => {
    if (typeof network !== 'string' || isNetwork(network)) return [];
    const message = `"${network}" is no address and no network; write 10.0.0.0/8, 192.0.2.1, fd00::/8 or ::1.`;
    return [main.document.problem('error', ['trustedProxies', index], message)];
  });
}

function isNetwork(text: string): boolean {
  const [address = '', prefix] = text.split('/');
  const family = isIP(address);
  return family !== 0 && (prefix === undefined || Number(prefix) <= (family === 4 ? 32 : 128));
}
