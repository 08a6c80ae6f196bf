import { Socket } from 'node:net';
import pg from 'pg';
import { AdapterError } from '../../../src/backend/adapter-error.js';
import { noAnswer } from '../connect-error.js';
import { type ConnectionTarget, nodeTlsOptions } from '../connection-target.js';
import type { Driver, DriverConnection } from '../driver.js';
import type { NativeStatement, SqlAnswer, SqlValue } from '../pool.js';
import { sendCancelRequest } from './cancel.js';
import { connectErrorOf, failureOf } from './errors.js';

export interface PostgresqlSettings {
  readonly target: ConnectionTarget;
  readonly connectTimeoutMs: number;
  readonly statementTimeoutMs: number;
  /** False behind a pooler that gives each transaction another connection. */
  readonly preparedStatements: boolean;
  /** Where tables without a schema are looked for. */
  readonly searchPath?: string;
}

/** Statements that are prepared on one connection stay on the server as long as it does. */
const maxPrepared = 256;
const goodbyeMs = 1_000;
const keepAliveAfterMs = 10_000;
/** A gateway that vanishes in the middle of a transaction must not keep rows locked. */
const idleInTransactionMs = 60_000;

export function createPostgresqlDriver(settings: PostgresqlSettings): Driver {
  return { connect: () => PostgresqlConnection.open(settings), failureOf };
}

/** A connection that gives values as the server prints them, but for numbers, booleans and bytes. */
class PostgresqlConnection implements DriverConnection {
  isOpen = true;
  private readonly client: pg.Client;
  private readonly socket: Socket;
  private readonly settings: PostgresqlSettings;
  private readonly prepared = new Set<string>();
  private running = 0;
  /** The answer to BEGIN, which goes out together with the first statement. */
  private beginning: Promise<unknown> | undefined;
  private onEnded: (() => void) | undefined;

  private constructor(client: pg.Client, socket: Socket, settings: PostgresqlSettings) {
    this.client = client;
    this.socket = socket;
    this.settings = settings;
    // Without a listener, the end of an idle connection would be the end of the process.
    client.on('error', () => this.end());
    client.on('end', () => this.end());
  }

  static async open(settings: PostgresqlSettings): Promise<PostgresqlConnection> {
    const { target, connectTimeoutMs } = settings;
    const socket = new Socket();
    const client = new pg.Client(clientConfig(settings, socket));
    const connection = new PostgresqlConnection(client, socket, settings);
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      socket.destroy(new Error('The time to connect is over.'));
    }, connectTimeoutMs);
    try {
      await client.connect();
      if (!settings.preparedStatements) await connection.run({ text: poolerSetup, params: [] });
      return connection;
    } catch (error) {
      socket.destroy();
      throw isLate ? noAnswer(target, connectTimeoutMs) : connectErrorOf(error, target);
    } finally {
      clearTimeout(timer);
    }
  }

  get isWorn(): boolean {
    return this.prepared.size > maxPrepared;
  }

  async run({ text, params, name }: NativeStatement): Promise<SqlAnswer> {
    const isPrepared = name !== undefined && this.settings.preparedStatements;
    if (isPrepared) this.prepared.add(name);
    const statement = {
      text,
      values: params as SqlValue[],
      rowMode: 'array',
      ...(isPrepared ? { name } : {}),
    } as const;
    const asked = this.query(statement);
    if (this.beginning !== undefined) await this.begun(asked);
    const answer = await asked;
    return { rows: answer.rows, changed: answer.rowCount ?? 0 };
  }

  async begin(): Promise<void> {
    // Until the end of this turn of the event loop, so that both are one message on the network.
    this.socket.cork();
    process.nextTick(() => this.socket.uncork());
    this.beginning = this.query(beginning);
    this.beginning.catch(() => undefined);
  }

  async commit(): Promise<void> {
    if (this.beginning !== undefined) await this.begun();
    const { command } = await this.query(committing);
    // Of a transaction in which a statement failed, COMMIT undoes everything, and says so without an error.
    if (command === 'COMMIT') return;
    throw new AdapterError('unsupported', `The database answered COMMIT with ${command}: nothing was changed.`);
  }

  async rollback(): Promise<void> {
    this.beginning = undefined;
    await this.query(undoing);
  }

  async probe(): Promise<void> {
    await this.query(probing);
  }

  onEnd(listener: () => void): void {
    if (this.isOpen) this.onEnded = listener;
    else listener();
  }

  abandon(): void {
    const { processID, secretKey } = this.client as unknown as { processID: number | null; secretKey: number | null };
    if (this.running > 0 && this.isOpen && processID !== null && secretKey !== null) {
      sendCancelRequest(this.settings.target, { processId: processID, secret: secretKey });
    }
    this.end();
    this.socket.destroy();
  }

  close(): void {
    const timer = setTimeout(() => this.socket.destroy(), goodbyeMs);
    timer.unref();
    this.client
      .end()
      .catch(() => undefined)
      .finally(() => {
        clearTimeout(timer);
        this.socket.destroy();
      });
    this.end();
  }

  /** @param first the statement that went out with BEGIN: without one, it stood for itself */
  private async begun(first?: Promise<unknown>): Promise<void> {
    const { beginning } = this;
    this.beginning = undefined;
    first?.catch(() => undefined);
    try {
      await beginning;
    } catch (error) {
      const { verdict } = failureOf(error);
      if (verdict === 'lost' || first === undefined) throw error;
      const message = 'The database began no transaction: what became of the first statement is not known.';
      throw new AdapterError('unavailable', message, { applied: 'unknown', retryAfterSeconds: 1, cause: error });
    }
  }

  private async query(config: pg.QueryConfig & { rowMode: 'array' }): Promise<pg.QueryArrayResult<SqlValue[]>> {
    this.running++;
    try {
      return await this.client.query<SqlValue[]>(config);
    } finally {
      this.running--;
    }
  }

  private end(): void {
    this.isOpen = false;
    this.onEnded?.();
    this.onEnded = undefined;
  }
}

