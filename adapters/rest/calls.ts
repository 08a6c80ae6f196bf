import { setTimeout as pause } from 'node:timers/promises';
import type { Change, Scalar } from '../../src/backend/adapter.js';
import { AdapterError } from '../../src/backend/adapter-error.js';
import { isChildRecord } from '../../src/backend/record.js';
import { mapConcurrently } from './concurrency.js';
import { storedId } from './document.js';
import type { EntityPlan } from './entity-plan.js';
import { type Call, isInDoubt, pathOf, sendTemplate } from './exchange.js';
import type { CallPlan, FieldPlan } from './field-plan.js';
import type { Json } from './json.js';
import { listItems, listPages, withoutItem } from './read.js';
import { storedScalar } from './scalar.js';
import { fillJson, type JsonValues, type Values } from './template.js';
import { applyChange, encodeItems } from './value-changes.js';
import { decodeItems, encodeItem, type Item, itemKey, rejected, sameKey, textsIn, type Value } from './values.js';

/** Of so many values and more it is not asked one by one which are there. */
const askedSingly = 25;
/** A list that is longer is not read to find out what is there. */
const readUpTo = 1_000;

/** What requests of a field's own are to do. */
interface Net {
  readonly added: readonly Item[];
  readonly removed: readonly Item[];
}

/**
 * Changes a field whose values are behind requests of their own: only what is not so already.
 * @returns whether anything changed
 */
export async function changeByCalls(
  plan: EntityPlan,
  field: FieldPlan,
  id: string,
  changes: readonly Change[],
  call: Call,
): Promise<boolean> {
  const stored = storedId(plan, id) ?? '';
  const net = await netOf(plan, field, id, changes, call);
  let changed = false;
  const replaced = new Set(net.added.map(({ value }) => itemKey(field, value)));
  const isReplaced = ({ value }: Item): boolean => replaced.has(itemKey(field, value));
  // What only changes its parts goes first; else what comes goes first, so that a list does not become empty on the way.
  changed = (await callEach(field, 'remove', stored, net.removed.filter(isReplaced), call)) || changed;
  changed = (await callEach(field, 'add', stored, net.added, call)) || changed;
  const others = net.removed.filter((item) => !isReplaced(item));
  return (await callEach(field, 'remove', stored, others, call)) || changed;
}

async function netOf(
  plan: EntityPlan,
  field: FieldPlan,
  id: string,
  changes: readonly Change[],
  call: Call,
): Promise<Net> {
  const isBlind = changes.every(({ op }) => op === 'add' || op === 'remove');
  if (!isBlind) {
    const before = await listItems(plan, field, id, call);
    let after: readonly Item[] = before;
    for (const change of changes) after = applyChange(withoutItem(field), after, change);
    return difference(field, before, after);
  }
  const added = new Map<string, Item>();
  const removed = new Map<string, Item>();
  for (const change of changes) {
    if (change.op !== 'add' && change.op !== 'remove') continue;
    const values = change.values as readonly Value[];
    for (const value of values) {
      const key = itemKey(field, value);
      const item = change.op === 'add' ? encodeItem(withoutItem(field), value) : { value, json: null };
      (change.op === 'add' ? added : removed).set(key, item);
      (change.op === 'add' ? removed : added).delete(key);
    }
  }
  return withoutIdle(plan, field, id, { added: [...added.values()], removed: [...removed.values()] }, call);
}

function difference(field: FieldPlan, before: readonly Item[], after: readonly Item[]): Net {
  const old = new Map(before.map((item) => [sameKey(field, item.value), item]));
  const now = new Map(after.map((item) => [sameKey(field, item.value), item]));
  return {
    added: after.filter(({ value }) => !old.has(sameKey(field, value))),
    removed: before.filter(({ value }) => !now.has(sameKey(field, value))),
  };
}

