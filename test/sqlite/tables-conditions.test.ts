import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TablesConfig } from '../../adapters/sql/config.js';
import type { BackendRecord, Condition, EntityUse, FieldCapability } from '../../src/backend/adapter.js';
import { compileCondition } from '../../src/backend/condition.js';
import { idOf } from '../../src/backend/record.js';
import type { Comparison } from '../../src/scim/comparison.js';
import { leafOf, texts, treeOf } from '../sql/any-condition.js';
import { ids, openTables, type TablesFixture, use } from './tables-fixture.js';

/** Tables as other people make them: odd names, odd types, and values that the declared types do not allow. */
const schema = `
  CREATE TABLE "we""ird; drop table u" (
    id INTEGER PRIMARY KEY,
    "a""b" TEXT, nocase TEXT COLLATE NOCASE, trimmed TEXT COLLATE RTRIM,
    "from" VARCHAR(20), "from_fold" TEXT UNIQUE, plain TEXT,
    emp_no INTEGER, loose, sum REAL, digits TEXT, flag BOOLEAN, flagtext TEXT,
    at_iso TEXT, at_date DATETIME, at_s INTEGER, at_ms INTEGER, doc TEXT, photo BLOB, born TEXT
  );
  CREATE TABLE "e-mails" (
    owner INTEGER, address TEXT, address_fold TEXT, kind TEXT COLLATE NOCASE, "primary" INT, tenant TEXT
  );
  CREATE TABLE tags (person INTEGER, tag TEXT, PRIMARY KEY (person, tag)) WITHOUT ROWID;
`;

const entities: readonly EntityUse[] = [
  {
    entity: 'people',
    fields: [
      use('exact', { comparison: 'exact' }),
      use('nocase'),
      use('trimmed', { comparison: 'exact' }),
      use('folded'),
      use('scanned'),
      use('number', { comparison: 'exact' }),
      use('loose', { comparison: 'exact' }),
      use('looseFold'),
      use('sum', { type: 'number' }),
      use('digits', { type: 'number' }),
      use('flag', { type: 'boolean' }),
      use('flagText', { type: 'boolean' }),
      use('iso', { type: 'instant' }),
      use('date', { type: 'instant' }),
      use('seconds', { type: 'instant' }),
      use('millis', { type: 'instant' }),
      use('photo', { type: 'bytes' }),
      use('nick'),
      use('code', { comparison: 'exact' }),
      use('age', { type: 'number' }),
      use('vip', { type: 'boolean' }),
      use('since', { type: 'instant' }),
      use('labels', { multiple: true }),
      use('phones', {
        type: 'records',
        children: [use('value', { comparison: 'exact' }), use('type'), use('primary', { type: 'boolean' })],
      }),
      use('mails', {
        type: 'records',
        children: [use('value'), use('type'), use('primary', { type: 'boolean' })],
      }),
      use('tags', { multiple: true, comparison: 'exact' }),
    ],
  },
];

const tables: TablesConfig = {
  people: {
    table: 'we"ird; drop table u',
    key: 'id',
    created: 'born',
    fields: {
      exact: 'a"b',
      nocase: 'nocase',
      trimmed: 'trimmed',
      folded: { column: 'from', folded: 'from_fold' },
      scanned: 'plain',
      number: 'emp_no',
      loose: 'loose',
      looseFold: 'loose',
      sum: 'sum',
      digits: 'digits',
      flag: 'flag',
      flagText: 'flagtext',
      iso: 'at_iso',
      date: 'at_date',
      seconds: { column: 'at_s', format: 'epochSeconds' },
      millis: { column: 'at_ms', format: 'epochMillis' },
      photo: 'photo',
      nick: { column: 'doc', json: '$.nick' },
      code: { column: 'doc', json: '$."the code".no' },
      age: { column: 'doc', json: '$.age' },
      vip: { column: 'doc', json: '$.vip' },
      since: { column: 'doc', json: '$.since' },
      labels: { column: 'doc', json: '$.labels' },
      phones: { column: 'doc', json: '$.phones' },
      mails: {
        table: 'e-mails',
        parent: 'owner',
        columns: {
          value: { column: 'address', folded: 'address_fold' },
          type: 'kind',
          primary: 'primary',
        },
        fixed: { tenant: "a'; --" },
      },
      tags: { table: 'tags', parent: 'person', column: 'tag' },
    },
  },
};

