import { describe, expect, it } from 'vitest';
import { parseDn } from '../../adapters/ldap/dn.js';
import { parseDnTemplate, renderDn } from '../../adapters/ldap/dn-template.js';
import { parseFilter } from '../../adapters/ldap/filter-parser.js';
import { fromGeneralizedTime, toGeneralizedTime } from '../../adapters/ldap/generalized-time.js';
import { guidBytes, guidText } from '../../adapters/ldap/guid.js';
import { printFilter } from '../../adapters/ldap/ldap-filter.js';
import { AdapterError } from '../../src/backend/adapter-error.js';

describe('DN templates', () => {
  const template = parseDnTemplate('uid={uid},ou={unit},ou=people,dc=example,dc=org');
  const render = (uid: string, unit = 'x') => renderDn(template, (name) => (name === 'uid' ? uid : unit));

  it.each(['a,b', '+', '"q"', '\\', '<>;', '#x', ' lead', 'trail ', '=', 'ü', '😀', '*()', 'cn=x,dc=example,dc=org'])(
    'put %j into the name as a value and nothing else',
    (value) => {
      const { dn, parent, parts } = render(value, value);
      expect(parseDn(dn)).toHaveLength(5);
      expect(parseDn(dn)[0]).toEqual([{ type: 'uid', value }]);
      expect(parseDn(parent)[0]).toEqual([{ type: 'ou', value }]);
      expect(parts).toEqual([expect.objectContaining({ type: 'uid', value })]);
    },
  );

  it('refuse an empty value and NUL, and name the field', () => {
    for (const value of ['', 'a\0b']) {
      expect(() => render(value)).toThrow(AdapterError);
      expect(() => render(value)).toThrow(expect.objectContaining({ kind: 'rejected', field: 'uid' }));
    }
  });

  it('know the field that alone is the name', () => {
    expect(parseDnTemplate('cn={name},dc=x').onlyField).toBe('name');
    expect(template.onlyField).toBeUndefined();
    expect(parseDnTemplate('cn={a} {b},dc=x').onlyField).toBeUndefined();
  });
});

describe('generalized time [RFC 4517 3.3.13]', () => {
  it.each([
    ['20110513044234Z', '2011-05-13T04:42:34Z'],
    ['20110513064234.5+0200', '2011-05-13T04:42:34.5Z'],
    ['20110513044234.0Z', '2011-05-13T04:42:34Z'],
    ['201105130442Z', '2011-05-13T04:42:00Z'],
  ])('reads %s', (text, instant) => {
    expect(fromGeneralizedTime(text)).toBe(instant);
  });

  it('is written in UTC, with or without a part of a second', () => {
    expect(toGeneralizedTime('2011-05-13T06:42:34.25+02:00')).toBe('20110513044234.25Z');
    expect(toGeneralizedTime('2011-05-13T04:42:34.25Z', 'drop')).toBe('20110513044234.0Z');
    expect(toGeneralizedTime('soon')).toBeUndefined();
    expect(fromGeneralizedTime('20111313044234Z')).toBeUndefined();
  });
});

describe('GUIDs [MS-DTYP 2.3.4]', () => {
  it('turn the first three groups', () => {
    const bytes = Buffer.from('00112233445566778899aabbccddeeff', 'hex');
    expect(guidText(bytes)).toBe('33221100-5544-7766-8899-aabbccddeeff');
    expect(guidBytes('33221100-5544-7766-8899-aabbccddeeff')).toEqual(bytes);
    expect(guidBytes('33221100-5544-7766-8899-AABBCCDDEEFF')).toBeUndefined();
  });
});

describe('filters of the configuration [RFC 4515]', () => {
  it.each([
    '(objectClass=person)',
    '(&(objectCategory=person)(objectClass=user))',
    '(|(a=*)(!(b=x*y*z))(c>=1)(d<=2))',
    '(userAccountControl:1.2.840.113556.1.4.803:=2)',
    '(cn=\\2a\\28x\\29)',
  ])('are read and printed: %s', (text) => {
    expect(printFilter(parseFilter(text))).toBe(text);
  });

  it.each(['', '(', '(a=b', '(&)', '(!(a=b)(c=d))', '(a=b)x', '(a=\\zz)', '(=x)'])('are refused: %j', (text) => {
    expect(() => parseFilter(text)).toThrow(AdapterError);
  });
});
