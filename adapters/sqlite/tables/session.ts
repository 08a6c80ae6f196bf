import type { Database } from 'better-sqlite3';
import { toSqlite } from '../../sql/dialects/native-text.js';
import type { Row, SqlAnswer } from '../../sql/pool.js';
import type { Statement } from '../../sql/work.js';
import { statementsOf } from '../database.js';

const noRows: readonly Row[] = [];

/** Carries statements out on the connection, prepared once for each text. Rows are arrays, integers bigint. */
export function executeOn(db: Database): (statement: Statement) => SqlAnswer {
  const statements = statementsOf(db);
  return ({ text, params, wants }) => {
    const native = toSqlite(text);
    if (wants === 'changes') return { rows: noRows, changed: statements.get(native).run(...params).changes };
    const statement = statements.rows(native).safeIntegers(true);
    return { rows: statement.all(...params) as Row[], changed: 0 };
  };
}
