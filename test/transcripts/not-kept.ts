import type { Exchange, Expectation } from './transcript-runner.js';

/** An attribute that a backend has no place for. What callers send of it is dropped, so answers cannot show it. */
export interface NotKept {
  readonly type: 'User' | 'Group';
  /** `roles`, `name.middleName`; extension attributes by their name: `costCenter`. */
  readonly path: string;
  readonly reason: string;
}

/** An exchange whose expectations ask only for what is kept, and the paths that were taken out. */
export interface Reduced {
  readonly exchange: Exchange;
  readonly taken: readonly string[];
}

/**
 * Takes exactly the listed attributes out of the bodies that an exchange expects. The request stays as it is, with all
 * that it sends, and so do the statuses.
 */
export function withoutNotKept(exchange: Exchange, list: readonly NotKept[]): Reduced {
  const paths = list.filter(({ type }) => exchange.path.startsWith(`/${type}s`)).map(({ path }) => path);
  const taken = new Set<string>();
  const { expect } = exchange;
  const reduce = (one: Expectation): Expectation =>
    'body' in one ? { ...one, body: reduceBody(one.body, paths, taken) } : one;
  const reduced = Array.isArray(expect)
    ? (expect as readonly Expectation[]).map(reduce)
    : reduce(expect as Expectation);
  return { exchange: { ...exchange, expect: reduced }, taken: [...taken] };
}

function reduceBody(body: unknown, paths: readonly string[], taken: Set<string>): unknown {
  if (!isObject(body)) return body;
  const reduced = reduceMembers(body, '', paths, taken);
  if (!('Resources' in reduced)) return reduced;
  return { ...reduced, Resources: reduceValue(reduced.Resources, '', paths, taken) };
}

/** Matchers (`$any`) and lists stand where a value does, so the path goes on through them. */
function reduceValue(value: unknown, path: string, paths: readonly string[], taken: Set<string>): unknown {
  if (Array.isArray(value)) return value.map((item) => reduceValue(item, path, paths, taken));
  return isObject(value) ? reduceMembers(value, path, paths, taken) : value;
}

function reduceMembers(
  object: Readonly<Record<string, unknown>>,
  path: string,
  paths: readonly string[],
  taken: Set<string>,
): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(object).flatMap(([name, value]) => {
      const below = name.startsWith('$') || name.startsWith('urn:') ? path : path === '' ? name : `${path}.${name}`;
      if (below !== path && paths.includes(below) && !isAbsence(value)) {
        taken.add(below);
        return [];
      }
      return name === 'Resources' ? [[name, value]] : [[name, reduceValue(value, below, paths, taken)]];
    }),
  );
}

/** What is not kept is surely absent. */
function isAbsence(value: unknown): boolean {
  return isObject(value) && value.$absent === true;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
