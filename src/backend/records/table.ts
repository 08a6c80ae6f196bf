import { type ComparisonKey, compareCodePoints, keyOf } from '../../scim/comparison.js';
import type { BackendRecord, Scalar } from '../adapter.js';
import { AdapterError } from '../adapter-error.js';
import { idOf } from '../record.js';
import { type EntityPlan, type FieldPath, type ReferencePath, valuesAt } from './entity.js';
import type { Stored } from './ordering.js';

/** The records of one entity, in the order of their creation or of their ids, and indexes over unique fields and references. */
export class Table {
  readonly plan: EntityPlan;
  private readonly order: 'creation' | 'id';
  private readonly byId = new Map<string, Stored>();
  private readonly unique: readonly ValueIndex[];
  private readonly references: readonly ValueIndex[];
  private lastSerial = 0;

  constructor(plan: EntityPlan, order: 'creation' | 'id') {
    this.plan = plan;
    this.order = order;
    this.unique = plan.unique.map((path) => new ValueIndex(path));
    this.references = plan.references.map((path) => new ValueIndex(path));
  }

  get(id: string): Stored | undefined {
    return this.byId.get(id);
  }

  all(): Iterable<Stored> {
    const all = this.byId.values();
    return this.order === 'creation' ? all : [...all].sort((a, b) => compareCodePoints(idOf(a.record), idOf(b.record)));
  }

  /** @throws AdapterError conflict when another record has the value of a unique field; nothing is stored then */
  put(record: BackendRecord): void {
    const id = idOf(record);
    for (const index of this.unique) {
      if (!index.isFreeFor(id, record)) {
        const { field } = index.path;
        throw new AdapterError('conflict', `Another record has this value of "${field}".`, { field });
      }
    }
    const before = this.byId.get(id);
    this.byId.set(id, { serial: before?.serial ?? (this.order === 'id' ? id : ++this.lastSerial), record });
    for (const index of [...this.unique, ...this.references]) index.replace(id, before?.record, record);
  }

  delete(id: string): void {
    const before = this.byId.get(id);
    this.byId.delete(id);
    for (const index of [...this.unique, ...this.references]) index.replace(id, before?.record, undefined);
  }

  /** The records of this entity that refer to the value by the path. */
  holders(path: ReferencePath, value: Scalar): readonly BackendRecord[] {
    const index = this.references[this.plan.references.indexOf(path)];
    const ids = index?.idsOf(value) ?? [];
    return [...ids].map((id) => this.byId.get(id)?.record).filter((record) => record !== undefined);
  }
}

/** Which records hold a value at a path, by the path's comparison. */
class ValueIndex {
  readonly path: FieldPath;
  private readonly ids = new Map<ComparisonKey, Set<string>>();

  constructor(path: FieldPath) {
    this.path = path;
  }

  idsOf(value: Scalar): ReadonlySet<string> | undefined {
    const key = keyOf(this.path.comparison, value);
    return key === undefined ? undefined : this.ids.get(key);
  }

  isFreeFor(id: string, record: BackendRecord): boolean {
    return valuesAt(record, this.path).every((value) => {
      const ids = this.idsOf(value);
      return ids === undefined || ids.size === 0 || (ids.size === 1 && ids.has(id));
    });
  }

  replace(id: string, before: BackendRecord | undefined, after: BackendRecord | undefined): void {
    if (before?.[this.path.field] === after?.[this.path.field]) return;
    const old = this.keysOf(before);
    const now = this.keysOf(after);
    for (const key of old) {
      if (now.has(key)) continue;
      const ids = this.ids.get(key);
      ids?.delete(id);
      if (ids?.size === 0) this.ids.delete(key);
    }
    for (const key of now) {
      const ids = this.ids.get(key);
      if (ids === undefined) this.ids.set(key, new Set([id]));
      else ids.add(id);
    }
  }

  private keysOf(record: BackendRecord | undefined): ReadonlySet<ComparisonKey> {
    if (record === undefined) return new Set();
    const keys = valuesAt(record, this.path).map((value) => keyOf(this.path.comparison, value));
    return new Set(keys.filter((key) => key !== undefined));
  }
}
