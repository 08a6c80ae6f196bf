import { type DatabasePlace, describeDatabase } from '../state-place.js';
import { Database } from './database.js';
import { reasonOf } from './errors.js';
import { checkVersion } from './migrations.js';
import { stateSchema } from './schema.js';

/** What keeps a gateway from being served with the state there, for the operator; undefined when nothing does. Changes nothing. */
export async function examineDatabase(place: DatabasePlace): Promise<string | undefined> {
  const database = new Database({ ...place, connections: 1 });
  try {
    const { rows } = await database.query<{ standby: boolean; made: boolean; creates: boolean }>(
      `SELECT pg_is_in_recovery() AS standby, to_regclass($1) IS NOT NULL AS made,
         has_database_privilege(current_database(), 'CREATE') AS creates`,
      [`${place.schema}.versions`],
    );
    if (rows[0]?.standby === true) {
      return `The state database ${describeDatabase(place)} is a standby, which only reads: name the primary.`;
    }
    if (rows[0]?.made === true) await checkVersion(database, 'state', stateSchema);
    else if (rows[0]?.creates !== true) {
      return `The account may not make the schema "${place.schema}" for the state: GRANT CREATE ON DATABASE "${place.database}" TO "${place.user}".`;
    }
    return undefined;
  } catch (error) {
    const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
    return `The state database ${describeDatabase(place)} cannot be used: ${reasonOf(cause)}`;
  } finally {
    await database.close();
  }
}
