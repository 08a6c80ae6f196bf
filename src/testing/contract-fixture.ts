import type {
  Adapter,
  BackendRecord,
  Change,
  Condition,
  EntityCapabilities,
  EntityUse,
  FieldCapability,
  OperationContext,
  Precision,
  SearchQuery,
  SearchResult,
  UpdateResult,
} from '../backend/adapter.js';
import { AdapterError, type AdapterErrorKind } from '../backend/adapter-error.js';
import { idOf } from '../backend/record.js';
import type { Comparison } from '../scim/comparison.js';
import { expect } from './expect.js';
import type { Skip } from './suite.js';

export type EntityName = 'people' | 'groups';

/** What the suite needs to know of an adapter under test. */
export interface ContractSubject {
  /** What the adapter is opened with: `contractEntities`, less what the backend cannot hold. */
  readonly entities: readonly EntityUse[];
  /** Opens an adapter: for every test, on an empty backend; with `reset` only once. */
  open(): Promise<Adapter>;
  /** Empties the backend before every test, where opening is dear: the adapter then stays open. */
  reset?(adapter: Adapter): Promise<void>;
  /** Called once after all tests. */
  close?(): Promise<void>;
}

/** The adapter of the running test, and short ways to use it. */
export class ContractFixture {
  readonly subject: ContractSubject;
  private current: Adapter | undefined;

  constructor(subject: ContractSubject) {
    this.subject = subject;
  }

  async start(): Promise<void> {
    if (this.current === undefined) {
      this.current = await this.subject.open();
      await this.current.check(this.context());
    }
    await this.subject.reset?.(this.current);
  }

  async stop(): Promise<void> {
    if (this.subject.reset === undefined) await this.closeAdapter();
  }

  async end(): Promise<void> {
    await this.closeAdapter();
    await this.subject.close?.();
  }

  /** The next test gets a new adapter. */
  async closeAdapter(): Promise<void> {
    await this.current?.close();
    this.current = undefined;
  }

  get adapter(): Adapter {
    if (this.current === undefined) throw new Error('No adapter is open.');
    return this.current;
  }

  context(signal: AbortSignal = AbortSignal.timeout(60_000)): OperationContext {
    return { signal, requestId: 'contract' };
  }

  can(entity: EntityName): EntityCapabilities {
    const capabilities = this.adapter.capabilities.entities[entity];
    if (capabilities === undefined) throw new Error(`The adapter declares no capabilities for "${entity}".`);
    return capabilities;
  }

  has(entity: EntityName, ...fields: readonly string[]): boolean {
    return fields.every((field) => this.fieldsOf(entity).includes(field));
  }

  /** The fields of the entity that the mapping reads. */
  fieldsOf(entity: EntityName): readonly string[] {
    const use = this.subject.entities.find((candidate) => candidate.entity === entity);
    return use?.fields.filter(({ read }) => read).map(({ name }) => name) ?? [];
  }

  /** Skips the test when the subject leaves one of the fields out. */
  needs(skip: Skip, entity: EntityName, ...fields: readonly string[]): void {
    for (const field of fields) skip(!this.has(entity, field), `the subject has no field ${entity}.${field}`);
  }

  comparisonOf(entity: EntityName): (field: string, child?: string) => Comparison {
    const { fields } = this.can(entity);
    return (field, child) => {
      const capability = child === undefined ? fields[field] : fields[field]?.children?.[child];
      if (capability === undefined) throw new Error(`No capability for ${entity}.${field}${child ? `.${child}` : ''}`);
      return capability.comparison;
    };
  }

  /** Creates a record with those of the fields that the subject has. @returns its id */
  async create(entity: EntityName, fields: BackendRecord): Promise<string> {
    const known = Object.entries(fields).filter(([name]) => this.has(entity, name));
    return idOf(await this.adapter.create(entity, Object.fromEntries(known), { fields: [] }, this.context()));
  }

  get(entity: EntityName, id: string, fields = this.fieldsOf(entity)): Promise<BackendRecord | undefined> {
    return this.adapter.get(entity, id, { fields }, this.context());
  }

