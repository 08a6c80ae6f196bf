import { AssertionError } from 'node:assert';
import { inspect } from 'node:util';

/** Stands in an expected value for whatever it matches. */
class Matcher {
  readonly matches: (actual: unknown) => boolean;
  readonly #text: string;

  constructor(text: string, matches: (actual: unknown) => boolean) {
    this.#text = text;
    this.matches = matches;
  }

  [inspect.custom](): string {
    return this.#text;
  }
}

/**
 * The few assertions that the contract's tests are written with, so that they run under any runner, which shows the
 * difference of `actual` and `expected`.
 * @param told put before the message
 */
export function expect(actual: unknown, told?: string): Expectation & { readonly not: Expectation } {
  return Object.assign(new Expectation(actual, told, false), { not: new Expectation(actual, told, true) });
}

/** Any value that is of the type, in an expected value. */
expect.any = (type: StringConstructor): unknown =>
  new Matcher(`any ${type.name}`, (actual) => typeof actual === type.name.toLowerCase());

/** A list that has at least these elements, in any order. */
expect.arrayContaining = (elements: readonly unknown[]): unknown =>
  new Matcher(`a list with ${inspect(elements)}`, (actual) => {
    if (!Array.isArray(actual)) return false;
    return elements.every((element) => actual.some((candidate) => isEqual(candidate, element)));
  });

class Expectation {
  readonly #actual: unknown;
  readonly #told: string | undefined;
  readonly #isNegated: boolean;

  constructor(actual: unknown, told: string | undefined, isNegated: boolean) {
    this.#actual = actual;
    this.#told = told;
    this.#isNegated = isNegated;
  }

  toBe(expected: unknown): void {
    this.#require(Object.is(this.#actual, expected), 'to be', expected);
  }

  /** Equal in every part. What is undefined counts as left out. */
  toEqual(expected: unknown): void {
    this.#require(isEqual(this.#actual, expected), 'to equal', expected);
  }

  /** Has at least these parts. */
  toMatchObject(expected: object): void {
    this.#require(hasParts(this.#actual, expected), 'to have', expected);
  }

  toHaveLength(length: number): void {
    const actual = (this.#actual as { readonly length?: unknown } | undefined)?.length;
    this.#require(actual === length, 'to have the length', length);
  }

  toContain(element: unknown): void {
    this.#require(Array.isArray(this.#actual) && this.#actual.includes(element), 'to contain', element);
  }

  toMatch(pattern: RegExp): void {
    this.#require(pattern.test(String(this.#actual)), 'to match', pattern);
  }

  toBeDefined(): void {
    this.#require(this.#actual !== undefined, 'to be anything but', undefined);
  }

  toBeUndefined(): void {
    this.#require(this.#actual === undefined, 'to be', undefined);
  }

  toBeTypeOf(type: 'string' | 'number'): void {
    this.#require(typeof this.#actual === type, 'to be of type', type);
  }

  toBeInstanceOf(type: abstract new (...args: never[]) => Error): void {
    this.#require(this.#actual instanceof type, 'to be an instance of', type.name);
  }

  toBeLessThanOrEqual(limit: number): void {
    this.#require(Number(this.#actual) <= limit, 'to be at most', limit);
  }

  toBeGreaterThanOrEqual(limit: number): void {
    this.#require(Number(this.#actual) >= limit, 'to be at least', limit);
  }

  #require(isMet: boolean, relation: string, expected: unknown): void {
    if (isMet !== this.#isNegated) return;
    const sentence = `expected ${shown(this.#actual)} ${this.#isNegated ? 'not ' : ''}${relation} ${shown(expected)}`;
    throw new AssertionError({
      message: this.#told === undefined ? sentence : `${this.#told}: ${sentence}`,
      actual: this.#actual,
      expected,
      operator: relation,
      stackStartFn: this.#require,
    });
  }
}

function shown(value: unknown): string {
  const text = inspect(value, { depth: 6, breakLength: 120, maxStringLength: 200 });
  return text.length > 2_000 ? `${text.slice(0, 2_000)}…` : text;
}

function isEqual(actual: unknown, expected: unknown): boolean {
  if (expected instanceof Matcher) return expected.matches(actual);
  if (Object.is(actual, expected)) return true;
  if (!isObject(actual) || !isObject(expected)) return false;
  if (Array.isArray(actual) || Array.isArray(expected)) {
    if (!Array.isArray(actual) || !Array.isArray(expected) || actual.length !== expected.length) return false;
    return actual.every((element, index) => isEqual(element, expected[index]));
  }
  if (actual instanceof Uint8Array || expected instanceof Uint8Array) {
    const areBytes = actual instanceof Uint8Array && expected instanceof Uint8Array;
    return areBytes && Buffer.from(actual).equals(expected);
  }
  const names = new Set([...Object.keys(actual), ...Object.keys(expected)]);
  return [...names].every((name) => isEqual(actual[name], expected[name]));
}

function hasParts(actual: unknown, expected: unknown): boolean {
  if (expected instanceof Matcher || !isObject(expected) || Array.isArray(expected)) return isEqual(actual, expected);
  return isObject(actual) && Object.keys(expected).every((name) => hasParts(actual[name], expected[name]));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
