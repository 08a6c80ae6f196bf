import type { Caller, RequestContext } from '../provisioning/service.js';
import type { RequestRecord } from '../transactions/request-record.js';
import type { Flight } from './in-flight.js';

/**
 * What a request hands to the service. A class, since its `signal` is made when it is first asked for: an object literal
 * with a getter costs more than all the rest of HTTP. A copy by spreading would lose the signal.
 */
export class HttpRequestContext implements RequestContext {
  readonly caller: Caller;
  readonly requestId: string;
  readonly baseUrl: string;
  readonly #flight: Flight;
  readonly #record: RequestRecord;

  constructor(caller: Caller, baseUrl: string, record: RequestRecord, flight: Flight) {
    this.caller = caller;
    this.requestId = record.requestId;
    this.baseUrl = baseUrl;
    this.#record = record;
    this.#flight = flight;
  }

  // These are handed on without their object, so they are bound; as fields, since a request makes one context only.
  readonly dropped: RequestContext['dropped'] = (what, why) => {
    this.#record.dropped ??= [];
    this.#record.dropped.push([what, why]);
  };

  readonly meant: NonNullable<RequestContext['meant']> = (what) => {
    this.#record.meant ??= [];
    this.#record.meant.push(what);
  };

  readonly trace: NonNullable<RequestContext['trace']> = ({ operation, durationMs }) => {
    this.#record.backend ??= [];
    this.#record.backend.push(operation, durationMs);
  };

  get signal(): AbortSignal {
    return this.#flight.signal;
  }

  get hasEnded(): boolean {
    return this.#flight.endedBy !== undefined;
  }

  get deadlineMs(): number {
    return this.#flight.deadlineMs;
  }
}
