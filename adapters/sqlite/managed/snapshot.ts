import type { Database } from 'better-sqlite3';
import type { Statements } from '../database.js';

/** Runs several reads on one state of the database. */
export function inSnapshot<T>(db: Database, statements: Statements, work: () => T): T {
  if (db.inTransaction) return work();
  statements.get('BEGIN').run();
  try {
    return work();
  } finally {
    statements.get('COMMIT').run();
  }
}
