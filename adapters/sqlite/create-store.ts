import type { CreateStore, StoreDefinition } from './store.js';

/** The one place that knows the kinds of stores; only the code of the kind in use is loaded. */
export async function loadCreateStore(kind: StoreDefinition['kind']): Promise<CreateStore> {
  switch (kind) {
    case 'managed':
      return (await import('./managed/managed-store.js')).createManagedStore;
    case 'tables':
      return (await import('./tables/tables-store.js')).createTablesStore;
  }
}
