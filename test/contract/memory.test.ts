import { tmpdir } from 'node:os';
import { memoryModule } from '../../adapters/memory/adapter.js';
import { describeAdapterContract } from './adapter-contract.js';
import { contractEntities, environmentIn } from './contract-entities.js';

describeAdapterContract('memory', {
  entities: contractEntities,
  open: () => memoryModule.open({ type: 'memory' }, environmentIn(tmpdir(), contractEntities)),
});
