import type { ServingOptions } from './postgresql/postgresql-state.js';
import { openState as openSqliteState } from './sqlite/sqlite-state.js';
import type { State } from './state.js';
import type { StatePlace } from './state-place.js';

/**
 * Opens the state where it lies. What is missing is made.
 * @param serving for the process that serves the gateways
 * @throws Error with a sentence for the operator when it cannot be used
 */
export async function openState({ dataDir, database }: StatePlace, serving?: ServingOptions): Promise<State> {
  if (database === undefined) return openSqliteState(dataDir);
  const { openPostgresqlState } = await import('./postgresql/postgresql-state.js');
  return openPostgresqlState(database, serving === undefined ? {} : { serving });
}
