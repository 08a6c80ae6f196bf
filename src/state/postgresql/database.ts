import pg from 'pg';
import { StateUnavailableError } from '../state.js';
import { type DatabasePlace, describeDatabase } from '../state-place.js';
import { isOfConnection, reasonOf } from './errors.js';

export type Row = Readonly<Record<string, unknown>>;
/** Sends one statement. Values go beside it, never into it. */
export type Query = <R extends Row = Row>(text: string, values?: readonly unknown[]) => Promise<Result<R>>;

export interface Result<R> {
  readonly rows: readonly R[];
  /** Of a change: how many rows it met. */
  readonly count: number;
}

/** For connecting. A server that takes longer is away. */
export const connectMs = 2000;
/** For one statement, unless it says otherwise. */
const statementMs = 5000;
const idleMs = 30_000;
/** For taking leave. A server that does not answer is not waited for. */
export const endMs = 1000;

/**
 * Connections to the database of the state. No statement is prepared by name and no setting outlives a transaction, so that
 * poolers may stand between.
 */
export class Database {
  readonly place: DatabasePlace;
  readonly #pool: pg.Pool;
  readonly #clients = new Set<pg.ClientBase>();
  #closed: Promise<void> | undefined;

  constructor(place: DatabasePlace) {
    this.place = place;
    this.#pool = new pg.Pool({ ...clientConfig(place), max: place.connections, idleTimeoutMillis: idleMs });
    // A connection that breaks between two statements is replaced when one is needed. Without listeners, for those that are
    // idle and those that are in use, it would end the process.
    this.#pool.on('error', () => undefined);
    this.#pool.on('connect', (client) => {
      this.#clients.add(client);
      client.on('error', () => undefined);
      client.once('end', () => this.#clients.delete(client));
    });
  }

  /** The schema's name, to stand before a table's. */
  get schema(): string {
    return this.place.schema;
  }

  /** @throws StateUnavailableError when the database is not there; else what PostgreSQL says */
  async query<R extends Row = Row>(
    text: string,
    values: readonly unknown[] = [],
    timeoutMs: number = statementMs,
  ): Promise<Result<R>> {
    try {
      return toResult<R>(await this.#pool.query(statement(text, values, timeoutMs)));
    } catch (error) {
      throw this.#told(error);
    }
  }

  /**
   * Everything that `work` does, or nothing.
   * @throws StateUnavailableError when the database is not there. If it went away at the very end, the work may be done.
   */
  async transaction<T>(work: (query: Query) => Promise<T>, timeoutMs: number = statementMs): Promise<T> {
    let client: pg.PoolClient | undefined;
    let isBroken = false;
    try {
      const connected = await this.#pool.connect();
      client = connected;
      const query: Query = async <R extends Row>(text: string, values: readonly unknown[] = []) =>
        toResult<R>(await connected.query(statement(text, values, timeoutMs)));
      await query('BEGIN');
      try {
        const result = await work(query);
        await query('COMMIT');
        return result;
      } catch (error) {
        if (isOfConnection(error)) isBroken = true;
        else
          await query('ROLLBACK').catch(() => {
            isBroken = true;
          });
        throw error;
      }
    } catch (error) {
      throw this.#told(error);
    } finally {
      client?.release(isBroken);
    }
  }

  close(): Promise<void> {
    this.#closed ??= this.#end();
    return this.#closed;
  }

  async #end(): Promise<void> {
    const late = setTimeout(() => {
      for (const client of this.#clients) destroy(client);
    }, endMs);
    await this.#pool.end();
    clearTimeout(late);
  }

  #told(error: unknown): unknown {
    return isOfConnection(error) ? unavailable(this.place, error) : error;
  }
}

/** What every connection to the database is made with. */
export function clientConfig(place: DatabasePlace): pg.ClientConfig {
  const { host, port, database, user, password, tls } = place;
  return {
    host,
    port,
    database,
    user,
    ...(password === undefined ? {} : { password }),
    ssl: tls === undefined ? false : toSsl(tls, host),
    types: numbers,
    application_name: 'scimbridge',
    connectionTimeoutMillis: connectMs,
    keepAlive: true,
  };
}

const int8 = 20;
/** Times, ids and hashes of 52 bits: numbers hold them all. */
const numbers: pg.CustomTypesConfig = {
  getTypeParser: (type: number, format?: 'text' | 'binary') =>
    type === int8 && format !== 'binary' ? Number : (pg.types.getTypeParser(type, format as 'text') as unknown),
} as pg.CustomTypesConfig;

/** Always verified. */
function toSsl({ ca, certificate, key, serverName }: NonNullable<DatabasePlace['tls']>, host: string) {
  return {
    rejectUnauthorized: true,
    minVersion: 'TLSv1.2',
    ...(ca === undefined ? {} : { ca }),
    ...(certificate === undefined ? {} : { cert: certificate }),
    ...(key === undefined ? {} : { key }),
    ...(serverName === undefined || serverName === host ? {} : { servername: serverName }),
  } as const;
}

export function unavailable(place: DatabasePlace, error: unknown): StateUnavailableError {
  return new StateUnavailableError(`The state database ${describeDatabase(place)} is not there: ${reasonOf(error)}`, {
    cause: error,
  });
}

/** Ends a connection whose server may not answer any more. */
export function destroy(client: pg.ClientBase): void {
  const { connection } = client as unknown as { readonly connection?: { readonly stream?: { destroy(): void } } };
  connection?.stream?.destroy();
}

/** `query_timeout` is asked for with each statement: the types know it of whole connections only. */
export function statement(text: string, values: readonly unknown[], timeoutMs: number) {
  return { text, values: [...values], query_timeout: timeoutMs };
}

function toResult<R extends Row>({ rows, rowCount }: pg.QueryResult): Result<R> {
  return { rows: rows as readonly R[], count: rowCount ?? 0 };
}
