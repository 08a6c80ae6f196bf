import { resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { Gateway } from '../../config/gateway-config.js';
import { createGatewayAuthentication } from '../auth/gateway-authentication.js';
import { createJwtAuthenticator, type JwtAuthenticator } from '../auth/jwt.js';
import type { KeyLog } from '../auth/key-source.js';
import type { RunningGateway } from '../composition.js';
import { type Admission, createAdmission } from '../http/admission.js';
import type { AdapterHealth, GatewayHealth } from '../http/app.js';
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
  /** Where relative names of key sets start. */
  readonly baseDir: string;
  /** How long known tokens are taken on while the state cannot be asked. */
  readonly graceMs?: number;
}

/** One gateway as HTTP sees it, and what outlives a change of its configuration. */
export interface ServedGateway {
  readonly gateway: Gateway;
  readonly http: HttpGateway;
  /** Holds the keys of the issuers that were fetched last. */
  readonly jwt: JwtAuthenticator | undefined;
}

/**
 * A composed gateway with what HTTP needs beside its use cases.
 * @param former the same gateway as it was configured before: keys of issuers and the count of requests go on
 * @throws RangeError for a shared secret of an issuer that is too short
 */
export function toHttpGateway(
  running: Pick<RunningGateway, 'gateway' | 'service'>,
  parts: HttpParts,
  former?: ServedGateway,
): ServedGateway {
  const { gateway } = running;
  const isSame = (part: (gateway: Gateway) => unknown): boolean =>
    former !== undefined && isDeepStrictEqual(part(former.gateway), part(gateway));
  const jwt = isSame(({ auth }) => auth.jwt) ? former?.jwt : createJwt(gateway, parts);
  const admission = former !== undefined && isSame(rateOf) ? former.http.admission : createAdmission(gateway.limits);
  return { gateway, http: assemble(running, parts, jwt, admission), jwt };
}

/** Apart from the above, since its functions live as long as the gateway: they would keep every former one in memory. */
function assemble(
  { gateway, service }: Pick<RunningGateway, 'gateway' | 'service'>,
  { tokens, controls, log, oauthKey, graceMs = 0 }: HttpParts,
  jwt: JwtAuthenticator | undefined,
  admission: Admission,
): HttpGateway {
  const jwtAuthenticators = jwt === undefined ? [] : [jwt];
  return {
    id: gateway.id,
    address: gateway.address === '/' ? '' : gateway.address,
    service,
    authenticate: createGatewayAuthentication({ gateway, tokens, oauthKey, jwtAuthenticators, graceMs }),
    get log() {
      return log.current;
    },
    inFlight: new InFlight(),
    admission,
    limits: gateway.limits,
    dialect: gateway.strict ? strictDialect : tolerantDialect,
    enabled: () => controls.get(gateway.id).enabled ?? gateway.enabled,
    publicDiscovery: gateway.auth.publicDiscovery,
    sensitiveFilters: gateway.sensitiveFilters,
    requireIfMatch: gateway.requireIfMatch,
  };
}

function rateOf({ limits: { requestsPerSecond, burst, concurrentRequests } }: Gateway): object {
  return { requestsPerSecond, burst, concurrentRequests };
}

function createJwt({ id, auth }: Gateway, { log, baseDir }: HttpParts): JwtAuthenticator | undefined {
  if (auth.jwt === undefined) return undefined;
  // The gateway's log names the gateway already.
  const say =
    (level: 'info' | 'warn' | 'error'): KeyLog['info'] =>
    (fields, message) => {
      const { gateway: _, ...rest } = fields as { readonly gateway?: string };
      log.current[level](rest, message);
    };
  return createJwtAuthenticator({
    issuers: [auth.jwt].flat(),
    realm: id,
    resolveFile: (name) => resolve(baseDir, name),
    log: { info: say('info'), warn: say('warn'), error: say('error') },
  });
}

const states = { closed: 'up', open: 'down', 'half-open': 'unknown' } as const;

/** How the backend behind each adapter is dealt with at the moment. */
export function adaptersHealth({ adapters }: Pick<RunningGateway, 'adapters'>): readonly AdapterHealth[] {
  return [...adapters].map(([name, adapter]): AdapterHealth => {
    const { circuit, inFlight, queued, pace } = adapter.state();
    const { waiting, pausedForMs, rate } = pace;
    const pausedUntil = pausedForMs > 0 ? new Date(Date.now() + pausedForMs).toISOString() : undefined;
    return {
      name,
      state: states[circuit],
      inFlight,
      queued,
      waiting,
      ...(pausedUntil === undefined ? {} : { pausedUntil }),
      ...(rate === undefined ? {} : { rate }),
    };
  });
}

export function toGatewayHealth(
  running: Pick<RunningGateway, 'gateway' | 'adapters'>,
  { enabled }: Pick<HttpGateway, 'enabled'>,
): GatewayHealth {
  return { id: running.gateway.id, enabled: enabled(), adapters: adaptersHealth(running) };
}
