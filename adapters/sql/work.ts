import type { Row, SqlAnswer, SqlValue } from './pool.js';
import type { Sql } from './sql-text.js';

/** A statement that is to be carried out, and what its answer is wanted for. */
export interface Statement extends Sql {
  readonly wants: 'rows' | 'changes';
  /** The row that a statement on paper answers with, for work that cannot go on without one. */
  readonly onPaper?: Row;
}

/**
 * Work on a database, which hands out statements and is given their answers: it neither knows nor cares whether they
 * are carried out at once on a connection of this thread, on a server, or on paper. What goes wrong with a statement is
 * thrown into the work, at the place where it waits.
 */
export type Work<T> = Generator<Statement, T, SqlAnswer>;

/** What to `yield` for rows, where work is done so often that a generator for each statement would be felt. */
export function ask({ text, params }: Sql, onPaper?: Row): Statement {
  return onPaper === undefined ? { text, params, wants: 'rows' } : { text, params, wants: 'rows', onPaper };
}

/** What to `yield` for a change. */
export function change({ text, params }: Sql): Statement {
  return { text, params, wants: 'changes' };
}

export function* rows({ text, params }: Sql): Work<readonly Row[]> {
  return (yield { text, params, wants: 'rows' }).rows;
}

/** The first row; on paper, `onPaper`. */
export function* row({ text, params }: Sql, onPaper: Row): Work<Row | undefined> {
  return (yield { text, params, wants: 'rows', onPaper }).rows[0];
}

/** @returns how many rows it changed */
export function* run({ text, params }: Sql): Work<number> {
  return (yield { text, params, wants: 'changes' }).changed;
}

/** @returns the key that the database gave the new row */
export function* runForKey({ text, params }: Sql): Work<SqlValue | undefined> {
  return (yield { text, params, wants: 'changes', onPaper: ['…'] }).insertId;
}

/** Carries the work out in this turn of the event loop. */
export function runNow<T>(work: Work<T>, execute: (statement: Statement) => SqlAnswer): T {
  let step = work.next();
  while (step.done !== true) {
    let answer: SqlAnswer;
    try {
      answer = execute(step.value);
    } catch (error) {
      step = work.throw(error);
      continue;
    }
    step = work.next(answer);
  }
  return step.value;
}

/** Carries the work out statement by statement. */
export async function runLater<T>(work: Work<T>, execute: (statement: Statement) => Promise<SqlAnswer>): Promise<T> {
  let step = work.next();
  while (step.done !== true) {
    let answer: SqlAnswer;
    try {
      answer = await execute(step.value);
    } catch (error) {
      step = work.throw(error);
      continue;
    }
    step = work.next(answer);
  }
  return step.value;
}

/** Carries nothing out: notes the statements, and answers as if everything changed a row. */
export function runOnPaper<T>(work: Work<T>, print: (statement: Sql) => string, lines: string[]): T {
  return runNow(work, (statement) => {
    lines.push(`${print(statement)};`);
    const { onPaper } = statement;
    const [first] = onPaper ?? [];
    return {
      rows: onPaper === undefined || statement.wants === 'changes' ? [] : [onPaper],
      changed: 1,
      ...(first === undefined ? {} : { insertId: first }),
    };
  });
}
