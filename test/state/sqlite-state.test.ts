import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openState } from '../../src/state/sqlite/sqlite-state.js';
import { type State, TokenLabelTakenError } from '../../src/state/state.js';

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

describe('keys', () => {
  it('are 32 random bytes, made once and shared by processes', async () => {
    const [first, second] = [open(), open()];
    const key = await first.key('cursor');
    expect(key).toHaveLength(32);
    expect(Buffer.from(await second.key('cursor'))).toEqual(Buffer.from(key));
    expect(Buffer.from(await first.key('other'))).not.toEqual(Buffer.from(key));
  });
});

describe('tokens', () => {
  it('are found by hash, whatever their gateway', async () => {
    const { tokens } = open();
    await tokens.create(token);
    expect(await tokens.find('h1')).toEqual({
      gateway: 'corp',
      label: 'Entra',
      createdAtMs: 1000,
      expiresAtMs: 2000,
      lastUsedAtMs: undefined,
      revokedAtMs: undefined,
      replacedAtMs: undefined,
      awaitsProof: false,
    });
    expect(await tokens.find('h2')).toBeUndefined();
  });

  it('have labels that are unique within a gateway until they are revoked', async () => {
    const { tokens } = open();
    await tokens.create(token);
    await expect(tokens.create({ ...token, hash: 'h2' })).rejects.toThrow(TokenLabelTakenError);
    await tokens.create({ ...token, hash: 'h3', gateway: 'other' });
    expect(await tokens.revoke('corp', 'Entra', 1500)).toBe(true);
    await tokens.create({ ...token, hash: 'h4' });
    expect(await tokens.list('corp')).toMatchObject([{ revokedAtMs: 1500 }, { revokedAtMs: undefined }]);
  });

  it('are revoked once, and for every process at once', async () => {
    const [first, second] = [open(), open()];
    await first.tokens.create(token);
    expect(await second.tokens.revoke('corp', 'Entra', 1500)).toBe(true);
    expect(await first.tokens.find('h1')).toMatchObject({ revokedAtMs: 1500 });
    expect(await first.tokens.revoke('corp', 'Entra', 1600)).toBe(false);
    expect(await first.tokens.revoke('corp', 'nobody', 1600)).toBe(false);
  });

  it('lose a note of use that comes after the end', async () => {
    const state = openState(dataDir);
    await state.close();
    await expect(state.tokens.recordUse('h1', 1700)).resolves.toBeUndefined();
  });

  it('lose a note of use rather than wait while another process writes', async () => {
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
