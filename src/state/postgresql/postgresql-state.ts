import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { type State, StateUnavailableError } from '../state.js';
import { type DatabasePlace, describeDatabase } from '../state-place.js';
import { StoredControls } from './control-store.js';
import { Database } from './database.js';
import { mayPass, reasonOf } from './errors.js';
import { migrate } from './migrations.js';
import { stateSchema } from './schema.js';
import { createTokenStore } from './token-store.js';
import { StateWatch, type WatchLog } from './watch.js';

export interface PostgresqlStateOptions {
  /**
   * For a process that serves: what other replicas change is followed, and the database is waited for at the start. Else
   * controls are as they are now.
   */
  readonly serving?: ServingOptions;
}

export interface ServingOptions {
  readonly log: WatchLog;
  /** Ends the waiting. */
  readonly signal: AbortSignal;
  /** How long a database is waited for that may come, in milliseconds. */
  readonly waitMs?: number;
}

const usualWaitMs = 60_000;
const tryAgainMs = 500;
const tellEveryMs = 5000;

/**
 * Opens the state in a PostgreSQL database, whose tables are made or brought up to date.
 * @throws Error with a sentence for the operator when it cannot be used
 */
export async function openPostgresqlState(
  place: DatabasePlace,
  { serving }: PostgresqlStateOptions = {},
): Promise<State> {
  const database = new Database(place);
  try {
    const controls = await untilThere(database, serving);
    const watch =
      serving === undefined
        ? undefined
        : new StateWatch({ place, onControls: (known) => controls.take(known), log: serving.log });
    const isDown = (): boolean => watch?.isDown ?? false;
    return {
      tokens: createTokenStore(database, isDown),
      controls,
      key: (name) => findKey(database, name),
      isUp: () => !isDown(),
      async close() {
        await watch?.close();
        await database.close();
      },
    };
  } catch (error) {
    await database.close();
    throw explained(place, error);
  }
}

/** A server that starts, or a network that does, is waited for; a wrong password is told at once. */
async function untilThere(database: Database, serving: ServingOptions | undefined): Promise<StoredControls> {
  const startedAtMs = performance.now();
  let tellAtMs = 0;
  for (;;) {
    try {
      await migrate(database, 'state', stateSchema);
      const controls = new StoredControls(database);
      await controls.read();
      return controls;
    } catch (error) {
      const waitedMs = performance.now() - startedAtMs;
      const cause = causeOf(error);
      if (serving === undefined || waitedMs >= (serving.waitMs ?? usualWaitMs) || !mayPass(cause)) throw error;
      if (performance.now() >= tellAtMs) {
        tellAtMs = performance.now() + tellEveryMs;
        const message = `Waiting for the state database ${describeDatabase(database.place)}.`;
        serving.log.warn({ reason: reasonOf(cause) }, message);
      }
      await delay(tryAgainMs, undefined, { signal: serving.signal }).catch(() => {
        throw new Error('the start was broken off while it was waited for');
      });
    }
  }
}

/** Made by whichever replica is first; all take what is there then. */
async function findKey(database: Database, name: string): Promise<Uint8Array> {
  const text = `SELECT key FROM ${database.schema}.keys WHERE name = $1`;
  const found = await database.query<{ key: Buffer }>(text, [name]);
  if (found.rows[0] !== undefined) return found.rows[0].key;
  const insert = `INSERT INTO ${database.schema}.keys (name, key) VALUES ($1, $2) ON CONFLICT DO NOTHING`;
  await database.query(insert, [name, randomBytes(32)]);
  const [row] = (await database.query<{ key: Buffer }>(text, [name])).rows;
  if (row === undefined) throw new Error(`The key "${name}" was deleted from the state.`);
  return row.key;
}

function causeOf(error: unknown): unknown {
  return error instanceof StateUnavailableError ? error.cause : error;
}

function explained(place: DatabasePlace, error: unknown): Error {
  const reason = reasonOf(causeOf(error));
  return new Error(`The state database ${describeDatabase(place)} cannot be used: ${reason}`, { cause: error });
}
