import type { PaceNotice } from '../../src/backend/pace.js';

/** Headers as undici gives them: lower-case names. */
export type Headers = Readonly<Record<string, string | string[] | undefined>>;

/** The first value of a header. */
export function headerOf(headers: Headers, name: string): string | undefined {
  const value = headers[name.toLowerCase()];
  return Array.isArray(value) ? value[0] : value;
}

/** Longer than anybody means it: a misread number must not stop everything. */
const maxRetrySeconds = 86_400;

/** `Retry-After` in seconds, from both of its forms. @see RFC 9110 §10.2.3 */
export function retryAfterOf(headers: Headers, nowMs: number): number | undefined {
  const text = headerOf(headers, 'retry-after')?.trim();
  if (text === undefined || text === '') return undefined;
  const seconds = /^\d+(\.\d+)?$/.test(text) ? Number(text) : (Date.parse(text) - nowMs) / 1_000;
  if (Number.isNaN(seconds)) return undefined;
  return Math.min(maxRetrySeconds, Math.max(0, Math.ceil(seconds)));
}

/** What the headers tell of the target's limits; undefined when nothing. */
export function noticeOf(status: number, headers: Headers, nowMs: number): PaceNotice | undefined {
  const retryAfterSeconds = status === 429 || status === 503 ? retryAfterOf(headers, nowMs) : undefined;
  const { remaining, resetSeconds } = limitOf(headers, nowMs);
  if (retryAfterSeconds === undefined && remaining === undefined) return undefined;
  return {
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
    ...(remaining === undefined ? {} : { remaining }),
    ...(resetSeconds === undefined ? {} : { resetSeconds }),
  };
}

interface Limit {
  readonly remaining?: number | undefined;
  readonly resetSeconds?: number | undefined;
}

/** `RateLimit` in its later form (`"hour";r=50;t=30`) or its earlier one (`remaining=50, reset=30`), else single headers. */
function limitOf(headers: Headers, nowMs: number): Limit {
  const combined = headerOf(headers, 'ratelimit');
  if (combined !== undefined) {
    const policies = combined
      .split(',')
      .map((policy) => ({ remaining: parameter(policy, 'r'), resetSeconds: parameter(policy, 't') }))
      .filter(({ remaining }) => remaining !== undefined);
    if (policies.length > 0) return policies.reduce((a, b) => ((b.remaining ?? 0) < (a.remaining ?? 0) ? b : a));
    return { remaining: parameter(combined, 'remaining'), resetSeconds: parameter(combined, 'reset') };
  }
  for (const prefix of ['ratelimit', 'x-ratelimit', 'x-rate-limit']) {
    const remaining = amount(headerOf(headers, `${prefix}-remaining`));
    if (remaining === undefined) continue;
    return { remaining, resetSeconds: resetOf(headerOf(headers, `${prefix}-reset`), nowMs) };
  }
  return {};
}

function parameter(text: string, name: string): number | undefined {
  return amount(new RegExp(`(?:^|[;,\\s])${name}=(\\d+)`, 'i').exec(text)?.[1]);
}

function amount(text: string | undefined): number | undefined {
  return text !== undefined && /^\s*\d{1,15}\s*$/.test(text) ? Number(text) : undefined;
}

/** Some send the seconds that are left, some the time in seconds or milliseconds since 1970. */
function resetOf(text: string | undefined, nowMs: number): number | undefined {
  const number = amount(text?.replace(/\.\d+\s*$/, ''));
  if (number === undefined) return undefined;
  if (number > 100_000_000_000) return Math.max(0, (number - nowMs) / 1_000);
  return number > 100_000_000 ? Math.max(0, number - nowMs / 1_000) : number;
}
