import { readFileSync, statSync } from 'node:fs';
import { type KeySet, KeySetError, kidsOf, parseKeySet } from './key-set.js';
import { type KeySource, type KeySourceOptions, KeysUnavailableError, type WantedKeys } from './key-source.js';

const minimumSecretBytes: Readonly<Record<string, number>> = { HS256: 32, HS384: 48, HS512: 64 };

/** @throws RangeError when the secret is shorter than its algorithm needs (RFC 7518 §3.2, RFC 8725 §3.5) */
export function secretSource(secret: string, algorithms: readonly string[]): KeySource {
  const key = new TextEncoder().encode(secret);
  for (const algorithm of algorithms) {
    const minimum = minimumSecretBytes[algorithm] ?? 0;
    if (key.length < minimum) throw new RangeError(`The secret for ${algorithm} needs ${minimum} bytes at least.`);
  }
  const keys = algorithms.map((algorithm) => ({ kid: undefined, algorithm, namesAlgorithm: true, key }));
  const set: KeySet = { keys, unusable: [] };
  return { origin: 'the shared secret', get: () => set, renewed: () => set };
}

export function inlineSource(json: object, wanted: WantedKeys): KeySource {
  const parsed = parseKeySet(json, wanted);
  // Whoever asks for the keys gets the rejection; until then it must not end the process.
  parsed.catch(() => undefined);
  let known: KeySet | undefined;
  const get = (): KeySet | Promise<KeySet> =>
    known ??
    parsed.then(
      (set) => {
        known = set;
        return set;
      },
      (error: unknown) => {
        throw new KeysUnavailableError(`The keys in the configuration cannot be used: ${reasonOf(error)}.`, 300);
      },
    );
  return { origin: 'the keys in the configuration', get, renewed: get };
}

const lookEveryMs = 1000;

/** A key set in a file, read again when it changes. While it cannot be read, the keys stay what they were. */
export class FileKeys implements KeySource {
  readonly origin: string;
  readonly #wanted: WantedKeys;
  readonly #options: KeySourceOptions;
  #known: KeySet | undefined;
  /** What the file looked like when it was last read, well or badly. */
  #seen = '';
  #failure: string | undefined;
  #lookedAtMs = Number.NEGATIVE_INFINITY;
  #reading: Promise<KeySet> | undefined;

  constructor(file: string, wanted: WantedKeys, options: KeySourceOptions) {
    this.origin = file;
    this.#wanted = wanted;
    this.#options = options;
  }

  get(): KeySet | Promise<KeySet> {
    const elapsedMs = this.#options.now() - this.#lookedAtMs;
    if (this.#reading === undefined && this.#known !== undefined && elapsedMs >= 0 && elapsedMs < lookEveryMs)
      return this.#known;
    return this.renewed();
  }

  renewed(): KeySet | Promise<KeySet> {
    if (this.#reading !== undefined) return this.#reading;
    this.#lookedAtMs = this.#options.now();
    const look = lookOf(this.origin);
    if (look === this.#seen) return this.#known ?? this.#unavailable();
    this.#reading = this.#read(look).finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  async #read(look: string): Promise<KeySet> {
    const { log } = this.#options;
    try {
      const set = await parseKeySet(JSON.parse(readFileSync(this.origin, 'utf8')), this.#wanted);
      if (this.#known !== undefined) log.info({ file: this.origin, keys: kidsOf(set) }, 'The key set was read again.');
      this.#known = set;
      this.#failure = undefined;
    } catch (error) {
      this.#failure = reasonOf(error);
      const fields = { file: this.origin, reason: this.#failure };
      if (this.#known === undefined) log.error(fields, 'The key set cannot be used; tokens are answered 503.');
      else log.warn(fields, 'The changed key set cannot be used; the former keys stay in use.');
    }
    this.#seen = look;
    return this.#known ?? this.#unavailable();
  }

  #unavailable(): never {
    throw new KeysUnavailableError(`The key set ${this.origin} cannot be used: ${this.#failure}.`, 10);
  }
}

/** What tells a changed file from the same one. */
function lookOf(file: string): string {
  try {
    const { mtimeMs, size, ino } = statSync(file);
    return `${mtimeMs} ${size} ${ino}`;
  } catch (error) {
    return String((error as NodeJS.ErrnoException).code);
  }
}

/** In words, without anything of the file's content. */
function reasonOf(error: unknown): string {
  if (error instanceof KeySetError) return error.message;
  if (error instanceof SyntaxError) return 'it is not JSON';
  return String((error as NodeJS.ErrnoException).code ?? 'it cannot be read');
}
