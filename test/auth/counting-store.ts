import Database from 'better-sqlite3';
import { migrate } from '../../src/state/sqlite/migrations.js';
import { createTokenStore } from '../../src/state/sqlite/token-store.js';
import type { TokenStore } from '../../src/state/state.js';

/** Tokens in memory, with what was asked of the store. */
export interface CountingStore extends TokenStore {
  finds(): number;
  uses(): readonly number[];
  /** Everything that is kept. */
  dump(): string;
}

export function createCountingStore(): CountingStore {
  const db = new Database(':memory:');
  migrate(db);
  const store = createTokenStore(db, db);
  let finds = 0;
  const uses: number[] = [];
  return {
    ...store,
    find: (hash) => {
      finds++;
      return store.find(hash);
    },
    recordUse: (hash, usedAtMs) => {
      uses.push(usedAtMs);
      return store.recordUse(hash, usedAtMs);
    },
    finds: () => finds,
    uses: () => uses,
    dump: () => JSON.stringify(db.prepare('SELECT * FROM tokens').all()),
  };
}
