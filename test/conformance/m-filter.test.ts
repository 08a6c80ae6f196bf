import { beforeAll, describe, expect, it } from 'vitest';
import type { Message, TestGateway } from '../support/gateway.js';
import {
  expectError,
  expectInvalidFilter,
  idsOf,
  list,
  newGroup,
  newUser,
  read,
  selected,
  unique,
  urn,
} from './resources.js';
import { type GatewayId, inBoth, useServer } from './server.js';

const server = useServer('default', 'strict', 'rich');

/** Three people per gateway; tests look among them only. */
interface People {
  readonly userType: string;
  readonly barbara: Message;
  readonly mandy: Message;
  readonly bare: Message;
}
const people = new Map<GatewayId, People>();

async function addPeople(gateway: TestGateway): Promise<People> {
  const userType = unique('type');
  const barbara = await newUser(gateway, {
    schemas: [urn.user, urn.enterprise],
    userType,
    userName: unique('bjensen'),
    externalId: unique('Ext'),
    displayName: 'Barbara "Babs" Jensen\\Smith é',
    name: { familyName: "O'Malley", givenName: 'Barbara' },
    title: 'Manager',
    active: true,
    emails: [
      { value: 'bjensen@example.com', type: 'work', primary: true },
      { value: 'babs@jensen.org', type: 'home' },
    ],
    [urn.enterprise]: { department: 'Tours', employeeNumber: '9' },
  });
  const mandy = await newUser(gateway, {
    userType,
    userName: unique('Mandy'),
    displayName: 'Mandy Pepperidge',
    name: { familyName: 'Pepperidge', givenName: 'Mandy' },
    title: 'Tour Guide',
    active: false,
    emails: [{ value: 'mandy@jensen.org', type: 'work' }],
  });
  return { userType, barbara, mandy, bare: await newUser(gateway, { userType }) };
}

beforeAll(async () => {
  for (const id of ['default', 'strict'] as const) people.set(id, await addPeople(server.gateway(id)));
});

type Name = 'barbara' | 'mandy' | 'bare';

/** The names of the people that the filter selects. */
async function found(id: GatewayId, filter: string): Promise<readonly Name[]> {
  const { userType, ...named } = people.get(id) as People;
  const matches = await selected(server.gateway(id), `userType eq "${userType}" and (${filter})`);
  const names = (['barbara', 'mandy', 'bare'] as const).filter((name) => matches.includes(named[name].id));
  expect(matches).toHaveLength(names.length);
  return names;
}

async function expectFound(filter: string, names: readonly Name[]): Promise<void> {
  for (const id of ['default', 'strict'] as const) expect(await found(id, filter), `${id}: ${filter}`).toEqual(names);
}

const every = ['barbara', 'mandy', 'bare'] as const;

