import { instantKey } from '../../src/scim/comparison.js';

/** As servers write it: `20111113024234Z`. */
const usual = /^\d{14}Z$/;
const pattern = /^(\d{4})(\d{2})(\d{2})(\d{2})(?:(\d{2})(\d{2})?)?(?:[.,](\d+))?(Z|[+-]\d{2}(?:\d{2})?)$/;

/**
 * Generalized time (RFC 4517 §3.3.13) as an instant with all its digits: `20111113044234.5+0200`.
 * @returns undefined when the text is none, and where a fraction of minutes or hours is meant
 */
export function fromGeneralizedTime(text: string): string | undefined {
  if (usual.test(text)) {
    const date = `${text.slice(0, 4)}-${text.slice(4, 6)}-${text.slice(6, 8)}`;
    const instant = `${date}T${text.slice(8, 10)}:${text.slice(10, 12)}:${text.slice(12)}`;
    const ms = Date.parse(instant);
    // A date that there is: others would be another one by now.
    if (!Number.isNaN(ms) && new Date(ms).toISOString().startsWith(instant.slice(0, -1))) return instant;
  }
  const match = pattern.exec(text);
  if (match === null) return undefined;
  const [, year, month, day, hour, minute = '00', second, fraction, zone = 'Z'] = match;
  if (fraction !== undefined && second === undefined) return undefined;
  const offset = zone === 'Z' ? 'Z' : `${zone.slice(0, 3)}:${zone.slice(3) || '00'}`;
  const digits = fraction === undefined ? '' : `.${fraction}`;
  const key = instantKey(`${year}-${month}-${day}T${hour}:${minute}:${second ?? '00'}${digits}${offset}`);
  return key === undefined ? undefined : `${key}Z`;
}

/**
 * An instant as generalized time in UTC.
 * @param fractions `drop` where the server keeps whole seconds (Active Directory, which wants `.0` written)
 * @returns undefined when the text is no instant
 */
export function toGeneralizedTime(instant: string, fractions: 'keep' | 'drop' = 'keep'): string | undefined {
  const key = instantKey(instant);
  if (key === undefined) return undefined;
  const [seconds = '', fraction] = key.split('.');
  const digits = seconds.replaceAll(/[-T:]/g, '');
  if (fractions === 'drop') return `${digits}.0Z`;
  return fraction === undefined ? `${digits}Z` : `${digits}.${fraction}Z`;
}

/** Whether the instant has a part of a second. */
export function hasFraction(instant: string): boolean {
  return instantKey(instant)?.includes('.') === true;
}
