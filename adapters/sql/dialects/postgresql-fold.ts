import { fold } from '../../../src/scim/comparison.js';
import { literal, type Sql, sql } from '../sql-text.js';

/** Characters, and what each of them becomes. */
export interface CharacterPairs {
  readonly from: string;
  readonly to: string;
}

/** Full-width and half-width characters, and what `fold` makes of them. */
const widths = pairsOf([0x3000, ...Array.from({ length: 0xffee - 0xff01 + 1 }, (_, index) => 0xff01 + index)]);

/** What `fold` does, in SQL. @param extra characters that are newer than the server's tables of letters */
export function foldSql(text: Sql, extra: CharacterPairs): Sql {
  const usual = sql`translate(${text}, ${literal(widths.from + extra.from)}, ${literal(widths.to + extra.to)})`;
  return sql`(replace(normalize(lower(${usual} COLLATE "und-x-icu"), NFC), 'ς', 'σ') COLLATE "C")`;
}

/** Those of the characters that `fold` changes into one other. */
export function pairsOf(points: readonly number[]): CharacterPairs {
  const pairs = points
    .map((point) => String.fromCodePoint(point))
    .map((character) => [character, fold(character)] as const)
    .filter(([character, usual]) => character !== usual && [...usual].length === 1);
  return { from: pairs.map(([character]) => character).join(''), to: pairs.map(([, usual]) => usual).join('') };
}
