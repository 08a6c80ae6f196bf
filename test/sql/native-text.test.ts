import { describe, expect, it } from 'vitest';
import { inBackticks, toMysql, toPostgresql, toSqlite } from '../../adapters/sql/dialects/native-text.js';
import { PagePositions } from '../../adapters/sql/page-positions.js';
import { literal, name, printSql, rawSql, sql } from '../../adapters/sql/sql-text.js';
import { StatementNames } from '../../adapters/sql/statement-names.js';

const odd = name('wh"at?`');
const statement = sql`SELECT ${odd}, ${literal("it's ? \\ done")}, ${7n}, ${rawSql("a ? 'b' -- ?")} WHERE x = ${'?'}`;

describe('statements in a server’s own spelling', () => {
  it('number parameters for PostgreSQL, and nothing that only looks like one', () => {
    expect(toPostgresql(statement.text)).toBe(
      `SELECT "wh""at?\`", 'it''s ? \\ done', $1, (a ? 'b' -- ?\n) WHERE x = $2`,
    );
  });

  it('put names in backticks for MySQL, and texts with a backslash where no setting changes them', () => {
    const hex = Buffer.from("it's ? \\ done").toString('hex');
    expect(toMysql(statement.text)).toBe(`SELECT \`wh"at?\`\`\`, _utf8mb4 x'${hex}', ?, (a ? 'b' -- ?\n) WHERE x = ?`);
  });

  it('stay as they are for SQLite, but for SQL of the configuration', () => {
    expect(toSqlite(statement.text)).toBe(`SELECT "wh""at?\`", 'it''s ? \\ done', ?, (a ? 'b' -- ?\n) WHERE x = ?`);
  });

  it('are printed with their values, which stay texts', () => {
    const printed = `SELECT "wh""at?\`", 'it''s ? \\ done', 7, (a ? 'b' -- ?) WHERE x = '?'`;
    expect(printSql(statement)).toBe(printed);
    expect(inBackticks(`SELECT "a""b" = '"c"'`)).toBe('SELECT `a"b` = \'"c"\'');
  });

  it('let no text of the configuration end a raw part early', () => {
    expect(toPostgresql(rawSql('a\u0001 ? \u0001b').text)).toBe('(a ? b\n)');
  });
});

describe('names of statements', () => {
  it('are given to those that come again, the same in every process', () => {
    const [names, others] = [new StatementNames(), new StatementNames()];
    expect(names.of('SELECT 1')).toBeUndefined();
    const named = names.of('SELECT 1');
    expect(named).toMatch(/^scimbridge_[\w-]{24}$/);
    expect(names.of('SELECT 1')).toBe(named);
    others.of('SELECT 1');
    expect(others.of('SELECT 1')).toBe(named);
    expect(names.of('SELECT 2')).toBeUndefined();
  });
});

describe('where numbered pages ended', () => {
  const query = { entity: 'people', fields: [], limit: 10, wantTotal: true };
  const records = Array.from({ length: 10 }, (_, n) => ({ $id: `${n}` }));

  it('are gone on from by the page that follows, of the same filter and order only [7644-3.4.2.4-09]', () => {
    const positions = new PagePositions();
    positions.remember({ ...query, offset: 10 }, { records, next: 'end' });
    expect(positions.placed({ ...query, offset: 20 })).toEqual({ ...query, after: 'end' });
    expect(positions.placed({ ...query, offset: 21 })).toEqual({ ...query, offset: 21 });
    const filter = { kind: 'present', path: 'x' } as const;
    expect(positions.placed({ ...query, filter, offset: 20 })).toEqual({ ...query, filter, offset: 20 });
  });

  it('are forgotten when the entity is written', () => {
    const positions = new PagePositions();
    positions.remember({ ...query, offset: 0 }, { records, next: 'end' });
    positions.forget('groups');
    expect(positions.placed({ ...query, offset: 10 })).toEqual({ ...query, after: 'end' });
    positions.forget('people');
    expect(positions.placed({ ...query, offset: 10 })).toEqual({ ...query, offset: 10 });
  });
});
