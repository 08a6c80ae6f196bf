import { describe, expect, it } from 'vitest';
import {
  adapterErrorOf,
  attributeNamed,
  hasResultCode,
  type LdapOperation,
  LdapResultError,
  resultCode,
} from '../../adapters/ldap/wire-errors.js';
import { AdapterError } from '../../src/backend/adapter-error.js';

const answer = (code: number, operation: LdapOperation = 'modify', diagnostic = '') =>
  new LdapResultError(operation, { code, matchedDn: 'dc=secret', diagnostic });
const meaning = (...parts: Parameters<typeof answer>) => adapterErrorOf(answer(...parts)) as AdapterError;

describe('what answers of servers mean', () => {
  it.each<[number, LdapOperation, string]>([
    [32, 'search', 'notFound'],
    [32, 'modify', 'notFound'],
    [32, 'delete', 'notFound'],
    [32, 'add', 'rejected'],
    [32, 'modifyDn', 'rejected'],
    [68, 'add', 'conflict'],
    [122, 'modify', 'revisionMismatch'],
    [16, 'modify', 'revisionMismatch'],
    [20, 'modify', 'rejected'],
    [21, 'modify', 'rejected'],
    [34, 'modify', 'rejected'],
    [65, 'add', 'rejected'],
    [66, 'delete', 'rejected'],
    [53, 'modify', 'rejected'],
    [50, 'modify', 'denied'],
    [49, 'bind', 'denied'],
    [8, 'bind', 'denied'],
    [13, 'passwordModify', 'denied'],
    [3, 'search', 'timeout'],
    [4, 'search', 'unsupported'],
    [11, 'search', 'unsupported'],
    [12, 'search', 'unsupported'],
    [10, 'search', 'unsupported'],
    [51, 'search', 'unavailable'],
    [52, 'bind', 'unavailable'],
    [80, 'modify', 'unavailable'],
    [9999, 'search', 'unavailable'],
  ])('takes code %i of %s for "%s"', (code, operation, kind) => {
    expect(meaning(code, operation)).toMatchObject({ kind });
  });

  it('says of a write with an unknown failure that it may have been carried out', () => {
    expect(meaning(80, 'modify').applied).toBe('unknown');
    expect(meaning(80, 'search').applied).toBe('no');
    expect(meaning(3, 'modify').applied).toBe('no');
  });

  // Texts as the servers write them
  it.each<[string, number, string, string, string | undefined]>([
    ['OpenLDAP, unique overlay', 19, 'non-unique attributes found with (|(uid=jane))', 'conflict', 'uid'],
    ['OpenLDAP, unique overlay', 19, 'non-unique attributes found with (uid=jane)', 'conflict', 'uid'],
    [
      '389-DS',
      19,
      'Another entry with the same attribute value already exists (attribute: "mail")',
      'conflict',
      'mail',
    ],
    ['OpenLDAP', 21, 'manager: value #0 invalid per syntax', 'rejected', 'manager'],
    ['OpenLDAP', 17, 'foo: attribute type undefined', 'rejected', 'foo'],
    ['OpenLDAP', 65, "object class 'inetOrgPerson' requires attribute 'sn'", 'rejected', 'sn'],
    ['OpenLDAP', 65, "attribute 'member' not allowed", 'rejected', 'member'],
    ['389-DS', 65, 'missing attribute "sn" required by object class "person"', 'rejected', 'sn'],
    ['OpenLDAP', 19, 'employeeNumber: multiple values provided', 'rejected', 'employeeNumber'],
    [
      'Active Directory',
      19,
      '000021C8: AtrErr: DSID-03200BBA, #1:\n\t0: 000021C8: DSID-03200BBA, problem 1005 (CONSTRAINT_ATT_TYPE), data 0, Att 90290 (userPrincipalName)\n',
      'conflict',
      'userPrincipalName',
    ],
    [
      'Active Directory',
      21,
      '00000057: LdapErr: DSID-0C090D8A, comment: Error in attribute conversion operation, data 0, v2580',
      'rejected',
      undefined,
    ],
  ])('reads which attribute %s means with code %i: %s', (_, code, text, kind, field) => {
    expect(meaning(code, 'modify', text)).toMatchObject({ kind });
    expect(attributeNamed(answer(code, 'modify', text))).toBe(field);
    expect(meaning(code, 'modify', text).field).toBe(field);
  });

  it('tells a name that can have no Kerberos keys, and text that has to be ASCII, from a directory that is busy', () => {
    const text = 'setup_kerberos_keys: generation of a salting principal failed: Malformed representation of principal';
    expect(meaning(1, 'add', `00002020: ${text}`)).toMatchObject({ kind: 'rejected', field: 'userPrincipalName' });
    expect(meaning(1, 'add', 'Operations error')).toMatchObject({ kind: 'unavailable' });
    expect(meaning(19, 'add', 'The value is not 7-bit clean: Bjørn')).toMatchObject({
      kind: 'rejected',
      reason: expect.stringContaining('ASCII'),
    });
  });

  it.each([
    [
      '0000052D: Constraint violation - check_password_restrictions: the password does not meet the complexity criteria!',
      /simple|policy/,
    ],
    ['Password fails quality checking policy', /simple/],
    ['Password is in history of old passwords', /before/],
    ['Password is too young to change', /recently/],
    ['Password is too short for policy', /short/],
    ['invalid password syntax: password must be at least 8 characters long', /short/],
  ])('says in words why a password is refused: %s', (text, reason) => {
    expect(meaning(19, 'passwordModify', text)).toMatchObject({ kind: 'rejected' });
    expect(meaning(19, 'passwordModify', text).reason).toMatch(reason);
  });

  it.each([
    ['80090308: LdapErr: DSID-0C09042F, comment: AcceptSecurityContext error, data 52e, v2580', /password is wrong/],
    ['80090308: LdapErr: DSID-0C09042F, comment: AcceptSecurityContext error, data 533, v2580', /disabled/],
    ['80090308: LdapErr: DSID-0C09042F, comment: AcceptSecurityContext error, data 775, v2580', /locked/],
    ['', /let the gateway's account in\./],
  ])('says why the account is not let in: %s', (text, words) => {
    expect(meaning(49, 'bind', text)).toMatchObject({ kind: 'denied', message: expect.stringMatching(words) });
  });

  it('never passes on what a server says', () => {
    const text = 'cn=secret,dc=example: value "s3cret" in /var/lib/ldap';
    for (let code = 0; code < 130; code++) {
      for (const operation of ['search', 'add', 'modify', 'modifyDn', 'delete', 'bind', 'passwordModify'] as const) {
        const error = meaning(code, operation, text);
        expect(error).toBeInstanceOf(AdapterError);
        expect(`${error.message} ${error.reason} ${error.field}`).not.toMatch(/secret|s3cret|\/var|dc=/);
      }
    }
  });

  it('leaves other errors as they are', () => {
    const own = new AdapterError('timeout', 'x');
    expect(adapterErrorOf(own)).toBe(own);
    expect(hasResultCode(own, 16)).toBe(false);
    expect(hasResultCode(answer(16), resultCode.noSuchAttribute, 20)).toBe(true);
    expect(answer(19, 'modify', '0000052D: x').windowsCode).toBe('0000052d');
  });
});
