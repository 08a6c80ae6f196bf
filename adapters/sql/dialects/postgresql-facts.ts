import { AdapterError } from '../../../src/backend/adapter-error.js';
import { fold } from '../../../src/scim/comparison.js';
import { type SqlConnection, SqlRefusal } from '../pool.js';
import { sql } from '../sql-text.js';
import { toPostgresql } from './native-text.js';
import { foldSql, type PostgresqlFacts } from './postgresql.js';

/** All planes in which letters have a case. */
const lastPoint = 0x1ffff;
/** What single characters do not show: sigma at the end of a word, marks that combine, letters that become two. */
const samples = [
  'ΟΔΟΣ',
  'ΑΣ ΟΣ',
  'a\u0308',
  'A\u030a',
  '\u1100\u1161\u11a8',
  'ﾊﾞﾊﾟ',
  'İstanbul',
  'ẞß',
  'Σ',
  'ﾡￂ',
  'e\u0301\u0323',
];

/** Asks the server to fold every character, and compares with what the gateway makes of them. */
export async function postgresqlFacts(connection: SqlConnection): Promise<PostgresqlFacts> {
  try {
    return { foldsAlike: (await foldsSamples(connection)) && (await foldsCharacters(connection)) };
  } catch (error) {
    // Without ICU, or in a database of another encoding than UTF-8, there is no such function.
    if (error instanceof SqlRefusal || (error instanceof AdapterError && error.kind === 'unsupported')) {
      return { foldsAlike: false };
    }
    throw error;
  }
}

async function foldsSamples(connection: SqlConnection): Promise<boolean> {
  const folded = sql`SELECT ${foldSql(sql`w`)} FROM json_array_elements_text(CAST(${JSON.stringify(samples)} AS json)) WITH ORDINALITY AS j(w, n) ORDER BY n`;
  const { rows } = await connection.run({ text: toPostgresql(folded.text), params: folded.params });
  return rows.length === samples.length && rows.every(([text], index) => text === fold(samples[index] ?? ''));
}

async function foldsCharacters(connection: SqlConnection): Promise<boolean> {
  const folded = foldSql(sql`chr(p)`);
  const changed = sql`SELECT p, f FROM (SELECT p, ${folded} AS f FROM generate_series(1, ${{ text: String(lastPoint), params: [] }}) AS p WHERE p NOT BETWEEN 55296 AND 57343) AS q WHERE f <> chr(p) COLLATE "C"`;
  const { rows } = await connection.run({ text: toPostgresql(changed.text), params: changed.params });
  const answered = new Map(rows.map(([point, text]) => [Number(point), text]));
  for (let point = 1; point <= lastPoint; point++) {
    if (point >= 0xd800 && point <= 0xdfff) continue;
    const character = String.fromCodePoint(point);
    if ((answered.get(point) ?? character) !== fold(character)) return false;
  }
  return true;
}
