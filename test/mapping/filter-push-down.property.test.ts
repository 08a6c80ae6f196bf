import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { tolerantDialect } from '../../src/scim/dialect.js';
import { ScimError } from '../../src/scim/error.js';
import { evaluateFilter } from '../../src/scim/filter-evaluate.js';
import { parseFilter } from '../../src/scim/filter-parser.js';
import { printFilter } from '../../src/scim/filter-printer.js';
import { resolveFilter } from '../../src/scim/filter-resolve.js';
import { propertyRuns } from '../support/property-runs.js';
import { groupFilter, sampleGroupType, sampleType, userFilter } from './mapping-arbitraries.js';
import { anyScenario, backends, type OpenScenario, openScenario } from './scenario.js';

const types = [
  { name: 'User', type: sampleType, filters: userFilter, perMapping: 50 },
  { name: 'Group', type: sampleGroupType, filters: groupFilter, perMapping: 30 },
] as const;

describe.each(backends)('searching over $name', (backend) => {
  it.each(types)(
    'selects of type $name what evaluating the filter on each resource selects, however much the backend can do',
    async ({ name, type, filters, perMapping }) => {
      let compared = 0;
      let telling = 0;
      const runs = propertyRuns(backend.numRuns);
      await fc.assert(
        fc.asyncProperty(anyScenario(backend), async (scenario) => {
          const test = await openScenario(backend, scenario);
          try {
            const resources = await test.readAll(name);
            const { comparisonFor } = test.runtimes.get(name)!.pushDown();
            for (const filter of fc.sample(filters(test.ids.User), { numRuns: perMapping, seed: scenario.seed })) {
              const text = printFilter(filter);
              const found = await search(test, name, text);
              if (found === undefined) continue;
              const parsed = parseFilter(text, tolerantDialect);
              const resolved = resolveFilter(parsed, type, { dialect: tolerantDialect, unknown: 'reject' });
              const expected = resources.filter((resource) => evaluateFilter(resolved, resource, comparisonFor));
              expect({ text, found: found.toSorted() }).toEqual({
                text,
                found: expected.map(({ id }) => id).toSorted(),
              });
              compared += 1;
              if (found.length > 0 && found.length < resources.length) telling += 1;
            }
          } finally {
            await test.adapter.close();
          }
        }),
        { numRuns: runs },
      );
      // Most filters must have told resources apart, or the property would say little.
      expect(telling).toBeGreaterThan(compared / 5);
      expect(compared).toBeGreaterThan(runs * 5);
    },
  );
});

/** @returns undefined when the filter names what the mapping does not have, which is refused */
async function search(
  { service, context }: OpenScenario,
  type: string,
  filter: string,
): Promise<readonly string[] | undefined> {
  try {
    const answer = await service.search(type, { filter, count: 1000, attributes: ['id'] }, context());
    return ((answer.Resources ?? []) as readonly { readonly id: string }[]).map(({ id }) => id);
  } catch (error) {
    if (!(error instanceof ScimError)) throw error;
    if (error.scimType === 'invalidFilter' && error.message.includes('is not mapped')) return undefined;
    throw error.cause ?? error;
  }
}
