import { createAuthentication } from '../auth/authentication.js';
import { createTokenAuthenticator } from '../auth/tokens.js';
import type { RunningGateway } from '../composition.js';
import type { GatewayHealth } from '../http/app.js';
import type { HttpGateway } from '../http/http-gateway.js';
import { strictDialect, tolerantDialect } from '../scim/dialect.js';
import type { TokenStore } from '../state/state.js';

/** A composed gateway with what HTTP needs beside its use cases. */
export function toHttpGateway({ gateway, service }: RunningGateway, tokens: TokenStore): HttpGateway {
  return {
    id: gateway.id,
    address: gateway.address === '/' ? '' : gateway.address,
    service,
    authenticate: createAuthentication({
      realm: gateway.id,
      authenticators: [createTokenAuthenticator({ gateway: gateway.id, store: tokens })],
    }),
    limits: gateway.limits,
    dialect: gateway.strict ? strictDialect : tolerantDialect,
    enabled: () => gateway.enabled,
    publicDiscovery: gateway.auth.publicDiscovery,
    sensitiveFilters: gateway.sensitiveFilters,
    requireIfMatch: gateway.requireIfMatch,
  };
}

const states = { closed: 'up', open: 'down', 'half-open': 'unknown' } as const;

export function toGatewayHealth({ gateway, adapters }: RunningGateway): GatewayHealth {
  return {
    id: gateway.id,
    enabled: gateway.enabled,
    adapters: [...adapters].map(([name, adapter]) => ({ name, state: states[adapter.state().circuit] })),
  };
}
