import type { BackendRecord, SearchResult, UpdateResult } from './adapter.js';
import { AdapterFault } from './adapter-fault.js';

/**
 * Quick checks of what an adapter answers, so that an adapter which answers nonsense gives one clear error instead of
 * failures far from their cause. Each throws AdapterFault.
 */
export function checkRecord(record: BackendRecord): void {
  if (!isRecord(record)) throw nonsense('a record without a text in "$id"');
}

export function checkFoundRecord(record: BackendRecord | undefined): void {
  if (record !== undefined) checkRecord(record);
}

export function checkRecords(records: readonly BackendRecord[]): void {
  if (!Array.isArray(records)) throw nonsense('no list of records');
  for (const record of records) checkRecord(record);
}

export function checkSearchResult(result: SearchResult): void {
  if (typeof result !== 'object' || result === null) throw nonsense('no search result');
  checkRecords(result.records);
  const { total, next } = result;
  if (total !== undefined && !(Number.isInteger(total) && total >= 0)) throw nonsense('a total that is no number');
  if (next !== undefined && (typeof next !== 'string' || next.length > 1_000)) {
    throw nonsense('a position that is no text of at most 1,000 characters');
  }
}

export function checkUpdateResult(result: UpdateResult): void {
  if (typeof result?.changed !== 'boolean') throw nonsense('no update result');
  checkRecord(result.record);
}

export function checkStep(step: IteratorResult<BackendRecord, unknown>): void {
  if (typeof step !== 'object' || step === null) throw nonsense('no step of a scan');
  if (step.done !== true) checkRecord(step.value);
}

export function checkNothing(): void {}

function isRecord(record: unknown): boolean {
  return typeof record === 'object' && record !== null && typeof (record as { $id?: unknown }).$id === 'string';
}

function nonsense(what: string): AdapterFault {
  return new AdapterFault(`The adapter answered with ${what}, which is a fault in the adapter.`);
}
