import { afterAll, afterEach, beforeEach, describe } from 'vitest';
import { changeContract } from './change-contract.js';
import { ContractFixture, type ContractSubject } from './contract-fixture.js';
import { lifecycleContract } from './lifecycle-contract.js';
import { lookupContract } from './lookup-contract.js';
import { pagingContract } from './paging-contract.js';
import { recordContract } from './record-contract.js';
import { searchContract } from './search-contract.js';
import { writeContract } from './write-contract.js';

/**
 * The suite that every adapter passes, on its real backend. A capability that the adapter denies, or a field that the
 * subject leaves out, shows as a skipped test with the reason.
 */
export function describeAdapterContract(kind: string, subject: ContractSubject): void {
  describe(`${kind}: adapter contract`, () => {
    const fixture = new ContractFixture(subject);
    beforeEach(() => fixture.start());
    afterEach(() => fixture.stop());
    afterAll(() => fixture.end());

    describe('life', () => lifecycleContract(fixture));
    describe('records', () => recordContract(fixture));
    describe('changes', () => changeContract(fixture));
    describe('writes side by side', () => writeContract(fixture));
    describe('search', () => searchContract(fixture));
    describe('order and pages', () => pagingContract(fixture));
    describe('lookup and references', () => lookupContract(fixture));
  });
}
