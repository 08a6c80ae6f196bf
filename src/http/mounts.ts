import type { Context } from 'hono';
import type { TokenEndpoint } from '../auth/oauth-token-endpoint.js';
import type { HttpEnv } from './exchange.js';
import type { HttpGateway } from './http-gateway.js';
import type { ProxyTrust } from './trusted-proxies.js';

/** The gateways that are served at one time. Never changed: another set takes its place as a whole. */
export interface Served {
  readonly gateways: readonly HttpGateway[];
  /** Scheme and host that the outside world uses, without a trailing slash: `https://scim.example.com`. */
  readonly publicUrl?: string | undefined;
  /** Whose forwarding headers are believed. Absent: nobody's. */
  readonly proxies?: ProxyTrust | undefined;
  /** Where clients get access tokens, if a gateway has them. */
  readonly tokenEndpoint?: TokenEndpoint | undefined;
}

export type Handler = (context: Context<HttpEnv>) => Promise<Response>;

/** How a gateway is reached from outside. */
export type Outside = Pick<Served, 'publicUrl' | 'proxies'>;

interface Mount {
  readonly gateway: HttpGateway;
  readonly outside: Outside;
  readonly handle: Handler;
}

/**
 * Finds whose path it is. Asks for each request what is served, so that a set that takes the place of another one holds
 * from the next request on; gateways that are in both keep their handlers.
 */
export function createMounts(
  served: () => Served,
  createHandler: (gateway: HttpGateway, outside: Outside) => Handler,
): (path: string) => Handler | undefined {
  let known: Served | undefined;
  let mounts: readonly Mount[] = [];

  const mount = ({ gateways, ...outside }: Served): readonly Mount[] =>
    // The longest address first: one may lie below another.
    gateways
      .toSorted((one, other) => other.address.length - one.address.length)
      .map((gateway) => {
        const same = mounts.find((former) => former.gateway === gateway && isSame(former.outside, outside));
        return same ?? { gateway, outside, handle: createHandler(gateway, outside) };
      });

  return (path) => {
    const now = served();
    if (now !== known) {
      mounts = mount(now);
      known = now;
    }
    for (const { gateway, handle } of mounts) if (isBelow(path, gateway.address)) return handle;
    return undefined;
  };
}

function isSame(one: Outside, other: Outside): boolean {
  return one.publicUrl === other.publicUrl && one.proxies === other.proxies;
}

const slash = 47;

function isBelow(path: string, address: string): boolean {
  return path.startsWith(address) && (path.length === address.length || path.charCodeAt(address.length) === slash);
}
