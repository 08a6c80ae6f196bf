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
  DescribableOperation,
  EntityCapabilities,
  FieldCapability,
  FieldValue,
  OperationContext,
  ReadOptions,
  Scalar,
} from '../backend/adapter.js';
import { AdapterError } from '../backend/adapter-error.js';
import { idOf, scalarsOf } from '../backend/record.js';
import { type ComparisonKey, keyOf } from '../scim/comparison.js';
import { impatient } from './impatient-context.js';
import { selectedRecords, widened } from './inverse-selection.js';
import { heldKeys, type InverseSource } from './inverse-source.js';

/**
 * What becomes of a record when the other backend does not answer. `fail`: the operation does; `leaveOut`: the field is
 * left out, for answers to changes that are made, or ready to be made, without it.
 */
export type OnSilence = 'fail' | 'leaveOut';

/** For so few records each is asked for by itself, which spares reading all that their holders refer to. */
const fewRecords = 8;
const scanBatch = 200;
/** A condition on more child records than these takes a backend longer than reading them all. */
const mostAsked = 50;

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
  return {
    get capabilities() {
      return capabilitiesNow();
    },
    async get(name, id, options, context) {
      const record = await adapter.get(name, id, inner(options), context);
      return record === undefined ? undefined : completeOne(record, options, context);
    },
    async search(query, context) {
      const result = await adapter.search(inner(widened(query, sources)), context);
      return { ...result, records: await complete(result.records, query, context) };
    },
    async *scan(query, context) {
      const selected = await selectedRecords(query, { adapter, entity, sources, inner }, context);
      let batch: BackendRecord[] = [];
      for await (const record of selected ?? adapter.scan(inner(widened(query, sources)), context)) {
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
    describe: (operation) => describeSearched(operation, adapter, sources, inner),
    check: (context) => adapter.check(context),
    close: () => adapter.close(),
  };
}

/** The search in the other backend, and then the operation with what that may find. */
function describeSearched(
  operation: DescribableOperation,
  adapter: Adapter,
  sources: readonly InverseSource[],
  inner: <Options extends ReadOptions>(options: Options) => Options,
): string {
  if (operation.kind !== 'search') return adapter.describe(operation);
  const before: string[] = [];
  const replaced = (condition: Condition): Condition => {
    if ('operands' in condition) return { kind: condition.kind, operands: condition.operands.map(replaced) };
    if ('operand' in condition || condition.kind !== 'compare') return condition;
    const source = sources.find(({ inverse }) => inverse.field === condition.path);
    if (source === undefined) return condition;
    const { inverse, entity } = source;
    const filter: Condition = { ...condition, path: inverse.gives };
    const query = { entity, fields: [inverse.holderField], filter, limit: 1, wantTotal: false };
    before.push(`${source.adapter.describe({ kind: 'search', query })}\nand for those that it refers to:\n`);
    return { ...condition, path: inverse.ownKey };
  };
  const { filter, ...rest } = inner(operation.query);
  const query = filter === undefined ? rest : { ...rest, filter: replaced(filter) };
  const own = adapter.describe({ kind: 'search', query });
  return before.join('') + own;
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
    return [inverse.field, inverse.child === undefined ? selecting : silent] as const;
  });
  return { ...own, fields: { ...own.fields, ...Object.fromEntries(fields) } };
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
  const canAskAll = keys.length === 1 || (keys.length <= mostAsked && capabilities?.combine.or === true);
  if (!canAsk || !canAskAll) return {};
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
