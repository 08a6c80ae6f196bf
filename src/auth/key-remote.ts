import { isObject } from '../scim/schema.js';
import { duration } from './jwt-checks.js';
import { fetchJson, isLoopback, KeyFetchError } from './key-fetch.js';
import { type KeySet, KeySetError, kidsOf, parseKeySet } from './key-set.js';
import { type KeySource, type KeySourceOptions, KeysUnavailableError, type WantedKeys } from './key-source.js';

/** Keys are fetched again when they are in use and older than this: so long a key that was withdrawn is still taken. */
export const refreshMs = 300_000;
/** An unknown key id makes the keys be fetched again, but not more often than this, whatever comes. */
export const renewEveryMs = 30_000;
/** After a failure. */
const retryEveryMs = 10_000;

/** Where keys are fetched: at an address, or where an OpenID configuration says. */
export type RemoteAddress = { readonly jwks: string } | { readonly discovery: string };

/**
 * Keys of an issuer that publishes them. At most one fetch is under way; while the issuer cannot be reached, the keys
 * that were fetched last stay in use.
 */
export class RemoteKeys implements KeySource {
  readonly origin: string;
  readonly #address: RemoteAddress;
  readonly #wanted: WantedKeys;
  readonly #options: KeySourceOptions;
  #known: { readonly set: KeySet; readonly text: string; readonly fetchedAtMs: number } | undefined;
  /** The last attempt: when it ended, and with what. */
  #last: { readonly atMs: number; readonly failure: string | undefined } | undefined;
  #fetching: Promise<KeySet> | undefined;

  constructor(address: RemoteAddress, wanted: WantedKeys, options: KeySourceOptions) {
    this.origin = 'jwks' in address ? address.jwks : address.discovery;
    this.#address = address;
    this.#wanted = wanted;
    this.#options = options;
  }

  get(): KeySet | Promise<KeySet> {
    const known = this.#known;
    if (known === undefined) return this.#mayFetch(retryEveryMs) ? this.#fetch() : this.#unavailable();
    const ageMs = this.#options.now() - known.fetchedAtMs;
    // Nobody waits for this: the request goes on with the keys that are known.
    if ((ageMs >= refreshMs || ageMs < 0) && this.#mayFetch(retryEveryMs)) this.#fetch().catch(() => undefined);
    return known.set;
  }

  renewed(): KeySet | Promise<KeySet> {
    if (this.#mayFetch(this.#last?.failure === undefined ? renewEveryMs : retryEveryMs)) return this.#fetch(true);
    const isFresh = this.#known !== undefined && this.#last?.failure === undefined;
    return isFresh && this.#known !== undefined ? this.#known.set : this.#unavailable();
  }

  /** True when one is under way, which then is waited for, or the last one is long enough ago. */
  #mayFetch(everyMs: number): boolean {
    if (this.#fetching !== undefined || this.#last === undefined) return true;
    const elapsedMs = this.#options.now() - this.#last.atMs;
    return elapsedMs >= everyMs || elapsedMs < 0;
  }

  /** @param mustSucceed false: the keys that are known are good enough when the fetch fails */
  async #fetch(mustSucceed = false): Promise<KeySet> {
    this.#fetching ??= this.#load().finally(() => {
      this.#fetching = undefined;
    });
    const set = await this.#fetching.catch(() => undefined);
    return set ?? (mustSucceed ? undefined : this.#known?.set) ?? this.#unavailable();
  }

