import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TablesConfig } from '../../adapters/sql/config.js';
import { lowerBytes, replaceLetters } from '../../adapters/sql/dialects/mysql.js';
import { toMysql } from '../../adapters/sql/dialects/native-text.js';
import { mysqlKind } from '../../adapters/sql/mysql/kind.js';
import type { SqlPool, SqlValue } from '../../adapters/sql/pool.js';
import { postgresqlKind } from '../../adapters/sql/postgresql/kind.js';
import { openServerAdapter } from '../../adapters/sql/server-adapter.js';
import { list, sql } from '../../adapters/sql/sql-text.js';
import type {
  Adapter,
  BackendRecord,
  Condition,
  EntityUse,
  FieldCapability,
  SearchQuery,
} from '../../src/backend/adapter.js';
import { compileCondition } from '../../src/backend/condition.js';
import { idOf } from '../../src/backend/record.js';
import { type Comparison, fold, keyOf } from '../../src/scim/comparison.js';
import { environmentIn } from '../contract/contract-entities.js';
import { use } from '../sqlite/tables-fixture.js';
import { describeOnSql, startSql } from '../support/sql/available.js';
import { native, openPool, within } from '../support/sql/open-pool.js';
import type { SqlKind, SqlServer } from '../support/sql/sql-server.js';
import { leafOf, texts, treeOf } from './any-condition.js';

/** The same fields on both servers, in columns of the types and collations that people have. */
const schemas: Readonly<Record<SqlKind, string>> = {
  postgresql: `
    CREATE EXTENSION citext;
    CREATE COLLATION caseless (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
    CREATE COLLATION accentless (provider = icu, locale = 'und-u-ks-level1', deterministic = false);
    CREATE TABLE "we""ird; drop table u" (
      id integer PRIMARY KEY, plain text, "from" varchar(40), "from_fold" text UNIQUE, lowered varchar(40),
      own citext, caseless text COLLATE caseless, accentless text COLLATE accentless, german text COLLATE "de-x-icu", padded char(12),
      emp_no integer, key uuid, sum numeric(12, 3), ratio double precision, flag boolean, flagno smallint,
      at_zone timestamptz, at_local timestamp(3), day date, at_s bigint, at_text text, doc jsonb, photo bytea
    );
    CREATE INDEX ON "we""ird; drop table u" (lower(lowered));
    CREATE TABLE "e-mails" (
      no serial PRIMARY KEY, owner integer, address text, kind citext, "primary" boolean, tenant text
    );
    CREATE TABLE tags (person integer, tag text)`,
  mysql: `
    CREATE TABLE \`we"ird; drop table u\` (
      id int PRIMARY KEY, plain varchar(40) COLLATE utf8mb4_nopad_bin, \`from\` varchar(40) COLLATE utf8mb4_unicode_ci, \`from_fold\` varchar(40) COLLATE utf8mb4_bin UNIQUE,
      lowered varchar(40) COLLATE utf8mb4_general_ci, own varchar(40) COLLATE utf8mb4_uca1400_ai_ci, caseless varchar(40) COLLATE utf8mb4_general_nopad_ci,
      accentless varchar(40) COLLATE utf8mb4_unicode_ci, german varchar(40) COLLATE utf8mb4_german2_ci, padded char(12) COLLATE utf8mb4_bin,
      emp_no int, \`key\` uuid, sum decimal(12, 3), ratio double, flag tinyint(1), flagno smallint,
      at_zone timestamp(6) NULL, at_local datetime(3), day date, at_s bigint, at_text varchar(40), doc json, photo blob,
      KEY (lowered), KEY (own)
    ) CHARACTER SET utf8mb4;
    CREATE TABLE \`e-mails\` (
      no int AUTO_INCREMENT PRIMARY KEY, owner int, address varchar(60) COLLATE utf8mb4_bin, kind varchar(20) COLLATE utf8mb4_general_ci,
      \`primary\` boolean, tenant varchar(20), KEY (owner)
    ) CHARACTER SET utf8mb4;
    CREATE TABLE tags (person int, tag varchar(40) COLLATE utf8mb4_general_ci, KEY (person)) CHARACTER SET utf8mb4`,
};

