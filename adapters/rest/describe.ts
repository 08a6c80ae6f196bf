import type { Change, DescribableOperation, FieldValue } from '../../src/backend/adapter.js';
import { valuesOf } from '../../src/backend/record.js';
import { newRecord } from './body.js';
import type { EntityPlan } from './entity-plan.js';
import type { Parameter } from './exchange.js';
import { planQuery, sortParameters } from './query.js';
import { selection } from './read.js';
import { blindOperations, isChangedBlindly } from './scim-patch.js';
import { writableField } from './update.js';
import { encodeItems } from './value-changes.js';
import type { Value } from './values.js';

/** The requests that an operation would make, with parameters readable instead of encoded. */
export function describeOperation(operation: DescribableOperation, plan: EntityPlan | undefined): string {
  if (plan === undefined) return '(there is no such entity)';
  switch (operation.kind) {
    case 'search':
      return describeSearch(plan, operation.query);
    case 'create':
      return describeCreate(plan, operation.record);
    case 'update':
      return describeUpdate(plan, operation.id, operation.changes);
  }
}

type SearchOperation = Extract<DescribableOperation, { readonly kind: 'search' }>['query'];

function describeSearch(plan: EntityPlan, query: SearchOperation): string {
  const planned = planQuery(plan, query.filter);
  if (planned.isNever) return '(nothing can match: no request is made)';
  if (planned.id !== undefined) return plan.get.request.text.replace('{id}', planned.id);
  const { paging, size } = plan.listing;
  const sized: readonly Parameter[] =
    paging.sizeParam === undefined ? [] : [[paging.sizeParam, String(Math.max(1, Math.min(query.limit, size.max)))]];
  const parameters = [
    ...planned.parameters,
    ...sortParameters(plan, query.sort),
    ...selection(plan, [...query.fields, ...planned.verified]),
    ...sized,
  ];
  const text = withParameters(plan.listing.request.text, parameters);
  const isPart = planned.verify !== undefined && planned.parameters.length === 0;
  if (isPart) return `${text}\n(every page is read: the target has no parameter for the condition)`;
  return planned.verify === undefined ? text : `${text}\n(what comes is compared again)`;
}

function withParameters(text: string, parameters: readonly Parameter[]): string {
  const query = parameters.map(([name, value]) => `${name}=${value}`).join('&');
  if (query === '') return text;
  return `${text}${text.includes('?') ? '&' : '?'}${query}`;
}

function describeCreate({ create, ...plan }: EntityPlan, record: Readonly<Record<string, unknown>>): string {
  if (create === undefined) return '(records cannot be created)';
  const edits = Object.entries(record).map(([name, value]) => {
    const field = writableField({ ...plan, create }, name);
    const after = encodeItems(field, valuesOf(value as FieldValue) as readonly Value[]);
    return { field, before: [], after };
  });
  const json = newRecord(
    create.constants,
    edits.filter(({ field }) => field.pointer !== undefined),
  );
  const apart = edits
    .filter(({ field, after }) => field.calls?.add !== undefined && after.length > 0)
    .map(({ field, after }) => `${field.calls?.add?.request.text} (${after.length} values)`);
  return [`${create.request.text} ${JSON.stringify(json)}`, ...apart].join('\n');
}

function describeUpdate(plan: EntityPlan, id: string, changes: readonly Change[]): string {
  const { update } = plan;
  const lines: string[] = [];
  const inDocument = changes.filter(({ field }) => plan.fields.get(field)?.pointer !== undefined);
  lines.push(plan.get.request.text.replace('{id}', id));
  if (inDocument.length > 0) {
    if (update?.request === undefined) lines.push('(requests of single fields)');
    else lines.push(`${update.request.text.replace('{id}', id)} ${describeBody(plan, inDocument)}`);
  }
  for (const { field, op } of changes) {
    const calls = plan.fields.get(field)?.calls;
    if (calls === undefined) continue;
    const call = op === 'add' ? calls.add : op === 'remove' ? calls.remove : undefined;
    lines.push(call?.request.text ?? `${calls.list?.request.text ?? ''} and requests for the difference`);
  }
  return lines.join('\n');
}

function describeBody(plan: EntityPlan, changes: readonly Change[]): string {
  const kind = plan.update?.body;
  const told = changes.map((change) => {
    const field = plan.fields.get(change.field);
    if (kind === 'scim-patch' && field !== undefined && isChangedBlindly(field, changes)) {
      return blindOperations(field, change)
        .map((operation) => JSON.stringify(operation))
        .join(', ');
    }
    return `${change.op} ${change.field} ${describeValues(change)}`;
  });
  return `(${kind}: ${told.join('; ')})`;
}

function describeValues(change: Change): string {
  const what = 'values' in change ? change.values : 'set' in change ? change.set : '';
  return JSON.stringify(what, (_, part: unknown) => {
    if (part instanceof Uint8Array) return `${part.length} bytes`;
    return typeof part === 'bigint' ? part.toString() : part;
  });
}
