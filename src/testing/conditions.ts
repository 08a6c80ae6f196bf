import type { Condition, FilterOp } from '../backend/adapter.js';
import type { CompareValue } from '../scim/filter.js';
import { awkwardTexts } from './contract-entities.js';

export const textOperators = ['eq', 'co', 'sw', 'ew', 'gt', 'ge', 'lt', 'le'] as const;

export function compare(path: string, op: Exclude<FilterOp, 'pr'>, value: CompareValue): Condition {
  return { kind: 'compare', path, op, value };
}
export const present = (path: string): Condition => ({ kind: 'present', path });
export const not = (operand: Condition): Condition => ({ kind: 'not', operand });
export const all = (...operands: readonly Condition[]): Condition => ({ kind: 'and', operands });
export const any = (...operands: readonly Condition[]): Condition => ({ kind: 'or', operands });
export const oneMail = (filter: Condition): Condition => ({ kind: 'valuePath', path: 'mails', filter });

/** Conditions of every shape, the same at every call: a failure can be repeated. The smaller ones come first. */
export function anyConditions(count: number): readonly Condition[] {
  const pick = picker(7644);
  return Array.from({ length: count }, (_, index) => condition(pick, Math.min(4, Math.floor((index * 5) / count))));
}

type Pick = <T>(choices: readonly T[]) => T;

const fields = ['login', 'name', 'badge', 'mail', 'tags'];
const childFields = ['value', 'type'];
const texts = awkwardTexts.filter((text) => text.length < 100);
const ages = [0, 1, 2, 3, 4, 5, 6, 7];
const shapes = ['text', 'text', 'text', 'text', 'age', 'enabled', 'child'] as const;

function condition(pick: Pick, depth: number): Condition {
  if (depth > 0 && pick([true, true, false])) return joined(pick, () => condition(pick, depth - 1));
  switch (pick(shapes)) {
    case 'age':
      return compare('age', 'ge', pick(ages));
    case 'enabled':
      return compare('enabled', 'eq', pick([true, false]));
    case 'child':
      return oneMail(childCondition(pick, Math.min(depth, 2)));
    case 'text':
      return leaf(pick, fields);
  }
}

function childCondition(pick: Pick, depth: number): Condition {
  if (depth === 0 || pick([true, false])) return leaf(pick, childFields);
  return joined(pick, () => childCondition(pick, depth - 1));
}

function joined(pick: Pick, operand: () => Condition): Condition {
  const kind = pick(['and', 'or', 'not'] as const);
  if (kind === 'not') return not(operand());
  return { kind, operands: Array.from({ length: pick([2, 3]) }, operand) };
}

function leaf(pick: Pick, paths: readonly string[]): Condition {
  const path = pick(paths);
  return pick([true, false, false, false]) ? present(path) : compare(path, pick(textOperators), pick(texts));
}

/** mulberry32: small, and the same everywhere. */
function picker(seed: number): Pick {
  let state = seed;
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return <T>(choices: readonly T[]): T => choices[Math.floor(next() * choices.length)] as T;
}