/** Leaves out what is so already, where that can be found out with few requests; else the answers tell. */
async function withoutIdle(plan: EntityPlan, field: FieldPlan, id: string, net: Net, call: Call): Promise<Net> {
  const { calls } = field;
  const count = net.added.length + net.removed.length;
  const isTold = (wanted: readonly Item[], own: CallPlan | undefined): boolean =>
    wanted.length === 0 || (own !== undefined && own.batch === 1 && own.unchanged.length > 0);
  if (calls === undefined || count === 0 || (isTold(net.added, calls.add) && isTold(net.removed, calls.remove))) {
    return net;
  }
  const there = await presentKeys(field, storedId(plan, id) ?? '', [...net.added, ...net.removed], call);
  if (there === undefined) return net;
  return {
    added: net.added.filter(({ value }) => !there.has(itemKey(field, value))),
    removed: net.removed.filter(({ value }) => there.has(itemKey(field, value))),
  };
}

/** Which of the values are there; undefined when too much would have to be read to know. */
async function presentKeys(
  field: FieldPlan,
  stored: string,
  items: readonly Item[],
  call: Call,
): Promise<ReadonlySet<string> | undefined> {
  const { calls } = field;
  if (calls === undefined) return undefined;
  if (calls.has !== undefined && items.length <= askedSingly) {
    const found = await mapConcurrently(items, (item) => isThere(field, stored, item, call));
    return new Set(items.filter((_, index) => found[index]).map(({ value }) => itemKey(field, value)));
  }
  if (calls.list === undefined) return undefined;
  const missing = new Set(items.map(({ value }) => itemKey(field, value)));
  const there = new Set<string>();
  let read = 0;
  for await (const page of listPages(calls, stored, call)) {
    for (const { value } of decodeItems(withoutItem(field), page)) {
      const key = itemKey(field, value);
      if (missing.delete(key)) there.add(key);
    }
    read += page.length;
    if (missing.size === 0) return there;
    if (read >= Math.max(readUpTo, items.length * 10)) return undefined;
  }
  return there;
}

async function isThere(field: FieldPlan, stored: string, item: Item, call: Call): Promise<boolean> {
  const has = field.calls?.has;
  if (has === undefined) return false;
  const path = pathOf(has, pathValues(field, stored, item));
  if (path === undefined) return false;
  const request = { method: has.method, path, operation: has.text, accepted: [404, 410] };
  const { status } = await call.client.send(request, call.context);
  return status < 300;
}

/** @returns whether anything changed */
async function callEach(
  field: FieldPlan,
  which: 'add' | 'remove',
  stored: string,
  items: readonly Item[],
  call: Call,
): Promise<boolean> {
  if (items.length === 0) return false;
  const plan = field.calls?.[which];
  if (plan === undefined) throw rejected(field, `The target has no request to ${which} its values.`);
  const batches = Array.from({ length: Math.ceil(items.length / plan.batch) }, (_, index) =>
    items.slice(index * plan.batch, (index + 1) * plan.batch),
  );
  let done = 0;
  try {
    const results = await mapConcurrently(batches, async (batch) => {
      const changed = await callOnce(field, plan, which, stored, batch, call);
      done += batch.length;
      return changed;
    });
    return results.some((changed) => changed);
  } catch (error) {
    throw partly(error, field, which, done, items.length);
  }
}

const maxTries = 3;
const pauseMs = 100;

/** A value that is there cannot be added twice, nor taken out twice: what got no answer is simply asked for again. */
async function callOnce(
  field: FieldPlan,
  plan: CallPlan,
  which: 'add' | 'remove',
  stored: string,
  items: readonly Item[],
  call: Call,
): Promise<boolean> {
  for (let tries = 1; ; tries++) {
    try {
      const changed = await sendCall(field, plan, stored, items, call);
      if (!changed && which === 'remove') await checkGone(field, plan, stored, items, call);
      return changed;
    } catch (error) {
      if (!isInDoubt(error) || tries >= maxTries || call.context.signal.aborted) throw error;
      await pause(pauseMs * 2 ** tries * Math.random());
      const [only] = items;
      const canAsk = items.length === 1 && only !== undefined && field.calls?.has !== undefined;
      if (canAsk && (await isThere(field, stored, only, call)) === (which === 'add')) return true;
    }
  }
}

