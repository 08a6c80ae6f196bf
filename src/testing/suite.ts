/** Ends the test as skipped, with the reason, when the condition holds. */
export type Skip = (condition: boolean, reason: string) => void;

/** What the tests of the contract are written with, whichever runner runs them. */
export interface Suite {
  describe(name: string, define: () => void): void;
  it(name: string, test: (tools: { readonly skip: Skip }) => void | Promise<void>): void;
}

/**
 * A test runner: `node:test` and vitest fit as they are (`import * as runner from 'node:test'`). Its tests must run one
 * after the other.
 */
export interface ContractRunner {
  readonly describe: (name: string, define: () => void) => unknown;
  readonly it: (
    name: string,
    options: { readonly timeout: number },
    test: (context: { skip(reason?: string): unknown }) => Promise<void>,
  ) => unknown;
  /** `node:test` calls it so. */
  readonly after?: (work: () => Promise<void>) => unknown;
  /** vitest calls it so. */
  readonly afterAll?: (work: () => Promise<void>) => unknown;
}

/** Thrown by `skip`, so that the rest of the test does not run in any runner. */
class Skipped extends Error {}

const skip: Skip = (condition, reason) => {
  if (condition) throw new Skipped(reason);
};

/**
 * @param around does what belongs to every test, and calls it in between
 * @param timeoutMs of one test
 */
export function suiteOn(
  runner: ContractRunner,
  around: (test: () => Promise<void>) => Promise<void>,
  timeoutMs: number,
): Suite {
  return {
    describe: (name, define) => void runner.describe(name, define),
    it: (name, test) =>
      void runner.it(name, { timeout: timeoutMs }, async (context) => {
        try {
          await around(async () => test({ skip }));
        } catch (error) {
          if (!(error instanceof Skipped)) throw error;
          context.skip(error.message);
        }
      }),
  };
}
