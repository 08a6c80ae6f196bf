import { closeSync, constants, existsSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import Database from 'better-sqlite3';
import { LRUCache } from 'lru-cache';

/** `prepare` may create tables, `read` never writes, `write` is the one connection that does. */
export type ConnectionRole = 'prepare' | 'read' | 'write';

/** How long SQLite itself waits for another connection, blocking its thread. The writer goes on waiting asynchronously. */
const busyTimeoutMs: Readonly<Record<ConnectionRole, number>> = { prepare: 1000, read: 100, write: 20 };
/** Reads are served from the mapped part of the file, and beyond it from here. */
const cacheKiB: Readonly<Record<ConnectionRole, number>> = { prepare: 16 * 1024, read: 16 * 1024, write: 64 * 1024 };
/** The start of the file. More would read a little faster, but counts as memory of the process. */
const mappedBytes = 48 * 1024 ** 2;
/** Pages in the write-ahead log before they are copied into the database file: 16 MiB. */
const checkpointPages = 4000;

/**
 * Opens a connection in WAL mode. The planner gets no statistics (ANALYZE): with them it looks at bound values, and
 * compiles statements anew for each. A commit is on the disk when it returns (`synchronous=FULL`).
 * @param mayCreate create the file, readable by its owner only, when it is missing
 * @throws SqliteError, or the file system's error
 */
export function openDatabase(file: string, role: ConnectionRole, mayCreate: boolean): Database.Database {
  if (mayCreate) createFile(file);
  const db = new Database(file, { fileMustExist: true, timeout: busyTimeoutMs[role] });
  try {
    useWriteAheadLog(db);
    db.pragma('synchronous = FULL');
    db.pragma('foreign_keys = ON');
    db.pragma('temp_store = MEMORY');
    db.pragma(`cache_size = -${cacheKiB[role]}`);
    db.pragma(`wal_autocheckpoint = ${checkpointPages}`);
    // Another connection's commit empties this one's cache; mapped pages then need no copy.
    if (role !== 'write') db.pragma(`mmap_size = ${mappedBytes}`);
    if (role === 'read') db.pragma('query_only = ON');
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/** A file that may only be read keeps its own mode. */
function useWriteAheadLog(db: Database.Database): void {
  try {
    db.pragma('journal_mode = WAL');
  } catch (error) {
    const code = error instanceof Database.SqliteError ? error.code : '';
    if (!code.startsWith('SQLITE_READONLY')) throw error;
  }
}

/** Whether the connection may change the database. */
export function isWritable(db: Database.Database): boolean {
  return !db.readonly && db.pragma('query_only', { simple: true }) === 0;
}

function createFile(file: string): void {
  makeFolder(dirname(file));
  closeSync(openSync(file, constants.O_RDWR | constants.O_CREAT, 0o600));
}

/** Node's own `recursive` never ends where the system lets nothing be made (`/proc/x`). */
function makeFolder(folder: string): void {
  if (existsSync(folder)) return;
  makeFolder(dirname(folder));
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error; // else another process was quicker
  }
}

type Statement = Database.Statement<unknown[], unknown>;

const maxStatements = 200;

/** The prepared statements of one connection, by their text. */
export class Statements {
  private readonly db: Database.Database;
  private readonly forObjects = new LRUCache<string, Statement>({ max: maxStatements });
  private readonly forRows = new LRUCache<string, Statement>({ max: maxStatements });
  /** While set, the texts of the statements asked for are added here. */
  recorder: string[] | undefined;

  constructor(db: Database.Database) {
    this.db = db;
  }

  /** A statement whose rows come as objects, or that gives none. */
  get(text: string): Statement {
    this.recorder?.push(text);
    let statement = this.forObjects.get(text);
    if (statement === undefined) {
      statement = this.db.prepare<unknown[], unknown>(text);
      this.forObjects.set(text, statement);
    }
    return statement;
  }

  /** A statement whose rows come as arrays of column values. */
  rows(text: string): Statement {
    this.recorder?.push(text);
    let statement = this.forRows.get(text);
    if (statement === undefined) {
      statement = this.db.prepare<unknown[], unknown>(text).raw(true);
      this.forRows.set(text, statement);
    }
    return statement;
  }
}

const statements = new WeakMap<Database.Database, Statements>();

/** The statements of a connection: the same object for everybody who asks. */
export function statementsOf(db: Database.Database): Statements {
  let known = statements.get(db);
  if (known === undefined) {
    known = new Statements(db);
    statements.set(db, known);
  }
  return known;
}