const stored = [...texts, null];
const numbers = [0, 1, 7, -1, 1.5, 1000, 2 ** 53, null, 'seven', ''];
const instants = [
  '2011-05-13T04:42:34Z',
  '2011-05-13T04:42:34.5Z',
  '2011-05-13T06:42:34+02:00',
  '2011-05-13 04:42:34',
  '2011-05-12T20:42:34-08:00',
  '2011-05-12T24:00:00Z',
  '1999-12-31T23:59:59Z',
  '0000-01-01T00:00:00Z',
  '9999-12-31T23:59:59Z',
  'soon',
  '',
  '2011-05-13',
  null,
];
const epochs = [0, 1, 1305261754, 1305261754500, -1, 253402300800000, null, 'soon', 1305261754.5];
const documents = [
  null,
  '',
  'no JSON',
  '[]',
  '"text"',
  'null',
  '{}',
  '{"nick":null,"age":null,"labels":null,"phones":null}',
  '{"nick":"ABC","the code":{"no":"abc"},"age":7,"vip":true,"since":"2011-05-13T04:42:34Z","labels":["abc","Ä",5,true,null,{}],"phones":[{"value":"ab","type":"WORK","primary":true},{"value":"b"},{},"x",{"type":"home","primary":false}]}',
  '{"nick":"","the code":7,"age":"7","vip":1,"since":5,"labels":"abc","phones":{"value":"ABC","type":"work"}}',
  '{"nick":7,"the code":{"no":1.5},"age":1.5,"vip":false,"labels":[],"phones":[]}',
  '{"nick":["abc"],"the code":{"no":true},"age":true,"vip":"true","labels":{"a":"abc"},"phones":[[1],{"value":7,"type":"%"}]}',
  '{"nick":"😀","labels":["😀","ab@"],"phones":[{"value":"😀","primary":"yes"}]}',
];

let fixture: TablesFixture;
let people: readonly BackendRecord[] = [];
const fieldNames = [...entities[0]!.fields.map(({ name }) => name), '$created'];

function insertPeople(): void {
  const insert = fixture.db.prepare(
    `INSERT INTO "we""ird; drop table u" VALUES (${Array.from({ length: 20 }, () => '?').join(', ')})`,
  );
  const mail = fixture.db.prepare('INSERT INTO "e-mails" VALUES (?, ?, scimbridge_fold(?), ?, ?, ?)');
  const tag = fixture.db.prepare('INSERT OR IGNORE INTO tags VALUES (?, ?)');
  const pick = <T>(list: readonly T[], n: number): T => list[((n % list.length) + list.length) % list.length]!;
  const taken = new Set<string>();
  for (let n = 1; n <= 90; n++) {
    const text = pick(stored, n);
    const isFree = text !== null && n <= texts.length && !taken.has(foldOf(text));
    if (isFree) taken.add(foldOf(text));
    insert.run(
      n,
      n % 17 === 0 ? Buffer.from('abc') : text,
      pick(stored, n + 3),
      pick(stored, n + 5),
      isFree ? text : null,
      isFree && text !== '' ? foldOf(text) : null,
      pick(stored, n * 3),
      pick([7, 0, -1, 1000, 'abc', '', null, 12], n),
      pick([...stored, 7, 1.5, Buffer.from('ab')], n * 5),
      pick(numbers, n),
      pick(numbers, n * 3),
      pick([0, 1, null, 2, 'true'], n),
      pick(['0', '1', null, 'true', ''], n),
      pick(instants, n),
      pick(instants, n * 5),
      pick(epochs, n),
      pick(epochs, n * 2),
      pick(documents, n),
      pick([null, Buffer.from([1]), Buffer.alloc(0), 'text'], n),
      pick(instants, n * 7),
    );
    for (let m = 0; m < n % 4; m++) {
      const address = pick(stored, n * 2 + m);
      const tenant = m === 2 ? 'b' : "a'; --";
      mail.run(n, address, address, pick(['work', 'WORK', 'home', null, ''], n + m), pick([1, 0, null], n + m), tenant);
      tag.run(n, pick(texts, n * 3 + m));
    }
  }
  mail.run(null, 'lost', 'lost', 'work', 1, "a'; --");
}

function foldOf(text: string): string {
  return fixture.db.prepare<[string], string>("SELECT coalesce(scimbridge_fold(?), '')").pluck().get(text) ?? '';
}

beforeAll(() => {
  fixture = openTables(schema, entities, tables);
  insertPeople();
  people = fixture.store.search({ entity: 'people', fields: fieldNames, limit: 1000, wantTotal: false }).records;
});
afterAll(() => fixture.close());

const capabilities = (): Readonly<Record<string, FieldCapability>> => fixture.store.capabilities.people!.fields;

function comparisonFor(field: string, child?: string): Comparison {
  const capability = capabilities()[field];
  return (child === undefined ? capability : capability?.children?.[child])!.comparison;
}

function anyCondition(): fc.Arbitrary<Condition> {
  const inLists = ['mails', 'phones'].map((path) => {
    const inner = treeOf(leafOf(capabilities()[path]?.children ?? {}));
    return inner.map((filter): Condition => ({ kind: 'valuePath', path, filter }));
  });
  const presence = fc.constantFrom('mails', 'phones').map((path): Condition => ({ kind: 'present', path }));
  return treeOf(fc.oneof({ weight: 4, arbitrary: leafOf(capabilities()) }, ...inLists, presence));
}

function agrees(filter: Condition): void {
  const expected = people.filter(compileCondition(filter, comparisonFor)).map(idOf).sort();
  const found = fixture.find('people', filter, { wantTotal: true });
  expect(ids(found), JSON.stringify(filter)).toEqual(expected);
  expect(found.total).toBe(expected.length);
}

