import type { Caller, RequestContext } from '../provisioning/service.js';
import type { Flight } from './in-flight.js';

/**
 * What a request hands to the service. A class, since its `signal` is made when it is first asked for: an object literal
 * with a getter costs more than all the rest of HTTP. A copy by spreading would lose the signal.
 */
export class HttpRequestContext implements RequestContext {
  readonly caller: Caller;
  readonly requestId: string;
  readonly baseUrl: string;
  readonly dropped: RequestContext['dropped'];
  readonly #flight: Flight;

  constructor(
    caller: Caller,
    requestId: string,
    baseUrl: string,
    dropped: (requestId: string, what: string, why: string) => void,
    flight: Flight,
  ) {
    this.caller = caller;
    this.requestId = requestId;
    this.baseUrl = baseUrl;
    this.dropped = (what, why) => dropped(requestId, what, why);
    this.#flight = flight;
  }

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
