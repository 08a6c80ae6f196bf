import { describe, expect, it } from 'vitest';
import { parseSchema } from '../../adapters/ldap/schema.js';
import { profileServer } from '../../adapters/ldap/server-kind.js';

describe('schema', () => {
  // RFC 4519 and RFC 4512, as OpenLDAP prints them
  const schema = parseSchema({
    attributeTypes: [
      "( 2.5.4.41 NAME 'name' DESC 'RFC4519: a ( strange $ one) it\\27s' EQUALITY caseIgnoreMatch SUBSTR caseIgnoreSubstringsMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15{32768} )",
      "( 2.5.4.3 NAME ( 'cn' 'commonName' ) DESC 'x' SUP name X-ORIGIN ( 'RFC 4519' 'user defined' ) )",
      "( 2.5.4.6 NAME 'c' SUP 2.5.4.41 SYNTAX 1.3.6.1.4.1.1466.115.121.1.11 SINGLE-VALUE )",
      "( 2.5.18.2 NAME 'modifyTimestamp' EQUALITY generalizedTimeMatch ORDERING generalizedTimeOrderingMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.24 SINGLE-VALUE NO-USER-MODIFICATION USAGE directoryOperation )",
      "( 2.5.4.35 NAME 'userPassword' EQUALITY octetStringMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.40{128} )",
      "( 0.9.2342.19200300.100.1.60 NAME 'jpegPhoto' SYNTAX 1.3.6.1.4.1.1466.115.121.1.28 )",
      '( 1.1.1 SUP 1.1.2 )',
      '( 1.1.2 SUP 1.1.1 )',
      'nonsense',
      '( ',
      "( 1.1.3 NAME ( 'open'",
    ],
    objectClasses: [
      "( 2.5.6.0 NAME 'top' ABSTRACT MUST objectClass )",
      "( 2.5.6.6 NAME 'person' SUP top STRUCTURAL MUST ( sn $ cn ) MAY ( userPassword $ description ) )",
      "( 2.5.6.7 NAME 'organizationalPerson' SUP person MAY ( title $ CN ) )",
      "( 1.2 NAME 'extra' SUP top AUXILIARY MAY c )",
    ],
  });

  it('inherits what an attribute has from its superiors (RFC 4512 section 4.1.2)', () => {
    expect(schema.attribute('COMMONNAME;lang-de')).toMatchObject({
      oid: '2.5.4.3',
      name: 'cn',
      superior: 'name',
      equality: 'caseIgnoreMatch',
      substrings: 'caseIgnoreSubstringsMatch',
      ordering: undefined,
      syntax: '1.3.6.1.4.1.1466.115.121.1.15',
      maxLength: 32_768,
      isSingleValued: false,
      isReadOnly: false,
      isOperational: false,
      isBinary: false,
    });
    expect(schema.attribute('c')).toMatchObject({
      equality: 'caseIgnoreMatch',
      syntax: '1.3.6.1.4.1.1466.115.121.1.11',
      isSingleValued: true,
    });
    expect(schema.attribute('2.5.18.2')).toMatchObject({ isReadOnly: true, isOperational: true, isSingleValued: true });
    expect(schema.attribute('jpegphoto')?.isBinary).toBe(true);
    expect(schema.attribute('userPassword')?.isBinary).toBe(false);
    expect(schema.attribute('absent')).toBeUndefined();
  });

  it('inherits what a class demands and allows (RFC 4512 section 4.1.1)', () => {
    const person = schema.objectClass('ORGANIZATIONALPERSON');
    expect(person).toMatchObject({ kind: 'structural', superiors: ['person'] });
    expect([...(person?.must ?? [])].sort()).toEqual(['cn', 'objectClass', 'sn']);
    expect([...(person?.may ?? [])].map((name) => name.toLowerCase()).sort()).toEqual([
      'cn',
      'description',
      'title',
      'userpassword',
    ]);
    expect(schema.objectClass('extra')?.kind).toBe('auxiliary');
    expect(schema.objectClass('2.5.6.0')?.kind).toBe('abstract');
  });

  it('survives circles and what it cannot read', () => {
    expect(schema.attribute('1.1.1')).toMatchObject({ name: '1.1.1', syntax: undefined });
    expect(schema.attributes.length).toBeGreaterThanOrEqual(8);
  });

  it('reads what Active Directory writes: quoted syntaxes, and no rules', () => {
    const ad = parseSchema({
      attributeTypes: [
        "( 1.2.840.113556.1.4.2 NAME 'objectGUID' SYNTAX '1.3.6.1.4.1.1466.115.121.1.40' SINGLE-VALUE NO-USER-MODIFICATION )",
        "( 2.5.4.31 NAME 'member' SYNTAX '1.3.6.1.4.1.1466.115.121.1.12' )",
      ],
      objectClasses: [
        "( 1.2.840.113556.1.5.9 NAME 'user' SUP organizationalPerson STRUCTURAL MAY (userAccountControl $ mail ) )",
      ],
    });
    expect(ad.attribute('objectguid')).toMatchObject({ isBinary: true, isSingleValued: true, isReadOnly: true });
    expect(ad.attribute('member')).toMatchObject({ isDn: true, equality: undefined });
    expect(ad.objectClass('user')?.may).toEqual(['userAccountControl', 'mail']);
  });
});

describe('what a server is', () => {
  const schema = parseSchema({ attributeTypes: [], objectClasses: [] });
  const of = (rootDse: Readonly<Record<string, readonly string[]>>) => new Map(Object.entries(rootDse));

  it('takes an unknown server for one that does only what it says', () => {
    const profile = profileServer(
      of({ namingcontexts: ['o=a'], supportedcontrol: ['1.2.840.113556.1.4.319'] }),
      schema,
    );
    expect(profile).toMatchObject({ kind: 'generic', defaultBase: 'o=a', product: 'LDAP server' });
    expect(profile.features).toMatchObject({ paging: true, deref: false, assertion: false });
    expect(Object.entries(profile.features).filter(([, on]) => on)).toEqual([['paging', true]]);
  });

  it('guesses no base among several', () => {
    expect(profileServer(of({ namingcontexts: ['o=a', 'o=b'] }), schema).defaultBase).toBeUndefined();
    expect(profileServer(of({ namingcontexts: ['cn=accesslog', 'o=b', ''] }), schema).defaultBase).toBe('o=b');
  });

  it('lets the configuration say otherwise', () => {
    const rootDse = of({ objectclass: ['OpenLDAProotDSE'] });
    const profile = profileServer(rootDse, schema, {
      features: { deref: true, ranges: false, treeDelete: undefined },
    });
    expect(profile.kind).toBe('openldap');
    expect(profile.features).toMatchObject({ deref: true, ranges: false, treeDelete: false });
    expect(profileServer(rootDse, schema, { kind: 'generic' }).kind).toBe('generic');
  });
});
