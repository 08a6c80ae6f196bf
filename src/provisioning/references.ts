import { LRUCache } from 'lru-cache';
import type { BackendRecord, Scalar } from '../backend/adapter.js';
import { idOf, scalarsOf } from '../backend/record.js';
import { holdsIds, leavesOf, type MappingPlan, type ReferencePlan } from '../mapping/plan.js';
import type { ReferenceTarget, ReferenceView } from '../mapping/read.js';
import { readTemplatePath, textAt } from '../mapping/resource-values.js';
import type { ReferenceStoreView } from '../mapping/write.js';
import { type Comparison, type ComparisonKey, keyOf } from '../scim/comparison.js';
import type { RequestContext } from './service.js';
import { operationContext, type TypeRuntime } from './type-runtime.js';

interface StoredRequest {
  readonly reference: ReferencePlan;
  readonly values: readonly Scalar[];
}

interface IdRequest {
  readonly reference: ReferencePlan;
  readonly id: string;
}

/** Translates ids and stored reference values in batches, at most one look-up for each target type and request. */
export interface ReferenceResolver {
  /** What stored values mean, for reading. */
  view(requests: readonly StoredRequest[], context: RequestContext): Promise<ReferenceView>;
  /** How ids are kept, for writing. */
  storeView(requests: readonly IdRequest[], context: RequestContext): Promise<ReferenceStoreView>;
  /** Forgets what is known of a resource that was changed or deleted. */
  forget(type: string, id: string): void;
}

interface KnownTarget extends ReferenceTarget {
  readonly type: string;
}

const cacheSize = 50_000;
/** Other replicas delete and rename too, so what is known of an id is forgotten soon. */
const cacheMs = 60_000;
/** A name that is shown beside an id may be old for so long, when another replica or the backend itself changed it. */
const displayCacheMs = 5_000;

