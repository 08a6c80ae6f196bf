import { createMysqlDialect } from '../dialects/mysql.js';
import { mysqlFacts } from '../dialects/mysql-facts.js';
import type { ServerKind } from '../server-kind.js';
import { readMysqlSchemas } from './schema.js';

export const mysqlKind: ServerKind = {
  dialectOf: async (connection) => createMysqlDialect(await mysqlFacts(connection)),
  readTableSchemas: readMysqlSchemas,
};
