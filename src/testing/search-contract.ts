import type { BackendRecord, Condition } from '../backend/adapter.js';
import { AdapterError } from '../backend/adapter-error.js';
import { compileCondition } from '../backend/condition.js';
import { idOf } from '../backend/record.js';
import { all, any, anyConditions, compare, not, oneMail, present, textOperators } from './conditions.js';
import { awkwardTexts } from './contract-entities.js';
import type { ContractFixture } from './contract-fixture.js';
import { expect } from './expect.js';
import type { Suite } from './suite.js';

const instants = ['2011-05-13T04:42:34Z', '2011-05-13T04:42:34.5Z', '1999-12-31T23:59:59Z', '2011-05-13T04:42:35Z'];

/** The same instant, two hours ahead of UTC. */
function inAnotherZone(instant: string): string {
  return new Date(Date.parse(instant) + 7_200_000).toISOString().replace('Z', '+02:00');
}

/** Few people whose matches one can tell by reading. */
const cast: readonly BackendRecord[] = [
  {
    login: 'alice',
    name: "Alice O'Malley",
    age: 9,
    enabled: true,
    hired: '2011-05-13T04:42:34Z',
    mail: ['alice@example.com', 'a@example.org'],
    mails: [
      { value: 'alice@example.com', type: 'work', primary: true },
      { value: 'home@x.org', type: 'home' },
    ],
  },
  {
    login: 'Bob',
    name: 'Bob 100%',
    badge: 'B-1',
    age: 10,
    enabled: false,
    hired: '2011-05-13T06:42:34Z',
    mail: ['bob@example.com'],
    mails: [{ value: 'bob@x.org', type: 'work' }],
  },
  { login: 'carol', name: 'Carol', badge: 'b-1', age: 100, hired: '2011-05-13T04:42:34.001Z' },
  { login: 'dave' },
];

const examples: readonly (readonly [string, Condition, readonly string[]])[] = [
  ['equal texts, without regard to case [7644-3.4.2.2-06]', compare('login', 'eq', 'ALICE'), ['alice']],
  ['equal texts, with regard to case [7644-3.4.2.2-28]', compare('badge', 'eq', 'b-1'), ['carol']],
  ['a part of a text [7644-3.4.2.2-08]', compare('name', 'co', "o'm"), ['alice']],
  ['a wildcard as what it is', compare('name', 'co', '%'), ['Bob']],
  ['the start of a text [7644-3.4.2.2-09]', compare('name', 'sw', 'CAR'), ['carol']],
  ['a start that is all of it [7644-3.4.2.2-09]', compare('name', 'sw', 'carol'), ['carol']],
  ['the end of a text [7644-3.4.2.2-10]', compare('name', 'ew', 'MALLEY'), ['alice']],
  ['any of many values [7644-3.4.2.2-24]', compare('mail', 'ew', '.org'), ['alice']],
  ['what has a value [7644-3.4.2.2-11]', present('badge'), ['Bob', 'carol']],
  ['what has child records [7644-3.4.2.2-11]', present('mails'), ['alice', 'Bob']],
  ['what has none [7644-3.4.2.2-14]', not(present('mail')), ['carol', 'dave']],
  ['numbers by value [7644-3.4.2.2-12]', compare('age', 'gt', 9), ['Bob', 'carol']],
  ['numbers up to one [7644-3.4.2.2-12]', compare('age', 'le', 10), ['alice', 'Bob']],
  ['instants by time [7644-3.4.2.2-12]', compare('hired', 'gt', '2011-05-13T04:42:34Z'), ['Bob', 'carol']],
  ['instants written with an offset', compare('hired', 'eq', '2011-05-13T02:42:34-02:00'), ['alice']],
  ['true', compare('enabled', 'eq', true), ['alice']],
  ['false, which no value is not', compare('enabled', 'eq', false), ['Bob']],
  ['not equal, also without a value [7644-3.4.2.2-07]', not(compare('badge', 'eq', 'B-1')), ['alice', 'carol', 'dave']],
  ['not one of many [7644-3.4.2.2-07]', not(compare('mail', 'eq', 'a@example.org')), ['Bob', 'carol', 'dave']],
  ['both [7644-3.4.2.2-14]', all(present('age'), not(present('mail'))), ['carol']],
  ['either [7644-3.4.2.2-14]', any(compare('age', 'eq', 9), compare('login', 'eq', 'dave')), ['alice', 'dave']],
  ['neither', not(any(present('mail'), present('age'))), ['dave']],
  ['everything', all(), ['alice', 'Bob', 'carol', 'dave']],
  ['nothing', any(), []],
  [
    'one child record that meets all [7644-3.4.2.2-18]',
    oneMail(all(compare('type', 'eq', 'work'), compare('value', 'ew', 'x.org'))),
    ['Bob'],
  ],
  [
    'one of the child records [7644-3.4.2.2-21]',
    oneMail(any(compare('primary', 'eq', true), compare('value', 'sw', 'BOB'))),
    ['alice', 'Bob'],
  ],
  ['a child record without a value', oneMail(not(present('primary'))), ['alice', 'Bob']],
  ['no such child record', not(oneMail(compare('type', 'eq', 'home'))), ['Bob', 'carol', 'dave']],
];

