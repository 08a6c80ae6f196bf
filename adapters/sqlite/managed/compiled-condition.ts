import type { Reach } from './key-test.js';
import type { Sql } from './sql.js';

/** A way to the records that meet a condition, by an index and not by looking at every record. */
export interface Selection {
  /** `SELECT … AS seq`: exactly the records that meet the condition, each once. */
  readonly query: Sql;
  readonly reach: Reach;
  /** At most one record: there is nothing to weigh. */
  readonly isUnique: boolean;
  /** `SELECT 1 …`: the index entries that are walked through, for an estimate of the cost. */
  readonly probe: Sql;
}

export interface TestedCondition {
  readonly kind: 'test';
  /** Holds, or does not, for the record whose number is `c.seq`; never NULL. */
  readonly test: Sql;
  /** Different ways to the same records; none where an index cannot help. */
  readonly selections: readonly Selection[];
  /** The operands of an `and`. */
  readonly parts?: readonly TestedCondition[];
}

/** A condition as SQL. */
export type CompiledCondition = { readonly kind: 'never' } | { readonly kind: 'always' } | TestedCondition;

export const never: CompiledCondition = { kind: 'never' };
export const always: CompiledCondition = { kind: 'always' };

const reaches: readonly Reach[] = ['point', 'range', 'all'];

/** Less promises that less is walked through, as far as can be told without looking at the data. */
export function rankOf({ isUnique, reach }: Pick<Selection, 'isUnique' | 'reach'>): number {
  return isUnique ? -1 : reaches.indexOf(reach);
}

export function bestOf<S extends Pick<Selection, 'isUnique' | 'reach'>>(selections: readonly S[]): S | undefined {
  return selections.reduce<S | undefined>(
    (best, selection) => (best === undefined || rankOf(selection) < rankOf(best) ? selection : best),
    undefined,
  );
}

export function widestOf(reachesTaken: readonly Reach[]): Reach {
  return reachesTaken.reduce<Reach>(
    (widest, reach) => (reaches.indexOf(reach) > reaches.indexOf(widest) ? reach : widest),
    'point',
  );
}
