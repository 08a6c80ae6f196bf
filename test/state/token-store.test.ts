import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openState } from '../../src/state/sqlite/sqlite-state.js';
import { type NewToken, TokenLabelTakenError, type TokenStore } from '../../src/state/state.js';
import { propertyRuns } from '../support/property-runs.js';
import { describeOnStates } from './state-places.js';

/** A token whose hash is its name, made at 1000 and valid until 9000. */
function newToken(hash: string, more: Partial<NewToken> = {}): NewToken {
  return { gateway: 'corp', label: 'Entra', hash, createdAtMs: 1000, expiresAtMs: 9000, ...more };
}

describe('a state file of the first version', () => {
  it('keeps its tokens when it is brought up to date', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'tokens-'));
    const db = new Database(join(dataDir, 'state.db'));
    db.exec(`CREATE TABLE tokens (id INTEGER PRIMARY KEY, gateway TEXT NOT NULL, label TEXT NOT NULL,
        hash TEXT NOT NULL UNIQUE, created INTEGER NOT NULL, expires INTEGER NOT NULL, last_used INTEGER,
        revoked INTEGER) STRICT;
      CREATE UNIQUE INDEX tokens_label ON tokens (gateway, label) WHERE revoked IS NULL;
      CREATE TABLE keys (name TEXT PRIMARY KEY, key BLOB NOT NULL) STRICT, WITHOUT ROWID;
      INSERT INTO tokens VALUES (1, 'corp', 'Entra', 'h1', 1000, 9000, 1500, NULL), (2, 'corp', 'Entra', 'h0', 500, 9000, NULL, 900);
      PRAGMA user_version = 1;`);
    db.close();
    const state = openState(dataDir);
    const { tokens } = state;
    expect(await tokens.find('h1')).toEqual({
      gateway: 'corp',
      label: 'Entra',
      createdAtMs: 1000,
      expiresAtMs: 9000,
      lastUsedAtMs: 1500,
      revokedAtMs: undefined,
      replacedAtMs: undefined,
      awaitsProof: false,
    });
    expect(await tokens.find('h0')).toMatchObject({ revokedAtMs: 900 });
    expect(await tokens.rotate(newToken('h2', { createdAtMs: 2000 }), 'proven')).toMatchObject({ label: 'Entra' });
    await state.close();
    rmSync(dataDir, { recursive: true });
  });
});

describe('a state file that another process keeps', () => {
  it('rejects when another process keeps the file, and waits no longer than a request can', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'tokens-'));
    const state = openState(dataDir);
    const { tokens } = state;
    await tokens.create(newToken('h1'));
    const writer = new Database(join(dataDir, 'state.db'));
    writer.exec('BEGIN IMMEDIATE');
    const startedAtMs = performance.now();
    await expect(tokens.prove('h1', 2000)).rejects.toThrow(/locked/);
    expect(performance.now() - startedAtMs).toBeLessThan(2000);
    writer.exec('ROLLBACK');
    writer.close();
    await tokens.prove('h1', 2100);
    expect(await tokens.find('h1')).toMatchObject({ lastUsedAtMs: 2100 });
    await state.close();
    rmSync(dataDir, { recursive: true });
  });
});

