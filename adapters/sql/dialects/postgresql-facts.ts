import { AdapterError } from '../../../src/backend/adapter-error.js';
import { fold } from '../../../src/scim/comparison.js';
import { type Row, type SqlConnection, SqlRefusal } from '../pool.js';
import { type Sql, sql } from '../sql-text.js';
import { toPostgresql } from './native-text.js';
import type { PostgresqlFacts } from './postgresql.js';
import { type CharacterPairs, foldSql, pairsOf } from './postgresql-fold.js';

/** All planes in which letters have a case. */
const lastPoint = 0x1ffff;
/** Letters that the server's tables do not have yet: more would be another server than we think. */
const mostNewer = 500;
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
    const extra = await newerCharacters(connection);
    if (extra === undefined || !(await foldsAlike(connection, [...samples, ...extra.from], extra))) return {};
    return { foldKey: (text) => foldSql(text, extra) };
  } catch (error) {
    // Without ICU, or in a database of another encoding than UTF-8, there is no such function.
    if (error instanceof SqlRefusal || (error instanceof AdapterError && error.kind === 'unsupported')) return {};
    throw error;
  }
}

/** @returns what has to be said about characters beside the server's own tables; undefined when that is not to be mended */
async function newerCharacters(connection: SqlConnection): Promise<CharacterPairs | undefined> {
  const folded = foldSql(sql`chr(p)`, { from: '', to: '' });
  const points = sql`generate_series(1, CAST(${BigInt(lastPoint)} AS integer)) AS p WHERE p NOT BETWEEN 55296 AND 57343`;
  const changed = sql`SELECT p, f FROM (SELECT p, ${folded} AS f FROM ${points}) AS q WHERE f <> chr(p) COLLATE "C"`;
  const answered = new Map((await ask(connection, changed)).map(([point, text]) => [Number(point), text]));
  const different: number[] = [];
  for (let point = 1; point <= lastPoint; point++) {
    if (point >= 0xd800 && point <= 0xdfff) continue;
    const character = String.fromCodePoint(point);
    if ((answered.get(point) ?? character) !== fold(character)) different.push(point);
  }
  const pairs = pairsOf(different);
  return different.length <= mostNewer && [...pairs.from].length === different.length ? pairs : undefined;
}

async function foldsAlike(
  connection: SqlConnection,
  texts: readonly string[],
  extra: CharacterPairs,
): Promise<boolean> {
  const given = sql`json_array_elements_text(CAST(${JSON.stringify(texts)} AS json)) WITH ORDINALITY AS j(w, n)`;
  const rows = await ask(connection, sql`SELECT ${foldSql(sql`w`, extra)} FROM ${given} ORDER BY n`);
  return rows.length === texts.length && rows.every(([text], index) => text === fold(texts[index] ?? ''));
}

async function ask(connection: SqlConnection, { text, params }: Sql): Promise<readonly Row[]> {
  return (await connection.run({ text: toPostgresql(text), params })).rows;
}
