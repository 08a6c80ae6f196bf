import { type Comparison, type ComparisonKey, keyOf } from '../../../src/scim/comparison.js';
import type { Comparer } from '../scalar-plan.js';
import { isFalse } from '../sql-text.js';

/** Values of which the first characters are not stored. `all` compares the whole text. */
export function prefixedComparer(comparer: Comparer, all: Comparer, prefix: string, comparison: Comparison): Comparer {
  const start = String(keyOf(comparison, prefix));
  const strip = (key: ComparisonKey): readonly ComparisonKey[] =>
    typeof key === 'string' && key.startsWith(start) ? [key.slice(start.length)] : [];
  return {
    key: all.key,
    present: comparer.present,
    compare: (alias, op, key) => {
      if (op !== 'eq') return all.compare(alias, op, key);
      const [stored] = strip(key);
      return stored === undefined ? isFalse : comparer.compare(alias, op, stored);
    },
    oneOf: (alias, keys) => comparer.oneOf(alias, keys.flatMap(strip)),
  };
}
