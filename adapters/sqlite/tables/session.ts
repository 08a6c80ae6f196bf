import type { Database } from 'better-sqlite3';
import { type Statements, statementsOf } from '../database.js';
import { printSql, type Sql, type SqlValue } from './sql-text.js';

export type Row = readonly SqlValue[];

/** Where statements go: to the connection, or onto paper. */
export interface Session {
  rows(statement: Sql): readonly Row[];
  /** The first row; on paper, `onPaper`. */
  row(statement: Sql, onPaper: Row): Row | undefined;
  /** @returns how many rows it changed */
  run(statement: Sql): number;
}

/** Statements on a connection, prepared once for each text. Rows are arrays, integers bigint. */
export class ConnectionSession implements Session {
  private readonly statements: Statements;

  constructor(db: Database) {
    this.statements = statementsOf(db);
  }

  rows({ text, params }: Sql): readonly Row[] {
    const statement = this.statements.rows(text).safeIntegers(true);
    return statement.all(...params) as Row[];
  }

  row(statement: Sql): Row | undefined {
    return this.rows(statement)[0];
  }

  run({ text, params }: Sql): number {
    return this.statements.get(text).run(...params).changes;
  }
}

/** Carries nothing out: notes the statements, and answers as if everything changed a row. */
export class PaperSession implements Session {
  readonly lines: string[] = [];

  rows(statement: Sql): readonly Row[] {
    this.lines.push(`${printSql(statement)};`);
    return [];
  }

  row(statement: Sql, onPaper: Row): Row {
    this.rows(statement);
    return onPaper;
  }

  run(statement: Sql): number {
    this.rows(statement);
    return 1;
  }
}
