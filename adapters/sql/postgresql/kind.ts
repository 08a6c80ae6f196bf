import { createPostgresqlDialect } from '../dialects/postgresql.js';
import { postgresqlFacts } from '../dialects/postgresql-facts.js';
import type { ServerKind } from '../server-kind.js';
import { readPostgresqlSchemas } from './schema.js';

export const postgresqlKind: ServerKind = {
  dialectOf: async (connection) => createPostgresqlDialect(await postgresqlFacts(connection)),
  readTableSchemas: readPostgresqlSchemas,
};
