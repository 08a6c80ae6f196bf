import { LRUCache } from 'lru-cache';
import { rawPart, sqlTokens } from '../sql-text.js';

const cachedTexts = 2_000;

/** Respells composed statements; each text once. */
export function respelling(spell: (text: string) => string): (text: string) => string {
  const known = new LRUCache<string, string>({ max: cachedTexts, maxSize: 8_000_000, sizeCalculation: sizeOf });
  return (text) => {
    const before = known.get(text);
    if (before !== undefined) return before;
    const native = spell(text);
    known.set(text, native);
    return native;
  };
}

function sizeOf(native: string, text: string): number {
  return native.length + text.length + 1;
}

/** Parameters are numbered. */
export function toPostgresql(text: string): string {
  let count = 0;
  return text.replace(sqlTokens, (token) => {
    if (token !== '?') return rawPart(token) ?? token;
    count += 1;
    return `$${count}`;
  });
}

/** Names as MySQL spells them; what is in quotes is left alone. */
export function inBackticks(text: string): string {
  return text.replace(sqlTokens, (token) => (token.startsWith('"') ? backticked(token) : token));
}

function backticked(token: string): string {
  return `\`${token.slice(1, -1).replaceAll('""', '"').replaceAll('`', '``')}\``;
}

/** All but the raw parts is as SQLite reads it. */
export function toSqlite(text: string): string {
  return text.includes('\u0001') ? text.replace(sqlTokens, (token) => rawPart(token) ?? token) : text;
}

/** Names stand in backticks; a backslash in a text means what the session's sql_mode says, so such texts are spelled in hexadecimal. */
export function toMysql(text: string): string {
  return text.replace(sqlTokens, (token) => {
    const raw = rawPart(token);
    if (raw !== undefined) return raw;
    if (token.startsWith('"')) return backticked(token);
    if (!token.startsWith("'") || !token.includes('\\')) return token;
    return `_utf8mb4 x'${Buffer.from(token.slice(1, -1).replaceAll("''", "'")).toString('hex')}'`;
  });
}
