import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { identifierFrom } from '../../config/identifier.js';
import { propertyRuns } from '../support/property-runs.js';
import { load } from './temp-config.js';

const rule = /^[A-Za-z][A-Za-z0-9_]*$/;
const resources = { User: { adapter: 'store', use: ['scim'] } };

/** A configuration with one gateway of that identifier. */
function loadGateway(id: string, more: object = {}) {
  const gateways = Object.fromEntries([[id, { ...more, resources }]]);
  return load({ 'gateway.yaml': JSON.stringify({ version: 1, adapters: { store: { type: 'memory' } }, gateways }) });
}

const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const identifiers = fc
  .tuple(fc.constantFrom(...letters), fc.string({ unit: fc.constantFrom(...letters, ...'0123456789_'), maxLength: 40 }))
  .map((parts) => parts.join(''));

describe('the identifier of a gateway', () => {
  it('is an English letter, then letters, digits and underscores [capabilities-88]', () => {
    fc.assert(
      fc.property(identifiers, (id) => {
        const { config, problems } = loadGateway(id);
        expect(problems).toEqual([]);
        expect(config?.gateways.map((gateway) => gateway.id)).toEqual([id]);
      }),
      { numRuns: propertyRuns(25) },
    );
  });

  it('is nothing else [capabilities-88]', () => {
    const texts = fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc.string(),
      identifiers.map((id) => `${id}-1`),
    );
    fc.assert(
      fc.property(
        texts.filter((text) => !rule.test(text)),
        (id) => {
          const { config, problems } = loadGateway(id);
          expect(config).toBeUndefined();
          expect(problems.some(({ message }) => message.includes('starts with a letter'))).toBe(true);
        },
      ),
      { numRuns: propertyRuns(25) },
    );
  });

  it.each(['constructor', 'toString', 'hasOwnProperty', 'valueOf'])(
    'may be %s, which objects have anyway [capabilities-88]',
    (id) => {
      expect(loadGateway(id).config?.gateways).toMatchObject([{ id, address: '/scim' }]);
    },
  );

  it.each(['1corp', '_corp', '__proto__', 'my-corp', 'my corp', 'číslo', 'corp\u0000', '', 'ａ'])(
    'is not %j [capabilities-88]',
    (id) => {
      expect(loadGateway(id).config).toBeUndefined();
    },
  );
});

describe('name and description', () => {
  it('are for people, beside the identifier [capabilities-87]', () => {
    const texts = { name: 'Příliš žluťoučký s.r.o.', description: 'Zaměstnanci 東京' };
    expect(loadGateway('corp', texts).config?.gateways).toMatchObject([{ id: 'corp', ...texts }]);
    expect(loadGateway('corp').config?.gateways).toMatchObject([{ id: 'corp', name: 'corp', description: undefined }]);
  });

  it('an identifier that is a name is answered with the one derived from it [capabilities-87]', () => {
    expect(loadGateway('Kontoso s.r.o.').lines).toEqual([
      expect.stringContaining('Possible: "Kontoso_s_r_o", with the words for people as its "name".'),
    ]);
  });
});

describe('identifierFrom', () => {
  it.each([
    ['Contoso HR', 'Contoso_HR'],
    ['Příliš žluťoučký kůň', 'Prilis_zlutoucky_kun'],
    ['Straße 12', 'Strasse_12'],
    ['Ærø & Łódź', 'AEro_Lodz'],
    ['1st gateway', 'st_gateway'],
    ['  x--y  ', 'x_y'],
    ['ﬁnance', 'finance'],
    ['東京', undefined],
    ['123', undefined],
    ['', undefined],
  ])('makes of %j %j [capabilities-87]', (name, identifier) => {
    expect(identifierFrom(name)).toBe(identifier);
  });

  it('gives what the rule allows, and leaves that alone [capabilities-87 capabilities-88]', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (name) => {
        const identifier = identifierFrom(name);
        if (identifier === undefined) return;
        expect(identifier).toMatch(rule);
        expect(identifierFrom(identifier)).toBe(identifier);
      }),
      { numRuns: propertyRuns(500) },
    );
  });
});
