import type { Database, Statement } from 'better-sqlite3';
import { LRUCache } from 'lru-cache';
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

const cachedStatements = 200;

/** Statements on a connection, prepared once for each text. Rows are arrays, integers bigint. */
export class ConnectionSession implements Session {
  private readonly db: Database;
  private readonly statements = new LRUCache<string, Statement<SqlValue[], Row>>({ max: cachedStatements });

  constructor(db: Database) {
    this.db = db;
  }

  rows({ text, params }: Sql): readonly Row[] {
    return this.prepared(text).all(...params);
  }

  row(statement: Sql): Row | undefined {
    return this.rows(statement)[0];
  }

  run({ text, params }: Sql): number {
    return this.prepared(text).run(...params).changes;
  }

  private prepared(text: string): Statement<SqlValue[], Row> {
    const known = this.statements.get(text);
    if (known !== undefined) return known;
    const statement = this.db.prepare<SqlValue[], Row>(text).safeIntegers(true);
    if (statement.reader) statement.raw(true);
    this.statements.set(text, statement);
    return statement;
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
