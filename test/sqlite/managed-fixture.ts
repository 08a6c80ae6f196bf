import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Database } from 'better-sqlite3';
import { onTestFinished } from 'vitest';
import { sqliteModule } from '../../adapters/sqlite/adapter.js';
import { openDatabase } from '../../adapters/sqlite/database.js';
import { createManagedStore } from '../../adapters/sqlite/managed/managed-store.js';
import type { Store } from '../../adapters/sqlite/store.js';
import type {
  Adapter,
  AdapterEnvironment,
  Condition,
  EntityUse,
  FieldUse,
  OperationContext,
} from '../../src/backend/adapter.js';
import { environmentIn } from '../contract/contract-entities.js';

export const text: Omit<FieldUse, 'name'> = {
  type: 'string',
  multiple: false,
  comparison: 'fold',
  unique: false,
  read: true,
  written: true,
};

/** Users and groups as the presets map them, in small. */
export const people: EntityUse = {
  entity: 'people',
  fields: [
    { ...text, name: 'login', unique: true },
    { ...text, name: 'title' },
    { ...text, name: 'password', read: false },
    { ...text, name: 'enabled', type: 'boolean', comparison: 'boolean' },
    {
      ...text,
      name: 'mails',
      type: 'records',
      multiple: true,
      comparison: 'exact',
      children: [
        { ...text, name: 'value' },
        { ...text, name: 'type' },
        { ...text, name: 'primary', type: 'boolean', comparison: 'boolean' },
      ],
    },
    { ...text, name: 'manager', comparison: 'exact', reference: { targets: ['people'], by: '$id' } },
    {
      ...text,
      name: 'memberOf',
      comparison: 'exact',
      multiple: true,
      written: false,
      reference: { targets: ['groups'], by: '$id' },
      inverseOf: { entity: 'groups', field: 'members' },
    },
  ],
};
export const groups: EntityUse = {
  entity: 'groups',
  idPrefix: 'g-',
  fields: [
    { ...text, name: 'title', unique: true },
    {
      ...text,
      name: 'members',
      type: 'records',
      multiple: true,
      comparison: 'exact',
      children: [
        { ...text, name: 'value', reference: { targets: ['people', 'groups'], by: '$id' } },
        { ...text, name: 'type' },
      ],
    },
  ],
};
export const entities: readonly EntityUse[] = [people, groups];

export function context(signal: AbortSignal = AbortSignal.timeout(60_000)): OperationContext {
  return { signal, requestId: 'test' };
}

/** A folder that is there until the test ends. */
export async function testFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'managed-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** An adapter on `store.db` in the folder, closed when the test ends. */
export async function openManaged(folder: string, environment: Partial<AdapterEnvironment> = {}): Promise<Adapter> {
  const adapter = await sqliteModule.open({ type: 'sqlite' }, { ...environmentIn(folder, entities), ...environment });
  onTestFinished(() => adapter.close());
  return adapter;
}

export interface OpenStore {
  readonly db: Database;
  readonly store: Store;
}

/** The store alone on a connection that may write, without workers. */
export async function openStore(folder: string, uses = entities, gateway = 'test'): Promise<OpenStore> {
  const file = join(folder, 'store.db');
  const db = openDatabase(file, 'prepare', true);
  onTestFinished(() => {
    db.close();
  });
  return { db, store: createManagedStore(db, { kind: 'managed', file, gateway, entities: uses }) };
}

/** Runs writes in one transaction, and tells how many rows of all tables they changed. */
export function rowsChangedBy({ db }: OpenStore, work: () => void): number {
  const count = (): number => Number(db.prepare('SELECT total_changes()').pluck().get());
  const before = count();
  db.transaction(work).immediate();
  return count() - before;
}

export const is = (path: string, value: string | number | boolean): Condition => ({
  kind: 'compare',
  path,
  op: 'eq',
  value,
});
export const has = (path: string, part: string): Condition => ({ kind: 'compare', path, op: 'co', value: part });
export const not = (operand: Condition): Condition => ({ kind: 'not', operand });
export const both = (...operands: readonly Condition[]): Condition => ({ kind: 'and', operands });
export const either = (...operands: readonly Condition[]): Condition => ({ kind: 'or', operands });
export const one = (path: string, filter: Condition): Condition => ({ kind: 'valuePath', path, filter });
export const present = (path: string): Condition => ({ kind: 'present', path });
