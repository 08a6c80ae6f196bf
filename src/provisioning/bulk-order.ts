import { type BulkOperation, bulkIdIn, bulkIdsIn } from './bulk-request.js';

/** A step of a job: an operation, and which of its references have to wait until the others of its circle exist. */
export interface BulkStep {
  readonly operation: BulkOperation;
  /** bulkIds that this operation needs to have run before. */
  readonly needs: ReadonlySet<string>;
  /** bulkIds of a circle that come later: their references are set by a PATCH afterwards. */
  readonly deferred: ReadonlySet<string>;
}

/**
 * The order in which a job is carried out: what refers comes after what it refers to, else as sent. Circles are found
 * before anything is written and cut at the operation that was sent first.
 * @see RFC 7644 §3.7.1, §3.7.2
 */
export function orderOperations(operations: readonly BulkOperation[]): readonly BulkStep[] {
  const byBulkId = new Map(
    operations.flatMap((operation) =>
      operation.bulkId === undefined || operation.method !== 'POST' ? [] : [[operation.bulkId, operation] as const],
    ),
  );
  const steps: BulkStep[] = [];
  const state = new Map<BulkOperation, 'open' | 'done'>();
  // Depth first with a stack of our own: a chain may be as long as the job.
  for (const root of operations) {
    const stack: { operation: BulkOperation; needs: string[]; next: number; deferred: Set<string> }[] = [];
    const open = (operation: BulkOperation): void => {
      state.set(operation, 'open');
      stack.push({ operation, needs: [...referencesOf(operation)], next: 0, deferred: new Set() });
    };
    if (!state.has(root)) open(root);
    while (stack.length > 0) {
      const frame = stack.at(-1);
      if (frame === undefined) break;
      const bulkId = frame.needs[frame.next];
      if (bulkId === undefined) {
        stack.pop();
        state.set(frame.operation, 'done');
        const needs = new Set(frame.needs.filter((need) => !frame.deferred.has(need)));
        steps.push({ operation: frame.operation, needs, deferred: frame.deferred });
        continue;
      }
      frame.next += 1;
      const target = byBulkId.get(bulkId);
      const known = target === undefined ? 'done' : state.get(target);
      if (target !== undefined && known === undefined) open(target);
      else if (known === 'open') frame.deferred.add(bulkId);
    }
  }
  return steps;
}

/** What an operation refers to, in its data and in its path. */
function referencesOf({ data, path }: BulkOperation): ReadonlySet<string> {
  const found = new Set(bulkIdsIn(data));
  const inPath = path === undefined ? undefined : bulkIdIn(path);
  if (inPath !== undefined) found.add(inPath);
  return found;
}
