import { type BulkOperation, bulkIdIn, bulkIdsIn } from './bulk-request.js';

/** A step of a job: an operation, and which of its references have to wait until the others of its circle exist. */
export interface BulkStep {
  readonly operation: BulkOperation;
  /** bulkIds that this operation needs to have run before. */
  readonly needs: ReadonlySet<string>;
  /** bulkIds of a circle that come later: their references are set by a PATCH afterwards. */
  readonly deferred: ReadonlySet<string>;
}

/** An operation that is not in the order yet. */
interface Waiting {
  readonly operation: BulkOperation;
  readonly references: ReadonlySet<string>;
  /** Operations that come first: what it refers to, and an earlier one on the same resource. */
  readonly after: Set<Waiting>;
  readonly deferred: Set<string>;
}

/**
 * The order in which a job is carried out: as sent, except that what refers waits for what it refers to; operations on one
 * resource keep their order. Circles are found before anything is written and cut at the operation that was sent first.
 * @see RFC 7644 §3.7.1, §3.7.2
 */
export function orderOperations(operations: readonly BulkOperation[]): readonly BulkStep[] {
  const waiting = new Set(arranged(operations));
  const steps: BulkStep[] = [];
  while (waiting.size > 0) {
    const next = firstOf(waiting, ({ after }) => after.size === 0);
    if (next === undefined) {
      cutCircle(waiting);
      continue;
    }
    const { operation, references, deferred } = next;
    const needs = new Set([...references].filter((bulkId) => !deferred.has(bulkId)));
    steps.push({ operation, needs, deferred });
    waiting.delete(next);
    for (const other of waiting) other.after.delete(next);
  }
  return steps;
}

function arranged(operations: readonly BulkOperation[]): readonly Waiting[] {
  const all = operations.map((operation): Waiting => {
    const references = referencesOf(operation);
    return { operation, references, after: new Set(), deferred: new Set() };
  });
  const byBulkId = new Map<string, Waiting>();
  for (const each of all) {
    const { bulkId, method } = each.operation;
    if (bulkId !== undefined && method === 'POST') byBulkId.set(bulkId, each);
  }
  const lastOn = new Map<string, Waiting>();
  for (const each of all) {
    for (const bulkId of each.references) {
      const target = byBulkId.get(bulkId);
      if (target !== undefined) each.after.add(target);
    }
    const { method, path } = each.operation;
    if (method === 'POST' || path === undefined) continue;
    const before = lastOn.get(path);
    if (before !== undefined) each.after.add(before);
    lastOn.set(path, each);
  }
  return all;
}

/** What an operation refers to, in its data and in its path. */
function referencesOf({ data, path }: BulkOperation): ReadonlySet<string> {
  const found = new Set(bulkIdsIn(data));
  const inPath = path === undefined ? undefined : bulkIdIn(path);
  if (inPath !== undefined) found.add(inPath);
  return found;
}

/** In the order in which they were sent. */
function firstOf(waiting: Iterable<Waiting>, isMeant: (each: Waiting) => boolean): Waiting | undefined {
  for (const each of waiting) if (isMeant(each)) return each;
  return undefined;
}

/** Lets the operation of a circle that was sent first go without those of its references that lead back to it. */
function cutCircle(waiting: ReadonlySet<Waiting>): void {
  const circle = circleIn(waiting);
  const cut = firstOf(waiting, (each) => circle.has(each));
  if (cut === undefined) return;
  for (const target of [...cut.after]) {
    if (target !== cut && !leadsTo(target, cut)) continue;
    cut.after.delete(target);
    // Only what creates can be referred to, so all of a circle are creations with a bulkId.
    if (target.operation.bulkId !== undefined) cut.deferred.add(target.operation.bulkId);
  }
}

/** Everything waits for something, so following that leads into a circle. */
function circleIn(waiting: ReadonlySet<Waiting>): ReadonlySet<Waiting> {
  const way: Waiting[] = [];
  let current = firstOf(waiting, () => true);
  while (current !== undefined) {
    const start = way.indexOf(current);
    if (start >= 0) return new Set(way.slice(start));
    way.push(current);
    current = firstOf(current.after, () => true);
  }
  return new Set();
}

function leadsTo(start: Waiting, goal: Waiting): boolean {
  const seen = new Set<Waiting>([start]);
  const open = [start];
  for (let current = open.pop(); current !== undefined; current = open.pop()) {
    if (current === goal) return true;
    for (const next of current.after) {
      if (seen.has(next)) continue;
      seen.add(next);
      open.push(next);
    }
  }
  return false;
}
