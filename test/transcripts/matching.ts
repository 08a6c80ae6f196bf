/**
 * Partial matching of an answer against what a transcript expects: an object contains every named key, an array every
 * listed item (each a different one, in any order), a scalar is equal with its JSON type. Objects whose keys are all
 * matchers (`{ "$regex": "…" }`) are conditions instead.
 */
type Matcher = (wanted: unknown, actual: unknown, path: string) => string | undefined;

/** @returns what does not hold, with its path; undefined when everything does */
export function mismatch(expected: unknown, actual: unknown, path = '$'): string | undefined {
  if (isMatcherObject(expected)) {
    for (const [name, wanted] of Object.entries(expected)) {
      const problem = matchers[name]?.(wanted, actual, path);
      if (problem !== undefined) return problem;
    }
    return undefined;
  }
  return plainMismatch(expected, actual, path, mismatch);
}

/** The same without conditions: keys that look like matchers are ordinary names. */
function literalMismatch(expected: unknown, actual: unknown, path: string): string | undefined {
  return plainMismatch(expected, actual, path, literalMismatch);
}

type Compare = (expected: unknown, actual: unknown, path: string) => string | undefined;

function plainMismatch(expected: unknown, actual: unknown, path: string, compare: Compare): string | undefined {
  if (Array.isArray(expected)) {
    if (!Array.isArray(actual)) return `${path}: expected an array, got ${show(actual)}`;
    const missing = unmatchedItem(expected, actual, compare);
    return missing === undefined
      ? undefined
      : `${path}: no item left for ${show(expected[missing])} in ${show(actual)}`;
  }
  if (isObject(expected)) {
    if (!isObject(actual)) return `${path}: expected an object, got ${show(actual)}`;
    for (const [key, value] of Object.entries(expected)) {
      const problem = compare(value, actual[key], `${path}.${key}`);
      if (problem !== undefined) return problem;
    }
    return undefined;
  }
  return expected === actual ? undefined : `${path}: expected ${show(expected)}, got ${show(actual)}`;
}

/**
 * Gives each expected item an actual item of its own (augmenting paths, since a greedy choice may take the wrong one).
 * @returns the index of an expected item that gets none
 */
function unmatchedItem(
  expected: readonly unknown[],
  actual: readonly unknown[],
  compare: Compare = mismatch,
): number | undefined {
  const takenBy = new Map<number, number>();
  const place = (item: number, tried: Set<number>): boolean => {
    for (const [index, candidate] of actual.entries()) {
      if (tried.has(index) || compare(expected[item], candidate, '') !== undefined) continue;
      tried.add(index);
      const holder = takenBy.get(index);
      if (holder === undefined || place(holder, tried)) {
        takenBy.set(index, item);
        return true;
      }
    }
    return false;
  };
  const missing = expected.findIndex((_, item) => !place(item, new Set()));
  return missing < 0 ? undefined : missing;
}

const matchers: Readonly<Record<string, Matcher>> = {
  $absent: (wanted, actual, path) => ifNot(isUnassigned(actual) === wanted, path, 'to be absent', actual),
  $exists: (wanted, actual, path) => ifNot(isUnassigned(actual) !== wanted, path, 'to exist', actual),
  $len: (wanted, actual, path) => ifNot(itemsOf(actual)?.length === wanted, path, `${show(wanted)} items`, actual),
  $exact: (wanted, actual, path) => {
    const items = itemsOf(actual);
    const expected = listOf(wanted);
    if (items?.length !== expected.length) return `${path}: expected ${expected.length} items, got ${show(actual)}`;
    return mismatch(expected, items, path);
  },
  $ordered: (wanted, actual, path) => {
    const items = itemsOf(actual);
    const expected = listOf(wanted);
    if (items?.length !== expected.length) return `${path}: expected ${expected.length} items, got ${show(actual)}`;
    return expected.map((item, index) => mismatch(item, items[index], `${path}[${index}]`)).find(isProblem);
  },
  $any: (wanted, actual, path) =>
    ifNot(
      itemsOf(actual)?.some((item) => matches(wanted, item)),
      path,
      `some item like ${show(wanted)}`,
      actual,
    ),
  $none: (wanted, actual, path) =>
    ifNot(
      itemsOf(actual)?.every((item) => !matches(wanted, item)),
      path,
      `no item like ${show(wanted)}`,
      actual,
    ),
  $every: (wanted, actual, path) =>
    ifNot(
      itemsOf(actual)?.every((item) => matches(wanted, item)),
      path,
      `only items like ${show(wanted)}`,
      actual,
    ),
  $oneOf: (wanted, actual, path) =>
    ifNot(
      listOf(wanted).some((alternative) => matches(alternative, actual)),
      path,
      `one of ${show(wanted)}`,
      actual,
    ),
  $not: (wanted, actual, path) => ifNot(!matches(wanted, actual), path, `anything but ${show(wanted)}`, actual),
  $ne: (wanted, actual, path) =>
    ifNot(literalMismatch(wanted, actual, path) !== undefined, path, `anything but ${show(wanted)}`, actual),
  $value: literalMismatch,
  $regex: (wanted, actual, path) =>
    ifNot(typeof actual === 'string' && new RegExp(String(wanted)).test(actual), path, `/${wanted}/`, actual),
  $ci: (wanted, actual, path) =>
    ifNot(
      typeof actual === 'string' && actual.toLowerCase() === String(wanted).toLowerCase(),
      path,
      `${show(wanted)} in any case`,
      actual,
    ),
  $type: (wanted, actual, path) => ifNot(typesOf(actual).includes(String(wanted)), path, `a ${wanted}`, actual),
  $gte: (wanted, actual, path) => ifNot(ordered(wanted, actual), path, `at least ${show(wanted)}`, actual),
  $lte: (wanted, actual, path) => ifNot(ordered(actual, wanted), path, `at most ${show(wanted)}`, actual),
};

function matches(expected: unknown, actual: unknown): boolean {
  return mismatch(expected, actual) === undefined;
}

/** True when both are of one kind and the first is not greater. */
function ordered(low: unknown, high: unknown): boolean {
  if (typeof low === 'number' && typeof high === 'number') return low <= high;
  return typeof low === 'string' && typeof high === 'string' && low <= high;
}

function ifNot(holds: boolean | undefined, path: string, what: string, actual: unknown): string | undefined {
  return holds === true ? undefined : `${path}: expected ${what}, got ${show(actual)}`;
}

function isProblem(problem: string | undefined): problem is string {
  return problem !== undefined;
}

function isMatcherObject(value: unknown): value is Record<string, unknown> {
  return isObject(value) && Object.keys(value).length > 0 && Object.keys(value).every((key) => key in matchers);
}

/** Missing, null and the empty array are one state (RFC 7643 §2.5). */
function isUnassigned(value: unknown): boolean {
  return value === undefined || value === null || (Array.isArray(value) && value.length === 0);
}

/** The items of an array; none when it is absent; undefined when it is something else. */
function itemsOf(value: unknown): readonly unknown[] | undefined {
  if (Array.isArray(value)) return value;
  return value === undefined || value === null ? [] : undefined;
}

function listOf(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw new Error(`The matcher needs a list, not ${show(value)}.`);
  return value;
}

function typesOf(value: unknown): readonly string[] {
  if (value === undefined) return [];
  if (value === null) return ['null'];
  if (Array.isArray(value)) return ['array'];
  return Number.isInteger(value) ? ['number', 'integer'] : [typeof value];
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function show(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 1_000 ? `${text.slice(0, 1_000)}…` : text;
}
