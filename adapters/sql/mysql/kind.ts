import { createMysqlDialect } from '../dialects/mysql.js';
import type { ServerKind } from '../server-kind.js';
import { readMysqlSchemas } from './schema.js';

export const mysqlKind: ServerKind = {
  dialectOf: async () => createMysqlDialect(),
  readTableSchemas: readMysqlSchemas,
};
