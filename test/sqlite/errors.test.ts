import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { fromErrorMessage, toAdapterError, toErrorMessage } from '../../adapters/sqlite/errors.js';
import { AdapterError } from '../../src/backend/adapter-error.js';

function errorOf(statement: string): unknown {
  const db = new Database(':memory:');
  db.exec(`
    PRAGMA foreign_keys = ON;
    CREATE TABLE p (id INTEGER PRIMARY KEY, login TEXT UNIQUE, name TEXT NOT NULL CHECK (name <> 'x'), age INTEGER);
    CREATE TABLE c (p INTEGER REFERENCES p);
    CREATE UNIQUE INDEX folded ON p (lower(name));
    INSERT INTO p VALUES (1, 'a', 'b', 1);`);
  try {
    db.exec(statement);
  } catch (error) {
    return error;
  } finally {
    db.close();
  }
  throw new Error('The statement succeeded.');
}

describe('errors of SQLite', () => {
  it.each([
    ["INSERT INTO p VALUES (2, 'a', 'c', 1)", 'conflict', 'login'],
    ["INSERT INTO p VALUES (1, 'c', 'c', 1)", 'conflict', 'id'],
    ["INSERT INTO p VALUES (2, 'c', 'B', 1)", 'conflict', undefined],
    ["INSERT INTO p VALUES (2, 'c', NULL, 1)", 'rejected', 'name'],
    ["INSERT INTO p VALUES (2, 'c', 'x', 1)", 'rejected', undefined],
    ['INSERT INTO c VALUES (99)', 'rejected', undefined],
    ['PRAGMA query_only = ON; DELETE FROM c', 'denied', undefined],
    ['SELECT * FROM gone', 'unavailable', undefined],
  ])('%s is %s', (statement, kind, field) => {
    expect(toAdapterError(errorOf(statement))).toMatchObject({ kind, field, applied: 'no' });
  });

  it.each([
    ['SQLITE_BUSY', 'unavailable'],
    ['SQLITE_BUSY_SNAPSHOT', 'unavailable'],
    ['SQLITE_FULL', 'unavailable'],
    ['SQLITE_IOERR_FSYNC', 'unavailable'],
    ['SQLITE_CORRUPT', 'unavailable'],
    ['SQLITE_NOTADB', 'unavailable'],
    ['SQLITE_READONLY_DBMOVED', 'denied'],
    ['SQLITE_TOOBIG', 'rejected'],
    ['EACCES', 'denied'],
    ['ENOENT', 'unavailable'],
  ])('%s is %s', (code, kind) => {
    const error = Object.assign(new Error('/var/secret/path'), { code });
    expect(toAdapterError(error)).toMatchObject({ kind, cause: error });
    expect(toAdapterError(error).message).not.toContain('secret');
    expect(toAdapterError(error).reason ?? '').not.toContain('secret');
  });

  it('may have happened in spite of an error when the caller says so', () => {
    expect(toAdapterError(new Error('?'), 'unknown')).toMatchObject({ kind: 'unavailable', applied: 'unknown' });
  });

  it('come through a thread as what they were', () => {
    const cause = Object.assign(new Error('disk I/O error'), { code: 'SQLITE_IOERR' });
    const error = new AdapterError('conflict', 'taken', {
      field: 'login',
      reason: 'why',
      retryAfterSeconds: 3,
      applied: 'unknown',
      cause,
    });
    const copy = fromErrorMessage(structuredClone(toErrorMessage(error)));
    expect(copy).toBeInstanceOf(AdapterError);
    expect(copy).toMatchObject({
      ...error,
      message: 'taken',
      cause: { code: 'SQLITE_IOERR', message: 'disk I/O error' },
    });
  });
});