describe('M. Operators', () => {
  it.each<readonly [string, readonly Name[]]>([
    ['title eq "Manager"', ['barbara']],
    ['title eq "mANAGER"', ['barbara']],
    ['title eq "Manage"', []],
    ['title ne "Manager"', ['mandy', 'bare']],
    ['emails.value ne "mandy@jensen.org"', ['barbara', 'bare']],
    ['title co "ou"', ['mandy']],
    ['title co "a"', ['barbara']],
    ['name.familyName co "O\'Malley"', ['barbara']],
    ['name.familyName sw "O\'"', ['barbara']],
    ['title sw "Manager"', ['barbara']],
    ['title sw "anager"', []],
    ['emails.value ew "example.com"', ['barbara']],
    ['emails.value ew "mandy@jensen.org"', ['mandy']],
    ['emails.value ew "jensen"', []],
    ['title pr', ['barbara', 'mandy']],
    ['name pr', ['barbara', 'mandy']],
    ['emails pr', ['barbara', 'mandy']],
    ['nickName pr', []],
    ['active eq true', ['barbara']],
    ['active eq false', ['mandy']],
    ['title gt "Manager"', ['mandy']],
    ['title ge "Manager"', ['barbara', 'mandy']],
    ['title lt "Tour Guide"', ['barbara']],
    ['title le "Tour Guide"', ['barbara', 'mandy']],
    ['title le "tour guide"', ['barbara', 'mandy']],
  ])(
    '%s selects %j [7644-3.4.2.2-02 7644-3.4.2.2-06 7644-3.4.2.2-07 7644-3.4.2.2-08 7644-3.4.2.2-09 7644-3.4.2.2-10 7644-3.4.2.2-11 7644-3.4.2.2-12]',
    (filter, names) => expectFound(filter, names),
  );

  it('eq compares by caseExact [7644-3.4.2.2-06 7644-3.4.2.2-28]', async () => {
    for (const id of ['default', 'strict'] as const) {
      const { userName, externalId } = (people.get(id) as People).barbara;
      expect(await found(id, `userName eq "${String(userName).toUpperCase()}"`)).toEqual(['barbara']);
      expect(await found(id, `externalId eq "${externalId}"`)).toEqual(['barbara']);
      expect(await found(id, `externalId eq "${String(externalId).toUpperCase()}"`)).toEqual([]);
      expect(await found(id, `externalId sw "ext"`)).toEqual([]);
      expect(await found(id, `externalId sw "Ext"`)).toEqual(['barbara']);
    }
  });

  it('ne holds when no value is equal, and when there is none [7644-3.4.2.2-07 GAP-01]', async () => {
    await expectFound('title ne "Manager"', ['mandy', 'bare']);
    await expectFound('emails.value ne "babs@jensen.org"', ['mandy', 'bare']);
    await expectFound('emails[value ne "babs@jensen.org"]', ['barbara', 'mandy']);
  });

  it('eq null and ne null ask for presence [GAP-02]', async () => {
    await expectFound('title eq null', ['bare']);
    await expectFound('title ne null', ['barbara', 'mandy']);
  });

  it('values of unlike types match nothing or are refused [GAP-03]', async () => {
    for (const id of ['default', 'strict'] as const) {
      for (const filter of ['title eq 7', 'title eq true', 'meta.created eq "soon"']) {
        const answer = await server.gateway(id).request('GET', '/Users', { query: { filter } });
        if (answer.status === 200) expect(answer.body.totalResults, filter).toBe(0);
        else expectError(answer, 400, 'invalidFilter');
      }
    }
  });

  it('dates compare by time, whatever their offset [7644-3.4.2.2-12]', async () => {
    for (const id of ['default', 'strict'] as const) {
      const { barbara } = people.get(id) as People;
      const createdAt = Date.parse(barbara.meta.created);
      const shifted = (ms: number) => new Date(createdAt + ms + 7_200_000).toISOString().replace('Z', '+02:00');
      const only = (filter: string) => `userName eq "${barbara.userName}" and meta.created ${filter}`;
      expect(await found(id, only(`gt "${shifted(-1000)}"`))).toEqual(['barbara']);
      expect(await found(id, only(`lt "${shifted(1000)}"`))).toEqual(['barbara']);
      expect(await found(id, only(`gt "${shifted(1000)}"`))).toEqual([]);
      expect(await found(id, only(`eq "${barbara.meta.created}"`))).toEqual(['barbara']);
      expect(await found(id, only('ge "2011-05-13T04:42:34Z"'))).toEqual(['barbara']);
    }
  });

  it('numbers compare as numbers [7644-3.4.2.2-12]', async () => {
    const gateway = server.gateway('rich');
    const userType = unique('type');
    const [nine, ten] = [9, 10].map((whole) => ({ schemas: [urn.user, urn.kinds], userType, [urn.kinds]: { whole } }));
    const [a, b] = [await newUser(gateway, nine), await newUser(gateway, ten)];
    const only = (filter: string) => selected(gateway, `userType eq "${userType}" and ${urn.kinds}:whole ${filter}`);
    expect(await only('lt 10')).toEqual([a.id]);
    expect(await only('gt 9')).toEqual([b.id]);
    expect(await only('ge 9')).toEqual(idsOf(a, b));
    expect(await only('eq 10')).toEqual([b.id]);
    expect(await only('eq "10"')).toEqual([]);
  });

  it('order is by code point after folding [GAP-14 7644-3.4.2.2-12]', async () => {
    await expectFound('title lt "n"', ['barbara']);
    await expectFound('title gt "N"', ['mandy']);
  });

  it.each(['gt', 'ge', 'lt', 'le'])('%s on booleans and binary is refused [7644-3.4.2.2-13]', async (op) => {
    for (const id of ['default', 'strict'] as const) {
      await expectInvalidFilter(server.gateway(id), `active ${op} true`);
      await expectInvalidFilter(server.gateway(id), `x509Certificates.value ${op} "AQID"`);
      await expectInvalidFilter(server.gateway(id), `emails[primary ${op} true]`);
    }
  });

  it(
    'refuses pairs that make no sense [7644-T9-01]',
    inBoth(server, async (gateway) => {
      for (const filter of ['active co "tr"', 'active sw "t"', 'active ew "e"', 'name co "x"', 'meta.created co "2"']) {
        await expectInvalidFilter(gateway, filter);
      }
    }),
  );

  it(
    'knows no other operator, and says which one it was [7644-3.4.2.2-27]',
    inBoth(server, async (gateway) => {
      expect((await expectInvalidFilter(gateway, 'userName regex "a"')).body.detail).toContain('regex');
      await expectInvalidFilter(gateway, 'userName = "a"');
      await expectInvalidFilter(gateway, 'userName eq "a" xor title pr');
    }),
  );

  it('names and operators go in any case [7644-3.4.2.2-03]', async () => {
    await expectFound('TITLE EQ "Manager"', ['barbara']);
    await expectFound('Name.FamilyNAME Sw "Pepper" AnD TITLE Pr', ['mandy']);
    await expectFound('NOT (title PR) OR title CO "guide"', ['mandy', 'bare']);
    await expectFound('Emails[TYPE Eq "home" AND Value PR]', ['barbara']);
  });

  it('compares a default by the value that clients see [7644-3.4.2.2-26]', async () => {
    const gateway = server.gateway('rich');
    const resource = await newUser(gateway);
    expect(resource.active).toBe(true);
    expect(await selected(gateway, `id eq "${resource.id}" and active eq true`)).toEqual([resource.id]);
  });
});

