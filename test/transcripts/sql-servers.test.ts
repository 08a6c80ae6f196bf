import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { parse, stringify } from 'yaml';
import { startServer } from '../support/in-process-server.js';
import { describeOnSql, sqlKinds, startSql } from '../support/sql/available.js';
import type { SqlServer } from '../support/sql/sql-server.js';
import { describeTranscripts } from './transcript-suite.js';
import { basicOf } from './with-basic.js';

const source = join(import.meta.dirname, 'tables');

/** The configuration of the SQLite file: only the way to the database is another. */
function configFor({ kind, password }: SqlServer, url: string): string {
  const config = parse(readFileSync(join(source, 'gateway.yaml'), 'utf8'));
  const { type: _, file: __, ...tables } = config.adapters.app;
  return stringify({ ...config, adapters: { app: { type: kind, url, password, ...tables } } });
}

for (const kind of sqlKinds) {
  await describeOnSql(kind, 'every recorded conversation', (name) => {
    let server: SqlServer;
    afterAll(() => server?.close());
    describeTranscripts(name, {
      start: async () => {
        server = await startSql(kind);
        const { url } = await server.createDatabase(readFileSync(join(source, `${kind}.sql`), 'utf8'));
        return startServer({ config: configFor(server, url) });
      },
      basic: basicOf,
    });
  });
}
