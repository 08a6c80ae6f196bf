import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sqliteModule } from '../../adapters/sqlite/adapter.js';
import { describeAdapterContract } from './adapter-contract.js';
import { contractEntities, environmentIn } from './contract-entities.js';

const folder = await mkdtemp(join(tmpdir(), 'scimbridge-managed-'));
let count = 0;

describeAdapterContract('sqlite, managed', {
  entities: contractEntities,
  open: () =>
    sqliteModule.open({ type: 'sqlite', file: `store${++count}.db` }, environmentIn(folder, contractEntities)),
  close: () => rm(folder, { recursive: true }),
});
