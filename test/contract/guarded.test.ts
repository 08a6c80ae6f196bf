import { tmpdir } from 'node:os';
import { memoryModule } from '../../adapters/memory/adapter.js';
import { guardAdapter } from '../../src/backend/guard.js';
import { describeAdapterContract } from './adapter-contract.js';
import { contractEntities, environmentIn } from './contract-entities.js';

// A guard is not noticed: with room for the suite's largest crowd, it passes what the adapter passes.
describeAdapterContract('memory, guarded', {
  entities: contractEntities,
  open: async () => {
    const adapter = await memoryModule.open({ type: 'memory' }, environmentIn(tmpdir(), contractEntities));
    return guardAdapter(adapter, { maxQueued: 5_000 });
  },
});
