import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sqliteModule } from '../../adapters/sqlite/adapter.js';
import { describeAdapterContract } from './adapter-contract.js';
import { contractEntities, environmentIn } from './contract-entities.js';
import { deleteEverything } from './contract-fixture.js';

const folder = await mkdtemp(join(tmpdir(), 'scimbridge-managed-'));
const environment = environmentIn(folder, contractEntities);

describeAdapterContract('sqlite, managed', {
  entities: contractEntities,
  open: () => sqliteModule.open({ type: 'sqlite', file: 'store.db' }, environment),
  reset: (adapter) => deleteEverything(adapter, contractEntities),
  close: () => rm(folder, { recursive: true }),
});
