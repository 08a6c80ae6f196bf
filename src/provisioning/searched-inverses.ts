/**
 * The other end of a reference that another backend keeps (`groups` of a user whose groups are elsewhere). An adapter in
 * front of the adapter gives the field as if it were the record's own, so that nobody else need know.
 */
import type {
  Adapter,
  BackendRecord,
  Capabilities,
  ChildRecord,
  Condition,
  EntityCapabilities,
  FieldCapability,
  FieldValue,
  OperationContext,
  ReadOptions,
  Scalar,
} from '../backend/adapter.js';
import { AdapterError } from '../backend/adapter-error.js';
import { childrenOf, idOf, scalarsOf } from '../backend/record.js';
import type { SearchedInverse } from '../mapping/plan.js';
import { type ComparisonKey, keyOf } from '../scim/comparison.js';
import { always, never } from '../scim/filter.js';
import { impatient } from './impatient-context.js';

/** An inverse with the backend that it is searched in. */
export interface InverseSource {
  readonly inverse: SearchedInverse;
  readonly adapter: Adapter;
  readonly entity: string;
}

/**
 * What becomes of a record when the other backend does not answer. `fail`: the operation does; `leaveOut`: the field is
 * left out, for answers to changes that are made, or ready to be made, without it.
 */
export type OnSilence = 'fail' | 'leaveOut';

/** So many of the holder's references become a condition of the search; of a holder with more, all records are looked at. */
const mostKeys = 1_000;
/** For so few records each is asked for by itself, which spares reading all that their holders refer to. */
const fewRecords = 8;
const scanBatch = 200;

/** The adapter of an entity with fields that are searched elsewhere. */
export function withSearchedInverses(
  adapter: Adapter,
  entity: string,
  sources: readonly InverseSource[],
  onSilence: OnSilence,
): Adapter {
  const capabilitiesNow = composedCapabilities(adapter, entity, sources);

  const wanted = (fields: readonly string[]): readonly InverseSource[] =>
    sources.filter(({ inverse }) => fields.includes(inverse.field));
  const inner = <Options extends ReadOptions>(options: Options): Options => {
    const asked = wanted(options.fields);
    if (asked.length === 0) return options;
    const own = options.fields.filter((name) => !asked.some(({ inverse }) => inverse.field === name));
    const keys = asked.flatMap(({ inverse: { ownKey } }) => (ownKey === '$id' ? [] : [ownKey]));
    return { ...options, fields: [...new Set([...own, ...keys])] };
  };
  const complete = async (
    records: readonly BackendRecord[],
    { fields }: ReadOptions,
    context: OperationContext,
  ): Promise<readonly BackendRecord[]> => {
    const asked = records.length === 0 ? [] : wanted(fields);
    const found = await Promise.all(
      asked.map((source) => searchFor(source, records, adapter, entity, onSilence, context)),
    );
    return found.reduce((all, add) => all.map(add), records);
  };
  const completeOne = async (record: BackendRecord, options: ReadOptions, context: OperationContext) =>
    (await complete([record], options, context))[0] ?? record;
  const translated = async <Query extends { readonly filter?: Condition }>(
    query: Query,
    context: OperationContext,
  ): Promise<Query> => {
    if (query.filter === undefined || !mentions(query.filter, sources)) return query;
    return { ...query, filter: await translate(query.filter, sources, context) };
  };

  return {
    get capabilities() {
      return capabilitiesNow();
    },
    async get(name, id, options, context) {
      const record = await adapter.get(name, id, inner(options), context);
      return record === undefined ? undefined : completeOne(record, options, context);
    },
    async search(query, context) {
      const result = await adapter.search(inner(await translated(query, context)), context);
      return { ...result, records: await complete(result.records, query, context) };
    },
    async *scan(query, context) {
      let batch: BackendRecord[] = [];
      for await (const record of adapter.scan(inner(await translated(query, context)), context)) {
        batch.push(record);
        if (batch.length < scanBatch) continue;
        yield* await complete(batch, query, context);
        batch = [];
      }
      yield* await complete(batch, query, context);
    },
    async lookup(name, query, context) {
      return complete(await adapter.lookup(name, inner(query), context), query, context);
    },
    async create(name, record, options, context) {
      return completeOne(await adapter.create(name, record, inner(options), context), options, context);
    },
    async update(name, id, changes, options, context) {
      const result = await adapter.update(name, id, changes, inner(options), context);
      return { ...result, record: await completeOne(result.record, options, context) };
    },
    delete: (name, id, options, context) => adapter.delete(name, id, options, context),
    inspect: (context) => adapter.inspect(context),
    describe: (operation) => adapter.describe(operation),
    check: (context) => adapter.check(context),
    close: () => adapter.close(),
  };
}

