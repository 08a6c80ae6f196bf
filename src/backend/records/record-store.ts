import { randomUUID } from 'node:crypto';
import { keyOf } from '../../scim/comparison.js';
import { pathsIn } from '../../scim/filter.js';
import type {
  BackendRecord,
  Capabilities,
  Change,
  EntityUse,
  FieldValue,
  LookupQuery,
  SearchQuery,
  SearchResult,
} from '../adapter.js';
import { AdapterError } from '../adapter-error.js';
import { compileCondition } from '../condition.js';
import { scalarsOf, valuesOf } from '../record.js';
import { acceptValues, applyChanges, assign, writableField } from './changes.js';
import { comparisonOf, type EntityPlan, planOf } from './entity.js';
import { comparePositions, parsePosition, positionOf, printPosition, type Stored } from './ordering.js';
import { compileProjection } from './projection.js';
import { inverseFields, mendAfterDelete, mendAfterUpdate } from './references.js';
import { Table } from './table.js';

export interface RecordStoreOptions {
  /**
   * What positions of pages go by. `creation`: the age of records in this store. `id`: for a store that is filled anew from
   * a backend now and then, as positions then stay what they were. Default: `creation`.
   */
  readonly order?: 'creation' | 'id';
}

/**
 * Records in memory that behave in every way as the contract says: all entities of one gateway, with unique fields and
 * references between them. Every method is one step: it is carried out whole, or throws AdapterError and did nothing.
 */
export class RecordStore {
  private readonly tables: ReadonlyMap<string, Table>;
  /** Makes revisions differ from those of an earlier process. */
  private readonly run = randomUUID().slice(0, 8);
  private writes = 0;

  constructor(entities: readonly EntityUse[], { order = 'creation' }: RecordStoreOptions = {}) {
    this.tables = new Map(entities.map((use) => [use.entity, new Table(planOf(use), order)]));
  }

  /** True of everything that the store does itself. */
  get capabilities(): Capabilities {
    const entities = this.plans.map(({ entity, capabilities }) => [entity, capabilities] as const);
    return { version: 1, entities: Object.fromEntries(entities) };
  }

  /** All records of the entity as they are stored, with `$id`, `$revision`, `$created` and `$modified`; not to be changed. */
  records(entity: string): readonly BackendRecord[] {
    return [...this.tableOf(entity).all()].map(({ record }) => record);
  }

  get plans(): readonly EntityPlan[] {
    return [...this.tables.values()].map(({ plan }) => plan);
  }

  get(entity: string, id: string, fields: readonly string[]): BackendRecord | undefined {
    const table = this.tableOf(entity);
    const project = this.projection(table, fields);
    const stored = table.get(id);
    return stored === undefined ? undefined : project(stored.record);
  }

  search(query: SearchQuery): SearchResult {
    const table = this.tableOf(query.entity);
    const project = this.projection(table, query.fields);
    const matching = this.sorted(table, query);
    const start = query.after === undefined ? (query.offset ?? 0) : this.startAfter(table, query, matching);
    const page = matching.slice(start, start + query.limit);
    const last = start + page.length < matching.length ? page.at(-1) : undefined;
    return {
      records: page.map(({ record }) => project(record)),
      ...(query.wantTotal ? { total: matching.length } : {}),
      ...(last === undefined ? {} : { next: printPosition(positionOf(last, query.sort, table.plan)) }),
    };
  }

  lookup(entity: string, { by, values, fields }: LookupQuery): readonly BackendRecord[] {
    const table = this.tableOf(entity);
    const project = this.projection(table, fields);
    const comparison = comparisonOf(table.plan, by);
    const wanted = new Set(values.map((value) => keyOf(comparison, value)));
    wanted.delete(undefined);
    const complete = this.completion(table, [by]);
    return [...table.all()]
      .filter(({ record }) => scalarsOf(complete(record), by).some((value) => wanted.has(keyOf(comparison, value))))
      .map(({ record }) => project(record));
  }

  create(entity: string, record: BackendRecord, fields: readonly string[]): BackendRecord {
    const table = this.tableOf(entity);
    const { plan } = table;
    const project = this.projection(table, fields);
    const accepted: Record<string, FieldValue> = {};
    for (const [name, value] of Object.entries(record)) {
      const field = writableField(plan, name);
      assign(accepted, field, acceptValues(field, valuesOf(value)));
    }
    return project(this.insert(table, accepted));
  }

  /** Stores a record that there was before, which may name its `$id`, `$revision`, `$created` and `$modified`. */
  seed(entity: string, fields: BackendRecord): void {
    this.insert(this.tableOf(entity), fields);
  }

