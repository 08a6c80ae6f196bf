import type { Caller } from '../provisioning/service.js';

/**
 * What is noted of a request while it is worked on. One per request on the hottest paths, so plain fields and no work:
 * texts are made and values hashed later, in a thread of its own.
 */
export class RequestRecord {
  readonly gateway: string;
  readonly requestId: string;
  readonly method: string;
  /** On the clock of `performance.now()`. */
  readonly startedAtMs: number;
  address: string | undefined;
  traceId: string | undefined;
  /** The kind of route: `collection`, `resource`, `bulk` …; `refused` for paths that name nothing. */
  route: string;
  resourceType: string | undefined;
  /** As in the path, or as created. */
  resourceId: string | undefined;
  caller: Caller | undefined;
  /** A search's filter as it came. */
  filter: string | undefined;
  /** The body as it came. */
  body: string | undefined;
  meant: string[] | undefined;
  dropped: (readonly [what: string, why: string])[] | undefined;
  /** Native operations and their milliseconds, in turn. */
  backend: (string | number)[] | undefined;
  /** Why it was refused or failed. */
  reason: string | undefined;

  constructor(gateway: string, requestId: string, method: string, route: string, startedAtMs: number) {
    this.gateway = gateway;
    this.requestId = requestId;
    this.method = method;
    this.route = route;
    this.startedAtMs = startedAtMs;
    this.address = undefined;
    this.traceId = undefined;
    this.resourceType = undefined;
    this.resourceId = undefined;
    this.caller = undefined;
    this.filter = undefined;
    this.body = undefined;
    this.meant = undefined;
    this.dropped = undefined;
    this.backend = undefined;
    this.reason = undefined;
  }
}

/** Takes what was noted of finished requests. */
export interface TransactionRecorder {
  /** Returns at once; what was given is written within a quarter of a second. @param status the answer's */
  finished(record: RequestRecord, status: number): void;
  /** An act of an operator or of the gateway itself: `reload`, `token create`. */
  act(act: { readonly gateway: string; readonly operation: string; readonly meant: readonly string[] }): void;
  /** Everything that was given so far is on the disk. */
  flush(): Promise<void>;
  close(): Promise<void>;
}
