import type { FilterOp, Scalar } from '../../backend/adapter.js';
import { instantKey } from '../../scim/comparison.js';
import { ScimError } from '../../scim/error.js';
import type { Attribute } from '../../scim/schema.js';
import type { AttributeValue, Codec, PushedCondition } from '../codec.js';
import { atLeast, both, type CodecDefinition, compare, exactly, present } from './definition.js';

/** Codecs for moments in time. On the SCIM side they are dateTimes in UTC. */

/**
 * Counting from an origin in units of a power of ten per second. `rest` is what an instant has beyond whole units, as
 * decimal digits; it is cut when written.
 */
interface Clock {
  /** Units per second, as a power of ten. */
  readonly digits: number;
  /** The Unix time at which it shows 0. */
  readonly originSeconds: bigint;
}

interface Reading {
  readonly units: bigint;
  readonly rest: string;
}

const firstSecond = -62_167_219_200n; // 0000-01-01T00:00:00Z
const endSecond = 253_402_300_800n; // 10000-01-01T00:00:00Z

function reading(clock: Clock, value: AttributeValue | undefined): Reading | undefined {
  const key = typeof value === 'string' ? instantKey(value) : undefined;
  if (key === undefined) return undefined;
  const [toSecond = '', fraction = ''] = key.split('.');
  const seconds = BigInt(Date.parse(`${toSecond}Z`) / 1000) - clock.originSeconds;
  const units =
    seconds * 10n ** BigInt(clock.digits) + BigInt(fraction.slice(0, clock.digits).padEnd(clock.digits, '0') || '0');
  return { units, rest: fraction.slice(clock.digits) };
}

const decimal = /^(-?)(\d+)(?:\.(\d+))?$/;

/** @returns undefined for what is no number, or a moment outside the years 0000 to 9999 */
function instantOf(clock: Clock, value: Scalar): string | undefined {
  const match = decimal.exec(String(value));
  if (match === null || typeof value === 'boolean') return undefined;
  const [, sign, whole = '', fraction = ''] = match;
  // Unix time 1.5 and -1.5 as ticks of the last digit, so that nothing is rounded.
  const digits = Math.max(clock.digits, clock.digits + fraction.length);
  const ticks = BigInt(`${sign}${whole}${fraction}`);
  const perSecond = 10n ** BigInt(digits);
  const sinceOrigin = ticks >= 0n ? ticks / perSecond : -((-ticks + perSecond - 1n) / perSecond);
  const seconds = sinceOrigin + clock.originSeconds;
  if (seconds < firstSecond || seconds >= endSecond) return undefined;
  const part = String(ticks - sinceOrigin * perSecond)
    .padStart(digits, '0')
    .replace(/0+$/, '');
  const toSecond = new Date(Number(seconds) * 1000).toISOString().slice(0, 19);
  return digits === 0 || part === '' ? `${toSecond}Z` : `${toSecond}.${part}Z`;
}

function mustRead(clock: Clock, value: AttributeValue, attribute: Attribute): Reading {
  const read = reading(clock, value);
  if (read === undefined) throw notATime(attribute);
  return read;
}

function notATime(attribute: Attribute): ScimError {
  return ScimError.badRequest(
    'invalidValue',
    `${attribute.path}: must be a date and time such as "2026-01-31T08:00:00Z".`,
  );
}

/** `epochSeconds` and `epochMillis`: a number column of Unix time. Finer fractions are cut when written. */
function epochCodec(name: string, digits: number, attribute: Attribute, multiple: boolean): Codec {
  const clock: Clock = { digits, originSeconds: 0n };
  const unit = 10n ** BigInt(digits);
  const [first, end] = [Number(firstSecond * unit), Number(endSecond * unit)];
  return {
    name,
    fieldType: 'number',
    needsCurrent: false,
    decode: (values) => values.flatMap((value) => (typeof value === 'string' ? [] : (instantOf(clock, value) ?? []))),
    encode: (values) => values.map((value) => Number(mustRead(clock, value, attribute).units)),
    toCondition: (field, op, value) => {
      const isRead = (condition: PushedCondition): PushedCondition =>
        multiple ? { ...condition, exact: false } : condition;
      const [from, before] = [compare(field, 'ge', first), compare(field, 'lt', end)];
      if (op === 'pr') return isRead(exactly(both(from, before)));
      const wanted = reading(clock, value);
      if (wanted === undefined) return undefined;
      const units = Number(wanted.units);
      if (wanted.rest !== '') {
        if (op === 'gt' || op === 'ge') return atLeast(compare(field, 'ge', units));
        if (op === 'lt' || op === 'le') return atLeast(compare(field, 'le', units + 1));
        return undefined;
      }
      // Numbers that are no moment read as no value, so they must not match either.
      if (op === 'gt' || op === 'ge') return isRead(exactly(both(compare(field, op, units), before)));
      if (op === 'lt' || op === 'le') return isRead(exactly(both(from, compare(field, op, units))));
      return op === 'eq' ? exactly(compare(field, 'eq', units)) : undefined;
    },
  };
}

const filetimeClock: Clock = { digits: 7, originSeconds: -11_644_473_600n };
const filetimeNever: ReadonlySet<bigint> = new Set([0n, 9_223_372_036_854_775_807n]);

/**
 * Windows FILETIME: units of 100 ns since 1601, with two values that mean "never". They are beyond the integers that a
 * number holds exactly, as conditions must, so conditions are widened and the resource decides.
 */
