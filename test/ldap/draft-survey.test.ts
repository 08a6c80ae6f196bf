import { describe, expect, it } from 'vitest';
import { classesOf } from '../../adapters/ldap/draft-classes.js';
import { placeOf, relativeTo, type Survey, without } from '../../adapters/ldap/draft-survey.js';
import { parseSchema } from '../../adapters/ldap/schema.js';

const base = 'dc=example,dc=org';

function surveyOf(counts: Readonly<Record<string, number>>, classSets: Survey['classSets'] = []): Survey {
  const parents = Object.entries(counts).map(([dn, count]) => [dn, { dn, count }] as const);
  const total = parents.reduce((sum, [, { count }]) => sum + count, 0);
  return { total, parents: new Map(parents), classSets, namedBy: new Map(), isCut: false };
}

describe('the place of people', () => {
  it('is the deepest container with nine tenths of them; new ones go where most are', () => {
    const counts = { [`ou=Berlin,ou=staff,${base}`]: 40, [`ou=Paris,ou=staff,${base}`]: 55, [`ou=apps,${base}`]: 5 };
    const place = { base: `ou=staff,${base}`, into: `ou=Paris,ou=staff,${base}`, outside: 5 };
    expect(placeOf(surveyOf(counts), base)).toEqual(place);
  });

  it('is the base itself where they lie all over it', () => {
    const counts = { [`ou=a,${base}`]: 50, [`ou=b,${base}`]: 50 };
    expect(placeOf(surveyOf(counts), base)).toMatchObject({ base, outside: 0 });
  });

  it('is nowhere without people', () => {
    expect(placeOf(surveyOf({}), base)).toBeUndefined();
    expect(placeOf(without(surveyOf({ [`CN=Users,${base}`]: 3 }), `cn=users,${base}`), base)).toBeUndefined();
  });

  it('is written relative to the base, with its escapes', () => {
    expect(relativeTo(`ou=a\\,b,ou=c,${base}`, base)).toBe('ou=a\\2Cb,ou=c');
    expect([relativeTo(base, base), relativeTo('o=else', base)]).toEqual([base, 'o=else']);
    expect(() => relativeTo(`ou={x},${base}`, base)).toThrow(/braces/);
  });
});

describe('the classes of new entries', () => {
  const schema = parseSchema({
    attributeTypes: [],
    objectClasses: [
      "( 1 NAME 'person' STRUCTURAL MUST ( sn $ cn ) MAY userPassword )",
      "( 2 NAME 'inetOrgPerson' SUP person STRUCTURAL MAY ( uid $ mail ) )",
      "( 3 NAME 'acmePerson' SUP inetOrgPerson STRUCTURAL MAY acmeBadge )",
      "( 4 NAME 'posixAccount' AUXILIARY MUST ( cn $ uid $ uidNumber ) )",
      "( 5 NAME 'acmeExtra' AUXILIARY MAY acmeRoom )",
    ],
  });
  const filled = new Set(['objectclass', 'cn', 'sn', 'uid']);
  const of = (...sets: readonly (readonly [count: number, ...classes: string[]])[]) =>
    classesOf(
      surveyOf(
        { [base]: sets.reduce((sum, [count]) => sum + count, 0) },
        sets.map(([count, ...classes]) => ({ count, classes })),
      ),
      schema,
      'inetOrgPerson',
      filled,
      'uid',
    );

  it('are the structural class of most, and auxiliary ones of nearly all that a new entry can have', () => {
    const most = ['person', 'inetorgperson', 'acmeperson', 'posixaccount', 'acmeextra'];
    expect(of([95, ...most], [5, 'person', 'inetorgperson'])).toMatchObject({
      names: ['acmePerson', 'acmeExtra'],
      count: 95,
    });
  });

  it('leave out a class that has no place for the user name', () => {
    expect(of([60, 'person'], [40, 'person', 'inetorgperson'])).toMatchObject({ names: ['inetOrgPerson'], count: 40 });
  });

  it('are the usual one where there is nobody', () => {
    const classes = of();
    expect(classes?.names).toEqual(['inetOrgPerson']);
    expect([classes?.must.has('sn'), classes?.may.has('userpassword')]).toEqual([true, true]);
  });
});
