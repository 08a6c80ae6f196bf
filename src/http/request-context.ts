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
  /** Undefined where nobody takes the record: then nothing need be measured or put into words. */
  readonly meant: RequestContext['meant'];
  readonly trace: RequestContext['trace'];

  constructor(caller: Caller, baseUrl: string, record: RequestRecord, flight: Flight, isRecorded: boolean) {
    this.caller = caller;
    this.requestId = record.requestId;
    this.baseUrl = baseUrl;
    this.#record = record;
    this.#flight = flight;
    // These are handed on without their object, so they are closures.
    this.meant = isRecorded
      ? (what) => {
          record.meant ??= [];
          record.meant.push(what);
        }
      : undefined;
    this.trace = isRecorded
      ? ({ operation, durationMs }) => {
          record.backend ??= [];
          record.backend.push(operation, durationMs);
        }
      : undefined;
  }

  readonly dropped: RequestContext['dropped'] = (what, why) => {
    this.#record.dropped ??= [];
    this.#record.dropped.push([what, why]);
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