describe('M. Logic', () => {
  it('and, or, not have their truth tables [7644-3.4.2.2-14]', async () => {
    const [yes, no] = ['userName pr', 'nickName pr'];
    const table = [
      [`${yes} and ${yes}`, true],
      [`${yes} and ${no}`, false],
      [`${no} and ${yes}`, false],
      [`${no} and ${no}`, false],
      [`${yes} or ${yes}`, true],
      [`${yes} or ${no}`, true],
      [`${no} or ${yes}`, true],
      [`${no} or ${no}`, false],
      [`not (${yes})`, false],
      [`not (${no})`, true],
      [`not (${yes} and ${no})`, true],
      [`not (${no} or ${yes})`, false],
      [`not (not (${yes}))`, true],
    ] as const;
    for (const [filter, holds] of table) await expectFound(filter, holds ? every : []);
  });

  it('parentheses group [7644-3.4.2.2-15]', async () => {
    await expectFound('(title eq "Manager" or title eq "Tour Guide") and active eq false', ['mandy']);
    await expectFound('((title pr))', ['barbara', 'mandy']);
  });

  it('not binds tighter than and, and tighter than or [7644-3.4.2.2-16]', async () => {
    await expectFound('title eq "Manager" or title eq "Tour Guide" and active eq true', ['barbara']);
    await expectFound('active eq true and title eq "Tour Guide" or title eq "Manager"', ['barbara']);
    await expectFound('not (title pr) or active eq true', ['barbara', 'bare']);
    await expectFound('not (title eq "Manager") and active eq false', ['mandy']);
  });

  it('comparisons bind tightest [7644-3.4.2.2-17]', async () => {
    await expectFound('title sw "M" and active eq true', ['barbara']);
    await expectFound('title sw "X" or name.givenName eq "Mandy"', ['mandy']);
  });

  it('a space after "not" may be left out [7644-3.4.2.2-22]', async () => {
    await expectFound('not (title pr)', ['bare']);
    await expectFound('not(title pr)', ['bare']);
  });
});

