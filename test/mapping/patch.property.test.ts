import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { BackendRecord, Change } from '../../src/backend/adapter.js';
import { valuesOf } from '../../src/backend/record.js';
import { applyChanges } from '../../src/backend/records/changes.js';
import { planOf } from '../../src/backend/records/entity.js';
import { changesBetween } from '../../src/mapping/diff.js';
import { type PatchPlan, planPatch } from '../../src/mapping/patch-plan.js';
import { emptiedFields, patchedResource } from '../../src/mapping/patch-state.js';
import type { MappingPlan } from '../../src/mapping/plan.js';
import { compilePushDown } from '../../src/mapping/push-down.js';
import { compileReader, type ReferenceView } from '../../src/mapping/read.js';
import type { MappingConfig } from '../../src/mapping/rule.js';
import type { ReferenceStoreView, WriteContext } from '../../src/mapping/write.js';
import { instantKey } from '../../src/scim/comparison.js';
import { tolerantDialect } from '../../src/scim/dialect.js';
import { ScimError } from '../../src/scim/error.js';
import { applyPatch } from '../../src/scim/patch-apply.js';
import { type PatchOperation, parsePatch } from '../../src/scim/patch-parser.js';
import type { JsonValue, Resource } from '../../src/scim/schema.js';
import { propertyRuns } from '../support/property-runs.js';
import { compileRules } from '../support/test-service.js';
import { anyMapping, patchMapping, recordOf, sampleGroupType, sampleType } from './mapping-arbitraries.js';
import { anyOperations, relatedOperations } from './patch-arbitraries.js';

/** Every id names a user; where a name is kept, it is the id with a mark. */
const view: ReferenceView = {
  target: (reference, stored) => ({
    id: reference.by.User === '$id' ? String(stored) : `id-of-${String(stored)}`,
    type: 'User',
  }),
  uri: (type, id) => `https://example.com/${type}s/${id}`,
};
const stores: ReferenceStoreView = {
  stored: (reference, id) => ({
    value: reference.by.User === '$id' ? id : id.replace(/^id-of-/, ''),
    type: 'User',
  }),
  sought: (reference, id) => (reference.by.User === '$id' ? id : id.replace(/^id-of-/, '')),
};
const context: WriteContext = { references: stores, dropped: () => {} };
const dialect = tolerantDialect;

/** One mapping over one record in memory, without anything around it. */
class Subject {
  readonly plan: MappingPlan;
  readonly record: BackendRecord;
  private readonly entity;
  private readonly reader;
  private readonly comparisonFor;

  constructor(plan: MappingPlan, record: BackendRecord) {
    this.plan = plan;
    this.record = record;
    const use = {
      ...plan.use,
      fields: plan.use.fields.map((field) => ({ ...field, written: true })),
    };
    this.entity = planOf(use);
    this.reader = compileReader(plan);
    this.comparisonFor = compilePushDown(plan, this.entity.capabilities).comparisonFor;
  }

  read(record = this.record): Resource {
    return this.reader.read(record, () => true, view);
  }

  /** The record after the patch, as it comes about when only what must be read is read. */
  direct(operations: readonly PatchOperation[]): BackendRecord {
    const planned = planPatch(this.plan, operations, { ...context, dialect });
    const changed = applyChanges(this.record, planned.changes, this.entity);
    return planned.needs.size === 0 ? changed : this.compared(planned, changed);
  }

  /** The record after the patch when everything that it touches is read, patched and compared. */
  byReading(operations: readonly PatchOperation[]): BackendRecord {
    const planned = planPatch(this.plan, operations, { ...context, dialect });
    const touched = planned.operations.map(({ attribute }) => attribute);
    const needs = new Set([...planned.needs, ...touched]);
    return this.compared({ ...planned, needs }, this.record);
  }

  private compared(planned: PatchPlan, record: BackendRecord): BackendRecord {
    const { plan, comparisonFor } = this;
    const before = this.reader.readForChange(this.record, () => true, view);
    const after = patchedResource(plan, before, planned, { dialect, comparisonFor, dropped: context.dropped });
    const changes = changesBetween(
      plan,
      {
        record: this.record,
        before,
        after,
        attributes: planned.needs,
        emptied: emptiedFields(plan, planned.operations),
      },
      context,
    );
    return applyChanges(record, changes, this.entity);
  }

  /** With a record as the backend keeps it: no value twice. */
  static of(plan: MappingPlan, values: BackendRecord): Subject {
    const empty = new Subject(plan, { $id: '1' });
    const changes = Object.entries(values).flatMap(([field, value]): readonly Change[] =>
      plan.use.fields.some(({ name, inverseOf }) => name === field && inverseOf === undefined)
        ? [{ op: 'set', field, values: valuesOf(value) }]
        : [],
    );
    return empty.with(applyChanges(empty.record, changes, empty.entity));
  }

  with(record: BackendRecord): Subject {
    return new Subject(this.plan, record);
  }
}

function parse(operations: readonly JsonValue[]): readonly PatchOperation[] {
  return parsePatch({ Operations: operations }, sampleType, { dialect, id: '1', maxOperations: 100 }).operations;
}

/** What comes out, or that it is refused. */
function outcome<T>(run: () => T): T | 'refused' {
  try {
    return run();
  } catch (error) {
    if (error instanceof ScimError && error.status === 400) return 'refused';
    throw error;
  }
}