/** "Not found" may also mean that the address is wrong: then the values would stay, and nobody would hear of it. */
async function checkGone(
  field: FieldPlan,
  { request }: CallPlan,
  stored: string,
  items: readonly Item[],
  call: Call,
): Promise<void> {
  const there = await presentKeys(field, stored, items, call);
  if (there === undefined || there.size === 0) return;
  const message = `${request.text} was answered as if the value were not there, and it is: is the address right?`;
  throw new AdapterError('unavailable', message);
}

async function sendCall(
  field: FieldPlan,
  plan: CallPlan,
  stored: string,
  items: readonly Item[],
  call: Call,
): Promise<boolean> {
  const [first] = items;
  if (first === undefined) return false;
  const body = plan.body === undefined ? undefined : bodyOf(field, plan, stored, items);
  const answer = await sendTemplate(
    plan.request,
    {
      values: pathValues(field, stored, first),
      accepted: [...plan.ok, ...plan.unchanged],
      isRepeatable: plan.request.method !== 'POST',
      sent: textsIn(items.map(({ value }) => value)),
      uniqueFields: [],
      fieldAt: () => field.name,
      ...(body === undefined ? {} : { body: { text: JSON.stringify(body), contentType: call.mediaType } }),
    },
    call,
  ).catch((error: unknown) => {
    throw ofField(error, field);
  });
  return !plan.unchanged.includes(answer.status);
}

/** A refusal of a value is about the field; that a value is not there is not that the record is not. */
function ofField(error: unknown, field: FieldPlan): unknown {
  if (!(error instanceof AdapterError)) return error;
  const { kind, message, reason, cause } = error;
  if (kind !== 'rejected' && kind !== 'notFound' && kind !== 'conflict') return error;
  return new AdapterError('rejected', message, {
    field: field.name,
    reason: reason ?? 'The backend does not take the value.',
    cause,
  });
}

function pathValues(field: FieldPlan, stored: string, { value }: Item): Values {
  if (!isChildRecord(value)) {
    const own = storedScalar(field, value);
    return { id: stored, value: own, member: own };
  }
  const parts: Record<string, Scalar> = { id: stored };
  for (const child of field.children) {
    const part = value[child.name];
    if (part !== undefined) parts[child.name] = storedScalar(child, part);
  }
  const referring = field.referring === undefined ? undefined : parts[field.referring.name];
  return referring === undefined ? parts : { value: referring, member: referring, ...parts };
}

function bodyOf(field: FieldPlan, plan: CallPlan, stored: string, items: readonly Item[]): Json {
  const elements = items.map((item) => jsonValues(field, stored, item));
  const values = elements.map((own, index) =>
    plan.item === undefined ? (own.value ?? items[index]?.json ?? null) : fillJson(plan.item, own),
  );
  return fillJson(plan.body ?? null, { ...elements[0], values });
}

function jsonValues(field: FieldPlan, stored: string, item: Item): JsonValues {
  const encoded = item.json === null ? encodeItems(withoutItem(field), [item.value])[0]?.json : item.json;
  const texts = pathValues(field, stored, item);
  const parts = Object.entries(texts).map(([name, value]) => [name, plain(value)] as const);
  const values: Record<string, Json> = Object.fromEntries(parts);
  if (!isChildRecord(item.value) && encoded !== undefined) {
    values.value = encoded;
    values.member = encoded;
  }
  return values;
}

function plain(value: Scalar): Json {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  return typeof value === 'bigint' ? Number(value) : value;
}

function partly(error: unknown, { name }: FieldPlan, which: string, done: number, count: number): unknown {
  if (!(error instanceof AdapterError) || count === 1) return error;
  const { kind, message, field, reason, retryAfterSeconds, applied, cause } = error;
  return new AdapterError(kind, `${message} Of ${count} values of "${name}" to ${which}, ${done} were done before.`, {
    ...(field === undefined ? {} : { field }),
    ...(reason === undefined ? {} : { reason }),
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
    applied: done > 0 ? 'unknown' : applied,
    cause,
  });
}