  update(
    entity: string,
    id: string,
    changes: readonly Change[],
    { ifRevision, fields }: { readonly ifRevision?: string; readonly fields: readonly string[] },
  ): { readonly changed: boolean; readonly record: BackendRecord } {
    const table = this.tableOf(entity);
    const project = this.projection(table, fields);
    const { record: before } = this.existing(table, id, ifRevision);
    const changed = applyChanges(before, changes, table.plan);
    if (changed === before) return { changed: false, record: project(before) };
    const after = this.touch(changed);
    table.put(after);
    mendAfterUpdate(this.tables.values(), entity, before, after, (record) => this.touch(record));
    return { changed: true, record: project(table.get(id)?.record ?? after) };
  }

  delete(entity: string, id: string, ifRevision: string | undefined): void {
    const table = this.tableOf(entity);
    const { record } = this.existing(table, id, ifRevision);
    table.delete(id);
    mendAfterDelete(this.tables.values(), entity, record, (holder) => this.touch(holder));
  }

  private insert(table: Table, fields: BackendRecord): BackendRecord {
    const { idField, idPrefix } = table.plan;
    const given = fields.$id ?? (idField === undefined ? undefined : fields[idField]);
    const rawId = given === undefined ? randomUUID() : String(given);
    const id = `${idPrefix}${rawId}`;
    if (table.get(id) !== undefined) {
      const field = idField ?? '$id';
      throw new AdapterError('conflict', `Another record has this value of "${field}".`, { field });
    }
    const now = new Date().toISOString();
    const record: BackendRecord = {
      ...fields,
      ...(idField === undefined ? {} : { [idField]: rawId }),
      $id: id,
      $created: fields.$created ?? now,
      $modified: fields.$modified ?? now,
      $revision: fields.$revision ?? this.nextRevision(),
    };
    table.put(record);
    return record;
  }

  private existing(table: Table, id: string, ifRevision: string | undefined): Stored {
    const stored = table.get(id);
    if (stored === undefined) throw new AdapterError('notFound', `No such record in "${table.plan.entity}".`);
    if (ifRevision !== undefined && ifRevision !== stored.record.$revision) {
      throw new AdapterError('revisionMismatch', 'The record was changed in the meantime.');
    }
    return stored;
  }

  private touch(record: BackendRecord): BackendRecord {
    return { ...record, $modified: new Date().toISOString(), $revision: this.nextRevision() };
  }

  private nextRevision(): string {
    return `${this.run}-${++this.writes}`;
  }

  private sorted(table: Table, { filter, sort }: Pick<SearchQuery, 'filter' | 'sort'>): readonly Stored[] {
    const matching = this.matching(table, filter);
    if (sort === undefined) return matching;
    const placed = matching.map((stored) => ({ stored, position: positionOf(stored, sort, table.plan) }));
    placed.sort((a, b) => comparePositions(a.position, b.position, sort.descending));
    return placed.map(({ stored }) => stored);
  }

  private matching(table: Table, filter: SearchQuery['filter']): readonly Stored[] {
    if (filter === undefined) return [...table.all()];
    const matches = compileCondition(filter, (field, child) => comparisonOf(table.plan, field, child));
    const complete = this.completion(table, pathsIn(filter));
    return [...table.all()].filter(({ record }) => matches(complete(record)));
  }

  private startAfter(table: Table, { after = '', sort }: SearchQuery, matching: readonly Stored[]): number {
    const isDescending = sort?.descending ?? false;
    const position = parsePosition(after, isDescending, (serial) => {
      const stored = [...table.all()].find((candidate) => candidate.serial === serial);
      return stored === undefined ? undefined : positionOf(stored, sort, table.plan);
    });
    const start = matching.findIndex(
      (stored) => comparePositions(positionOf(stored, sort, table.plan), position, isDescending) > 0,
    );
    return start < 0 ? matching.length : start;
  }

  private projection(table: Table, fields: readonly string[]): (record: BackendRecord) => BackendRecord {
    const project = compileProjection(table.plan, fields);
    const complete = this.completion(table, fields);
    return (record) => project(complete(record));
  }

  /** Adds the fields among those named that are computed from references in other records. */
  private completion(table: Table, fields: readonly string[]): (record: BackendRecord) => BackendRecord {
    const inverse = fields.flatMap((name) => {
      const use = table.plan.fields.get(name);
      return use?.inverseOf === undefined ? [] : [use];
    });
    if (inverse.length === 0) return (record) => record;
    return (record) => ({ ...record, ...inverseFields(this.tables, record, inverse) });
  }

  private tableOf(entity: string): Table {
    const table = this.tables.get(entity);
    if (table === undefined) throw new AdapterError('unsupported', `The mapping uses no entity "${entity}".`);
    return table;
  }
}
