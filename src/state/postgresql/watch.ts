import pg from 'pg';
import { type DatabasePlace, describeDatabase } from '../state-place.js';
import { type Controls, channelOf, readControls } from './control-store.js';
import { clientConfig, destroy, endMs, type Query, type Row, statement } from './database.js';
import { reasonOf } from './errors.js';

export interface WatchOptions {
  readonly place: DatabasePlace;
  readonly onControls: (controls: Controls) => void;
  readonly log: WatchLog;
}

export interface WatchLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

/**
 * Controls are read this often, whether or not anything was told: a notification may be lost by a pooler, or with a
 * connection that broke without a word.
 */
const pollMs = 200;
const answerMs = 1000;
const reconnectMs = 250;

/**
 * A connection of its own on which other replicas tell of changed controls. It also knows, before any request has to wait
 * for it, whether the database is there.
 */
export class StateWatch {
  readonly #options: WatchOptions;
  #isDown = false;
  #isClosed = false;
  #client: pg.Client | undefined;
  #wake: () => void = () => undefined;
  #isTold = false;
  readonly #running: Promise<void>;

  constructor(options: WatchOptions) {
    this.#options = options;
    this.#running = this.#run();
  }

  get isDown(): boolean {
    return this.#isDown;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#wake();
    await this.#running;
  }

  /** Never rejects. */
  async #run(): Promise<void> {
    while (!this.#isClosed) {
      try {
        await this.#follow();
      } catch (error) {
        if (!this.#isClosed) this.#down(error);
      }
      await this.#end();
      if (!this.#isClosed) await this.#pause(reconnectMs);
    }
  }

  /** Until the connection fails, or this is closed. */
  async #follow(): Promise<void> {
    const { place, onControls } = this.#options;
    const client = new pg.Client(clientConfig(place));
    this.#client = client;
    // Whatever the connection says of its end, the next statement says too; this is only sooner.
    client.on('error', () => this.#wake());
    client.on('end', () => this.#wake());
    client.on('notification', () => {
      this.#isTold = true;
      this.#wake();
    });
    await client.connect();
    const query: Query = async <R extends Row>(text: string, values: readonly unknown[] = []) => {
      const { rows, rowCount } = await client.query(statement(text, values, answerMs));
      return { rows: rows as readonly R[], count: rowCount ?? 0 };
    };
    await query(`LISTEN ${channelOf(place.schema)}`);
    while (!this.#isClosed) {
      this.#isTold = false;
      onControls(await readControls(query, place.schema));
      this.#up();
      if (!this.#isTold) await this.#pause(pollMs);
    }
  }

  #up(): void {
    if (!this.#isDown) return;
    this.#isDown = false;
    const { log, place } = this.#options;
    log.info({}, `The state database ${describeDatabase(place)} is there again.`);
  }

  #down(error: unknown): void {
    if (this.#isDown) return;
    this.#isDown = true;
    const { log, place } = this.#options;
    log.warn(
      { reason: reasonOf(error) },
      `The state database ${describeDatabase(place)} does not answer: known tokens are taken for a while, others get 503.`,
    );
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  async #end(): Promise<void> {
    const client = this.#client;
    this.#client = undefined;
    if (client === undefined) return;
    await new Promise<void>((resolve) => {
      const late = setTimeout(() => {
        destroy(client);
        resolve();
      }, endMs);
      const ended = (): void => {
        clearTimeout(late);
        resolve();
      };
      client.end().then(ended, ended);
    });
  }
}