export function searchContract(fixture: ContractFixture, { it }: Suite): void {
  async function loginsFor(filter: Condition): Promise<readonly string[]> {
    const { records } = await fixture.search({ entity: 'people', filter, fields: ['login'] });
    return records.map(({ login }) => String(login)).sort();
  }

  for (const [name, filter, expected] of examples) {
    it(`finds ${name}`, async ({ skip }) => {
      skip(fixture.precisionOf('people', filter) !== 'exact', 'the adapter does not promise this condition exactly');
      const asCompared = cast.filter(compileCondition(filter, fixture.comparisonOf('people')));
      const isOther =
        asCompared
          .map(({ login }) => login)
          .sort()
          .join() !== [...expected].sort().join();
      skip(isOther, 'the adapter declares another comparison of a field');
      for (const person of cast) await fixture.create('people', person);
      expect(await loginsFor(filter)).toEqual([...expected].sort());
    });
  }

  /** Everybody with an awkward text, as the backend gives them back. */
  async function awkwardPeople(): Promise<readonly BackendRecord[]> {
    const ids = await Promise.all(awkwardTexts.map(createAwkward));
    ids.push(await fixture.create('people', { login: 'bare' }));
    const kept = ids.filter((id) => id !== undefined);
    return Promise.all(kept.map((id) => fixture.read('people', id, ...filterable())));
  }

  /** @returns undefined when the backend refuses the text */
  async function createAwkward(text: string, index: number): Promise<string | undefined> {
    const mails = [
      { value: text, type: 'work', primary: index % 2 === 0 },
      { value: `x${text}`, type: text },
    ];
    const person = {
      login: `p${index}`,
      name: text,
      badge: text,
      mail: [`m${index}`, text],
      ...(index % 3 === 0 ? {} : { tags: [text, `tag ${index}`] }),
      ...(index % 4 === 0 ? {} : { mails, age: index % 7, enabled: index % 2 === 0 }),
      ...(index % 5 === 0 ? {} : { hired: instants[index % instants.length]! }),
    };
    return fixture.create('people', person).catch((error: unknown) => {
      if (error instanceof AdapterError && error.kind === 'rejected') return undefined;
      throw error;
    });
  }

  function filterable(): readonly string[] {
    return [...fixture.fieldsOf('people'), '$id', '$created', '$modified'];
  }

  /** Holds the adapter's answer against the in-memory meaning of the condition. @returns false when it is not promised */
  async function agrees(people: readonly BackendRecord[], filter: Condition): Promise<boolean> {
    const precision = fixture.precisionOf('people', filter);
    if (precision === undefined) return false;
    const matches = compileCondition(filter, fixture.comparisonOf('people'));
    const expected = people.filter(matches).map(idOf).sort();
    const wantTotal = precision === 'exact' && fixture.can('people').total;
    const { records, total } = await fixture.search({ entity: 'people', filter, wantTotal });
    const found = records.map(idOf).sort();
    const told = `filter ${JSON.stringify(filter)}`;
    if (precision === 'superset') expect(found, told).toEqual(expect.arrayContaining(expected));
    else expect(found, told).toEqual(expected);
    if (wantTotal) expect(total, told).toBe(expected.length);
    return true;
  }

  for (const op of textOperators) {
    it(`agrees with the reference on "${op}" of awkward texts [7644-3.4.2.2-02]`, async ({ skip }) => {
      const people = await awkwardPeople();
      let promised = 0;
      for (const text of awkwardTexts) {
        const conditions = [
          ...['name', 'badge', 'mail', 'tags'].map((field) => compare(field, op, text)),
          oneMail(compare('value', op, text)),
          oneMail(all(compare('type', 'eq', 'work'), compare('value', op, text))),
        ];
        for (const condition of conditions) if (await agrees(people, condition)) promised++;
      }
      skip(promised === 0, `no field has the operator "${op}"`);
    });
  }

  it('agrees with the reference on numbers, booleans, instants and presence [7644-3.4.2.2-02]', async () => {
    const people = await awkwardPeople();
    for (const field of filterable()) await agrees(people, present(field));
    for (const op of textOperators) {
      for (const value of [-1, 0, 3, 6, 6.5, 1e12]) await agrees(people, compare('age', op, value));
      for (const value of [true, false]) await agrees(people, compare('enabled', op, value));
      for (const value of [...instants, '2011-05-13T06:42:34+02:00']) await agrees(people, compare('hired', op, value));
    }
    for (const primary of [true, false]) await agrees(people, oneMail(compare('primary', 'eq', primary)));
  });

  it('agrees with the reference on conditions of any shape [7644-3.4.2.2-14 7644-3.4.2.2-18]', async () => {
    const people = await awkwardPeople();
    for (const filter of anyConditions(200)) await agrees(people, filter);
  });

  it('finds records by $id and by their times', async () => {
    const ids = [await fixture.create('people', { login: 'alice' }), await fixture.create('people', { login: 'bob' })];
    const people = await Promise.all(ids.map((id) => fixture.read('people', id, '$created', '$modified')));
    expect(await fixture.ids('people', compare('$id', 'eq', ids[0]!))).toEqual([ids[0]]);
    await agrees(people, compare('$id', 'eq', 'no such id'));
    for (const field of ['$created', '$modified']) {
      for (const op of ['eq', 'ge', 'lt'] as const) {
        await agrees(people, compare(field, op, String(people[0]?.[field] ?? instants[0])));
        await agrees(people, compare(field, op, '2001-01-01T00:00:00Z'));
        await agrees(people, compare(field, op, inAnotherZone(String(people[0]?.[field] ?? instants[0]))));
      }
    }
  });

  it('compares bytes by their base64 text [7643-2.3.6-02]', async ({ skip }) => {
    fixture.needs(skip, 'people', 'photo');
    const filter = compare('photo', 'eq', 'AQID');
    skip(fixture.precisionOf('people', filter) !== 'exact', 'photo cannot be compared');
    const id = await fixture.create('people', { login: 'alice', photo: new Uint8Array([1, 2, 3]) });
    await fixture.create('people', { login: 'bob', photo: new Uint8Array([1, 2]) });
    expect(await fixture.ids('people', filter)).toEqual([id]);
    expect(await fixture.ids('people', compare('photo', 'eq', 'aqid'))).toEqual([]);
  });

  it('finds members, and what is a member, by id', async ({ skip }) => {
    fixture.needs(skip, 'groups', 'members');
    const [alice, bob] = [
      await fixture.create('people', { login: 'alice' }),
      await fixture.create('people', { login: 'b' }),
    ];
    const staff = await fixture.create('groups', { title: 'staff', members: [alice, bob] });
    await fixture.create('groups', { title: 'empty' });
    const isMember = compare('members', 'eq', alice);
    skip(fixture.precisionOf('groups', isMember) !== 'exact', 'members cannot be compared');
    expect(await fixture.ids('groups', isMember)).toEqual([staff]);
    const belongs = compare('memberOf', 'eq', staff);
    skip(fixture.precisionOf('people', belongs) !== 'exact', 'memberOf cannot be compared');
    expect([...(await fixture.ids('people', belongs))].sort()).toEqual([alice, bob].sort());
    expect(await fixture.ids('people', not(belongs))).toEqual([]);
  });
}
