import { isIP } from 'node:net';
import type { ConfigFile } from './files.js';
import type { Problem } from './problem.js';

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
