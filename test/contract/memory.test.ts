import { tmpdir } from 'node:os';
import { memoryModule } from '../../adapters/memory/adapter.js';
import type { AdapterEnvironment } from '../../src/backend/adapter.js';
import { describeAdapterContract } from './adapter-contract.js';
import { contractEntities } from './contract-entities.js';

const silent = () => undefined;

const environment: AdapterEnvironment = {
  gateway: 'contract',
  entities: contractEntities,
  baseDir: tmpdir(),
  dataDir: tmpdir(),
  log: { debug: silent, info: silent, warn: silent, error: silent },
};

describeAdapterContract('memory', {
  entities: contractEntities,
  open: () => memoryModule.open({ type: 'memory' }, environment),
});
