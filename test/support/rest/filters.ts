import { fold } from '../../../src/scim/comparison.js';
import type { Stored } from './collection.js';
import { type CollectionName, type Staff, valueIn } from './staff.js';

/** Which documents a query parameter lets through. */
export type Test = (stored: Stored) => boolean;

/** The conditions that all targets know; each gives them parameters of its own. */
export type FilterName = 'login' | 'title' | 'externalId' | 'badge' | 'mail' | 'namePrefix' | 'manager' | 'member';

const texts = (value: unknown): readonly string[] =>
  [value].flat().filter((item): item is string => typeof item === 'string');

/** Names compare without regard to case, keys and addresses as they are. */
export function testOf(name: FilterName, value: string, staff: Staff): Test {
  const folded = fold(value);
  switch (name) {
    case 'login':
    case 'title':
      return ({ body }) => texts(body[name]).some((text) => fold(text) === folded);
    case 'externalId':
    case 'badge':
    case 'mail':
      return ({ body }) => texts(body[name]).includes(value);
    case 'namePrefix':
      return ({ body }) => texts(body.name).some((text) => fold(text).startsWith(folded));
    case 'manager':
      return ({ body }) => valueIn(body, 'job', 'managerId') === value;
    case 'member':
      return ({ id }) => staff.isMember(id, value);
  }
}

/** What is selected, in order. The unique names have an index. */
export function selected(
  staff: Staff,
  collection: CollectionName,
  wanted: readonly (readonly [name: FilterName, value: string])[],
): readonly Stored[] {
  const unique = wanted.find(([name]) => name === 'login' || name === 'title');
  const candidates =
    unique === undefined
      ? staff.in(collection).all()
      : [staff.in(collection).withUnique(unique[1])].filter((stored) => stored !== undefined);
  if (wanted.length === 0) return candidates;
  const tests = wanted.map(([name, value]) => testOf(name, value, staff));
  return candidates.filter((stored) => tests.every((test) => test(stored)));
}