export function createReferenceResolver(types: ReadonlyMap<string, TypeRuntime>): ReferenceResolver {
  const typeOfId = new LRUCache<string, string>({ max: cacheSize, ttl: cacheMs });
  const storedOfId = new LRUCache<string, { readonly value: Scalar }>({ max: cacheSize, ttl: cacheMs });

  const targets = createTargetCache();

  const ownerOf = new Map<ReferencePlan, TypeRuntime>(
    [...types.values()].flatMap((runtime) =>
      referencesOf(runtime.plan).map((reference) => [reference, runtime] as const),
    ),
  );

  /** Whether an id that names nothing here is kept as it is. */
  function keepsUnknown(reference: ReferencePlan): boolean {
    if (!holdsIds(reference)) return false;
    if (reference.unknown !== 'keepWherePossible') return reference.unknown === 'keep';
    return ownerOf.get(reference)?.capabilities().keepsUnknownIds === true;
  }

  /** Looks values up in the reference's target types, one after the other, until all are found. */
  async function lookupAll(
    reference: ReferencePlan,
    values: readonly Scalar[],
    by: (type: string) => string,
    fieldsOf: (runtime: TypeRuntime, name: string) => readonly string[],
    found: (runtime: TypeRuntime, record: BackendRecord, value: Scalar) => void,
    context: RequestContext,
  ): Promise<void> {
    let missing = new Map(values.map((value) => [String(value), value]));
    for (const name of reference.targets) {
      const runtime = types.get(name);
      if (runtime === undefined || missing.size === 0) continue;
      const field = by(name);
      const fields = [...new Set([...fieldsOf(runtime, name), ...(field === '$id' ? [] : [field])])];
      const query = { by: field, values: [...missing.values()], fields };
      const records = await runtime.adapter.lookup(runtime.entity, query, operationContext(context));
      const left = new Map(missing);
      const keyed = (value: Scalar): ComparisonKey => keyOf(comparisonIn(runtime, field), value) ?? String(value);
      const asked = new Map<ComparisonKey, Scalar[]>();
      for (const value of missing.values()) asked.set(keyed(value), [...(asked.get(keyed(value)) ?? []), value]);
      for (const record of records) {
        typeOfId.set(idOf(record), name);
        for (const value of field === '$id' ? [idOf(record)] : scalarsOf(record, field)) {
          // The backend may spell the value otherwise than it is kept: a DN in other letter case.
          for (const wanted of asked.get(keyed(value)) ?? []) {
            found(runtime, record, wanted);
            left.delete(String(wanted));
          }
        }
      }
      missing = left;
    }
  }

  async function loadTargets(
    { reference, values }: StoredRequest,
    context: RequestContext,
  ): Promise<ReadonlyMap<string, KnownTarget>> {
    const found = new Map<string, KnownTarget>();
    const unique = new Map(values.map((value) => [String(value), value]));
    const needsNoLookup = holdsIds(reference) && reference.display === undefined;
    const known = (value: string): KnownTarget | undefined => {
      if (!needsNoLookup) return targets.get(reference, value);
      const type = reference.targets.length === 1 ? reference.targets[0] : typeOfId.get(value);
      return type === undefined || !reference.targets.includes(type) ? undefined : { id: value, type };
    };
    for (const value of unique.keys()) {
      const target = known(value);
      if (target === undefined) continue;
      found.set(value, target);
      unique.delete(value);
    }
    if (unique.size === 0) return found;
    await lookupAll(
      reference,
      [...unique.values()],
      (name) => reference.by[name] ?? '$id',
      (runtime) => displayFields(runtime, reference.display),
      (runtime, record, value) => {
        const display = displayOf(runtime, record, reference.display);
        const target: KnownTarget = {
          id: idOf(record),
          type: runtime.type.name,
          ...(display === undefined ? {} : { display }),
        };
        found.set(String(value), target);
        if (!needsNoLookup) targets.set(reference, String(value), target);
      },
      context,
    );
    return found;
  }

  return {
    async view(requests, context) {
      const known = new Map<ReferencePlan, ReadonlyMap<string, KnownTarget>>();
      for (const [reference, values] of groupValues(requests))
        known.set(reference, await loadTargets({ reference, values }, context));
      return {
        uri: (type, id) =>
          `${context.baseUrl}${types.get(type)?.type.endpoint ?? `/${type}s`}/${encodeURIComponent(id)}`,
        target(reference, stored, knownType) {
          const found = known.get(reference)?.get(String(stored));
          if (found !== undefined) return found;
          if (!holdsIds(reference)) return undefined;
          const only = reference.targets.length === 1 ? reference.targets[0] : undefined;
          return { id: String(stored), type: knownType ?? only };
        },
      };
    },
    async storeView(requests, context) {
      const kept = new Map<ReferencePlan, Map<string, { value: Scalar; type: string | undefined }>>();
      for (const [reference, ids] of groupIds(requests)) {
        const own = new Map<string, { value: Scalar; type: string | undefined }>();
        kept.set(reference, own);
        const missing = ids.filter((id) => {
          const cached = cachedStore(reference, keepsUnknown(reference), id, typeOfId, storedOfId);
          if (cached !== undefined) own.set(id, cached);
          return cached === undefined;
        });
        if (missing.length === 0) continue;
        await lookupAll(
          reference,
          missing,
          () => '$id',
          (_, name) => (reference.by[name] === undefined || reference.by[name] === '$id' ? [] : [reference.by[name]]),
          (runtime, record) => {
            const id = idOf(record);
            const type = runtime.type.name;
            const field = reference.by[type] ?? '$id';
            const value = field === '$id' ? id : scalarsOf(record, field)[0];
            if (value === undefined) return;
            if (field !== '$id') storedOfId.set(`${type}\u0000${field}\u0000${id}`, { value });
            own.set(id, { value, type });
          },
          context,
        );
      }
      return {
        stored(reference, id, hint) {
          const found = kept.get(reference)?.get(id);
          if (found !== undefined) return found;
          if (!keepsUnknown(reference)) return undefined;
          // Nothing is known of the id (yet): what the caller says of its type is kept with it.
          const type = hint !== undefined && reference.targets.includes(hint) ? hint : undefined;
          return { value: id, type: reference.targets.length === 1 ? reference.targets[0] : type };
        },
        sought: (reference, id) => (holdsIds(reference) ? id : kept.get(reference)?.get(id)?.value),
      };
    },
    forget(type, id) {
      typeOfId.delete(id);
      targets.forget(id);
      for (const { by } of ownerOf.keys()) {
        const field = by[type];
        if (field !== undefined) storedOfId.delete(`${type}\u0000${field}\u0000${id}`);
      }
    },
  };
}

