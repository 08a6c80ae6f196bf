import * as nodeTest from 'node:test';
import { changeContract } from './change-contract.js';
import { ContractFixture, type ContractSubject } from './contract-fixture.js';
import { lifecycleContract } from './lifecycle-contract.js';
import { lookupContract } from './lookup-contract.js';
import { pagingContract } from './paging-contract.js';
import { recordContract } from './record-contract.js';
import { searchContract } from './search-contract.js';
import { type ContractRunner, suiteOn } from './suite.js';
import { writeContract } from './write-contract.js';

export interface ContractOptions {
  /** Default: `node:test`. Of vitest, give what `import * as vitest from 'vitest'` gives. */
  readonly runner?: ContractRunner;
  /** Of one test, in milliseconds. Default: 120,000. */
  readonly timeoutMs?: number;
}

/**
 * The suite that every adapter passes, on its real backend. A capability that the adapter denies, or a field that the
 * subject leaves out, shows as a skipped test with the reason.
 * @param kind what is tested, for the names of the tests
 */
export function describeAdapterContract(
  kind: string,
  subject: ContractSubject,
  { runner = nodeTest, timeoutMs = 120_000 }: ContractOptions = {},
): void {
  const fixture = new ContractFixture(subject);
  const around = async (test: () => Promise<void>): Promise<void> => {
    await fixture.start();
    try {
      await test();
    } finally {
      await fixture.stop();
    }
  };
  const suite = suiteOn(runner, around, timeoutMs);
  suite.describe(`${kind}: adapter contract`, () => {
    const atTheEnd = runner.afterAll ?? runner.after;
    atTheEnd?.(() => fixture.end());
    suite.describe('life', () => lifecycleContract(fixture, suite));
    suite.describe('records', () => recordContract(fixture, suite));
    suite.describe('changes', () => changeContract(fixture, suite));
    suite.describe('writes side by side', () => writeContract(fixture, suite));
    suite.describe('search', () => searchContract(fixture, suite));
    suite.describe('order and pages', () => pagingContract(fixture, suite));
    suite.describe('lookup and references', () => lookupContract(fixture, suite));
  });
}