await describeOnStates('tokens', (fixture) => {
  const open = async (): Promise<TokenStore> => (await fixture.open()).tokens;

  describe('limits and clients', () => {
    it('are kept with a token', async () => {
      const tokens = await open();
      const limits = { clientId: 'c1', readOnly: true, resourceTypes: ['User', 'Group'] };
      await tokens.create(newToken('h1', limits));
      expect(await tokens.find('h1')).toMatchObject(limits);
    });
  });

  describe('create', () => {
    it('takes the label of an expired token, which stays listed as expired', async () => {
      const tokens = await open();
      await tokens.create(newToken('h1'));
      await expect(tokens.create(newToken('h2', { createdAtMs: 8999 }))).rejects.toThrow(TokenLabelTakenError);
      await tokens.create(newToken('h2', { createdAtMs: 9000, expiresAtMs: 20_000 }));
      expect(await tokens.list('corp')).toMatchObject([{ replacedAtMs: 9000, revokedAtMs: undefined }, {}]);
    });

    it('of a single one revokes the others in the same step, clients and other gateways apart [capabilities-11]', async () => {
      const tokens = await open();
      await tokens.create(newToken('h1'));
      await tokens.rotate(newToken('h2', { createdAtMs: 1100 }), 'proven');
      await tokens.create(newToken('client', { label: 'client', clientId: 'c1' }));
      await tokens.create(newToken('lab', { gateway: 'lab' }));
      await tokens.create(newToken('h3', { createdAtMs: 2000 }), { single: true });
      const revoked = async (hash: string) => (await tokens.find(hash))?.revokedAtMs;
      expect(await Promise.all(['h1', 'h2', 'h3', 'client', 'lab'].map(revoked))).toEqual([
        2000,
        2000,
        undefined,
        undefined,
        undefined,
      ]);
    });

    it('of a single one that fails leaves the others valid', async () => {
      const tokens = await open();
      await tokens.create(newToken('h1'));
      await tokens.create(newToken('c', { label: 'client', clientId: 'c1' }));
      const taken = newToken('h2', { label: 'client' });
      await expect(tokens.create(taken, { single: true })).rejects.toThrow(TokenLabelTakenError);
      expect(await tokens.find('h1')).toMatchObject({ revokedAtMs: undefined });
    });
  });

  describe('rotate', () => {
    it('ends the former one at the given time, and never later than it would have [capabilities-10]', async () => {
      const tokens = await open();
      await tokens.create(newToken('h1'));
      const former = await tokens.rotate(newToken('h2', { createdAtMs: 2000, expiresAtMs: 9000 }), 5000);
      expect(former).toMatchObject({ replacedAtMs: 2000, expiresAtMs: 5000, awaitsProof: false });
      const second = await tokens.rotate(newToken('h3', { createdAtMs: 3000, expiresAtMs: 20_000 }), 99_000);
      expect(second).toMatchObject({ expiresAtMs: 9000 });
      expect(await tokens.find('h1')).toMatchObject({ expiresAtMs: 5000 });
    });

    it('until proven leaves the former one as it is, until the new one has been used [capabilities-12]', async () => {
      const [tokens, other] = [await open(), await open()];
      await tokens.create(newToken('h1'));
      expect(await tokens.rotate(newToken('h2', { createdAtMs: 2000 }), 'proven')).toMatchObject({
        awaitsProof: true,
        expiresAtMs: 9000,
      });
      await other.prove('h1', 2500);
      expect(await tokens.find('h1')).toMatchObject({ awaitsProof: true, revokedAtMs: undefined, lastUsedAtMs: 2500 });
      await other.prove('h2', 3000);
      expect(await tokens.find('h1')).toMatchObject({ awaitsProof: false, revokedAtMs: 3000 });
      expect(await tokens.find('h2')).toMatchObject({ revokedAtMs: undefined, lastUsedAtMs: 3000 });
    });

    it('until proven, twice in a row: the last one ends all before it, whichever was used', async () => {
      const tokens = await open();
      await tokens.create(newToken('h1'));
      await tokens.rotate(newToken('h2', { createdAtMs: 2000 }), 'proven');
      await tokens.rotate(newToken('h3', { createdAtMs: 3000 }), 'proven');
      await tokens.prove('h3', 4000);
      for (const hash of ['h1', 'h2']) expect(await tokens.find(hash)).toMatchObject({ revokedAtMs: 4000 });
      expect(await tokens.find('h3')).toMatchObject({ revokedAtMs: undefined });
    });

    it('with an overlap ends also those that were never proven', async () => {
      const tokens = await open();
      await tokens.create(newToken('h1'));
      await tokens.rotate(newToken('h2', { createdAtMs: 2000 }), 'proven');
      await tokens.rotate(newToken('h3', { createdAtMs: 3000 }), 4000);
      for (const hash of ['h1', 'h2']) expect(await tokens.find(hash)).toMatchObject({ expiresAtMs: 4000 });
    });

    it('creates nothing without a current token, or when it fails', async () => {
      const tokens = await open();
      expect(await tokens.rotate(newToken('h1'), 'proven')).toBeUndefined();
      expect(await tokens.list('corp')).toEqual([]);
      await tokens.create(newToken('h1'));
      await expect(tokens.rotate(newToken('h1', { createdAtMs: 2000 }), 'proven')).rejects.toThrow();
      expect(await tokens.list('corp')).toMatchObject([{ replacedAtMs: undefined }]);
      expect(await tokens.rotate(newToken('h2', { createdAtMs: 9000 }), 'proven')).toBeUndefined();
    });

    it('revoking the label ends the former one too', async () => {
      const tokens = await open();
      await tokens.create(newToken('h1'));
      await tokens.rotate(newToken('h2', { createdAtMs: 2000 }), 5000);
      expect(await tokens.revoke('corp', 'Entra', 3000)).toBe(true);
      for (const hash of ['h1', 'h2']) expect(await tokens.find(hash)).toMatchObject({ revokedAtMs: 3000 });
    });
  });

  describe('prove', () => {
    it('is for the first use: a later one changes nothing', async () => {
      const tokens = await open();
      await tokens.create(newToken('h1'));
      await tokens.prove('h1', 2000);
      await tokens.prove('h1', 3000);
      expect(await tokens.find('h1')).toMatchObject({ lastUsedAtMs: 2000 });
    });
  });

  describe('any sequence of acts', () => {
    const act = fc.record({
      kind: fc.constantFrom('create', 'single', 'overlap', 'proven', 'use', 'revoke'),
      label: fc.constantFrom('a', 'b'),
      which: fc.nat(20),
    });

    it('leaves one current token of a label at most, and a new secret that was shown is valid [capabilities-10 capabilities-11]', async () => {
      const tokens = await open();
      let runs = 0;
      await fc.assert(
        fc.asyncProperty(fc.array(act, { maxLength: 25 }), async (acts) => {
          const gateway = `g${++runs}`;
          const hashes: string[] = [];
          let nowMs = 1000;
          for (const { kind, label, which } of acts) {
            nowMs += 100;
            const token = newToken(`${gateway}-${nowMs}`, {
              gateway,
              label,
              createdAtMs: nowMs,
              expiresAtMs: nowMs + 1500,
            });
            const isMade = await apply(tokens, kind, token, hashes[which % (hashes.length || 1)]);
            if (isMade) {
              hashes.push(token.hash);
              expect(await tokens.find(token.hash)).toMatchObject({ revokedAtMs: undefined, replacedAtMs: undefined });
            }
            const all = await tokens.list(gateway);
            const current = all.filter((one) => one.revokedAtMs === undefined && one.replacedAtMs === undefined);
            expect(new Set(current.map((one) => one.label)).size).toBe(current.length);
            if (kind === 'single' && isMade) {
              expect(all.filter((one) => one.revokedAtMs === undefined && one.expiresAtMs > nowMs)).toHaveLength(1);
            }
          }
        }),
        { numRuns: propertyRuns(30) },
      );
    });

    async function apply(
      tokens: TokenStore,
      kind: string,
      token: NewToken,
      used: string | undefined,
    ): Promise<boolean> {
      switch (kind) {
        case 'create':
        case 'single':
          return tokens.create(token, { single: kind === 'single' }).then(
            () => true,
            (error: unknown) => {
              if (!(error instanceof TokenLabelTakenError)) throw error;
              return false;
            },
          );
        case 'overlap':
        case 'proven':
          return (await tokens.rotate(token, kind === 'proven' ? 'proven' : token.createdAtMs + 250)) !== undefined;
        case 'use':
          if (used !== undefined) await tokens.prove(used, token.createdAtMs);
          return false;
        default:
          await tokens.revoke(token.gateway, token.label, token.createdAtMs);
          return false;
      }
    }
  });
});
