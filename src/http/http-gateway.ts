import type { Logger } from 'pino';
import type { Authenticate } from '../auth/authentication.js';
import type { ScimService } from '../provisioning/service.js';
import type { Dialect } from '../scim/dialect.js';
import type { Admission } from './admission.js';
import type { InFlight } from './in-flight.js';

/** One gateway as HTTP sees it. */
export interface HttpGateway {
  readonly id: string;
  /** Where it answers: `/scim`, with a leading slash and without a trailing one; '' for the server's root. */
  readonly address: string;
  readonly service: ScimService;
  readonly authenticate: Authenticate;
  /** Bounds what its callers may ask at once. Strangers do not count: it is asked after authentication. */
  readonly admission: Admission;
  /** The gateway's own, whose level may change at any time: ask `isLevelEnabled` for each request. */
  readonly log: Logger;
  /** Its requests under way, so that what they work with is closed after the last of them. */
  readonly inFlight: InFlight;
  readonly limits: HttpLimits;
  /** Strict gateways take the keys of messages in the RFC's own case only. */
  readonly dialect: Dialect;
  /** False while an operator has switched it off: 503, so that callers try again. */
  readonly enabled: () => boolean;
  /** ServiceProviderConfig without credentials, so that a client can find out how to authenticate (RFC 7643 §5). */
  readonly publicDiscovery: boolean;
  /** Attributes whose values must not stand in a URL: a GET that filters by one is 403 `sensitive` (RFC 7644 §7.5.2). */
  readonly sensitiveFilters: readonly string[];
  /** PUT, PATCH and DELETE need If-Match, else 428. */
  readonly requireIfMatch: boolean;
}

export interface HttpLimits {
  /** The largest body, bulk apart. */
  readonly bodyBytes: number;
  /** The largest bulk body: `maxPayloadSize`. */
  readonly bulkBytes: number;
  /** How long a request may take before its work is stopped and 503 is answered. */
  readonly requestSeconds: number;
  /** The longest filter, in characters. */
  readonly filterLength: number;
  /** How deep a body nests. */
  readonly jsonDepth: number;
}
