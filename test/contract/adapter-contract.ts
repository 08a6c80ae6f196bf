import * as vitest from 'vitest';
import * as contract from '../../src/testing/adapter-contract.js';
import type { ContractSubject } from '../../src/testing/contract-fixture.js';

/** The contract suite as our own runner runs it. */
export function describeAdapterContract(kind: string, subject: ContractSubject): void {
  contract.describeAdapterContract(kind, subject, { runner: vitest });
}
