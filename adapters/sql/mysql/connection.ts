import { connect, isIP, type Socket } from 'node:net';
import mysql from 'mysql2';
import { noAnswer } from '../connect-error.js';
import type { ConnectionTarget, TlsOptions } from '../connection-target.js';
import type { Driver, DriverConnection } from '../driver.js';
import type { NativeStatement, Row, SqlAnswer, SqlValue } from '../pool.js';
import { connectErrorOf, failureOf } from './errors.js';

export interface MysqlSettings {
  readonly target: ConnectionTarget;
  readonly connectTimeoutMs: number;
  readonly statementTimeoutMs: number;
}

const maxPrepared = 256;
const goodbyeMs = 1_000;
const keepAliveAfterMs = 10_000;
const lockWaitSeconds = 5;

export function createMysqlDriver(settings: MysqlSettings): Driver {
  const ssl = settings.target.tls === undefined ? undefined : sslOf(settings.target.tls);
  return { connect: () => MysqlConnection.open(settings, ssl), failureOf };
}

/** A connection that gives whole numbers as bigint, and decimals and times as the server prints them. */
class MysqlConnection implements DriverConnection {
  isOpen = true;
  readonly isWorn = false; // The driver closes the statements that were not used for long.
  private readonly connection: mysql.Connection;
  private readonly socket: Socket;
  private readonly killer: (threadId: number) => void;
  /** Ends the statement under way: the driver says nothing of one whose connection it was told to destroy. */
  private fail: ((error: Error) => void) | undefined;
  private onEnded: (() => void) | undefined;

  private constructor(connection: mysql.Connection, socket: Socket, killer: (threadId: number) => void) {
    this.connection = connection;
    this.socket = socket;
    this.killer = killer;
    // Without a listener, the end of an idle connection would be the end of the process.
    connection.on('error', () => this.end());
    connection.on('end', () => this.end());
    socket.on('close', () => this.end());
  }

  static async open(settings: MysqlSettings, ssl: mysql.SslOptions | undefined): Promise<MysqlConnection> {
    const { target, connectTimeoutMs } = settings;
    const socket = openSocket(target);
    const raw = mysql.createConnection(connectionOptions(settings, ssl, socket));
    const connection = new MysqlConnection(raw, socket, (threadId) => kill(settings, ssl, threadId));
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      socket.destroy(new Error('The time to connect is over.'));
    }, connectTimeoutMs);
    try {
      await connected(raw, socket);
      await connection.setUp(settings);
      return connection;
    } catch (error) {
      raw.destroy();
      throw isLate ? noAnswer(target, connectTimeoutMs) : connectErrorOf(error, target);
    } finally {
      clearTimeout(timer);
    }
  }

  run({ text, params, name }: NativeStatement): Promise<SqlAnswer> {
    const isPrepared = name !== undefined || params.length > 0;
    const values = params.map(toParameter);
    return this.ask((done) => {
      const options = { sql: text, rowsAsArray: true };
      const answered = (error: Error | null, answer: unknown, fields: readonly mysql.FieldPacket[] | undefined): void =>
        done(error, () => toAnswer(answer, fields));
      if (isPrepared) this.connection.execute({ ...options, values }, answered);
      else this.connection.query(options, answered);
    });
  }

  async begin(): Promise<void> {
    await this.run({ text: 'START TRANSACTION READ WRITE', params: [] });
  }

  async commit(): Promise<void> {
    await this.run({ text: 'COMMIT', params: [] });
  }

  async rollback(): Promise<void> {
    await this.run({ text: 'ROLLBACK', params: [] });
  }

  probe(): Promise<void> {
    return this.ask((done) => this.connection.ping((error) => done(error, () => undefined)));
  }

  onEnd(listener: () => void): void {
    if (this.isOpen) this.onEnded = listener;
    else listener();
  }

  abandon(): void {
    const { threadId } = this.connection;
    if (this.fail !== undefined && this.isOpen && threadId !== null) this.killer(threadId);
    this.end();
    this.connection.destroy();
    this.socket.destroy();
  }

  close(): void {
    const timer = setTimeout(() => this.connection.destroy(), goodbyeMs);
    timer.unref();
    this.connection.end(() => {
      clearTimeout(timer);
      this.connection.destroy();
    });
    this.end();
  }

  private async setUp({ statementTimeoutMs }: MysqlSettings): Promise<void> {
    const { rows } = await this.run({ text: 'SELECT version()', params: [] });
    const isMariadb = /mariadb/i.test(String(rows[0]?.[0]));
    const limit = isMariadb
      ? `max_statement_time = ${statementTimeoutMs / 1000}`
      : `max_execution_time = ${statementTimeoutMs}`;
    // Strict: what does not fit into a column is refused, and never cut off.
    const modes = 'STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION';
    const settings = [
      `sql_mode = '${modes}'`,
      `time_zone = '+00:00'`,
      limit,
      `innodb_lock_wait_timeout = ${lockWaitSeconds}`,
    ];
    await this.run({ text: `SET SESSION ${settings.join(', SESSION ')}`, params: [] });
    await this.run({ text: 'SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED', params: [] });
  }

  private ask<T>(send: (done: (error: Error | null, answer: () => T) => void) => void): Promise<T> {
    return new Promise((resolve, reject) => {
      this.fail = reject;
      send((error, answer) => {
        this.fail = undefined;
        if (error === null) resolve(answer());
        else reject(error);
      });
    });
  }

  private end(): void {
    this.isOpen = false;
    // The driver's own words come first, where it has any.
    setImmediate(() => this.fail?.(new Error('The connection has ended.')));
    this.onEnded?.();
    this.onEnded = undefined;
  }
}

