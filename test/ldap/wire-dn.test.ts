import { describe, expect, it } from 'vitest';
import {
  childDn,
  DnSyntaxError,
  depthBelow,
  escapeRdnValue,
  formatRdn,
  isBelow,
  isSameDn,
  normalizeDn,
  parentOf,
  parseDn,
  rdnOf,
  resolveDn,
} from '../../adapters/ldap/dn.js';
import { nastyNames } from './nasty-names.js';

describe('distinguished names', () => {
  it.each([
    // RFC 4514 section 4
    ['UID=jsmith,DC=example,DC=net', [['UID', 'jsmith']]],
    [
      'OU=Sales+CN=J.  Smith,DC=example,DC=net',
      [
        ['OU', 'Sales'],
        ['CN', 'J.  Smith'],
      ],
    ],
    ['CN=James \\"Jim\\" Smith\\, III,DC=example,DC=net', [['CN', 'James "Jim" Smith, III']]],
    ['CN=Before\\0dAfter,DC=example,DC=net', [['CN', 'Before\rAfter']]],
    ['CN=Lu\\C4\\8Di\\C4\\87,DC=example,DC=net', [['CN', 'Lučić']]],
  ])('reads %s (RFC 4514 section 4)', (text, parts) => {
    expect(parseDn(text)[0]?.map(({ type, value }) => [type, value])).toEqual(parts);
    expect(parseDn(text)).toHaveLength(3);
  });

  it.each([
    ['cn=" a, b ",dc=x', ' a, b '],
    ['cn=a\\ ,dc=x', 'a '],
    ['cn= a ,dc=x', 'a'],
    ['cn=\\ a\\20,dc=x', ' a '],
    ['cn=\\#1,dc=x', '#1'],
    ['cn=a;dc=x', 'a'],
    ['cn=,dc=x', ''],
    ['cn=a\\\\,dc=x', 'a\\'],
  ])('reads the value of %j as other servers write it', (text, value) => {
    expect(rdnOf(text)[0]?.value).toBe(value);
    expect(parseDn(text)).toHaveLength(2);
  });

  it.each(['cn', 'cn=a,', '=a', 'cn=a,b', 'cn="a', 'cn="a"b', 'cn=a\\', 'c n=a'])('refuses %j', (text) => {
    expect(() => parseDn(text)).toThrow(DnSyntaxError);
  });

  it.each(nastyNames)('writes %j so that it is read back exactly', (value) => {
    const dn = childDn([{ type: 'cn', value }], 'ou=people,dc=example,dc=org');
    expect(parseDn(dn)).toEqual([
      [{ type: 'cn', value }],
      [{ type: 'ou', value: 'people' }],
      [{ type: 'dc', value: 'example' }],
      [{ type: 'dc', value: 'org' }],
    ]);
    expect(parentOf(dn)).toBe('ou=people,dc=example,dc=org');
    expect(depthBelow(dn, 'ou=people,dc=example,dc=org')).toBe(1);
    expect(escapeRdnValue(value)).not.toMatch(/\\\\|[,+;"<>]/);
  });

  it.each(['', 'a\0b', '\ud800'])('does not put %j into a name', (value) => {
    expect(() => escapeRdnValue(value)).toThrow(DnSyntaxError);
  });

  it.each([
    ['CN=Doe\\, Jane,OU=People,DC=Example', 'cn=doe\\2C jane, ou=people,dc=example'],
    ['cn=a  b,dc=x', 'cn=A b,dc=X'],
    ['cn=a+uid=b,dc=x', 'UID=b+CN=a,dc=x'],
    ['commonName=a,dc=x', '2.5.4.3=a,0.9.2342.19200300.100.1.25=x'],
    ['cn="a, b",dc=x', 'cn=a\\, b,dc=x'],
    ['cn=Bj\\C3\\B8rn,dc=x', 'cn=bjørn,dc=x'],
  ])('takes %j and %j for one', (one, other) => {
    expect(isSameDn(one, other)).toBe(true);
    expect(normalizeDn(one)).toBe(normalizeDn(other));
  });

  it('keeps apart what only looks alike', () => {
    expect(isSameDn('cn=a\\,dc=x', 'cn=a,dc=x')).toBe(false);
    expect(isSameDn('cn=a,cn=b,dc=x', 'cn=b,cn=a,dc=x')).toBe(false);
    expect(isSameDn('no name', 'cn=no name')).toBe(false);
  });

  it('knows what lies below what, whatever values hold', () => {
    const base = 'ou=People,dc=example';
    expect(isBelow('cn=a,OU=people, DC=example', base)).toBe(true);
    expect(isBelow('cn=a,ou=x,ou=people,dc=example', base)).toBe(true);
    expect(isBelow('ou=people,dc=example', base)).toBe(false);
    expect(isBelow('ou=people,dc=example', base, true)).toBe(true);
    expect(isBelow('cn=a\\,ou=people\\,dc=example', base)).toBe(false);
    expect(isBelow('cn=a，ou=people，dc=example', base)).toBe(false);
    expect(isBelow('cn=a,ou=people,dc=example,dc=org', base)).toBe(false);
    expect(isBelow('cn=a,ou=nopeople,dc=example', base)).toBe(false);
    expect(isBelow('cn=a', '')).toBe(true);
  });

  it('completes names that are relative to a base', () => {
    expect(resolveDn('ou=people', 'dc=example,dc=org')).toBe('ou=people,dc=example,dc=org');
    expect(resolveDn('ou=people,DC=example,DC=org', 'dc=example,dc=org')).toBe('ou=people,DC=example,DC=org');
    expect(resolveDn('', 'dc=org')).toBe('dc=org');
  });

  it('writes names of several parts', () => {
    expect(
      formatRdn([
        { type: 'cn', value: 'a+b' },
        { type: 'uid', value: 'c' },
      ]),
    ).toBe('cn=a\\2Bb+uid=c');
  });
});
