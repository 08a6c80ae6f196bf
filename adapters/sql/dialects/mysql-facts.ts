import type { SqlConnection } from '../pool.js';
import { sql } from '../sql-text.js';
import { lowerBytes, type MysqlFacts } from './mysql.js';
import { toMysql } from './native-text.js';

const sample = 'AZaz [\\]^_`{|}~ ÄÖ ÉÀ K ΣΟΔ 日本 😀 ไทย \u00ff';
const lowered = sample.replace(/[A-Z]+/g, (run) => run.toLowerCase());

/** Asks the server what its dialect depends on. */
export async function mysqlFacts(connection: SqlConnection): Promise<MysqlFacts> {
  const zone = "CONVERT_TZ('2026-01-01 00:00:00', 'Europe/Berlin', '+00:00')";
  const { text, params } = sql`SELECT ${lowerBytes(sql`${sample}`)}, ${{ text: zone, params: [] }}`;
  const { rows } = await connection.run({ text: toMysql(text), params });
  const [key = null, converted = null] = rows[0] ?? [];
  const isLowered = key instanceof Uint8Array ? Buffer.from(key).toString() === lowered : key === lowered;
  return { knowsZones: converted !== null, lowersBytes: isLowered };
}