  /** The record, which must be there. */
  async read(entity: EntityName, id: string, ...fields: readonly string[]): Promise<BackendRecord> {
    const record = await this.get(entity, id, fields.length === 0 ? this.fieldsOf(entity) : fields);
    if (record === undefined) throw new Error(`${entity} ${id} is gone.`);
    return record;
  }

  update(
    entity: EntityName,
    id: string,
    changes: readonly Change[],
    options: { readonly ifRevision?: string; readonly fields?: readonly string[] } = {},
  ): Promise<UpdateResult> {
    return this.adapter.update(entity, id, changes, { fields: [], ...options }, this.context());
  }

  delete(entity: EntityName, id: string, ifRevision?: string): Promise<void> {
    return this.adapter.delete(entity, id, ifRevision === undefined ? {} : { ifRevision }, this.context());
  }

  search(query: Partial<SearchQuery> & { readonly entity: EntityName }): Promise<SearchResult> {
    return this.adapter.search({ fields: [], limit: 1_000, wantTotal: false, ...query }, this.context());
  }

  /** Ids of all that match, in the order given. */
  async ids(entity: EntityName, filter?: Condition): Promise<readonly string[]> {
    const { records } = await this.search({ entity, ...(filter === undefined ? {} : { filter }) });
    return records.map(idOf);
  }

  /** The revision, or undefined when the adapter has none. */
  async revision(entity: EntityName, id: string): Promise<string | undefined> {
    if (!this.can(entity).revision) return undefined;
    const { $revision } = await this.read(entity, id, '$revision');
    expect($revision).toBeTypeOf('string');
    return String($revision);
  }

  /** How much of the condition the adapter promises; undefined when it does not take it as a whole. */
  precisionOf(entity: EntityName, condition: Condition): Precision | undefined {
    const { fields, combine } = this.can(entity);
    return precisionIn(fields, combine, condition);
  }
}

/** Empties a backend through the adapter itself, for `reset`. */
export async function deleteEverything(adapter: Adapter, entities: readonly EntityUse[]): Promise<void> {
  const context = { signal: AbortSignal.timeout(60_000), requestId: 'reset' };
  for (const { entity } of entities) {
    const ids: string[] = [];
    for await (const record of adapter.scan({ entity, fields: [] }, context)) ids.push(idOf(record));
    await Promise.all(ids.map((id) => adapter.delete(entity, id, {}, context)));
  }
}

/** Asserts the kind, and that it is an AdapterError at all. */
export async function expectKind(
  promise: Promise<unknown>,
  ...kinds: readonly AdapterErrorKind[]
): Promise<AdapterError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  const told = `it must reject with AdapterError('${kinds.join("' or '")}', …)`;
  expect(error, error === undefined ? `${told}, and it resolved` : told).toBeInstanceOf(AdapterError);
  expect(kinds, told).toContain((error as AdapterError).kind);
  return error as AdapterError;
}

export function sorted(values: readonly unknown[]): readonly string[] {
  return values.map(String).sort();
}

function precisionIn(
  fields: Readonly<Record<string, FieldCapability>>,
  combine: EntityCapabilities['combine'],
  condition: Condition,
): Precision | undefined {
  switch (condition.kind) {
    case 'present':
      return fields[condition.path]?.operators.pr;
    case 'compare':
      return condition.op === 'ne' ? undefined : fields[condition.path]?.operators[condition.op];
    case 'valuePath': {
      const children = fields[condition.path]?.children;
      return children === undefined ? undefined : precisionIn(children, combine, condition.filter);
    }
    case 'not':
      return combine.not && precisionIn(fields, combine, condition.operand) === 'exact' ? 'exact' : undefined;
    case 'and':
    case 'or': {
      const precisions = condition.operands.map((operand) => precisionIn(fields, combine, operand));
      if (precisions.includes(undefined) || (precisions.length > 1 && !combine[condition.kind])) return undefined;
      return precisions.includes('superset') ? 'superset' : 'exact';
    }
  }
}