  async #load(): Promise<KeySet> {
    try {
      const json = await fetchJson(await this.#keysAddress(), this.#options.fetch);
      const set = await parseKeySet(json, this.#wanted);
      return this.#accept(set, contentOf(json));
    } catch (error) {
      this.#reportFailure(error);
      throw error;
    }
  }

  /** @throws KeyFetchError, KeySetError */
  async #keysAddress(): Promise<string> {
    if ('jwks' in this.#address) return this.#address.jwks;
    const { discovery } = this.#address;
    const document = await fetchJson(discovery, this.#options.fetch);
    if (!isObject(document) || typeof document.issuer !== 'string' || typeof document.jwks_uri !== 'string') {
      throw new KeySetError('this is no OpenID configuration: it has no "issuer" or no "jwks_uri"');
    }
    if (!namesIssuer(document.issuer, this.#wanted.issuer)) {
      throw new KeySetError(
        `it is the configuration of the issuer ${JSON.stringify(document.issuer.slice(0, 200))}, not of "${this.#wanted.issuer}"`,
      );
    }
    // An issuer elsewhere must not make the gateway talk to its own machine.
    if (URL.canParse(document.jwks_uri) && isLoopback(document.jwks_uri) && !isLoopback(discovery)) {
      throw new KeyFetchError(document.jwks_uri, `${discovery} leads to this machine, which is not followed`);
    }
    return document.jwks_uri;
  }

  #accept(set: KeySet, text: string): KeySet {
    const { log, now } = this.#options;
    const nowMs = now();
    const before = this.#known;
    if (this.#last?.failure !== undefined) log.info(this.#fields(), 'The keys of the issuer can be fetched again.');
    // The same object for the same keys, so that tokens that were verified with them need not be verified again.
    const kept = before !== undefined && before.text === text ? before.set : set;
    if (before !== undefined && kept === set) {
      log.info({ ...this.#fields(), keys: kidsOf(set), before: kidsOf(before.set) }, 'The keys of the issuer changed.');
    }
    this.#known = { set: kept, text, fetchedAtMs: nowMs };
    this.#last = { atMs: nowMs, failure: undefined };
    return kept;
  }

  /** Once for each time that the issuer goes away, not for each attempt. */
  #reportFailure(error: unknown): void {
    const { log, now } = this.#options;
    const reason = this.#reasonOf(error);
    const isNew = this.#last?.failure === undefined;
    this.#last = { atMs: now(), failure: reason };
    if (!isNew) return;
    const fields = { ...this.#fields(), reason };
    if (this.#known === undefined) {
      log.error(fields, 'The keys of the issuer cannot be fetched; its tokens are answered 503 until they can.');
      return;
    }
    const age = duration((now() - this.#known.fetchedAtMs) / 1000);
    log.warn({ ...fields, age }, `The keys of the issuer cannot be fetched; the last ones, ${age} old, stay in use.`);
  }

  #fields(): object {
    return { issuer: this.#wanted.issuer, url: this.origin };
  }

  #reasonOf(error: unknown): string {
    if (error instanceof KeyFetchError) return error.message;
    return `${this.origin}: ${error instanceof KeySetError ? error.message : 'it cannot be read'}`;
  }

  #unavailable(): never {
    const elapsedMs = this.#last === undefined ? 0 : this.#options.now() - this.#last.atMs;
    const retryAfterSeconds = Math.max(1, Math.ceil((retryEveryMs - elapsedMs) / 1000));
    throw new KeysUnavailableError(
      `The keys of "${this.#wanted.issuer}" cannot be fetched: ${this.#last?.failure}.`,
      Math.min(retryAfterSeconds, retryEveryMs / 1000),
    );
  }
}

/** What a key set says, whatever the order: an issuer's servers need not list keys alike. */
function contentOf(json: unknown): string {
  const keys = isObject(json) && Array.isArray(json.keys) ? json.keys : [];
  return keys
    .map((key) => JSON.stringify(key))
    .sort()
    .join();
}

const tenantGuid = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/i;

/**
 * OpenID Connect Discovery §4.3: the document names the very issuer. Entra ID's shared documents (`common`) have
 * `{tenantid}` in the place of the tenant, which the configured issuer names.
 */
function namesIssuer(documentIssuer: string, issuer: string): boolean {
  return documentIssuer === issuer || documentIssuer === issuer.replace(tenantGuid, '{tenantid}');
}
