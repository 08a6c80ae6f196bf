import { type FilterOp, flagField, type Scalar } from '../../backend/adapter.js';
import { negate } from '../../scim/filter.js';
import type { AttributeValue, Codec, PushedCondition } from '../codec.js';
import { both, type CodecDefinition, compare, exactly, oneOf, present } from './definition.js';

/**
 * `active` as directories keep it. An account always is either enabled or disabled there, so writing "no value" leaves
 * it as it is: an account is never enabled by omission.
 */

const accountDisabled = 2;
const normalAccount = 512;

/** Active Directory's userAccountControl: bit 2 is "disabled", the other bits stay. */
const adAccountEnabled: Codec = {
  name: 'adAccountEnabled',
  fieldType: 'number',
  needsCurrent: true,
  decode: ([value]) => {
    const flags = flagsOf(value);
    return flags === undefined ? [] : [(flags & accountDisabled) === 0];
  },
  encode: ([active], current) => {
    if (active === undefined) return current;
    const flags = flagsOf(current[0]) ?? normalAccount;
    return [active === true ? flags & ~accountDisabled : flags | accountDisabled];
  },
  toCondition: (field, op, value) => flagCondition(field, accountDisabled, op, value, 'cleared'),
};

const securityEnabledBit = 0x80000000;
/** A global group (MS-ADTS section 2.2.12). */
const globalGroup = 2;

/** Active Directory's groupType: the highest bit makes a group grant access; the other bits, its scope, stay. */
const adSecurityEnabled: Codec = {
  name: 'adSecurityEnabled',
  fieldType: 'number',
  needsCurrent: true,
  decode: ([value]) => {
    const flags = flagsOf(value);
    return flags === undefined ? [] : [(flags & securityEnabledBit) !== 0];
  },
  encode: ([enabled], current) => {
    if (enabled === undefined) return current;
    const flags = flagsOf(current[0]) ?? globalGroup;
    return [enabled === true ? flags | securityEnabledBit : flags & ~securityEnabledBit];
  },
  toCondition: (field, op, value) => flagCondition(field, securityEnabledBit, op, value, 'set'),
};

/** `attribute eq value` where the attribute is true while the bit is set, or cleared. */
function flagCondition(
  field: string,
  bit: number,
  op: FilterOp,
  value: AttributeValue | undefined,
  trueWhile: 'set' | 'cleared',
): PushedCondition | undefined {
  if (op === 'pr') return exactly(present(field));
  if (op !== 'eq' || typeof value !== 'boolean') return undefined;
  const isSet = compare(flagField(field, bit), 'eq', true);
  return exactly(value === (trueWhile === 'set') ? isSet : both(present(field), negate(isSet)));
}

function flagsOf(value: Scalar | undefined): number | undefined {
  const flags = typeof value === 'number' || typeof value === 'bigint' ? Number(value) : Number.NaN;
  return Number.isInteger(flags) ? flags : undefined;
}

const lockedForever = '000001010000Z';

/**
 * OpenLDAP's pwdAccountLockedTime: this one value locks an account until somebody unlocks it. Times are lockouts after
 * failed logins; they say nothing of `active`, and enabling leaves them there.
 */
const openldapEnabled: Codec = {
  name: 'openldapEnabled',
  fieldType: 'string',
  needsCurrent: true,
  decode: (values) => [!values.includes(lockedForever)],
  encode: ([active], current) => {
    if (active === undefined) return current;
    return active === true ? current.filter((value) => value !== lockedForever) : [lockedForever];
  },
  toCondition: (field, op, value) => {
    if (op === 'pr') return exactly({ kind: 'and', operands: [] });
    if (op !== 'eq' || typeof value !== 'boolean') return undefined;
    const isLocked = compare(field, 'eq', lockedForever);
    return exactly(value ? negate(isLocked) : isLocked);
  },
};

const lockWords = ['true', 'TRUE', 'True'] as const;

/** 389 Directory Server's nsAccountLock: "true" is disabled; anything else, or nothing, is enabled. */
const nsAccountLock: Codec = {
  name: 'nsAccountLock',
  fieldType: 'string',
  needsCurrent: true,
  decode: (values) => [!values.some(isLockWord)],
  encode: ([active], current) => {
    if (active === undefined) return current;
    if (active === true) return [];
    return current.some(isLockWord) ? current : [lockWords[0]];
  },
  toCondition: (field, op, value) => {
    if (op === 'pr') return exactly({ kind: 'and', operands: [] });
    if (op !== 'eq' || typeof value !== 'boolean') return undefined;
    const isLocked = oneOf(field, lockWords);
    return exactly(value ? negate(isLocked) : isLocked);
  },
};

function isLockWord(value: Scalar): boolean {
  return String(value).toLowerCase() === 'true';
}

export const accountStateDefinitions: readonly CodecDefinition[] = [
  adAccountEnabled,
  openldapEnabled,
  nsAccountLock,
  adSecurityEnabled,
].map((codec) => ({ name: codec.name, attributeTypes: ['boolean'], options: [], create: () => codec }));