type Capable = () => Capabilities;

/** The adapter's own capabilities, and that of the field: a comparison selects the records that the holder refers to. */
function composedCapabilities(adapter: Adapter, entity: string, sources: readonly InverseSource[]): Capable {
  let known: { readonly own: Capabilities; readonly composed: Capabilities } | undefined;
  return () => {
    const own = adapter.capabilities;
    if (known?.own === own) return known.composed;
    const present = own.entities[entity];
    const composed =
      present === undefined
        ? own
        : { version: own.version, entities: { ...own.entities, [entity]: withFields(present, sources) } };
    known = { own, composed };
    return composed;
  };
}

function withFields(own: EntityCapabilities, sources: readonly InverseSource[]): EntityCapabilities {
  const selecting: FieldCapability = { comparison: 'exact', operators: { eq: 'superset' }, sortable: false };
  const silent: FieldCapability = { comparison: 'exact', operators: {}, sortable: false };
  const fields = sources.map(({ inverse }) => {
    const canSelect = own.combine.or && inverse.child === undefined && isComparable(own, inverse.ownKey);
    return [inverse.field, canSelect ? selecting : silent] as const;
  });
  return { ...own, fields: { ...own.fields, ...Object.fromEntries(fields) } };
}

function isComparable(own: EntityCapabilities, field: string): boolean {
  return own.fields[field]?.operators.eq !== undefined;
}

function mentions(condition: Condition, sources: readonly InverseSource[]): boolean {
  if ('operands' in condition) return condition.operands.some((operand) => mentions(operand, sources));
  if ('operand' in condition) return mentions(condition.operand, sources);
  return sources.some(({ inverse }) => inverse.field === condition.path);
}

/** Puts what a holder refers to in the place of a comparison with the holder. */
async function translate(
  condition: Condition,
  sources: readonly InverseSource[],
  context: OperationContext,
): Promise<Condition> {
  if ('operands' in condition) {
    const operands = await Promise.all(condition.operands.map((operand) => translate(operand, sources, context)));
    return { kind: condition.kind, operands };
  }
  if (condition.kind !== 'compare' || condition.value === null) return condition;
  const { path, value } = condition;
  const source = sources.find(({ inverse }) => inverse.field === path);
  return source === undefined ? condition : referredBy(source, value, context);
}

async function referredBy(
  { inverse, adapter, entity }: InverseSource,
  value: Scalar,
  context: OperationContext,
): Promise<Condition> {
  const query = { by: inverse.gives, values: [value], fields: [inverse.holderField] };
  const holders = await adapter.lookup(entity, query, context);
  const keys = new Set(holders.flatMap((holder) => heldKeys(holder, inverse)));
  if (keys.size === 0) return never;
  if (keys.size > mostKeys) return always;
  const operands = [...keys].map(
    (key): Condition => ({
      kind: 'compare',
      path: inverse.ownKey,
      op: 'eq',
      value: typeof key === 'number' || typeof key === 'boolean' ? key : String(key),
    }),
  );
  return operands.length === 1 ? (operands[0] ?? never) : { kind: 'or', operands };
}

/** What the holder's reference field holds. */
function heldKeys(holder: BackendRecord, { holderField, holderChild }: SearchedInverse): readonly Scalar[] {
  if (holderChild === undefined) return scalarsOf(holder, holderField);
  return childrenOf(holder, holderField).flatMap((child) => child[holderChild] ?? []);
}

type Complete = (record: BackendRecord) => BackendRecord;

