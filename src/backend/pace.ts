import type { OperationContext } from './adapter.js';
import { AdapterError } from './adapter-error.js';
import { Allowance } from './allowance.js';
import type { Outcome } from './circuit-breaker.js';
import { type Clock, systemClock } from './clock.js';
import { hasEnded } from './has-ended.js';
import { type Rate, RateWindow } from './rate-window.js';

/**
 * How fast a backend may be asked: what the configuration declares, and what the backend's answers tell of its limits.
 * An adapter that makes several requests for one operation asks it before each of them (`pacedBy: 'requests'`); for the
 * others the guard asks once for each try of an operation.
 */
export interface Pace {
  /**
   * Waits for the next permitted moment.
   * @throws AdapterError unavailable (retryAfterSeconds) when that lies beyond the operation's deadline or too many wait;
   * timeout when the operation ended while it waited
   */
  take(context: OperationContext): Promise<void>;
  /**
   * What an answer told of the backend's limits. `retryAfterSeconds` pauses everything until then; afterwards one request
   * goes first, and the others follow when it was answered. `remaining` requests until `resetSeconds` from now slow down
   * what comes, before there is nothing left.
   */
  learn(notice: PaceNotice): void;
}

export interface PaceNotice {
  readonly retryAfterSeconds?: number;
  readonly remaining?: number;
  readonly resetSeconds?: number;
}

export interface PaceState {
  /** Operations or requests that wait for a permitted moment. */
  readonly waiting: number;
  /** For how long nothing is sent, as the backend wants it; 0 while it wants nothing. */
  readonly pausedForMs: number;
  /** As declared. */
  readonly rate?: Rate;
}

export interface PaceOptions {
  /** Absent: only what the backend tells is heeded. */
  readonly rate?: Rate | undefined;
  /** More than so many are not let wait. Default 200. */
  readonly maxWaiting?: number;
  readonly clock?: Clock;
}

/** One that waits for its moment. */
export interface PaceWaiter {
  /** On the clock's time. */
  readonly deadlineMs: number;
  permit(): void;
  /** Its moment will come too late. */
  refuse(error: AdapterError): void;
}

/** Whatever a backend says, it is asked again after an hour: a misread number must not switch it off for ever. */
const longestPauseMs = 3_600_000;
/** A request that went first and of which nothing is heard holds up the others no longer. */
const longestProbeMs = 10_000;
const queueFullRetrySeconds = 1;

/** The pace of one adapter. Where nothing is declared and nothing was learned, asking it costs one comparison. */
export class BackendPace implements Pace {
  private readonly clock: Clock;
  private readonly maxWaiting: number;
  private readonly window: RateWindow | undefined;
  private readonly allowance = new Allowance();
  private readonly queue = new Set<PaceWaiter>();
  private pausedUntilMs = Number.NEGATIVE_INFINITY;
  /** After a pause one goes first: who it is, and since when. */
  private isProbing = false;
  private probe: { readonly owner: unknown; readonly endsAtMs: number } | undefined;
  private cancelTimer: (() => void) | undefined;
  private isUnbound: boolean;

  constructor({ rate, maxWaiting = 200, clock = systemClock }: PaceOptions = {}) {
    this.clock = clock;
    this.maxWaiting = maxWaiting;
    this.window = rate === undefined ? undefined : new RateWindow(rate);
    this.isUnbound = this.window === undefined;
  }

  /** Nothing is declared, and nothing that was learned holds any more. */
  get isFree(): boolean {
    return this.isUnbound;
  }

  /** The backend wants to be left alone now. */
  get isPaused(): boolean {
    return !this.isUnbound && this.silentUntilMs(this.clock.now()) > this.clock.now();
  }

  get state(): PaceState {
    const nowMs = this.clock.now();
    const pausedForMs = this.isUnbound ? 0 : Math.max(0, this.silentUntilMs(nowMs) - nowMs);
    const rate = this.window?.rate;
    return { waiting: this.queue.size, pausedForMs, ...(rate === undefined ? {} : { rate }) };
  }