describe('M. Multi-valued and complex attributes', () => {
  it('a value path holds when one element meets all of it [7644-3.4.2.2-18]', async () => {
    await expectFound('emails[type eq "work" and value ew "@example.com"]', ['barbara']);
    await expectFound('emails[type eq "work" and value ew "@jensen.org"]', ['mandy']);
    await expectFound('emails.type eq "work" and emails.value ew "@jensen.org"', ['barbara', 'mandy']);
    await expectFound('emails[type eq "work"] and emails[type eq "home"]', ['barbara']);
    await expectFound('not (emails[type eq "home"])', ['mandy', 'bare']);
  });

  it(
    'only sub-attributes stand in a value path [7644-3.4.2.2-19 7644-3.4.2.2-20]',
    inBoth(server, async (gateway) => {
      for (const filter of [
        'emails[userName eq "a"]',
        'emails[nosuch eq "a"]',
        'emails[type eq "a" and ims[type eq "b"]]',
        'emails[emails.type eq "work"]',
        'userName[value eq "a"]',
      ]) {
        await expectInvalidFilter(gateway, filter);
      }
    }),
  );

  it('logic and parentheses stand in a value path [7644-3.4.2.2-21]', async () => {
    await expectFound('emails[type eq "home" or (type eq "work" and value ew "@jensen.org")]', ['barbara', 'mandy']);
    await expectFound('emails[not (type eq "work")]', ['barbara']);
  });

  it('a multi-valued attribute matches by any of its values [7644-3.4.2.2-24]', async () => {
    await expectFound('emails.value eq "babs@jensen.org"', ['barbara']);
    await expectFound('emails.value eq "bjensen@example.com"', ['barbara']);
  });

  it('a multi-valued attribute stands for its value, another complex one for nothing [7644-3.4.2.2-25]', async () => {
    await expectFound('emails co "example.com"', ['barbara']);
    await expectFound('emails eq "mandy@jensen.org"', ['mandy']);
    for (const id of ['default', 'strict'] as const) {
      await expectInvalidFilter(server.gateway(id), 'name eq "Barbara"');
      await expectInvalidFilter(server.gateway(id), 'meta eq "x"');
    }
  });

  it(
    'members are found by their id [7644-3.4.2.2-25 7644-3.4.2.2-24]',
    inBoth(server, async (gateway) => {
      const member = await newUser(gateway);
      const team = await newGroup(gateway, { members: [{ value: member.id }] });
      expect(await selected(gateway, `members eq "${member.id}"`, '/Groups')).toEqual([team.id]);
      expect(await selected(gateway, `members[value eq "${member.id}"]`, '/Groups')).toEqual([team.id]);
      expect(await selected(gateway, `members.value eq "${member.id.toUpperCase()}X"`, '/Groups')).toEqual([]);
    }),
  );
});

