/**
 * Why a backend operation did not succeed. One table in `src/provisioning` turns a kind into what the caller is told.
 *
 * - `notFound`: no such record in the entity
 * - `conflict`: a unique field's value is taken (`field`)
 * - `revisionMismatch`: the record changed since it was read
 * - `rejected`: the backend refuses the data (`field`; `reason` in words that an administrator understands)
 * - `denied`: the backend refuses the gateway's own account
 * - `unavailable`: it cannot be reached or is overloaded (`retryAfterSeconds`)
 * - `timeout`: no answer within the deadline
 * - `unsupported`: the adapter does not do this
 */
export type AdapterErrorKind =
  | 'notFound'
  | 'conflict'
  | 'revisionMismatch'
  | 'rejected'
  | 'denied'
  | 'unavailable'
  | 'timeout'
  | 'unsupported';

export interface AdapterErrorDetails {
  /** The backend field that is concerned. */
  readonly field?: string;
  /** Words for the identity provider's administrator: no DN, SQL, host or secret. */
  readonly reason?: string;
  readonly retryAfterSeconds?: number;
  /**
   * Whether the backend may have carried the operation out. Default `no`, and for `timeout` `unknown`. The guard
   * retries only what was not applied.
   */
  readonly applied?: 'no' | 'unknown';
  /** What was underneath: for the log, never for the caller. */
  readonly cause?: unknown;
}

/** The only error that an adapter's methods reject with. */
export class AdapterError extends Error {
  override readonly name = 'AdapterError';
  readonly kind: AdapterErrorKind;
  readonly field: string | undefined;
  readonly reason: string | undefined;
  readonly retryAfterSeconds: number | undefined;
  readonly applied: 'no' | 'unknown';

  constructor(kind: AdapterErrorKind, message: string, details: AdapterErrorDetails = {}) {
    super(message, { cause: details.cause });
    this.kind = kind;
    this.field = details.field;
    this.reason = details.reason;
    this.retryAfterSeconds = details.retryAfterSeconds;
    this.applied = details.applied ?? (kind === 'timeout' ? 'unknown' : 'no');
  }
}