  /**
   * Takes the present moment, if it is permitted and nobody waits.
   * @param owner whose end is told to `ended`
   */
  tryTake(owner: unknown): boolean {
    if (this.isUnbound) return true;
    const nowMs = this.clock.now();
    if (this.probe !== undefined && this.probe.owner === owner) this.ended(owner, 'healthy');
    if (this.queue.size > 0 || !this.isPermitted(nowMs)) return false;
    this.note(owner, nowMs);
    return true;
  }

  /**
   * Why there is no point in waiting for a moment before the deadline.
   * @param ahead others that wait elsewhere and will be asking before
   * @returns undefined when there is
   */
  refusal(deadlineMs: number, ahead = 0): AdapterError | undefined {
    if (this.isUnbound) return undefined;
    if (this.queue.size >= this.maxWaiting) {
      const details = { retryAfterSeconds: queueFullRetrySeconds };
      return this.refused('Too many operations wait for the pace of the backend.', details);
    }
    return this.hopeless(deadlineMs, this.queue.size + ahead);
  }

  /** To be called when `tryTake` and `refusal` gave nothing. The waiter is the owner of its moment. */
  enqueue(waiter: PaceWaiter): void {
    this.queue.add(waiter);
    this.arm();
  }

  withdraw(waiter: PaceWaiter): void {
    this.queue.delete(waiter);
    if (this.queue.size === 0) this.disarm();
  }

  /** A try of the owner is over. The one that went first after a pause lets the others follow. */
  ended(owner: unknown, outcome: Outcome): void {
    if (this.isUnbound || this.probe?.owner !== owner) return;
    this.probe = undefined;
    // A caller that left before the answer came leaves the question open: the next one goes first.
    if (outcome !== 'neutral' && this.pausedUntilMs <= this.clock.now()) this.isProbing = false;
    this.drain();
  }

  take(context: OperationContext): Promise<void> {
    if (this.isUnbound) return Promise.resolve();
    const owner = context.operationId ?? context;
    if (hasEnded(context)) return Promise.reject(endedWaiting(context.signal.reason));
    if (this.tryTake(owner)) return Promise.resolve();
    const deadlineMs = context.deadlineMs ?? Number.POSITIVE_INFINITY;
    const refusal = this.refusal(deadlineMs);
    if (refusal !== undefined) return Promise.reject(refusal);
    return this.waitFor(owner, deadlineMs, context);
  }

  learn({ retryAfterSeconds, remaining, resetSeconds }: PaceNotice): void {
    const nowMs = this.clock.now();
    if (isAmount(remaining)) this.allowance.told(remaining, inMs(resetSeconds), nowMs);
    const pauseMs = inMs(retryAfterSeconds);
    if (pauseMs !== undefined && pauseMs > 0) {
      this.pausedUntilMs = Math.max(this.pausedUntilMs, nowMs + pauseMs);
      this.isProbing = true;
      if (this.probe !== undefined) this.disarm();
      this.probe = undefined;
    }
    if (pauseMs === undefined && !this.allowance.isKnown) return;
    this.isUnbound = false;
    this.refuseHopeless();
    this.arm();
  }

  private waitFor(owner: unknown, deadlineMs: number, { signal, trace }: OperationContext): Promise<void> {
    const beganAtMs = this.clock.now();
    return new Promise((resolve, reject) => {
      const finish = (): void => {
        signal.removeEventListener('abort', leave);
        trace?.({ operation: paceWait, durationMs: this.clock.now() - beganAtMs });
      };
      const leave = (): void => {
        this.withdraw(waiter);
        finish();
        reject(endedWaiting(signal.reason));
      };
      const waiter: OwnedWaiter = {
        owner,
        deadlineMs,
        permit: () => {
          finish();
          resolve();
        },
        refuse: (error) => {
          finish();
          reject(error);
        },
      };
      signal.addEventListener('abort', leave, { once: true });
      this.enqueue(waiter);
    });
  }

  /** Until when nothing at all may be sent. */
  private silentUntilMs(nowMs: number): number {
    return Math.max(this.pausedUntilMs, this.allowance.emptyUntilMs(nowMs));
  }

  private isPermitted(nowMs: number): boolean {
    if (this.isProbing && this.probe !== undefined && this.probe.endsAtMs > nowMs) return false;
    return this.momentMs(0, nowMs) <= nowMs;
  }

