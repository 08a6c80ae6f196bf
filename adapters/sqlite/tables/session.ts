import type { Database } from 'better-sqlite3';
import type { Row, SqlAnswer } from '../../sql/pool.js';
import type { Statement } from '../../sql/work.js';
import { statementsOf } from '../database.js';

const noRows: readonly Row[] = [];

/** Carries statements out on the connection, prepared once for each text. Rows are arrays, integers bigint. */
export function executeOn(db: Database): (statement: Statement) => SqlAnswer {
  const statements = statementsOf(db);
  return ({ text, params, wants }) =>
    wants === 'rows'
      ? {
          rows: statements
            .rows(text)
            .safeIntegers(true)
            .all(...params) as Row[],
          changed: 0,
        }
      : { rows: noRows, changed: statements.get(text).run(...params).changes };
}
