import type { Scalar } from '../../src/backend/adapter.js';
import { AdapterError } from '../../src/backend/adapter-error.js';
import { fold } from '../../src/scim/comparison.js';
import type { EntityPlan, FieldPlan } from './entity-plan.js';
import { both } from './ldap-filter.js';
import type { ReadContext } from './read.js';
import { idOfEntry } from './references.js';
import { compileFor } from './search.js';

/** Lets those that want the same value go one after another, so that a look-up and the write after it are one step here. */
export class UniqueLocks {
  private readonly tails = new Map<string, Promise<void>>();

  async hold<T>(keys: readonly string[], work: () => Promise<T>): Promise<T> {
    const sorted = [...new Set(keys)].sort();
    const before = sorted.flatMap((key) => this.tails.get(key) ?? []);
    let release = (): void => undefined;
    const done = new Promise<void>((resolve) => {
      release = resolve;
    });
    for (const key of sorted) this.tails.set(key, done);
    try {
      await Promise.all(before);
      return await work();
    } finally {
      release();
      for (const key of sorted) if (this.tails.get(key) === done) this.tails.delete(key);
    }
  }
}

export interface UniqueValue {
  readonly field: FieldPlan;
  readonly value: Scalar;
}

/** Values of unique fields that the directory does not keep apart by the entry's name. */
export function uniqueValues(
  plan: EntityPlan,
  values: Iterable<readonly [field: string, values: readonly Scalar[]]>,
): readonly UniqueValue[] {
  const found: UniqueValue[] = [];
  for (const [name, list] of values) {
    const field = plan.fields.get(name);
    if (field?.use.unique !== true || name === plan.create?.dn.onlyField) continue;
    for (const value of list) if (value !== '') found.push({ field, value });
  }
  return found;
}

export function lockKey(plan: EntityPlan, { field, value }: UniqueValue): string {
  return `${plan.entity}\0${field.name}\0${fold(String(value))}`;
}

/** @throws AdapterError `conflict` when another entry has one of the values */
export async function checkUnique(
  plan: EntityPlan,
  values: readonly UniqueValue[],
  ownId: string | undefined,
  context: ReadContext,
): Promise<void> {
  for (const { field, value } of values) {
    if (typeof value === 'bigint' || value instanceof Uint8Array) continue;
    const compiled = await compileFor(plan, { kind: 'compare', path: field.name, op: 'eq', value }, context);
    const filter = both([plan.filter, compiled.filter]);
    const request = {
      base: plan.base,
      scope: plan.scope,
      filter,
      attributes: [plan.id.attribute],
      sizeLimit: 2,
    } as const;
    const { entries } = await context.calls.search(plan.entity, request);
    if (entries.some((entry) => idOfEntry(plan, entry) !== ownId)) {
      throw new AdapterError('conflict', 'Another entry in the directory has this value.', { field: field.name });
    }
  }
}
