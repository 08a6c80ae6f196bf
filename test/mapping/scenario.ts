import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { memoryModule } from '../../adapters/memory/adapter.js';
import { sqliteModule } from '../../adapters/sqlite/adapter.js';
import type { Adapter, AdapterEnvironment, EntityUse, FieldUse } from '../../src/backend/adapter.js';
import { idOf } from '../../src/backend/record.js';
import type { MappingConfig } from '../../src/mapping/rule.js';
import type { Comparison } from '../../src/scim/comparison.js';
import type { Resource } from '../../src/scim/schema.js';
import { openTables, StoreAdapter } from '../sqlite/tables-fixture.js';
import { createTestService, type TestService, type TestType } from '../support/test-service.js';
import { anyWeakness, fullStrength, type Weakness, weaken } from '../support/weak-adapter.js';
import { tablesFor } from './generated-tables.js';
import {
  anyGroupMapping,
  anyMapping,
  recordOf,
  sampleGroupType,
  sampleType,
  userNames,
} from './mapping-arbitraries.js';

/** An adapter under the properties, opened anew for each mapping. */
export interface Backend {
  readonly name: string;
  readonly open: (environment: AdapterEnvironment) => Promise<Adapter>;
  /** How often a property is tried: an adapter with files takes longer. */
  readonly numRuns: number;
  /** Text comparisons that a field of it may have. */
  readonly comparisons: readonly Comparison[];
}

export const backends: readonly Backend[] = [
  {
    name: 'memory',
    open: (environment) => memoryModule.open({ type: 'memory' }, environment),
    numRuns: 100,
    comparisons: ['exact', 'fold', 'asciiFold'],
  },
  { name: 'the managed SQLite store', open: openManagedStore, numRuns: 12, comparisons: ['exact', 'fold'] },
  { name: 'SQLite tables', open: openGeneratedTables, numRuns: 15, comparisons: ['exact', 'fold', 'asciiFold'] },
];

async function openGeneratedTables({ entities }: AdapterEnvironment): Promise<Adapter> {
  const { schema, tables } = tablesFor(entities);
  return new StoreAdapter(openTables(schema, entities, tables), entities);
}

/** In a folder of its own, which goes with it. */
async function openManagedStore(environment: AdapterEnvironment): Promise<Adapter> {
  const folder = mkdtempSync(join(tmpdir(), 'scimbridge-mapping-'));
  const adapter = await sqliteModule.open(
    { type: 'sqlite', managed: true, file: join(folder, 'store.db') },
    environment,
  );
  const close = adapter.close.bind(adapter);
  adapter.close = async () => {
    await close();
    rmSync(folder, { recursive: true, force: true });
  };
  return adapter;
}

/** A mapping, and how much of what it needs the backend does by itself. */
export interface Scenario {
  readonly user: MappingConfig;
  readonly group: MappingConfig;
  readonly weakness: Weakness;
  readonly comparisonOf: (field: string) => Comparison | undefined;
  /** Where the records come from, and what else is drawn while the property runs. */
  readonly seed: number;
}

export function anyScenario({ comparisons }: Backend): fc.Arbitrary<Scenario> {
  return fc.record({
    user: anyMapping,
    group: anyGroupMapping,
    weakness: fc.oneof(fc.constant(fullStrength), anyWeakness),
    comparisonOf: fc
      .func(fc.constantFrom(undefined, undefined, ...comparisons))
      .map((choose) => (field: string) => choose(field)),
    seed: fc.integer(),
  });
}

export interface OpenScenario extends TestService {
  /** Ids of the records laid out, by resource type. */
  readonly ids: Readonly<Record<'User' | 'Group', readonly string[]>>;
  readAll(type: 'User' | 'Group'): Promise<readonly Resource[]>;
}

/** A gateway over the scenario's mapping with some records in it, laid out beneath the mapping. */
export async function openScenario(backend: Backend, scenario: Scenario): Promise<OpenScenario> {
  const { user, group, weakness, comparisonOf, seed } = scenario;
  const types: readonly TestType[] = [
    { type: sampleType, rules: user },
    { type: sampleGroupType, rules: group },
  ];
  const test = await createTestService({
    types,
    open: backend.open,
    entities: (entities) => openAll(entities, comparisonOf),
    wrap: (adapter) => weaken(adapter, weakness),
  });
  const create = async (name: string, ids: readonly string[], count: number): Promise<string[]> => {
    const use = test.plans.get(name)?.use as EntityUse;
    const made: string[] = [];
    for (const [index, record] of fc.sample(recordOf(use, ids), { numRuns: count, seed }).entries()) {
      const named = name === 'User' ? { ...record, uid: userNames[index] ?? '' } : record;
      made.push(idOf(await test.adapter.create(use.entity, named, { fields: [] }, test.context())));
    }
    return made;
  };
  const users = await create('User', ['1', '2'], userNames.length);
  const groups = await create('Group', users, 5);
  return {
    ...test,
    ids: { User: users, Group: groups },
    readAll: (type) =>
      Promise.all(
        (type === 'User' ? users : groups).map(
          async (id) => (await test.service.read(type, id, {}, {}, test.context())).resource as Resource,
        ),
      ),
  };
}

/** Everything may be written, so that records can be laid out; texts compare as chosen, nothing is unique. */
function openAll(
  entities: readonly EntityUse[],
  comparisonOf: (field: string) => Comparison | undefined,
): readonly EntityUse[] {
  const open = (use: FieldUse, prefix: string): FieldUse => ({
    ...use,
    written: use.inverseOf === undefined,
    read: true,
    unique: false,
    comparison:
      use.type === 'string' && use.reference === undefined
        ? (comparisonOf(prefix + use.name) ?? use.comparison)
        : use.comparison,
    ...(use.children === undefined ? {} : { children: use.children.map((child) => open(child, `${use.name}.`)) }),
  });
  return entities.map((entity) => ({ ...entity, fields: entity.fields.map((use) => open(use, '')) }));
}
