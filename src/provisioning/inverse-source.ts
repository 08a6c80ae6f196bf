import type { Adapter, BackendRecord, Scalar } from '../backend/adapter.js';
import { childrenOf, scalarsOf } from '../backend/record.js';
import type { SearchedInverse } from '../mapping/plan.js';

/** An inverse with the backend that it is searched in. */
export interface InverseSource {
  readonly inverse: SearchedInverse;
  readonly adapter: Adapter;
  readonly entity: string;
}

/** What the holder's reference field holds. */
export function heldKeys(holder: BackendRecord, { holderField, holderChild }: SearchedInverse): readonly Scalar[] {
  if (holderChild === undefined) return scalarsOf(holder, holderField);
  return childrenOf(holder, holderField).flatMap((child) => child[holderChild] ?? []);
}
