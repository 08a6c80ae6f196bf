import type { AdapterError } from '../../src/backend/adapter-error.js';
import type { NativeStatement, SqlAnswer, SqlRefusal } from './pool.js';

/** One connection of a database driver, as the pool uses it: one statement at a time. */
export interface DriverConnection {
  /** Rejects with the driver's own errors. */
  run(statement: NativeStatement): Promise<SqlAnswer>;
  /** May wait for the first statement, and go out with it: that one then fails where this has failed. */
  begin(): Promise<void>;
  /** Rejects when the server did something else than to commit. */
  commit(): Promise<void>;
  rollback(): Promise<void>;
  /** Asks the server for a sign of life. */
  probe(): Promise<void>;
  /** No word of its end has come. */
  readonly isOpen: boolean;
  /** It has collected so much on the server that a new one is better. */
  readonly isWorn: boolean;
  /** Called once, when the connection has ended, by whoever. */
  onEnd(listener: () => void): void;
  /** Asks the server, over another connection, to stop what runs on this one, and cuts this one. */
  abandon(): void;
  /** Says goodbye. */
  close(): void;
}

/** What a database's error means. */
export interface Failure {
  /**
   * - `refused`: the statement, for its data or what it names
   * - `again`: the whole transaction may succeed when it is run again (a deadlock, a serialisation failure)
   * - `stale`: the connection's prepared statements are no good any more: on a new connection it may succeed
   * - `lost`: the connection is gone
   * - `failed`: anything else; the connection can still be used
   */
  readonly verdict: 'refused' | 'again' | 'stale' | 'lost' | 'failed';
  readonly error: AdapterError | SqlRefusal;
}

/** A database driver. */
export interface Driver {
  /**
   * Connects, encrypts, signs in and sets the session up.
   * @throws AdapterError
   */
  connect(): Promise<DriverConnection>;
  failureOf(error: unknown): Failure;
}
