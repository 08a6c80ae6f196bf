import type { Change, ChildRecord, Scalar } from '../backend/adapter.js';
import { isChildRecord } from '../backend/record.js';
import { reportNotTaken } from '../mapping/not-taken.js';
import { planPatch } from '../mapping/patch-plan.js';
import type { ReferencePlan } from '../mapping/plan.js';
import { encodeFields, type ReferenceStoreView, type WriteContext } from '../mapping/write.js';
import { isAlways, isNever } from '../scim/filter.js';
import { parseFilter } from '../scim/filter-parser.js';
import { printFilter } from '../scim/filter-printer.js';
import { resolveFilter } from '../scim/filter-resolve.js';
import { parsePatch } from '../scim/patch-parser.js';
import { completeForCreate, parseInput, toRecord } from './resource-input.js';
import type { RequestContext } from './service.js';
import { filterLimits, type TypeRuntime } from './type-runtime.js';

/** A line of an explanation: what it is about, and what happens. */
export interface Explanation {
  readonly topic: string;
  readonly lines: readonly string[];
}

interface Dropped {
  readonly notes: string[];
  readonly context: RequestContext;
}

/** A request context that only takes notes: nothing is sent anywhere. */
function noteTaking(): Dropped {
  const notes: string[] = [];
  const context: RequestContext = {
    caller: { id: 'explain' },
    requestId: 'explain',
    signal: new AbortController().signal,
    baseUrl: '',
    dropped: (what, why) => {
      notes.push(`${what}: ${why}`);
    },
  };
  return { notes, context };
}

/** Ids stand for themselves where the backend keeps ids; else it is shown what would be looked up. */
const unresolved: ReferenceStoreView = {
  sought: (reference, id) => storedText(reference, id),
  stored: (reference, id, type) => ({ value: storedText(reference, id), type: type ?? reference.targets[0] }),
};

function storedText(reference: ReferencePlan, id: string): string {
  const [first] = reference.targets;
  const by = first === undefined ? '$id' : (reference.by[first] ?? '$id');
  return by === '$id' ? id : `<${by} of ${id}>`;
}

/** What a filter becomes: the backend's own condition, and what is evaluated here. @throws ScimError */
export function explainFilter(runtime: TypeRuntime, text: string): readonly Explanation[] {
  const { type, dialect, adapter, entity, limits } = runtime;
  const filter = resolveFilter(parseFilter(text, dialect, filterLimits(limits)), type, {
    dialect,
    unknown: 'reject',
  });
  const { pushed, residual } = runtime
    .pushDown()
    .split(filter, (reference, id) => [storedText(reference, id)], 'reject');
  const native = isNever(pushed)
    ? ['nothing is asked: no resource can match']
    : adapter
        .describe({
          kind: 'search',
          query: {
            entity,
            fields: [],
            limit: limits.defaultResults,
            wantTotal: true,
            ...(isAlways(pushed) ? {} : { filter: pushed }),
          },
        })
        .split('\n');
  return [
    { topic: 'Understood as', lines: [printFilter(filter)] },
    { topic: 'Sent to the backend', lines: native },
    {
      topic: 'Evaluated here',
      lines:
        residual === undefined
          ? ['nothing: the backend selects exactly']
          : [printFilter(residual), `at most ${limits.scanLimit} records are read for it`],
    },
  ];
}

/** What a PATCH becomes: field changes, what is read first, what is dropped. @throws ScimError */
export function explainPatch(runtime: TypeRuntime, id: string, body: unknown): readonly Explanation[] {
  const { type, dialect, plan, adapter, entity, limits, enforceCanonical, reader } = runtime;
  const { notes, context } = noteTaking();
  const { operations, ignored } = parsePatch(body, type, {
    dialect,
    id,
    maxOperations: limits.patchOperations,
    enforceCanonical,
  });
  for (const { path, why } of ignored) context.dropped(path, why);
  const planned = planPatch(plan, operations, { references: unresolved, dropped: context.dropped, dialect });
  const needs = [...planned.needs];
  return [
    {
      topic: 'Understood as',
      lines: operations.map(({ number, op, attribute, sub, filter }) => {
        const path = `${attribute.path}${filter === undefined ? '' : `[${printFilter(filter).replaceAll(`${attribute.path}.`, '')}]`}${sub === undefined ? '' : `.${sub.name}`}`;
        return `${number}. ${op} ${path}`;
      }),
    },
    { topic: 'Changes', lines: orNone(planned.changes.map(printChange)) },
    {
      topic: 'Read first',
      lines: orNone(
        needs.map(
          (attribute) =>
            `${attribute.path}, since the result depends on what is there (fields ${reader.fieldsOfAttributes(new Set([attribute])).join(', ')})`,
        ),
      ),
    },
    {
      topic: 'Sent to the backend',
      lines:
        planned.changes.length === 0
          ? ['decided after reading']
          : adapter.describe({ kind: 'update', entity, id, changes: planned.changes }).split('\n'),
    },
    { topic: 'Dropped', lines: orNone(notes) },
  ];
}

/** What a new resource becomes: the record, and what is dropped. @throws ScimError */
export function explainResource(runtime: TypeRuntime, body: unknown): readonly Explanation[] {
  const { plan, adapter, entity } = runtime;
  const { notes, context } = noteTaking();
  const resource = completeForCreate(runtime, parseInput(runtime, body, context));
  const writing: WriteContext = { references: unresolved, dropped: context.dropped };
  reportNotTaken(plan, resource, undefined, context.dropped);
  const fields = encodeFields(plan, resource, undefined, undefined, writing);
  const record = toRecord(plan, fields);
  return [
    {
      topic: 'Record',
      lines: orNone(
        Object.entries(record).map(
          ([field, value]) => `${field} = ${printValues(Array.isArray(value) ? value : [value as Scalar])}`,
        ),
      ),
    },
    { topic: 'Sent to the backend', lines: adapter.describe({ kind: 'create', entity, record }).split('\n') },
    { topic: 'Dropped', lines: orNone(notes) },
  ];
}

function orNone(lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? ['nothing'] : lines;
}

function printChange(change: Change): string {
  switch (change.op) {
    case 'set':
      return change.values.length === 0
        ? `clear ${change.field}`
        : `set ${change.field} = ${printValues(change.values)}`;
    case 'add':
    case 'remove':
      return `${change.op} ${change.field}: ${printValues(change.values)}`;
    case 'updateWhere':
    case 'removeWhere':
      return `${change.op} ${change.field}`;
  }
}

function printValues(values: readonly (Scalar | ChildRecord)[]): string {
  return values
    .map((value) =>
      isChildRecord(value)
        ? `{ ${Object.entries(value)
            .map(([name, part]) => `${name}: ${printScalar(part)}`)
            .join(', ')} }`
        : printScalar(value),
    )
    .join(', ');
}

function printScalar(value: Scalar): string {
  return value instanceof Uint8Array
    ? `${value.byteLength} bytes`
    : typeof value === 'bigint'
      ? value.toString()
      : JSON.stringify(value);
}
