/** `scimbridge/testing`: the contract's tests, for `node:test`, vitest and runners like them. */
export { type ContractOptions, describeAdapterContract } from '../testing/adapter-contract.js';
export {
  awkwardTexts,
  contractEntities,
  entitiesWithout,
  environmentIn,
} from '../testing/contract-entities.js';
export { type ContractSubject, deleteEverything } from '../testing/contract-fixture.js';
export type { ContractRunner } from '../testing/suite.js';