const beginning = { text: 'BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE', rowMode: 'array' } as const;
const committing = { text: 'COMMIT', rowMode: 'array' } as const;
const undoing = { text: 'ROLLBACK', rowMode: 'array' } as const;
const probing = { text: 'SELECT 1', rowMode: 'array' } as const;
/** Settings that poolers follow from one connection of the server to the next. */
const poolerSetup = "SET TimeZone = 'UTC'; SET DateStyle = 'ISO, MDY'; SET standard_conforming_strings = on";

function clientConfig(settings: PostgresqlSettings, socket: Socket): pg.ClientConfig {
  const { target, statementTimeoutMs, preparedStatements } = settings;
  const { host, port, user, database, password = '', tls } = target;
  return {
    ...{ host, port, user, database },
    stream: () => socket,
    pipeline: true, // for BEGIN and the first statement; one operation has the connection for itself
    // A function, so that neither the environment nor a file of the account is looked into.
    password: () => password,
    ssl: tls === undefined ? false : nodeTlsOptions(tls),
    application_name: 'scimbridge',
    keepAlive: true,
    keepAliveInitialDelayMillis: keepAliveAfterMs,
    types: { getTypeParser: (oid: number) => parsers.get(oid) ?? asPrinted },
    ...(preparedStatements
      ? {
          statement_timeout: statementTimeoutMs,
          idle_in_transaction_session_timeout: idleInTransactionMs,
          options: sessionOptions(settings),
        }
      : {}),
  };
}

function sessionOptions({ searchPath }: PostgresqlSettings): string {
  const values: Readonly<Record<string, string>> = {
    TimeZone: 'UTC',
    DateStyle: 'ISO,MDY',
    IntervalStyle: 'postgres',
    standard_conforming_strings: 'on',
    bytea_output: 'hex',
    extra_float_digits: '1',
    ...(searchPath === undefined ? {} : { search_path: searchPath }),
  };
  return Object.entries(values)
    .map(([name, value]) => `-c ${name}=${value.replaceAll(/[\\ ]/g, '\\$&')}`)
    .join(' ');
}

type Parser = (text: string) => SqlValue;

const asPrinted: Parser = (text) => text;
const toBigInt: Parser = (text) => BigInt(text);
const toNumber: Parser = (text) => Number(text);

/** By the number of the type in pg_type. */
const parsers: ReadonlyMap<number, Parser> = new Map<number, Parser>([
  [pg.types.builtins.BOOL, (text) => (text === 't' ? 1n : 0n)],
  [pg.types.builtins.INT2, toBigInt],
  [pg.types.builtins.INT4, toBigInt],
  [pg.types.builtins.INT8, toBigInt],
  [pg.types.builtins.OID, toBigInt],
  [pg.types.builtins.FLOAT4, toNumber],
  [pg.types.builtins.FLOAT8, toNumber],
  [pg.types.builtins.BYTEA, pg.types.getTypeParser(pg.types.builtins.BYTEA) as Parser],
]);
