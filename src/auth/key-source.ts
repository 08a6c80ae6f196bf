import type { Fetch } from './key-fetch.js';
import type { KeySet } from './key-set.js';

/** Where the keys of one issuer come from. */
export interface KeySource {
  /** For people: the URL, the file. */
  readonly origin: string;
  /**
   * The keys; without waiting where they are known. The same object as long as they are the same.
   * @throws KeysUnavailableError when there are none yet
   */
  get(): KeySet | Promise<KeySet>;
  /**
   * The keys once more, since one was missing among them: fetched again when that was not done just now.
   * @throws KeysUnavailableError when nobody can tell whether there is a new one
   */
  renewed(): KeySet | Promise<KeySet>;
}

/** There are no keys, so whether a token is good cannot be told. The message says where they should have come from. */
export class KeysUnavailableError extends Error {
  override readonly name = 'KeysUnavailableError';
  readonly retryAfterSeconds: number;
  constructor(message: string, retryAfterSeconds: number) {
    super(message);
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** The part of pino's logger that is used here. */
export interface KeyLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export interface KeySourceOptions {
  /** Makes an absolute file name of what the configuration says. */
  readonly resolveFile: (name: string) => string;
  readonly fetch: Fetch;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly log: KeyLog;
}

export interface WantedKeys {
  readonly issuer: string;
  readonly algorithms: readonly string[];
}