function filetimeCodec(attribute: Attribute): Codec {
  return {
    name: 'filetime',
    fieldType: 'number',
    needsCurrent: false,
    decode: (values) => values.flatMap((value) => (isNever(value) ? [] : (instantOf(filetimeClock, value) ?? []))),
    encode: (values) => values.map((value) => mustRead(filetimeClock, value, attribute).units),
    toCondition: (field, op, value) => {
      if (op === 'pr') return atLeast(present(field));
      const wanted = reading(filetimeClock, value);
      if (wanted === undefined) return undefined;
      const [low, high] = [doubleBelow(wanted.units), doubleAbove(wanted.units + (wanted.rest === '' ? 0n : 1n))];
      switch (op) {
        case 'eq':
          return atLeast(
            low === high ? compare(field, 'eq', low) : both(compare(field, 'ge', low), compare(field, 'le', high)),
          );
        case 'gt':
        case 'ge':
          return atLeast(compare(field, 'ge', low));
        case 'lt':
        case 'le':
          return atLeast(compare(field, 'le', high));
        default:
          return undefined;
      }
    },
  };
}

function isNever(value: Scalar): boolean {
  return /^\d+$/.test(String(value)) && filetimeNever.has(BigInt(String(value)));
}

/** Numbers near 2^62 are up to 1,024 apart. */
const widestGap = 2048n;

function doubleBelow(units: bigint): number {
  const nearest = Number(units);
  return BigInt(nearest) <= units ? nearest : Number(units - widestGap);
}

function doubleAbove(units: bigint): number {
  const nearest = Number(units);
  return BigInt(nearest) >= units ? nearest : Number(units + widestGap);
}

const generalizedTime = /^(\d{4})(\d{2})(\d{2})(\d{2})(?:(\d{2})(?:(\d{2})(?:[.,](\d+))?)?)?(Z|[+-]\d{2}(?:\d{2})?)$/i;

/** @see RFC 4517 §3.3.13; a fraction of an hour or a minute is not understood */
function fromGeneralizedTime(value: Scalar): string | undefined {
  const match = generalizedTime.exec(String(value));
  if (match === null) return undefined;
  const [, year, month, day, hour, minute = '00', second = '00', fraction, zone = 'Z'] = match;
  const offset = zone.toUpperCase() === 'Z' ? 'Z' : `${zone.slice(0, 3)}:${zone.slice(3) || '00'}`;
  const subSecond = fraction === undefined ? '' : `.${fraction}`;
  const key = instantKey(`${year}-${month}-${day}T${hour}:${minute}:${second}${subSecond}${offset}`);
  return key === undefined ? undefined : `${key}Z`;
}

/** `20260131080000Z`, with a fraction only where there is one. */
function toGeneralizedTime(key: string): string {
  return `${key.replace(/[-:T]/g, '')}Z`;
}

/**
 * LDAP's generalizedTime as text. Its conditions are exact where the backend compares times as LDAP does, or where all
 * values have the form that the codec writes. Servers differ in how they order fractions, so those are widened.
 */
function generalizedTimeCodec(attribute: Attribute): Codec {
  return {
    name: 'generalizedTime',
    fieldType: 'string',
    needsCurrent: false,
    decode: (values) => values.flatMap((value) => fromGeneralizedTime(value) ?? []),
    encode: (values) =>
      values.map((value) => {
        const key = instantKey(String(value));
        if (key === undefined) throw notATime(attribute);
        return toGeneralizedTime(key);
      }),
    toCondition: (field, op, value) =>
      op === 'pr' ? exactly(present(field)) : generalizedTimeCondition(field, op, value),
  };
}

function generalizedTimeCondition(
  field: string,
  op: Exclude<FilterOp, 'pr'>,
  value: AttributeValue | undefined,
): PushedCondition | undefined {
  const key = typeof value === 'string' ? instantKey(value) : undefined;
  if (key === undefined || op === 'co' || op === 'sw' || op === 'ew') return undefined;
  if (!key.includes('.')) return exactly(compare(field, op, toGeneralizedTime(key)));
  const second = key.slice(0, 19);
  const from = compare(field, 'ge', toGeneralizedTime(second));
  const next = instantKey(new Date(Date.parse(`${second}Z`) + 1000).toISOString());
  const to = next === undefined ? undefined : compare(field, 'le', toGeneralizedTime(next));
  if (op === 'gt' || op === 'ge') return atLeast(from);
  if (to === undefined) return undefined;
  return atLeast(op === 'eq' ? both(from, to) : to);
}

const dateTimeOnly = { attributeTypes: ['dateTime'], options: [] } as const;

export const instantDefinitions: readonly CodecDefinition[] = [
  { name: 'generalizedTime', ...dateTimeOnly, create: ({ attribute }) => generalizedTimeCodec(attribute) },
  { name: 'filetime', ...dateTimeOnly, create: ({ attribute }) => filetimeCodec(attribute) },
  {
    name: 'epochSeconds',
    ...dateTimeOnly,
    create: ({ attribute, multiple }) => epochCodec('epochSeconds', 0, attribute, multiple),
  },
  {
    name: 'epochMillis',
    ...dateTimeOnly,
    create: ({ attribute, multiple }) => epochCodec('epochMillis', 3, attribute, multiple),
  },
];