function openSocket({ host, port, tls }: ConnectionTarget): Socket {
  const socket = host.startsWith('/') ? connect(host) : connect(port, host);
  socket.setNoDelay(true);
  socket.setKeepAlive(true, keepAliveAfterMs);
  // For an address, the driver leaves it to the socket to say which name the certificate has to have.
  if (tls !== undefined && isIP(tls.expectedName) !== 0) Object.assign(socket, { _host: tls.expectedName });
  return socket;
}

function sslOf({ expectedName: _, cert, key, ca, ...others }: TlsOptions): mysql.SslOptions {
  const files = {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
  };
  return { ...others, ...files, verifyIdentity: others.rejectUnauthorized !== false } as mysql.SslOptions;
}

function connectionOptions(
  { target, connectTimeoutMs }: MysqlSettings,
  ssl: mysql.SslOptions | undefined,
  socket: Socket,
): mysql.ConnectionOptions {
  const { host, port, user, password, database, tls } = target;
  return {
    host: tls?.expectedName ?? host,
    ...{ port, user, database },
    ...(password === undefined ? {} : { password }),
    ...(ssl === undefined ? {} : { ssl }),
    stream: () => socket,
    connectTimeout: connectTimeoutMs,
    // The server must not ask for files of this machine.
    flags: ['-LOCAL_FILES'],
    ...{ supportBigNumbers: true, bigNumberStrings: true, dateStrings: true, jsonStrings: true },
    ...{ multipleStatements: false, maxPreparedStatements: maxPrepared },
  };
}

function connected(connection: mysql.Connection, socket: Socket): Promise<void> {
  return new Promise((resolve, reject) => {
    connection.once('connect', () => resolve());
    connection.once('error', reject);
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('The connection was closed.')));
  });
}

/** Ends a connection on the server, over another one, so that what ran on it is undone now. Nobody waits for it. */
function kill(settings: MysqlSettings, ssl: mysql.SslOptions | undefined, threadId: number): void {
  const socket = openSocket(settings.target);
  socket.unref();
  socket.on('error', () => undefined);
  const connection = mysql.createConnection(connectionOptions(settings, ssl, socket));
  connection.on('error', () => connection.destroy());
  connection.query(`KILL CONNECTION ${threadId}`, () => connection.destroy());
}

/** Numbers would go as floating point ones, which LIMIT does not take; the driver takes Buffers alone for bytes. */
function toParameter(value: SqlValue): mysql.ExecuteValues {
  if (typeof value === 'bigint' || (typeof value === 'number' && Number.isSafeInteger(value))) return toInteger(value);
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  return value as mysql.ExecuteValues;
}

const longMax = 2n ** 63n;

function toInteger(value: bigint | number): mysql.ExecuteValues {
  if (value >= -longMax && value < longMax) return mysql.TypedParameter.BIGINT(value) as mysql.ExecuteValues;
  return String(value);
}

function toAnswer(answer: unknown, fields: readonly mysql.FieldPacket[] | undefined): SqlAnswer {
  if (Array.isArray(answer)) return { rows: toRows(answer as SqlValue[][], fields ?? []), changed: answer.length };
  const { affectedRows, insertId } = answer as mysql.ResultSetHeader;
  return { rows: [], changed: affectedRows, ...(isGiven(insertId) ? { insertId: BigInt(insertId) } : {}) };
}

function isGiven(insertId: number | string): boolean {
  return insertId !== 0 && insertId !== '0';
}

/** Numbers of types in the protocol: TINY, SHORT, LONG, LONGLONG, INT24, YEAR. */
const integers: ReadonlySet<number> = new Set([1, 2, 3, 8, 9, 13]);
const bits = 16;

function toRows(rows: SqlValue[][], fields: readonly mysql.FieldPacket[]): readonly Row[] {
  for (const [index, { columnType = 0 }] of fields.entries()) {
    if (integers.has(columnType)) convert(rows, index, (value) => BigInt(value as number | string));
    else if (columnType === bits) convert(rows, index, (value) => bitsToBigInt(value as Uint8Array));
  }
  return rows;
}

function convert(rows: SqlValue[][], index: number, to: (value: SqlValue) => SqlValue): void {
  for (const row of rows) {
    const value = row[index];
    if (value !== null && value !== undefined) row[index] = to(value);
  }
}

function bitsToBigInt(bytes: Uint8Array): bigint {
  return bytes.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
}
