import { AdapterError } from '../../src/backend/adapter-error.js';
import { type ComparisonKey, compareCodePoints, compareKeys } from '../../src/scim/comparison.js';

/** A record's place in an order: what it is sorted by, and its id. */
export interface Place {
  readonly id: string;
  readonly key: ComparisonKey | undefined;
}

const longestPosition = 1_000;

/** Records without a value come last ascending and first descending (RFC 7644 §3.4.2.3); ties go by id. */
export function comparePlaces(a: Place, b: Place, isDescending: boolean): number {
  if (a.key !== b.key) {
    if (a.key === undefined) return isDescending ? -1 : 1;
    if (b.key === undefined) return isDescending ? 1 : -1;
    const order = compareKeys(a.key, b.key);
    if (order !== 0) return isDescending ? -order : order;
  }
  return compareCodePoints(a.id, b.id);
}

/** A key that is too long is left out; the next page is then found by the id, else by counting. */
export function printPosition({ id, key }: Place, count: number): string {
  const whole = encode([count, id, key ?? null]);
  return whole.length <= longestPosition ? whole : encode([count, id.slice(0, 500)]);
}

function encode(parts: readonly unknown[]): string {
  return Buffer.from(JSON.stringify(parts)).toString('base64url');
}

/** @throws AdapterError `rejected` for a text that `printPosition` did not make */
function parsePosition(text: string): {
  readonly count: number;
  readonly id: string;
  readonly place: Place | undefined;
} {
  let parsed: unknown;
  try {
    parsed = JSON.parse(Buffer.from(text, 'base64url').toString());
  } catch {
    parsed = undefined;
  }
  const [count, id, key]: readonly unknown[] = Array.isArray(parsed) ? parsed : [];
  if (typeof count !== 'number' || !Number.isSafeInteger(count) || count < 0 || typeof id !== 'string') {
    throw new AdapterError('rejected', 'The position to go on after was not given by this adapter.');
  }
  if (key === undefined) return { count, id, place: undefined };
  const isKey = typeof key === 'string' || typeof key === 'number' || typeof key === 'boolean';
  return { count, id, place: { id, key: isKey ? key : undefined } };
}

/**
 * Where in the ordered places those after a position start.
 * @throws AdapterError `rejected` for a text that is no position
 */
export function indexAfter(places: readonly Place[], position: string, isDescending: boolean): number {
  const { count, id, place } = parsePosition(position);
  if (place === undefined) {
    const at = places.findIndex((candidate) => candidate.id.startsWith(id));
    return at < 0 ? Math.min(count, places.length) : at + 1;
  }
  let [low, high] = [0, places.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (comparePlaces(places[middle] as Place, place, isDescending) <= 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
