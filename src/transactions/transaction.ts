/**
 * One line of what the gateway did: a request with what it meant and what became of it, a number of refusals, or an act
 * of an operator. Without personal values, unless a gateway records values for a while.
 */
export interface Transaction {
  /** Sorts by time; unique over all replicas. */
  readonly id: string;
  readonly kind: 'request' | 'refusals' | 'act';
  /** When it began, in milliseconds since 1970. */
  readonly atMs: number;
  readonly durationMs: number;
  /** Empty for acts that concern the whole. */
  readonly gateway: string;
  readonly requestId: string;
  /** The trace of a `traceparent` that came along. */
  readonly traceId?: string;
  /** `token:<label>`, `jwt:<sub>`, `client:<id>`, `anonymous`; of acts the operator: `os:<user>`. Absent: refused. */
  readonly caller?: string;
  /** Where the request came from. */
  readonly address?: string;
  /** `create`, `read`, `replace`, `patch`, `delete`, `search`, `bulk`, `discovery`, `none`; of acts: `token create` … */
  readonly operation: string;
  readonly resourceType?: string;
  /** The resource's id, where there is such a resource. */
  readonly resourceId?: string;
  readonly status: number;
  readonly outcome: Outcome;
  /** A search's filter; in the place of its values are placeholders: `userName eq "${value1}"`. */
  readonly filter?: string;
  /** Value-free: `replace active`, `userName eq …`, `add members (2)`. */
  readonly meant: readonly string[];
  readonly dropped: readonly { readonly what: string; readonly why: string }[];
  readonly backend: readonly { readonly operation: string; readonly durationMs: number }[];
  /** Why it was refused or failed: which check, in words for the operator. Never shown to the caller. */
  readonly reason?: string;
  /** For `refusals`: how many requests were refused alike. */
  readonly count?: number;
  /** The request's body with every value replaced, so that it can be sent again as a test. */
  readonly shape?: string;
  /** The request's body, secrets left out. Only while the gateway records values. */
  readonly values?: string;
}

/** `ok`: 2xx and 3xx. `refused`: 401, 403, 429. `rejected`: any other 4xx. `failed`: 5xx. `act`: done by an operator. */
export type Outcome = 'ok' | 'refused' | 'rejected' | 'failed' | 'act';

export interface TransactionQuery {
  readonly gateway?: string;
  /**
   * Text of a userName, externalId or e-mail address: compared by its keyed hash. What was done to a resource that had it
   * in one request is found too, by the resource's id.
   */
  readonly user?: string;
  readonly resourceId?: string;
  readonly outcome?: readonly Outcome[];
  readonly requestId?: string;
  /** With or without what stands before it: `token:Entra` or `Entra`. */
  readonly caller?: string;
  /** Those that began then or later. */
  readonly fromMs?: number;
  /** Those that began before then. */
  readonly toMs?: number;
  readonly id?: string;
  /** Only those written after this one, oldest first: to follow. An empty text: from the first on. */
  readonly afterId?: string;
  readonly limit: number;
}

/** What the last requests of a gateway were, over all replicas and restarts. */
export interface GatewayActivity {
  readonly gateway: string;
  readonly lastCallMs: number;
  readonly lastOutcome: Outcome;
  readonly lastStatus: number;
  /** Requests since the gateway was first served, by outcome. */
  readonly counts: Readonly<Partial<Record<Outcome, number>>>;
}