interface Example {
  readonly rules: MappingConfig | 'scim';
  readonly operations: readonly JsonValue[];
  readonly seed: number;
}

function examples(rules: fc.Arbitrary<MappingConfig | 'scim'>): fc.Arbitrary<Example> {
  return fc.record({ rules, operations: fc.oneof(anyOperations, relatedOperations), seed: fc.integer() });
}

function subjectOf({ rules, seed }: Example): Subject {
  const plan = compileRules([
    { type: sampleType, rules },
    { type: sampleGroupType, rules: 'scim' },
  ]).get('User')!;
  const [record] = fc.sample(recordOf(plan.use, ['1', '2']), { numRuns: 1, seed });
  // An empty text is a value to a backend, and none to a caller who puts it back.
  const values = Object.entries({ ...record!, uid: 'bjensen', userName: 'bjensen' }).filter(
    ([, value]) => !JSON.stringify(value).includes('""'),
  );
  return Subject.of(plan, Object.fromEntries(values));
}

/** Lists carry no order, and nothing twice (RFC 7643 §2.4). */
function normal(value: JsonValue): JsonValue {
  if (Array.isArray(value)) {
    const byText = new Map((value as readonly JsonValue[]).map(normal).map((item) => [JSON.stringify(item), item]));
    return [...byText.keys()].toSorted().map((key) => byText.get(key) as JsonValue);
  }
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([key, part]) => [key, normal(part)] as const);
  return Object.fromEntries(entries.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

describe('a PATCH', () => {
  it('comes to the same by field changes and by reading, applying and comparing', () => {
    let carriedOut = 0;
    let withoutReading = 0;
    const runs = propertyRuns(1500);
    fc.assert(
      fc.property(
        examples(fc.oneof({ weight: 4, arbitrary: patchMapping }, fc.constant('scim' as const))),
        (example) => {
          const subject = subjectOf(example);
          const operations = outcome(() => parse(example.operations));
          if (operations === 'refused') return;
          const read = (record: BackendRecord | 'refused'): JsonValue =>
            record === 'refused' ? record : normal(subject.read(record));
          const direct = outcome(() => subject.direct(operations));
          const byReading = outcome(() => subject.byReading(operations));
          expect(read(direct)).toEqual(read(byReading));
          if (direct === 'refused') return;
          carriedOut += 1;
          const { needs } = planPatch(subject.plan, operations, { ...context, dialect });
          if (needs.size === 0) withoutReading += 1;
        },
      ),
      { numRuns: runs },
    );
    expect(carriedOut).toBeGreaterThan(runs / 4);
    expect(withoutReading).toBeGreaterThan(runs / 20);
  });

  it('comes to the same as its operations sent one by one [7644-3.5.2-16]', () => {
    fc.assert(
      fc.property(
        examples(fc.oneof({ weight: 4, arbitrary: anyMapping.map(withoutFallbacks) }, fc.constant('scim' as const))),
        (example) => {
          const subject = subjectOf(example);
          const operations = outcome(() => parse(example.operations));
          if (operations === 'refused') return;
          const together = outcome(() => subject.direct(operations));
          const oneByOne = outcome(() => {
            let current = subject;
            for (const operation of operations) current = current.with(current.direct([operation]));
            return current.record;
          });
          // One that fails on its way may be mended by a later one: then only the whole succeeds.
          if (oneByOne === 'refused') return;
          const shown = (record: BackendRecord): JsonValue => normal(withoutPrimary(subject.read(record)));
          expect(together === 'refused' ? together : shown(together)).toEqual(shown(oneByOne));
        },
      ),
      { numRuns: propertyRuns(1500) },
    );
  });

  it('changes a mapping that holds everything as it changes the resource', () => {
    fc.assert(
      fc.property(examples(fc.constant('scim')), (example) => {
        const subject = subjectOf(example);
        const operations = outcome(() => parse(example.operations));
        if (operations === 'refused') return;
        const expected = outcome(() => applyPatch(withoutComputed(subject.read()), operations, { dialect }));
        const patched = outcome(() => subject.direct(operations));
        if (expected !== 'refused' && expected.userName === undefined) return; // required
        expect(patched === 'refused' ? patched : normal(withoutComputed(subject.read(patched)))).toEqual(
          expected === 'refused' ? expected : normal(withoutComputed(expected)),
        );
      }),
      { numRuns: propertyRuns(1500) },
    );
  });
});

/** `$ref` and the shown name of a reference are made on reading; times are kept in UTC. */
function withoutComputed(resource: Resource): Resource {
  return JSON.parse(
    JSON.stringify(resource, (key, value) => {
      if (key === '$ref' || (key === 'displayName' && resource.displayName !== value)) return undefined;
      return key === 'hired' ? instantKey(value) : value;
    }),
  );
}

/** Of several elements that a path makes primary the last is, and lists carry no order. */
function withoutPrimary(resource: Resource): Resource {
  return JSON.parse(JSON.stringify(resource, (key, value) => (key === 'primary' ? undefined : value)));
}

/** What a fallback shows depends on other operations of the same PATCH. */
function withoutFallbacks(mapping: MappingConfig): MappingConfig {
  return Object.fromEntries(
    Object.entries(mapping).map(([key, rule]) => {
      if (typeof rule === 'string') return [key, rule];
      const { fallback: _, ...rest } = rule;
      return [key, rest];
    }),
  );
}
