import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openState } from '../../src/state/sqlite/sqlite-state.js';
import type { State } from '../../src/state/state.js';

let folder: string;
let dataDir: string;
const opened: State[] = [];

function open(): State {
  const state = openState(dataDir);
  opened.push(state);
  return state;
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'state-'));
  dataDir = join(folder, 'data');
});

afterEach(async () => {
  for (const state of opened.splice(0)) await state.close();
  rmSync(folder, { recursive: true });
});

const token = { gateway: 'corp', label: 'Entra', hash: 'h1', createdAtMs: 1000, expiresAtMs: 2000 };

describe('openState', () => {
  it('makes folder and file for the owner only', () => {
    open();
    expect(statSync(dataDir).mode & 0o777).toBe(0o700);
    for (const name of ['state.db', 'state.db-wal']) expect(statSync(join(dataDir, name)).mode & 0o777).toBe(0o600);
  });

  it('keeps everything over a restart', async () => {
    const first = openState(dataDir);
    await first.tokens.create(token);
    const key = await first.key('cursor');
    await first.close();
    const second = open();
    expect(await second.tokens.find('h1')).toMatchObject({ gateway: 'corp', label: 'Entra', expiresAtMs: 2000 });
    expect(Buffer.from(await second.key('cursor'))).toEqual(Buffer.from(key));
  });

  it('refuses a file of a newer version, in words', async () => {
    await openState(dataDir).close();
    const db = new Database(join(dataDir, 'state.db'));
    db.pragma('user_version = 99');
    db.close();
    expect(() => openState(dataDir)).toThrow(/state\.db.*newer version of scimbridge/);
  });

  it('names the file when it is no database', () => {
    mkdirSync(dataDir);
    writeFileSync(join(dataDir, 'state.db'), 'not a database, but long enough to be looked at as one'.repeat(20));
    expect(() => openState(dataDir)).toThrow(/state\.db" cannot be used/);
  });
});

describe('notes of use', () => {
  it('are lost rather than waited for while another process writes', async () => {
    const { tokens } = open();
    await tokens.create(token);
    const writer = new Database(join(dataDir, 'state.db'));
    writer.exec('BEGIN IMMEDIATE');
    await tokens.recordUse('h1', 1700);
    writer.exec('ROLLBACK');
    writer.close();
    expect(await tokens.find('h1')).toMatchObject({ lastUsedAtMs: undefined });
    await tokens.recordUse('h1', 1800);
    expect(await tokens.find('h1')).toMatchObject({ lastUsedAtMs: 1800 });
  });
});