/** What stored values were found to name, by reference and value, until one of the resources changes. */
function createTargetCache() {
  const byValue = new LRUCache<string, KnownTarget>({ max: cacheSize, ttl: cacheMs });
  const keysOfId = new LRUCache<string, ReadonlySet<string>>({ max: cacheSize });
  const numbers = new Map<ReferencePlan, number>();
  const keyOfValue = (reference: ReferencePlan, value: string): string => {
    const number = numbers.get(reference) ?? numbers.size;
    numbers.set(reference, number);
    return `${number}\u0000${value}`;
  };
  return {
    get: (reference: ReferencePlan, value: string) => byValue.get(keyOfValue(reference, value)),
    set(reference: ReferencePlan, value: string, target: KnownTarget): void {
      const key = keyOfValue(reference, value);
      byValue.set(key, target, reference.display === undefined ? {} : { ttl: displayCacheMs });
      keysOfId.set(target.id, new Set([...(keysOfId.get(target.id) ?? []), key]));
    },
    forget(id: string): void {
      for (const key of keysOfId.get(id) ?? []) byValue.delete(key);
      keysOfId.delete(id);
    },
  };
}

function comparisonIn(runtime: TypeRuntime, field: string): Comparison {
  return field === '$id' ? 'exact' : (runtime.capabilities().fields[field]?.comparison ?? 'exact');
}

function referencesOf(plan: MappingPlan): readonly ReferencePlan[] {
  return plan.attributes.flatMap((attributePlan) =>
    'reference' in attributePlan
      ? (attributePlan.reference ?? [])
      : leavesOf(attributePlan).flatMap((leaf) => leaf.reference ?? []),
  );
}

/** An id whose stored form needs no look-up, because it is the id itself or was seen lately. */
function cachedStore(
  reference: ReferencePlan,
  keepsUnknown: boolean,
  id: string,
  typeOfId: LRUCache<string, string>,
  storedOfId: LRUCache<string, { readonly value: Scalar }>,
): { value: Scalar; type: string | undefined } | undefined {
  if (holdsIds(reference)) {
    const [only] = reference.targets;
    if (reference.targets.length === 1 && keepsUnknown) return { value: id, type: only };
    const type = typeOfId.get(id);
    return type !== undefined && reference.targets.includes(type) ? { value: id, type } : undefined;
  }
  for (const type of reference.targets) {
    const cached = storedOfId.get(`${type}\u0000${reference.by[type] ?? '$id'}\u0000${id}`);
    if (cached !== undefined) return { value: cached.value, type };
  }
  return undefined;
}

function groupValues(requests: readonly StoredRequest[]): ReadonlyMap<ReferencePlan, readonly Scalar[]> {
  const groups = new Map<ReferencePlan, Scalar[]>();
  for (const { reference, values } of requests) {
    const group = groups.get(reference) ?? [];
    for (const value of values) group.push(value);
    groups.set(reference, group);
  }
  return groups;
}

function groupIds(requests: readonly IdRequest[]): ReadonlyMap<ReferencePlan, readonly string[]> {
  const groups = new Map<ReferencePlan, Set<string>>();
  for (const { reference, id } of requests) {
    const group = groups.get(reference) ?? new Set();
    group.add(id);
    groups.set(reference, group);
  }
  return new Map([...groups].map(([reference, ids]) => [reference, [...ids]]));
}

function displayFields(runtime: TypeRuntime, display: string | undefined): readonly string[] {
  const path = display === undefined ? undefined : readTemplatePath(display, runtime.type);
  if (path === undefined || typeof path === 'string') return [];
  return runtime.reader.fieldsOfAttributes(new Set([path.attribute]));
}

/** The shown attribute never leads to another look-up: references inside it are left out. */
const noReferences: ReferenceView = { target: () => undefined, uri: () => '' };

function displayOf(runtime: TypeRuntime, record: BackendRecord, display: string | undefined): string | undefined {
  const path = display === undefined ? undefined : readTemplatePath(display, runtime.type);
  if (path === undefined || typeof path === 'string') return undefined;
  const resource = runtime.reader.read(record, (attribute) => attribute === path.attribute, noReferences);
  return textAt(resource, path);
}