describe('conditions over existing tables', () => {
  it('compares each field as its column does, and else as the mapping wants it', () => {
    const declared = Object.entries(capabilities()).map(([field, { comparison }]) => [field, comparison]);
    expect(Object.fromEntries(declared)).toMatchObject({
      exact: 'exact',
      nocase: 'asciiFold',
      trimmed: 'exact',
      folded: 'fold',
      scanned: 'fold',
      number: 'exact',
      sum: 'number',
      flag: 'boolean',
      iso: 'instant',
      seconds: 'instant',
      nick: 'fold',
      code: 'exact',
      labels: 'fold',
      $id: 'exact',
    });
    expect(capabilities().mails?.children?.type?.comparison).toBe('asciiFold');
  });

  it('reads what the columns mean, and nothing where they hold no value', () => {
    const read = (id: string, ...fields: readonly string[]) => fixture.store.get('people', id, { fields });
    expect(read('8', 'nick', 'code', 'age', 'vip', 'since', 'labels', 'phones')).toEqual({
      $id: '8',
      nick: 'ABC',
      code: 'abc',
      age: 7,
      vip: true,
      since: '2011-05-13T04:42:34Z',
      labels: ['abc', 'Ä', '5', 'true'],
      phones: [{ value: 'ab', type: 'WORK', primary: true }, { value: 'b' }, { type: 'home', primary: false }],
    });
    expect(read('17', 'exact')).toEqual({ $id: '17' }); // bytes in a text column
    expect(read('3', 'flag', 'photo', 'iso', 'mails')).toMatchObject({ $id: '3', iso: '2011-05-13T04:42:34Z' });
    expect(read('13', 'nick', 'labels', 'exact')).toEqual({ $id: '13', exact: '😀' });
  });

  it('selects exactly what the in-memory evaluator would, leaf by leaf [7644-3.4.2.2-02]', () => {
    fc.assert(fc.property(leafOf(capabilities()), agrees), { numRuns: 2500, seed: 1 });
  });

  it('selects exactly what the in-memory evaluator would, whatever the shape [7644-3.4.2.2-14 7644-3.4.2.2-18]', () => {
    fc.assert(fc.property(anyCondition(), agrees), { numRuns: 1500, seed: 2 });
  });

  it('pages through any condition in any order without losing or doubling a record [7644-3.4.2.4-09]', () => {
    const sortable = Object.entries(capabilities()).filter(
      ([, { sortable: is, children }]) => is && children === undefined,
    );
    const sorts = fc.oneof(
      fc.record({ field: fc.constantFrom(...sortable.map(([field]) => field)), descending: fc.boolean() }),
      fc.record({
        field: fc.constantFrom('mails', 'phones'),
        child: fc.constantFrom('value', 'type'),
        prefer: fc.constant('primary'),
        descending: fc.boolean(),
      }),
    );
    const walk = fc.property(anyCondition(), sorts, fc.integer({ min: 1, max: 40 }), (filter, sort, limit) => {
      const whole = fixture.find('people', filter, { sort }).records.map(idOf);
      const seen: string[] = [];
      for (let after: string | undefined = ''; after !== undefined; ) {
        const position: { after?: string } = after === '' ? {} : { after };
        const page = fixture.find('people', filter, { sort, limit, ...position });
        seen.push(...page.records.map(idOf));
        after = page.next;
      }
      expect(seen).toEqual(whole);
    });
    fc.assert(walk, { numRuns: 150, seed: 3 });
  });

  it('finds by lookup what `eq` finds', () => {
    for (const [field, { operators, comparison }] of Object.entries(capabilities())) {
      if (operators.eq === undefined) continue;
      const values = comparison === 'number' ? [0, 7, 1.5] : comparison === 'boolean' ? [true] : texts;
      const filter: Condition = {
        kind: 'or',
        operands: values.map((value) => ({ kind: 'compare', path: field, op: 'eq', value })),
      };
      const found = fixture.store.lookup('people', { by: field, values, fields: [] }).map(idOf);
      expect(found.sort(), field).toEqual(ids(fixture.find('people', filter)));
    }
  });

  it('takes a filter with thousands of terms', () => {
    const operands = Array.from(
      { length: 3000 },
      (_, n): Condition => ({ kind: 'compare', path: 'exact', op: 'eq', value: `${n}` }),
    );
    expect(fixture.find('people', { kind: 'or', operands }).records.length).toBeGreaterThan(0);
    agrees({ kind: 'and', operands: operands.map((operand) => ({ kind: 'not', operand })) });
  });

  it('refuses what it does not promise, with an AdapterError', () => {
    for (const filter of [
      { kind: 'compare', path: 'mails', op: 'eq', value: 'x' },
      { kind: 'valuePath', path: 'exact', filter: { kind: 'present', path: 'value' } },
      { kind: 'present', path: 'nosuch' },
      { kind: 'valuePath', path: 'mails', filter: { kind: 'present', path: 'nosuch' } },
      { kind: 'compare', path: 'flag', op: 'co', value: true },
    ] as const) {
      expect(() => fixture.find('people', filter)).toThrow(expect.objectContaining({ kind: 'unsupported' }));
    }
  });
});
