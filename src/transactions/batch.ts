import type { RequestRecord } from './request-record.js';

/**
 * How finished requests travel to the thread that writes them: one JSON text for many, each a run of cells in a flat list.
 * That is what costs the main thread least: objects would be cloned one by one.
 */

/** A request as it arrives in the thread. */
export interface NotedRequest {
  readonly atMs: number;
  readonly durationUs: number;
  readonly status: number;
  /** How many more were refused alike right after it. */
  readonly repeats: number;
  readonly gateway: string;
  readonly requestId: string;
  readonly method: string;
  readonly route: string;
  readonly traceId: string | undefined;
  readonly address: string | undefined;
  readonly caller: string | undefined;
  readonly resourceType: string | undefined;
  readonly resourceId: string | undefined;
  readonly filter: string | undefined;
  readonly body: string | undefined;
  /** The length of a body that was too large to come along. */
  readonly bodyLeftOut: number;
  readonly recordsValues: boolean;
  readonly meant: readonly string[] | undefined;
  readonly dropped: readonly (readonly [what: string, why: string])[] | undefined;
  /** Operations and microseconds, in turn. */
  readonly backend: readonly (string | number)[] | undefined;
  readonly reason: string | undefined;
}

/** What the main thread has of a finished request. Plain fields, since there is one for each request. */
export interface FinishedRequest {
  readonly record: RequestRecord;
  readonly status: number;
  readonly endedAtMs: number;
  readonly recordsValues: boolean;
  readonly bodyLeftOut: number;
  repeats: number;
}

type Cell = string | number | boolean | readonly unknown[];

const maxDriftMs = 20;
const cellsPerRequest = 20;
/** Texts of native operations that are sent once and by number from then on. Adapters that put ids into them have more. */
const maxTexts = 2000;

/** The main thread's end. One for each worker thread, as both remember the texts that were sent. */
export class BatchEncoder {
  /**
   * Begin of the clock that requests are timed by. It drifts from the time of day, or that is set; small differences only
   * come from its milliseconds, and would change the order of requests.
   */
  #epochMs = performance.timeOrigin;
  #numbers = new Map<string, number>();
  #newTexts: string[] = [];

  encode(requests: readonly FinishedRequest[]): string {
    const epochMs = Date.now() - performance.now();
    if (Math.abs(epochMs - this.#epochMs) > maxDriftMs) this.#epochMs = epochMs;
    const cells: Cell[] = [];
    for (const request of requests) this.#add(cells, request, this.#epochMs);
    const texts = this.#newTexts;
    if (texts.length > 0) this.#newTexts = [];
    return JSON.stringify([texts, cells]);
  }

  #add(
    cells: Cell[],
    { record, status, endedAtMs, recordsValues, bodyLeftOut, repeats }: FinishedRequest,
    epochMs: number,
  ) {
    const { startedAtMs } = record;
    cells.push(
      Math.floor(epochMs + startedAtMs),
      Math.round((endedAtMs - startedAtMs) * 1000),
      status,
      repeats,
      record.gateway,
      record.requestId,
      record.method,
      record.route,
      record.traceId ?? 0,
      record.address ?? 0,
      record.caller?.id ?? 0,
      record.resourceType ?? 0,
      record.resourceId ?? 0,
      record.filter ?? 0,
      bodyLeftOut > 0 ? bodyLeftOut : (record.body ?? 0),
      recordsValues,
      record.meant ?? 0,
      record.dropped ?? 0,
      record.backend === undefined ? 0 : this.#numbered(record.backend),
      record.reason ?? 0,
    );
  }

  /** Operations by number, milliseconds as microseconds. */
  #numbered(backend: readonly (string | number)[]): readonly (string | number)[] {
    const numbered: (string | number)[] = [];
    for (const part of backend) {
      numbered.push(typeof part === 'string' ? this.#numberOf(part) : Math.round(part * 1000));
    }
    return numbered;
  }

  #numberOf(text: string): string | number {
    const known = this.#numbers.get(text);
    if (known !== undefined) return known;
    if (this.#numbers.size >= maxTexts) return text;
    const number = this.#numbers.size;
    this.#numbers.set(text, number);
    this.#newTexts.push(text);
    return number;
  }
}

/** The worker thread's end. */
export class BatchDecoder {
  readonly #texts: string[] = [];

  decode(batch: string): readonly NotedRequest[] {
    const [texts, cells] = JSON.parse(batch) as [string[], Cell[]];
    this.#texts.push(...texts);
    const requests: NotedRequest[] = [];
    for (let at = 0; at < cells.length; at += cellsPerRequest) requests.push(this.#request(cells, at));
    return requests;
  }

  #request(cells: readonly Cell[], at: number): NotedRequest {
    const text = (index: number): string => cells[at + index] as string;
    const optionalText = (index: number): string | undefined => {
      const cell = cells[at + index];
      return typeof cell === 'string' ? cell : undefined;
    };
    const number = (index: number): number => cells[at + index] as number;
    const list = <T>(index: number): readonly T[] | undefined => {
      const cell = cells[at + index];
      return cell === 0 ? undefined : (cell as readonly T[]);
    };
    const body = cells[at + 14];
    return {
      atMs: number(0),
      durationUs: number(1),
      status: number(2),
      repeats: number(3),
      gateway: text(4),
      requestId: text(5),
      method: text(6),
      route: text(7),
      traceId: optionalText(8),
      address: optionalText(9),
      caller: optionalText(10),
      resourceType: optionalText(11),
      resourceId: optionalText(12),
      filter: optionalText(13),
      body: typeof body === 'string' ? body : undefined,
      bodyLeftOut: typeof body === 'number' ? body : 0,
      recordsValues: cells[at + 15] === true,
      meant: list(16),
      dropped: list(17),
      backend: list<string | number>(18)?.map((part, index) =>
        index % 2 === 0 && typeof part === 'number' ? (this.#texts[part] ?? '?') : part,
      ),
      reason: optionalText(19),
    };
  }
}
