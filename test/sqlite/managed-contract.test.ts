import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sqliteModule } from '../../adapters/sqlite/adapter.js';
import { describeAdapterContract } from '../contract/adapter-contract.js';
import { contractEntities, environmentIn } from '../contract/contract-entities.js';
import { deleteEverything } from '../contract/contract-fixture.js';

const folders: string[] = [];

describeAdapterContract('SQLite, managed', {
  entities: contractEntities,
  async open() {
    const folder = await mkdtemp(join(tmpdir(), 'managed-contract-'));
    folders.push(folder);
    return sqliteModule.open({ type: 'sqlite' }, environmentIn(folder, contractEntities));
  },
  reset: (adapter) => deleteEverything(adapter, contractEntities),
  async close() {
    await Promise.all(folders.map((folder) => rm(folder, { recursive: true })));
  },
});
