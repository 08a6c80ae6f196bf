import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  BerError,
  BerReader,
  berBoolean,
  berElement,
  berInteger,
  berSequence,
  berTag,
  berText,
  MessageSplitter,
} from '../../adapters/ldap/ber.js';
import { encodeFilter } from '../../adapters/ldap/codec.js';
import { EntryReader } from '../../adapters/ldap/entry.js';
import { type LdapFilter, nothing, printFilter } from '../../adapters/ldap/ldap-filter.js';
import { propertyRuns } from '../support/property-runs.js';

describe('BER', () => {
  // X.690 section 8.3 and RFC 4511 section 5.1
  it.each([
    [0, '020100'],
    [127, '02017f'],
    [128, '02020080'],
    [256, '02020100'],
    [-128, '020180'],
    [-129, '0202ff7f'],
    [2_147_483_647, '02047fffffff'],
  ])('writes the integer %i as %s', (value, hex) => {
    expect(berInteger(value).toString('hex')).toBe(hex);
    expect(new BerReader(Buffer.from(hex, 'hex')).integer()).toBe(value);
  });

  it('reads back what it writes', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -(2 ** 40), max: 2 ** 40 }),
        fc.string({ unit: 'binary' }),
        fc.uint8Array({ maxLength: 70_000 }),
        fc.boolean(),
        (integer, text, bytes, flag) => {
          fc.pre(!/\p{Surrogate}/u.test(text));
          const parts = [berInteger(integer), berText(text), berElement(berTag.octetString, bytes), berBoolean(flag)];
          const reader = new BerReader(berSequence(...parts)).enter(berTag.sequence);
          expect(reader.integer()).toBe(integer);
          expect(reader.text()).toBe(text);
          expect(Buffer.compare(reader.octets(), bytes)).toBe(0);
          expect(reader.boolean()).toBe(flag);
          expect(reader.isAtEnd).toBe(true);
        },
      ),
      { numRuns: propertyRuns(100) },
    );
  });

  it.each(['', '30', '3001', '3080', '30850000000001aa', '3003020200'])('refuses %j without reading beyond', (hex) => {
    const read = () => new BerReader(Buffer.from(hex, 'hex')).enter(berTag.sequence).enter(berTag.integer);
    expect(read).toThrow(BerError);
  });

  it('cuts a stream into its messages, however it comes in pieces', () => {
    const messages = fc.array(
      fc.uint8Array({ maxLength: 400 }).map((bytes) => berElement(berTag.sequence, bytes)),
      {
        minLength: 1,
        maxLength: 8,
      },
    );
    fc.assert(
      fc.property(messages, fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1 }), (expected, sizes) => {
        const splitter = new MessageSplitter(10_000);
        const stream = Buffer.concat(expected);
        const found: string[] = [];
        for (let at = 0, turn = 0; at < stream.length; turn++) {
          const size = sizes[turn % sizes.length] as number;
          splitter.push(stream.subarray(at, at + size), (message) => found.push(message.toString('hex')));
          at += size;
        }
        expect(found).toEqual(expected.map((message) => message.toString('hex')));
        expect(splitter.isEmpty).toBe(true);
      }),
      { numRuns: propertyRuns(100) },
    );
  });

  it('refuses messages that are too long before they have come', () => {
    const splitter = new MessageSplitter(1_000);
    expect(() => splitter.push(Buffer.from('308203e9', 'hex'), () => {})).toThrow(BerError);
  });
});

describe('filters', () => {
  // RFC 4511 section 4.5.1.7; RFC 4515 section 4
  it.each<[LdapFilter, string, string]>([
    [{ kind: 'equality', attribute: 'cn', value: 'a*b' }, '(cn=a\\2ab)', 'a3090402636e0403612a62'],
    [{ kind: 'equality', attribute: 'x', value: Buffer.from('e300', 'hex') }, '(x=\\e3\\00)', 'a3070401780402e300'],
    [{ kind: 'present', attribute: 'cn' }, '(cn=*)', '8702636e'],
    [
      { kind: 'substrings', attribute: 'o', initial: 'a', any: ['(', ''], final: 'c' },
      '(o=a*\\28**c)',
      'a40e04016f300980016181012882' + '0163',
    ],
    [{ kind: 'greaterOrEqual', attribute: 'a', value: '1' }, '(a>=1)', 'a506040161040131'],
    [{ kind: 'lessOrEqual', attribute: 'a', value: '1' }, '(a<=1)', 'a606040161040131'],
    [
      { kind: 'extensible', attribute: 'u', rule: '1.2', value: '2', dnAttributes: true },
      '(u:dn:1.2:=2)',
      'a90e8103312e328201758301328401ff',
    ],
    [nothing, '(!(objectClass=*))', 'a20d870b6f626a656374436c617373'],
  ])('writes %j as %s', (filter, text, hex) => {
    expect(printFilter(filter)).toBe(text);
    expect(encodeFilter(filter).toString('hex')).toBe(hex);
  });
});

describe('entries', () => {
  const attribute = (name: string, ...values: readonly string[]) =>
    berSequence(berText(name), berElement(berTag.set, ...values.map((value) => berText(value))));
  const read = (...attributes: readonly Buffer[]) =>
    new EntryReader(undefined).read(new BerReader(Buffer.concat([berText('cn=a'), berSequence(...attributes)])));

  it('puts ranges and options apart (MS-ADTS section 3.1.1.3.1.3.3)', () => {
    const entry = read(
      attribute('member'),
      attribute('member;range=0-1', 'cn=a', 'cn=b'),
      attribute('cn;lang-DE', 'ä'),
    );
    expect(entry.attributes.get('member')).toEqual(['cn=a', 'cn=b']);
    expect(entry.attributes.get('cn;lang-de')).toEqual(['ä']);
    expect(entry.unfinished).toEqual(new Map([['member', { next: 2 }]]));
    const last = read(attribute('member;range=1500-*', 'cn=c'), attribute('member'));
    expect(last.attributes.get('member')).toEqual(['cn=c']);
    expect(last.unfinished).toBeUndefined();
  });

  it('gives bytes where the name says so, with or without a schema', () => {
    const entry = read(attribute('userCertificate;binary', 'x'), attribute('objectGUID', 'y'), attribute('cn', 'z'));
    expect(entry.attributes.get('usercertificate')?.[0]).toBeInstanceOf(Uint8Array);
    expect(entry.attributes.get('objectguid')?.[0]).toBeInstanceOf(Uint8Array);
    expect(entry.attributes.get('cn')).toEqual(['z']);
  });
});
