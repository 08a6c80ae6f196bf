import type { OperationContext } from '../../src/backend/adapter.js';
import { AdapterError } from '../../src/backend/adapter-error.js';
import { isOver, type Looked, type Pooled } from './connections.js';
import type { Driver, Failure } from './driver.js';
import type { NativeStatement, SqlAnswer, SqlConnection, SqlRefusal } from './pool.js';

/** What a connection does beside statements; the transaction's log calls them so. */
type Act = 'begin' | 'commit' | 'rollback';

/** A connection as long as one operation has it: ends with the operation's context, and remembers what went wrong. */
export class Lease implements SqlConnection, Looked {
  readonly pooled: Pooled;
  /** The gravest failure so far, whatever `work` made of it. */
  failure: Failure | undefined;
  /** COMMIT was sent. */
  isCommitting = false;
  /** The connection has shown that it lives. */
  hasAnswered = false;
  private readonly driver: Driver;
  private readonly context: OperationContext;
  private readonly onTimeout: () => void;
  private ended: AdapterError | undefined;
  private giveUp: ((error: AdapterError) => void) | undefined;

  /** @param onTimeout the operation's time is over while something runs on the connection */
  constructor(pooled: Pooled, driver: Driver, context: OperationContext, onTimeout: () => void) {
    this.pooled = pooled;
    this.driver = driver;
    this.context = context;
    this.onTimeout = onTimeout;
  }

  /** The connection has been given up in the middle of something. */
  get isCut(): boolean {
    return this.ended !== undefined;
  }

  run(statement: NativeStatement): Promise<SqlAnswer> {
    return this.follow(() => this.pooled.connection.run(statement)).then((answer) => {
      this.hasAnswered = true;
      return answer;
    });
  }

  perform(act: Act): Promise<void> {
    if (act === 'commit') this.isCommitting = true;
    const { trace } = this.context;
    if (trace === undefined) return this.follow(() => this.pooled.connection[act]());
    const startedAt = performance.now();
    return this.follow(() => this.pooled.connection[act]()).finally(() =>
      trace({ operation: act.toUpperCase(), durationMs: performance.now() - startedAt }),
    );
  }

  look(nowMs: number): void {
    if (this.ended !== undefined || !isOver(this.context, nowMs)) return;
    // Until COMMIT is sent, the server undoes what a connection did that is cut.
    const details = { applied: this.isCommitting ? 'unknown' : 'no' } as const;
    this.ended = new AdapterError('timeout', 'The database gave no answer in time.', details);
    this.onTimeout();
    this.giveUp?.(this.ended);
  }

  private follow<T>(ask: () => Promise<T>): Promise<T> {
    if (this.ended !== undefined) return Promise.reject(this.ended);
    return new Promise((resolve, reject) => {
      this.giveUp = reject;
      ask().then(
        (answer) => {
          this.giveUp = undefined;
          resolve(answer);
        },
        (error: unknown) => {
          this.giveUp = undefined;
          reject(this.ended ?? this.note(error));
        },
      );
    });
  }

  private note(error: unknown): AdapterError | SqlRefusal {
    const failure = this.driver.failureOf(error);
    if (this.failure === undefined || gravity[failure.verdict] >= gravity[this.failure.verdict]) this.failure = failure;
    if (failure.verdict !== 'lost' || !this.isCommitting) return failure.error;
    const message = 'The connection to the database broke while it committed: what became of the change is not known.';
    return new AdapterError('unavailable', message, { applied: 'unknown', retryAfterSeconds: 1, cause: error });
  }
}

const gravity: Readonly<Record<Failure['verdict'], number>> = { refused: 0, failed: 1, again: 2, stale: 3, lost: 4 };