  /** When the one may go before whom so many others go, at the earliest. */
  private momentMs(position: number, nowMs: number): number {
    return Math.max(
      this.pausedUntilMs,
      this.allowance.momentMs(position, nowMs),
      this.window?.momentMs(position, nowMs) ?? Number.NEGATIVE_INFINITY,
    );
  }

  private note(owner: unknown, nowMs: number): void {
    this.window?.note(nowMs);
    this.allowance.note(nowMs);
    if (this.isProbing) {
      if (this.probe === undefined) this.probe = { owner, endsAtMs: nowMs + longestProbeMs };
      else this.endProbing();
    } else if (this.window === undefined && !this.allowance.isKnown) {
      this.isUnbound = true;
    }
  }

  /** Nothing was heard of the one that went first. */
  private endProbing(): void {
    this.isProbing = false;
    this.probe = undefined;
  }

  private drain(): void {
    this.disarm();
    for (const waiter of this.queue) {
      const nowMs = this.clock.now();
      if (!this.isPermitted(nowMs)) break;
      this.queue.delete(waiter);
      this.note('owner' in waiter ? waiter.owner : waiter, nowMs);
      waiter.permit();
    }
    this.arm();
  }

  /** Neither those that come later nor a new limit bring a moment forward: a timer that is set stays. */
  private arm(): void {
    if (this.queue.size === 0) this.disarm();
    if (this.queue.size === 0 || this.cancelTimer !== undefined) return;
    const nowMs = this.clock.now();
    const atMs = Math.max(this.momentMs(0, nowMs), this.isProbing ? (this.probe?.endsAtMs ?? 0) : 0);
    this.cancelTimer = this.clock.setTimer(() => this.drain(), Math.max(1, atMs - nowMs), true);
  }

  private disarm(): void {
    this.cancelTimer?.();
    this.cancelTimer = undefined;
  }

  private refuseHopeless(): void {
    let position = 0;
    for (const waiter of this.queue) {
      const error = this.hopeless(waiter.deadlineMs, position);
      if (error === undefined) {
        position++;
      } else {
        this.queue.delete(waiter);
        waiter.refuse(error);
      }
    }
  }

  private hopeless(deadlineMs: number, position: number): AdapterError | undefined {
    const nowMs = this.clock.now();
    const momentMs = this.momentMs(position, nowMs);
    if (momentMs < deadlineMs || momentMs <= nowMs) return undefined;
    const isAsked = this.silentUntilMs(nowMs) > nowMs;
    const message = isAsked
      ? 'The backend asked to be left alone for longer than the operation may take.'
      : 'More operations wait than the declared rate of the backend lets through in time.';
    return this.refused(message, { retryAfterSeconds: Math.ceil((momentMs - nowMs) / 1_000) });
  }

  private refused(message: string, details: { readonly retryAfterSeconds: number }): AdapterError {
    const error = new AdapterError('unavailable', message, details);
    ownRefusals.add(error);
    return error;
  }
}

/** What a transaction calls the time that an operation waited for its permitted moment. */
export const paceWait = "wait for the backend's pace";

interface OwnedWaiter extends PaceWaiter {
  readonly owner: unknown;
}

const ownRefusals = new WeakSet<object>();

/** Whether the error, or one that caused it, says that a pace let nobody through: the backend itself said nothing then. */
export function isPaceRefusal(error: unknown): boolean {
  let cause = error;
  for (let depth = 0; depth < 5 && typeof cause === 'object' && cause !== null; depth++) {
    if (ownRefusals.has(cause)) return true;
    cause = (cause as { readonly cause?: unknown }).cause;
  }
  return false;
}

function endedWaiting(cause: unknown): AdapterError {
  const message = 'The request ended while it waited for the pace of the backend.';
  return new AdapterError('timeout', message, { applied: 'no', cause });
}

function isAmount(value: number | undefined): value is number {
  return value !== undefined && Number.isFinite(value) && value >= 0;
}

function inMs(seconds: number | undefined): number | undefined {
  return isAmount(seconds) ? Math.min(seconds * 1_000, longestPauseMs) : undefined;
}
