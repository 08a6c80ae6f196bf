import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createControlStore } from '../../src/state/sqlite/control-store.js';
import { migrate } from '../../src/state/sqlite/migrations.js';
import type { ControlStore } from '../../src/state/state.js';

let folder: string;
let nowMs: number;
const opened: Database.Database[] = [];

/** Another process on the same file. */
function open(): { readonly controls: ControlStore; readonly db: Database.Database } {
  const db = new Database(join(folder, 'state.db'), { timeout: 0 });
  db.pragma('journal_mode = WAL');
  migrate(db);
  opened.push(db);
  return { db, controls: createControlStore(db, () => nowMs) };
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'controls-'));
  nowMs = 0;
});
afterEach(() => {
  for (const db of opened.splice(0)) db.close();
  rmSync(folder, { recursive: true });
});

describe('controls', () => {
  it('are empty until something is set, then hold at once and through a restart [capabilities-90]', async () => {
    const { controls, db } = open();
    expect(controls.get('corp')).toEqual({});
    await controls.set('corp', { enabled: false, level: 'debug', recordValuesUntilMs: 5 });
    expect(controls.get('corp')).toEqual({ enabled: false, level: 'debug', recordValuesUntilMs: 5 });
    db.close();
    expect(open().controls.get('corp')).toEqual({ enabled: false, level: 'debug', recordValuesUntilMs: 5 });
    expect(controls.get('lab')).toEqual({});
  });

  it('set what is there, take away what is null, and leave the rest', async () => {
    const { controls } = open();
    await controls.set('corp', { enabled: true, level: 'debug' });
    await controls.set('corp', { level: null, recordValuesUntilMs: 7 });
    expect(controls.get('corp')).toEqual({ enabled: true, recordValuesUntilMs: 7 });
    await controls.set('corp', {});
    expect(controls.get('corp')).toEqual({ enabled: true, recordValuesUntilMs: 7 });
    await controls.set('corp', { enabled: null, recordValuesUntilMs: null });
    expect(controls.get('corp')).toEqual({});
  });

  it('of another process hold within a quarter of a second [capabilities-90]', async () => {
    const [here, there] = [open().controls, open().controls];
    expect(here.get('corp')).toEqual({});
    await there.set('corp', { enabled: false });
    nowMs += 199;
    expect(here.get('corp')).toEqual({});
    nowMs += 51;
    expect(here.get('corp')).toEqual({ enabled: false });
  });

  it('of another process are kept when this one sets others', async () => {
    const [here, there] = [open().controls, open().controls];
    await there.set('corp', { enabled: false });
    await here.set('corp', { level: 'warning' });
    expect(here.get('corp')).toEqual({ enabled: false, level: 'warning' });
  });

  it('stay as they were known once the file is closed', async () => {
    const { controls, db } = open();
    await controls.set('corp', { enabled: false });
    db.close();
    nowMs += 1000;
    expect(controls.get('corp')).toEqual({ enabled: false });
  });
});
