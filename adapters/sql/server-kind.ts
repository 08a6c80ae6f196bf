import type { Dialect } from './dialects/dialect.js';
import type { ReadTableSchemas, SqlConnection } from './pool.js';

/** What the adapter needs to know of a kind of server. */
export interface ServerKind {
  /** Asks the server what its dialect depends on. */
  dialectOf(connection: SqlConnection): Promise<Dialect>;
  readonly readTableSchemas: ReadTableSchemas;
}
