import type { Authenticator } from '../auth/authentication.js';
import { createGatewayAuthentication } from '../auth/gateway-authentication.js';
import type { RunningGateway } from '../composition.js';
import { createAdmission } from '../http/admission.js';
import type { GatewayHealth } from '../http/app.js';
import type { HttpGateway } from '../http/http-gateway.js';
import { InFlight } from '../http/in-flight.js';
import { strictDialect, tolerantDialect } from '../scim/dialect.js';
import type { ControlStore, TokenStore } from '../state/state.js';
import type { GatewayLog } from './gateway-log.js';

export interface HttpParts {
  readonly tokens: TokenStore;
  readonly controls: Pick<ControlStore, 'get'>;
  readonly log: Pick<GatewayLog, 'current'>;
  /** The state's key named `oauth`. */
  readonly oauthKey: Uint8Array;
  /** Those of the gateway's `auth.jwt`. */
  readonly jwtAuthenticators?: readonly Authenticator[];
}

/** A composed gateway with what HTTP needs beside its use cases. */
export function toHttpGateway({ gateway, service }: RunningGateway, parts: HttpParts): HttpGateway {
  const { tokens, controls, log, oauthKey, jwtAuthenticators = [] } = parts;
  return {
    id: gateway.id,
    address: gateway.address === '/' ? '' : gateway.address,
    service,
    authenticate: createGatewayAuthentication({ gateway, tokens, oauthKey, jwtAuthenticators }),
    get log() {
      return log.current;
    },
    inFlight: new InFlight(),
    admission: createAdmission(gateway.limits),
    limits: gateway.limits,
    dialect: gateway.strict ? strictDialect : tolerantDialect,
    enabled: () => controls.get(gateway.id).enabled ?? gateway.enabled,
    publicDiscovery: gateway.auth.publicDiscovery,
    sensitiveFilters: gateway.sensitiveFilters,
    requireIfMatch: gateway.requireIfMatch,
  };
}

const states = { closed: 'up', open: 'down', 'half-open': 'unknown' } as const;

export function toGatewayHealth(
  { gateway, adapters }: RunningGateway,
  { enabled }: Pick<HttpGateway, 'enabled'>,
): GatewayHealth {
  return {
    id: gateway.id,
    enabled: enabled(),
    adapters: [...adapters].map(([name, adapter]) => ({ name, state: states[adapter.state().circuit] })),
  };
}