const entities: readonly EntityUse[] = [
  {
    entity: 'people',
    fields: [
      use('plain', { comparison: 'exact' }),
      use('scanned'),
      use('folded'),
      use('lowered'),
      use('own'),
      use('ownExact', { comparison: 'exact' }),
      use('caseless'),
      use('accentless'),
      use('accentlessExact', { comparison: 'exact' }),
      use('german', { comparison: 'exact' }),
      use('germanFold'),
      use('padded', { comparison: 'exact' }),
      use('number', { comparison: 'exact' }),
      use('uuid'),
      use('sum', { type: 'number' }),
      use('ratio', { type: 'number' }),
      use('count', { type: 'number' }),
      use('flag', { type: 'boolean' }),
      use('flagNumber', { type: 'boolean' }),
      use('zoned', { type: 'instant' }),
      use('local', { type: 'instant' }),
      use('day', { type: 'instant' }),
      use('seconds', { type: 'instant' }),
      use('isoText', { type: 'instant' }),
      use('photo', { type: 'bytes' }),
      use('nick'),
      use('code', { comparison: 'exact' }),
      use('age', { type: 'number' }),
      use('vip', { type: 'boolean' }),
      use('labels', { multiple: true }),
      use('phones', {
        type: 'records',
        children: [use('value', { comparison: 'exact' }), use('type'), use('primary', { type: 'boolean' })],
      }),
      use('mails', {
        type: 'records',
        children: [use('value', { comparison: 'exact' }), use('type'), use('primary', { type: 'boolean' })],
      }),
      use('tags', { multiple: true, comparison: 'exact' }),
    ],
  },
];

const tables: TablesConfig = {
  people: {
    table: 'we"ird; drop table u',
    key: 'id',
    fields: {
      plain: 'plain',
      scanned: 'plain',
      folded: { column: 'from', folded: 'from_fold' },
      lowered: 'lowered',
      own: 'own',
      ownExact: 'own',
      caseless: 'caseless',
      accentless: 'accentless',
      accentlessExact: 'accentless',
      german: 'german',
      germanFold: 'german',
      padded: 'padded',
      number: 'emp_no',
      uuid: 'key',
      sum: 'sum',
      ratio: 'ratio',
      count: 'emp_no',
      flag: 'flag',
      flagNumber: 'flagno',
      zoned: 'at_zone',
      local: 'at_local',
      day: 'day',
      seconds: { column: 'at_s', format: 'epochSeconds' },
      isoText: 'at_text',
      photo: 'photo',
      nick: { column: 'doc', json: '$.nick' },
      code: { column: 'doc', json: '$."the code".no' },
      age: { column: 'doc', json: '$.age' },
      vip: { column: 'doc', json: '$.vip' },
      labels: { column: 'doc', json: '$.labels' },
      phones: { column: 'doc', json: '$.phones' },
      mails: {
        table: 'e-mails',
        parent: 'owner',
        columns: { value: 'address', type: 'kind', primary: 'primary' },
        fixed: { tenant: "a'; \\ --" },
      },
      tags: { table: 'tags', parent: 'person', column: 'tag' },
    },
  },
};

const short = texts.filter((text) => text.length < 12);
const stored = [...short, 'René', 'rene', 'RENE', 'strasse', 'É ', null];
const uuids = ['8e6bd3a0-0000-4000-8000-00000000000a', 'ffffffff-0000-4000-8000-00000000000b', null];
const documents = [
  null,
  '[]',
  '"text"',
  'null',
  '{}',
  '{"nick":null,"age":null,"labels":null,"phones":null}',
  '{"nick":"ABC","the code":{"no":"abc"},"age":7,"vip":true,"labels":["abc","Ä",5,true,null,{}],"phones":[{"value":"ab","type":"WORK","primary":true},{"value":"b"},{},"x",{"type":"home","primary":false}]}',
  '{"nick":"","the code":7,"age":"7","vip":1,"labels":"abc","phones":{"value":"ABC","type":"work"}}',
  '{"nick":7,"the code":{"no":1.5},"age":1.5,"vip":false,"labels":[],"phones":[]}',
  '{"nick":["abc"],"the code":{"no":true},"age":true,"vip":"true","labels":{"a":"abc"},"phones":[[1],{"value":7,"type":"%"}]}',
  '{"nick":"😀","labels":["😀","ab@"],"phones":[{"value":"😀","primary":"yes"}]}',
];

