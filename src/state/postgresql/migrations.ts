import type { Database, Query } from './database.js';

/** One step of a part of the schema, in order. Never change one that was released. */
export interface Migration {
  /** Statements; `$schema` stands for the schema's name. */
  readonly sql: string;
  /**
   * The least version that still works with what the step leaves. Replicas of the former version run on while one of the next
   * is rolled out, and are started again when that is taken back: so steps add, and take away only what no version that may
   * still run uses.
   */
  readonly oldest: number;
}

/** Parts are brought up to date apart from each other. */
export type Part = 'state' | 'transactions';

const migrateMs = 600_000;
const lockNumber = 0x5c1b;

/**
 * Brings a part of the schema up to date. Replicas that start together wait for each other.
 * @throws SchemaTooNewError when a newer version has left a schema that this one does not know
 */
export async function migrate(database: Database, part: Part, steps: readonly Migration[]): Promise<void> {
  if (isDone(await knownVersion(database, part), steps)) return;
  await database.transaction(async (query) => {
    await lockUntilEnd(query, `migrations of ${database.schema}`);
    await query(`CREATE SCHEMA IF NOT EXISTS ${database.schema}`);
    await query(`CREATE TABLE IF NOT EXISTS ${database.schema}.versions (
      part text PRIMARY KEY, version integer NOT NULL, oldest integer NOT NULL)`);
    const done = await readVersion(query, database.schema, part);
    if (isDone(done, steps)) return;
    const version = done?.version ?? 0;
    for (const { sql } of steps.slice(version)) await query(sql.replaceAll('$schema', database.schema));
    const oldest = Math.max(done?.oldest ?? 0, ...steps.slice(version).map((step) => step.oldest));
    await query(
      `INSERT INTO ${database.schema}.versions (part, version, oldest) VALUES ($1, $2, $3)
       ON CONFLICT (part) DO UPDATE SET version = excluded.version, oldest = excluded.oldest`,
      [part, steps.length, oldest],
    );
  }, migrateMs);
}

/** @throws SchemaTooNewError when a newer version has left a schema that this one does not know */
export async function checkVersion(database: Database, part: Part, steps: readonly Migration[]): Promise<void> {
  isDone(await knownVersion(database, part), steps);
}

/** @throws SchemaTooNewError when it was done by a version that this one cannot follow */
function isDone(done: Version | undefined, steps: readonly Migration[]): boolean {
  if (done === undefined || done.version < steps.length) return false;
  if (done.oldest > steps.length) throw new SchemaTooNewError();
  return true;
}

/** No waiting helps: it is of a name of its own, so that it is taken for no failure of the network. */
class SchemaTooNewError extends Error {
  override readonly name = 'SchemaTooNewError';
  constructor() {
    super(
      'a newer version of scimbridge has changed it in a way that this one does not know: run that version, or name another schema.',
    );
  }
}

/** A number that names a lock, for all connections to the database, until the transaction ends. */
export async function lockUntilEnd(query: Query, name: string): Promise<void> {
  await query('SELECT pg_advisory_xact_lock($1, hashtext($2))', [lockNumber, name]);
}

/** @returns whether it was free */
export async function tryLockUntilEnd(query: Query, name: string): Promise<boolean> {
  const { rows } = await query('SELECT pg_try_advisory_xact_lock($1, hashtext($2)) AS locked', [lockNumber, name]);
  return rows[0]?.locked === true;
}

interface Version {
  readonly version: number;
  readonly oldest: number;
}

/** Without a lock, and with no right to create anything: what most starts do. */
async function knownVersion(database: Database, part: Part): Promise<Version | undefined> {
  const { rows } = await database.query<{ there: boolean }>('SELECT to_regclass($1) IS NOT NULL AS there', [
    `${database.schema}.versions`,
  ]);
  if (rows[0]?.there !== true) return undefined;
  return readVersion((text, values) => database.query(text, values), database.schema, part);
}

async function readVersion(query: Query, schema: string, part: Part): Promise<Version | undefined> {
  const { rows } = await query<{ version: number; oldest: number }>(
    `SELECT version, oldest FROM ${schema}.versions WHERE part = $1`,
    [part],
  );
  return rows[0];
}
