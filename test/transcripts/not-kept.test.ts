import { describe, expect, it } from 'vitest';
import { type NotKept, withoutNotKept } from './not-kept.js';
import type { Exchange } from './transcript-runner.js';

const enterprise = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';

function notKept(...paths: readonly string[]): readonly NotKept[] {
  return paths.map((path) => ({ type: 'User', path, reason: 'no attribute for it' }));
}

function expecting(body: unknown, path = '/Users/1'): Exchange {
  return { name: 'an exchange', method: 'GET', path, expect: { status: [200], body } };
}

describe('withoutNotKept', () => {
  it('takes an attribute, a sub-attribute and an extension attribute out of what is expected', () => {
    const body = {
      userName: 'a',
      roles: [{ value: 'r' }],
      name: { familyName: 'F', middleName: 'M' },
      addresses: { $exact: [{ type: 'work', country: 'US', locality: 'L' }] },
      [enterprise]: { costCenter: 'C', department: 'D' },
    };
    const list = notKept('roles', 'name.middleName', 'addresses.country', 'costCenter', 'nickName');
    const { exchange, taken } = withoutNotKept(expecting(body), list);
    expect(exchange.expect).toEqual({
      status: [200],
      body: {
        userName: 'a',
        name: { familyName: 'F' },
        addresses: { $exact: [{ type: 'work', locality: 'L' }] },
        [enterprise]: { department: 'D' },
      },
    });
    expect(taken).toEqual(['roles', 'name.middleName', 'addresses.country', 'costCenter']);
  });

  it('does so in the resources of a list', () => {
    const resource = { $len: 1, $any: { id: '1', nickName: 'n' } };
    const { exchange } = withoutNotKept(expecting({ totalResults: 1, Resources: resource }), notKept('nickName'));
    expect(exchange.expect).toEqual({
      status: [200],
      body: { totalResults: 1, Resources: { $len: 1, $any: { id: '1' } } },
    });
  });

  it('keeps the request, other attributes of the name, other types and what is expected to be absent', () => {
    const body = { displayName: 'd', name: { formatted: 'f' }, roles: { $absent: true } };
    const exchange = { ...expecting(body), body: { roles: ['r'], formatted: 'f' } };
    expect(withoutNotKept(exchange, notKept('roles', 'formatted', 'addresses.formatted'))).toEqual({
      exchange,
      taken: [],
    });
    const group = expecting({ roles: ['r'] }, '/Groups/1');
    expect(withoutNotKept(group, notKept('roles'))).toEqual({ exchange: group, taken: [] });
  });

  it('does so in each of several expectations', () => {
    const exchange = { ...expecting({}), expect: [{ status: [200], body: { roles: [] } }, { status: [204] }] };
    expect(withoutNotKept(exchange, notKept('roles')).exchange.expect).toEqual([
      { status: [200], body: {} },
      { status: [204] },
    ]);
  });
});
