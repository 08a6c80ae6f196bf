import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe } from 'vitest';
import { openState } from '../../src/state/open-state.js';
import type { ServingOptions } from '../../src/state/postgresql/postgresql-state.js';
import type { State } from '../../src/state/state.js';
import type { DatabasePlace, StatePlace } from '../../src/state/state-place.js';
import { startSql, whyUnavailable } from '../support/sql/available.js';
import type { SqlDatabase, SqlServer } from '../support/sql/sql-server.js';

/** Where the state of one test lies, empty at its begin. */
export interface StateFixture {
  readonly place: StatePlace;
  /** One more process on the same state. Closed after the test. */
  open(serving?: ServingOptions): Promise<State>;
}

/** The same tests wherever the state may lie. */
export async function describeOnStates(title: string, body: (fixture: StateFixture) => void): Promise<void> {
  describe(`SQLite: ${title}`, () => body(folderFixture()));
  await describeOnPostgresql(title, body);
}

/** Tests of PostgreSQL alone. */
export async function describeOnPostgresql(
  title: string,
  body: (fixture: StateFixture & PostgresqlFixture) => void,
): Promise<void> {
  const reason = await whyUnavailable('postgresql');
  if (reason !== undefined && process.env.CI === 'true') throw new Error(`PostgreSQL cannot be tested: ${reason}`);
  if (reason === undefined) describe(`PostgreSQL: ${title}`, () => body(databaseFixture()));
  else describe.skip(`PostgreSQL: ${title} (skipped: ${reason})`, () => body(databaseFixture()));
}

function folderFixture(): StateFixture {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'state-'));
  });
  const opened = statesOfTest();
  afterEach(() => rmSync(folder, { recursive: true }));
  const fixture = {
    get place() {
      return { dataDir: join(folder, 'data') };
    },
    open: (serving?: ServingOptions) => opened.add(fixture.place, serving),
  };
  return fixture;
}

export interface PostgresqlFixture {
  readonly place: StatePlace & { readonly database: DatabasePlace };
  readonly server: SqlServer;
  readonly database: SqlDatabase;
}

function databaseFixture(): StateFixture & PostgresqlFixture {
  let server: SqlServer | undefined;
  let database: SqlDatabase | undefined;
  beforeAll(async () => {
    // What was said to be done is there after a crash.
    server = await startSql('postgresql', { settings: { synchronous_commit: 'on' } });
  });
  afterAll(() => server?.close());
  beforeEach(async () => {
    database = await server?.createDatabase();
  });
  const opened = statesOfTest();
  const fixture = {
    get place() {
      return { dataDir: '/nowhere', database: placeOf(fixture.server, fixture.database.name) };
    },
    get server() {
      if (server === undefined) throw new Error('The server is not started yet.');
      return server;
    },
    get database() {
      if (database === undefined) throw new Error('There is no database yet.');
      return database;
    },
    open: (serving?: ServingOptions) => opened.add(fixture.place, serving),
  };
  return fixture;
}

/** In clear text, as on one machine. */
export function placeOf({ host, port, user, password }: SqlServer, database: string): DatabasePlace {
  return { host, port, user, password, database, schema: 'scimbridge', connections: 4, tls: undefined };
}

function statesOfTest() {
  const states: State[] = [];
  afterEach(async () => {
    for (const state of states.splice(0)) await state.close();
  });
  return {
    add: async (place: StatePlace, serving?: ServingOptions): Promise<State> => {
      const state = await openState(place, serving);
      states.push(state);
      return state;
    },
  };
}
