import { createMysqlDialect } from '../dialects/mysql.js';
import type { ServerKind } from '../server-kind.js';
import { readMysqlSchemas } from './schema.js';

export const mysqlKind: ServerKind = {
  dialectOf: async (connection) => {
    const text = "SELECT CONVERT_TZ('2026-01-01 00:00:00', 'Europe/Berlin', '+00:00')";
    const { rows } = await connection.run({ text, params: [] });
    return createMysqlDialect({ knowsZones: (rows[0]?.[0] ?? null) !== null });
  },
  readTableSchemas: readMysqlSchemas,
};