async function insertPeople(kind: SqlKind, pool: SqlPool): Promise<void> {
  const quote = (name: string): string => (kind === 'postgresql' ? `"${name.replaceAll('"', '""')}"` : `\`${name}\``);
  const pick = <T>(list: readonly T[], n: number): T => list[((n % list.length) + list.length) % list.length] as T;
  const taken = new Set<string>();
  await pool.transaction(async (connection) => {
    const insert = (table: string, columns: readonly string[], values: readonly SqlValue[]) =>
      connection.run({
        text: native(
          kind,
          `INSERT INTO ${quote(table)} (${columns.map(quote).join(', ')}) VALUES (${columns.map(() => '?').join(', ')})`,
        ),
        params: values,
      });
    for (let n = 1; n <= 80; n++) {
      const text = pick(stored, n);
      const isFree = text !== null && text !== '' && !taken.has(fold(text).trimEnd());
      if (isFree) taken.add(fold(text).trimEnd());
      const person: Readonly<Record<string, SqlValue>> = {
        id: BigInt(n),
        plain: text,
        from: isFree ? text : null,
        from_fold: isFree ? fold(text) : null,
        lowered: pick(stored, n * 3),
        own: pick(stored, n * 5),
        caseless: pick(stored, n * 7),
        accentless: pick(stored, n * 11),
        german: pick(stored, n * 13),
        padded: pick(stored, n + 7)?.trimEnd() ?? null,
        emp_no: pick([7n, 0n, -1n, 1000n, null, 12n], n),
        key: pick(uuids, n),
        sum: pick(['0', '1', '7', '-1', '1.5', '0.1', null], n),
        ratio: pick([0, 1, 7, -1, 1.5, 1e300, 0.1, null], n * 3),
        flag: pick([0n, 1n, null], n),
        flagno: pick([0n, 1n, 2n, null], n),
        at_zone: pick(['2011-05-13 04:42:34', '2011-05-13 04:42:34.5', '1999-12-31 23:59:59.999999', null], n),
        at_local: pick(['2011-05-13 04:42:34', '2011-05-13 04:42:34.123', '1066-10-14 12:00:00', null], n),
        day: pick(['2011-05-13', '2011-05-14', null], n),
        at_s: pick([0n, 1n, 1305261754n, -1n, 253402300800000n, null], n),
        at_text: pick(['2011-05-13T04:42:34Z', '2011-05-13T06:42:34+02:00', 'soon', '', null], n),
        doc: pick(documents, n),
        photo: pick([Buffer.from([1]), Buffer.alloc(0), null], n),
      };
      await insert('we"ird; drop table u', Object.keys(person), Object.values(person));
      for (let m = 0; m < n % 4; m++) {
        const tenant = m === 2 ? 'b' : "a'; \\ --";
        const mail = [
          BigInt(n),
          pick(stored, n * 2 + m),
          pick(['work', 'WORK', 'home', null, ''], n + m),
          pick([1n, 0n, null], n + m),
          tenant,
        ];
        await insert('e-mails', ['owner', 'address', 'kind', 'primary', 'tenant'], mail);
        await insert('tags', ['person', 'tag'], [BigInt(n), pick(stored, n * 3 + m)]);
      }
    }
    await insert('e-mails', ['owner', 'address', 'tenant'], [null, 'lost', "a'; \\ --"]);
  }, within(60_000));
}

