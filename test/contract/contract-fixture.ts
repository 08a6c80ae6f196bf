export {
  ContractFixture,
  type ContractSubject,
  deleteEverything,
  type EntityName,
  expectKind,
  sorted,
} from '../../src/testing/contract-fixture.js';