/** Finds who refers to the records. @returns what adds the field to one of them */
async function searchFor(
  source: InverseSource,
  records: readonly BackendRecord[],
  own: Adapter,
  entity: string,
  onSilence: OnSilence,
  context: OperationContext,
): Promise<Complete> {
  const { inverse } = source;
  const keyIn = keyOfHeld(source, own, entity);
  const ownKeys = (record: BackendRecord): readonly Scalar[] =>
    inverse.ownKey === '$id' ? [idOf(record)] : scalarsOf(record, inverse.ownKey);
  const keys = new Map(records.flatMap(ownKeys).map((key) => [keyIn(key), key] as const));
  if (keys.size === 0) return (record) => record;
  const found = new Map<ComparisonKey | undefined, Set<Scalar>>();
  const calls = onSilence === 'fail' ? context : impatient(context);
  try {
    for await (const [key, holder] of holdersOf(source, [...keys.values()], keyIn, calls)) {
      const given = inverse.gives === '$id' ? [idOf(holder)] : scalarsOf(holder, inverse.gives);
      const values = found.get(key) ?? new Set();
      for (const value of given) values.add(value);
      found.set(key, values);
    }
  } catch (error) {
    if (onSilence === 'fail' || !isSilence(error)) throw error;
    context.trace?.({ operation: `"${inverse.field}" left out: its backend does not answer`, durationMs: 0 });
    return (record) => record;
  }
  return (record) => {
    const values = [...new Set(ownKeys(record).flatMap((key) => [...(found.get(keyIn(key)) ?? [])]))];
    return values.length === 0 ? record : { ...record, [inverse.field]: asField(values, source) };
  };
}

/** The backend does not answer, or not to us. */
export function isSilence(error: unknown): boolean {
  return error instanceof AdapterError && ['unavailable', 'timeout', 'denied'].includes(error.kind);
}

function asField(values: readonly Scalar[], { inverse: { child, holder } }: InverseSource): FieldValue {
  if (child === undefined) return values;
  return values.map(
    (value): ChildRecord => ({ [child.value]: value, ...(child.type === undefined ? {} : { [child.type]: holder }) }),
  );
}

/** Values of the reference compare as the holder's backend compares them. */
function keyOfHeld(
  { inverse: { holderField, holderChild }, adapter, entity: holderEntity }: InverseSource,
  own: Adapter,
  entity: string,
): (value: Scalar) => ComparisonKey | undefined {
  const field = adapter.capabilities.entities[holderEntity]?.fields[holderField];
  const capability = holderChild === undefined ? field : field?.children?.[holderChild];
  const comparison = capability?.comparison ?? own.capabilities.entities[entity]?.fields.$id?.comparison ?? 'exact';
  return (value) => keyOf(comparison, value) ?? String(value);
}

/** Each holder with the key of a record that it refers to. */
async function* holdersOf(
  source: InverseSource,
  keys: readonly Scalar[],
  keyIn: (value: Scalar) => ComparisonKey | undefined,
  context: OperationContext,
): AsyncGenerator<readonly [ComparisonKey | undefined, BackendRecord]> {
  const { inverse, adapter, entity } = source;
  const { holderField, holderChild, gives } = inverse;
  const shown = gives === '$id' ? [] : [gives];
  if (holderChild === undefined && keys.length <= fewRecords) {
    const each = await Promise.all(
      keys.map((key) => adapter.lookup(entity, { by: holderField, values: [key], fields: shown }, context)),
    );
    for (const [index, holders] of each.entries()) {
      const key = keys[index];
      for (const holder of holders) if (key !== undefined) yield [keyIn(key), holder];
    }
    return;
  }
  const fields = [...shown, holderField];
  const wanted = new Set(keys.map(keyIn));
  const holders =
    holderChild === undefined
      ? await adapter.lookup(entity, { by: holderField, values: keys, fields }, context)
      : adapter.scan({ entity, fields, ...childFilter(source, holderChild, keys) }, context);
  for await (const holder of holders) {
    for (const held of heldKeys(holder, inverse)) {
      const key = keyIn(held);
      if (wanted.has(key)) yield [key, holder];
    }
  }
}

/** Asks for child records as far as the backend can; what it gives too much is left out afterwards. */
function childFilter(
  { inverse: { holderField }, adapter, entity }: InverseSource,
  child: string,
  keys: readonly Scalar[],
): { readonly filter?: Condition } {
  const capabilities = adapter.capabilities.entities[entity];
  const canAsk = capabilities?.fields[holderField]?.children?.[child]?.operators.eq !== undefined;
  if (!canAsk || (keys.length > 1 && capabilities?.combine.or !== true)) return {};
  const compares = keys.map(
    (key): Condition => ({
      kind: 'compare',
      path: child,
      op: 'eq',
      value: typeof key === 'number' || typeof key === 'boolean' ? key : String(key),
    }),
  );
  const [only] = compares;
  const inside: Condition = compares.length === 1 && only !== undefined ? only : { kind: 'or', operands: compares };
  return { filter: { kind: 'valuePath', path: holderField, filter: inside } };
}