describe('M. Syntax', () => {
  it.each([
    '',
    ' ',
    'userName',
    'eq "a"',
    'userName eq',
    'userName pr pr',
    'userName pr "a"',
    '(userName pr',
    'userName pr)',
    'userName pr and',
    'or userName pr',
    'not',
    'userName eq "a" "b"',
    'emails[',
    'emails[]',
    'emails[type eq "work"',
    '"a" eq userName',
    'userName.. eq "a"',
    'userName,title eq "a"',
  ])('refuses %j [7644-3.4.2.2-04 7644-3.4.2.2-05 7644-3.4.2.2-23]', async (filter) => {
    for (const id of ['default', 'strict'] as const) await expectInvalidFilter(server.gateway(id), filter);
  });

  it.each([
    "userName eq 'x'",
    'userName eq bare',
    'userName eq "a',
    'title eq 01',
    'title eq "a\\x"',
    'title eq undefined',
  ])('refuses %s, whose value is no JSON [7644-3.4.2.2-23]', async (filter) => {
    for (const id of ['default', 'strict'] as const) await expectInvalidFilter(server.gateway(id), filter);
  });

  it('decodes the escapes of JSON strings [7644-3.4.2.2-23]', async () => {
    await expectFound('displayName co "\\"Babs\\""', ['barbara']);
    await expectFound('displayName co "Jensen\\\\Smith"', ['barbara']);
    await expectFound('displayName ew "\\u00e9"', ['barbara']);
  });

  it('understands names with their schema, and does not split at the dot of "2.0" [7644-3.4.2.2-30]', async () => {
    await expectFound(`${urn.user}:title sw "M"`, ['barbara']);
    await expectFound(`${urn.user}:name.familyName sw "P"`, ['mandy']);
    await expectFound(`${urn.enterprise}:department eq "tours"`, ['barbara']);
    await expectFound(`${urn.user}:emails[type eq "home"]`, ['barbara']);
  });

  it('finds resources by their schemas [7644-3.4.2.2-29]', async () => {
    await expectFound(`schemas eq "${urn.enterprise}"`, ['barbara']);
    await expectFound(`not (schemas eq "${urn.enterprise}")`, ['mandy', 'bare']);
  });

  it(
    'refuses unknown attributes and names them [7644-3.4.2.2-31 GAP-04]',
    inBoth(server, async (gateway) => {
      const answer = await expectInvalidFilter(gateway, 'nosuch eq "x" or userName pr or neither.this pr');
      expect(answer.body.detail).toContain('nosuch');
      expect(answer.body.detail).toContain('neither.this');
      await expectInvalidFilter(gateway, 'name.nosuch eq "x"');
      await expectInvalidFilter(gateway, 'urn:example:nosuch:attribute eq "x"');
    }),
  );

  it('takes attr[filter].sub op value (default, rule 10) [7644-3.4.2.2-23]', async () => {
    expect(await found('default', 'emails[type eq "work"].value ew "jensen.org"')).toEqual(['mandy']);
  });

  it('refuses attr[filter].sub op value, which the grammar lacks (strict) [7644-3.4.2.2-23]', async () => {
    await expectInvalidFilter(server.gateway('strict'), 'emails[type eq "work"].value ew "jensen.org"');
  });

  it('takes text for booleans (default, rule 2) [GAP-03]', async () => {
    expect(await found('default', 'active eq "True"')).toEqual(['barbara']);
    expect(await found('default', 'emails[primary eq "true"]')).toEqual(['barbara']);
  });

  it.each([
    ['many terms', Array.from({ length: 10_000 }, () => 'userName eq "a"').join(' or ')],
    ['deep nesting', `${'('.repeat(1_000)}userName pr${')'.repeat(1_000)}`],
    ['deep negation', `${'not ('.repeat(1_000)}userName pr${')'.repeat(1_000)}`],
  ])('refuses a filter with %s, quickly [7644-3.4.2.2-32]', async (_, filter) => {
    const gateway = server.gateway('default');
    const start = performance.now();
    const answer = await gateway.request('POST', '/Users/.search', { body: { schemas: [urn.search], filter } });
    expectError(answer, 400, 'invalidFilter');
    expect(performance.now() - start).toBeLessThan(2_000);
  });

  it.each(['*)(uid=*', "' OR 1=1--", '%', '_', '"); DROP TABLE users; --', '\\', '\u0000', '*'])(
    'takes %j for text and nothing else [7644-7.7-01]',
    async (text) => {
      for (const id of ['default', 'strict'] as const) {
        const value = JSON.stringify(text);
        for (const op of ['eq', 'co', 'sw', 'ew']) {
          expect(await found(id, `userName ${op} ${value}`), op).toEqual([]);
        }
        const resource = await newUser(server.gateway(id), { title: `<${text}>` });
        expect(await selected(server.gateway(id), `id eq "${resource.id}" and title co ${value}`)).toEqual([
          resource.id,
        ]);
      }
    },
  );

  it(
    'is offered, and says so [7644-3.4.2.2-01]',
    inBoth(server, async (gateway) => {
      const { filter } = await read(gateway, '/ServiceProviderConfig');
      expect(filter).toMatchObject({ supported: true });
      expect((await list(gateway, '/Users', { filter: 'userName pr', count: 1 })).totalResults).toBeGreaterThan(0);
    }),
  );
});
