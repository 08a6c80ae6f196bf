import type { OperationContext } from '../../src/backend/adapter.js';
import type { TableSchema } from './table-schema.js';

/**
 * What a database is given and gives back. Whole numbers of columns come as bigint or number, decimals and instants as
 * text, booleans as bigint 0 and 1; nothing loses digits.
 */
export type SqlValue = string | number | bigint | Uint8Array | null;

/** The values in the order of the SELECT's columns. */
export type Row = readonly SqlValue[];

export interface SqlAnswer {
  readonly rows: readonly Row[];
  /** How many rows were changed; for an UPDATE at least those that really differ now. */
  readonly changed: number;
  /** The key that the database gave the inserted row, where there is no RETURNING. */
  readonly insertId?: SqlValue;
}

/** A statement in the database's own spelling (`$1` or `?`), with the values of its parameters in order. */
export interface NativeStatement {
  readonly text: string;
  readonly params: readonly SqlValue[];
  /** The same for each statement with this text: it may be prepared once. Absent: not worth it. */
  readonly name?: string;
}

export interface SqlConnection {
  /**
   * Rejects with SqlRefusal when the statement itself was refused, for its data or for a table or column that is not
   * there; with AdapterError for everything else.
   */
  run(statement: NativeStatement): Promise<SqlAnswer>;
}

/**
 * Connections to one server. Sessions are set up so that instants are in UTC (`time_zone`, `TimeZone`), transactions
 * are READ COMMITTED, and text is Unicode.
 */
export interface SqlPool {
  /** One connection, each statement for itself. */
  read<T>(work: (connection: SqlConnection) => Promise<T>, context: OperationContext): Promise<T>;
  /**
   * BEGIN … COMMIT; rolled back when `work` throws, whose error is passed on. The whole is run again (3 times) after a
   * serialisation failure or a deadlock. A commit whose answer is lost is an AdapterError with `applied: 'unknown'`.
   * A constraint that is checked at COMMIT rejects with SqlRefusal.
   */
  transaction<T>(work: (connection: SqlConnection) => Promise<T>, context: OperationContext): Promise<T>;
  check(context: OperationContext): Promise<void>;
  close(): Promise<void>;
}

/** The tables as they are now, in the order of the names; one that is not there has `exists: false`. */
export type ReadTableSchemas = (
  connection: SqlConnection,
  tables: readonly string[],
) => Promise<readonly TableSchema[]>;

/** Why the database did not carry out a statement, as far as the statement itself is the reason. */
export type RefusalKind =
  | 'unique'
  | 'foreignKey'
  | 'notNull'
  | 'check'
  | 'tooLong'
  /** A number or an instant beyond what the column holds. */
  | 'outOfRange'
  /** A text that is none of the column's type: no UUID, no number, a character that cannot be stored. */
  | 'invalid'
  /** A trigger or a rule of the database said no. */
  | 'rule'
  | 'noSuchTable'
  | 'noSuchColumn';

/** `message` and `cause` are for the log; names are the database's own. Values are in none of them but `cause`. */
export class SqlRefusal extends Error {
  override readonly name = 'SqlRefusal';
  readonly kind: RefusalKind;
  /** The constraint or index, where the database names it: without its table. */
  readonly constraint: string | undefined;
  readonly table: string | undefined;
  readonly column: string | undefined;

  constructor(
    kind: RefusalKind,
    message: string,
    details: {
      readonly constraint?: string | undefined;
      readonly table?: string | undefined;
      readonly column?: string | undefined;
      readonly cause?: unknown;
    } = {},
  ) {
    super(message, { cause: details.cause });
    this.kind = kind;
    this.constraint = details.constraint;
    this.table = details.table;
    this.column = details.column;
  }
}