for (const kind of ['postgresql', 'mysql'] as const) {
  await describeOnSql(kind, 'conditions over tables', (title) => {
    let server: SqlServer;
    let adapter: Adapter;
    let pool: SqlPool;
    let people: readonly BackendRecord[] = [];
    const fieldNames = entities[0]?.fields.map(({ name }) => name) ?? [];

    beforeAll(async () => {
      server = await startSql(kind);
      const database = await server.createDatabase(schemas[kind]);
      if (kind === 'postgresql') {
        await database.run(`GRANT ALL ON ALL TABLES IN SCHEMA public TO ${server.user}`);
        await database.run(`GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO ${server.user}`);
      }
      pool = await openPool(server, database);
      await insertPeople(kind, pool);
      adapter = await openServerAdapter({
        kind: kind === 'postgresql' ? postgresqlKind : mysqlKind,
        pool,
        tables,
        environment: environmentIn('/', entities),
      });
      await adapter.check(within(60_000));
      people = (await find(undefined, { fields: fieldNames })).records;
    }, 120_000);
    afterAll(async () => {
      await adapter?.close();
      await server?.close();
    });

    const find = (filter: Condition | undefined, more: Partial<SearchQuery> = {}) =>
      adapter.search(
        {
          entity: 'people',
          fields: [],
          limit: 1000,
          wantTotal: false,
          ...(filter === undefined ? {} : { filter }),
          ...more,
        },
        within(60_000),
      );
    const capabilities = (): Readonly<Record<string, FieldCapability>> =>
      adapter.capabilities.entities.people?.fields ?? {};
    const comparisonFor = (field: string, child?: string): Comparison => {
      const capability = child === undefined ? capabilities()[field] : capabilities()[field]?.children?.[child];
      return capability?.comparison ?? 'exact';
    };
    /** Operators that the adapter calls exact. */
    const exact = (fields: Readonly<Record<string, FieldCapability>>): Readonly<Record<string, FieldCapability>> =>
      Object.fromEntries(
        Object.entries(fields).map(([name, capability]) => [
          name,
          {
            ...capability,
            operators: Object.fromEntries(
              Object.entries(capability.operators).filter(([, precision]) => precision === 'exact'),
            ),
          },
        ]),
      );
    const agrees = async (filter: Condition): Promise<void> => {
      const expected = people.filter(compileCondition(filter, comparisonFor)).map(idOf).sort();
      const found = await find(filter, { wantTotal: true });
      expect(found.records.map(idOf).sort(), JSON.stringify(filter)).toEqual(expected);
      expect(found.total).toBe(expected.length);
    };
    const anyCondition = (): fc.Arbitrary<Condition> => {
      const inLists = ['mails', 'phones'].map((path) => {
        const inner = treeOf(leafOf(exact(capabilities()[path]?.children ?? {})));
        return inner.map((filter): Condition => ({ kind: 'valuePath', path, filter }));
      });
      return treeOf(fc.oneof({ weight: 4, arbitrary: leafOf(exact(capabilities())) }, ...inLists));
    };

    describe(title, () => {
      it('never claims the comparison of SCIM where the column compares otherwise', () => {
        const declared = Object.entries(capabilities()).map(([field, { comparison }]) => [field, comparison]);
        expect(Object.fromEntries(declared)).toMatchObject({
          plain: 'exact',
          folded: 'fold',
          scanned: kind === 'postgresql' ? 'fold' : 'asciiFold',
          lowered: 'asciiFold',
          own: 'asciiFold',
          ownExact: 'exact',
          caseless: 'asciiFold',
          accentless: 'asciiFold',
          sum: 'number',
          zoned: 'instant',
          $id: 'exact',
        });
      });

      it('selects exactly what the in-memory evaluator would, leaf by leaf [7644-3.4.2.2-02]', async () => {
        await fc.assert(fc.asyncProperty(leafOf(exact(capabilities())), agrees), { numRuns: 1500, seed: 1 });
      }, 240_000);

      it('selects exactly what the in-memory evaluator would, whatever the shape [7644-3.4.2.2-14 7644-3.4.2.2-18]', async () => {
        await fc.assert(fc.asyncProperty(anyCondition(), agrees), { numRuns: 700, seed: 2 });
      }, 240_000);

      it('pages through any condition in any order without losing or doubling a record [7644-3.4.2.4-09]', async () => {
        const sortable = Object.entries(capabilities()).filter(([, { sortable: is, children }]) => is && !children);
        const sorts = fc.oneof(
          fc.record({ field: fc.constantFrom(...sortable.map(([field]) => field)), descending: fc.boolean() }),
          fc.record({
            field: fc.constantFrom('mails', 'phones'),
            child: fc.constantFrom('value', 'type'),
            prefer: fc.constant('primary'),
            descending: fc.boolean(),
          }),
        );
        const walk = fc.asyncProperty(
          anyCondition(),
          sorts,
          fc.integer({ min: 1, max: 40 }),
          async (filter, sort, limit) => {
            const whole = (await find(filter, { sort })).records.map(idOf);
            for (const way of ['position', 'number'] as const) {
              const seen: string[] = [];
              let after: string | undefined;
              do {
                const place = way === 'number' ? { offset: seen.length } : after === undefined ? {} : { after };
                const page = await find(filter, { sort, limit, ...place });
                seen.push(...page.records.map(idOf));
                after = page.next;
              } while (after !== undefined);
              expect(seen).toEqual(whole);
            }
          },
        );
        await fc.assert(walk, { numRuns: 60, seed: 3 });
      }, 240_000);

      it('finds by lookup what `eq` finds', async () => {
        for (const [field, { operators, comparison }] of Object.entries(capabilities())) {
          if (operators.eq !== 'exact') continue;
          const values = comparison === 'number' ? [0, 7, 1.5] : comparison === 'boolean' ? [true] : stored;
          const given = values.filter((value) => value !== null);
          const filter: Condition = {
            kind: 'or',
            operands: given.map((value) => ({ kind: 'compare', path: field, op: 'eq', value })),
          };
          const found = await adapter.lookup('people', { by: field, values: given, fields: [] }, within(60_000));
          expect(found.map(idOf).sort(), field).toEqual((await find(filter)).records.map(idOf).sort());
        }
      });

      if (kind === 'mysql') {
        it.each([lowerBytes, replaceLetters])('changes A–Z and no other letter: %o', async (key) => {
          const letters = [...short, 'AZ[\\]^_`az{', 'İIıi K ΣΟΔΟΣ ÄÖÜ ÀÉ', 'ABCDEFGHIJKLMNOPQRSTUVWXYZ'];
          const { text, params } = sql`SELECT ${list(letters.map((letter) => key(sql`${letter}`)))}`;
          const { rows } = await pool.read(
            (connection) => connection.run({ text: toMysql(text), params }),
            within(60_000),
          );
          const answered = rows[0]?.map((value) =>
            value instanceof Uint8Array ? Buffer.from(value).toString() : value,
          );
          expect(answered).toEqual(letters.map((letter) => keyOf('asciiFold', letter)));
        });
      }

      it('writes statements down as the server reads them', () => {
        const filter: Condition = { kind: 'compare', path: 'plain', op: 'eq', value: 'O"Neil' };
        const query = { entity: 'people', fields: ['plain'], limit: 1, wantTotal: false, filter };
        const text = adapter.describe({ kind: 'search', query });
        expect(text).toContain(kind === 'mysql' ? '`we"ird; drop table u`' : '"we""ird; drop table u"');
        expect(text).toContain(`'O"Neil'`);
      });

      it('takes a filter with thousands of terms', async () => {
        const operands = Array.from(
          { length: 3000 },
          (_, n): Condition => ({ kind: 'compare', path: 'plain', op: 'eq', value: `${n}` }),
        );
        expect((await find({ kind: 'or', operands })).records.length).toBeGreaterThan(0);
        await agrees({ kind: 'and', operands: operands.map((operand) => ({ kind: 'not', operand })) });
      });
    });
  });
}
