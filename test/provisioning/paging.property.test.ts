import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SearchRequest } from '../../src/provisioning/service.js';
import { leafOf, resolvePath } from '../../src/scim/attribute-path.js';
import { asComplex, readAttribute } from '../../src/scim/attribute-value.js';
import { type ComparisonKey, compareKeys, keyOf } from '../../src/scim/comparison.js';
import { ScimError } from '../../src/scim/error.js';
import { printFilter } from '../../src/scim/filter-printer.js';
import { type JsonValue, type Resource, subAttribute } from '../../src/scim/schema.js';
import { sampleType, sortPaths, userFilter } from '../mapping/mapping-arbitraries.js';
import { anyScenario, backends, type OpenScenario, openScenario } from '../mapping/scenario.js';
import { propertyRuns } from '../support/property-runs.js';

const query = fc.record(
  {
    filter: userFilter(['1']).map(printFilter),
    sortBy: fc.constantFrom(...sortPaths),
    sortOrder: fc.constantFrom('ascending', 'descending'),
  },
  { requiredKeys: [] },
);

describe.each(backends)('pages over $name', (backend) => {
  it('add up to the whole, whatever their size, by index and by cursor [7644-3.4.2.4-01 9865-2-01]', async () => {
    let paged = 0;
    await fc.assert(
      fc.asyncProperty(anyScenario(backend), async (scenario) => {
        const test = await openScenario(backend, scenario);
        try {
          for (const request of fc.sample(query, { numRuns: 12, seed: scenario.seed })) {
            const whole = await ask(test, { ...request, count: 1000 });
            if (whole === undefined) continue;
            const size = 1 + (paged % 5);
            expect({ request, pages: await byIndex(test, request, size) }).toEqual({ request, pages: whole });
            expect({ request, pages: await byCursor(test, request, size) }).toEqual({ request, pages: whole });
            paged += 1;
          }
        } finally {
          await test.adapter.close();
        }
      }),
      { numRuns: propertyRuns(Math.ceil(backend.numRuns / 2)) },
    );
    expect(paged).toBeGreaterThan(20);
  });

  it('come in the order of the values sorted by, those without one last or first [7644-3.4.2.3-01]', async () => {
    await fc.assert(
      fc.asyncProperty(anyScenario(backend), async (scenario) => {
        const test = await openScenario(backend, scenario);
        try {
          for (const { sortBy, sortOrder } of fc.sample(query, { numRuns: 20, seed: scenario.seed })) {
            if (sortBy === undefined) continue;
            const found = await ask(test, { sortBy, ...(sortOrder === undefined ? {} : { sortOrder }), count: 1000 });
            if (found === undefined) continue;
            const descending = sortOrder === 'descending';
            const keys = found.map((resource) => sortKey(test, resource, sortBy));
            expect({ sortBy, keys }).toEqual({ sortBy, keys: sorted(keys, descending) });
          }
        } finally {
          await test.adapter.close();
        }
      }),
      { numRuns: propertyRuns(Math.ceil(backend.numRuns / 2)) },
    );
  });
});

type Found = readonly Resource[] | undefined;

/** @returns undefined when the request is refused: it names what the mapping does not have */
async function ask({ service, context }: OpenScenario, request: SearchRequest): Promise<Found> {
  try {
    const { Resources, totalResults } = await service.search('User', request, context());
    const found = (Resources ?? []) as unknown as readonly Resource[];
    expect(totalResults).toBe(found.length);
    return found;
  } catch (error) {
    if (error instanceof ScimError && error.status === 400 && error.message.includes('mapped')) return undefined;
    throw error;
  }
}

async function byIndex({ service, context }: OpenScenario, request: SearchRequest, count: number): Promise<Found> {
  const found: Resource[] = [];
  for (;;) {
    const page = await service.search('User', { ...request, startIndex: found.length + 1, count }, context());
    const resources = (page.Resources ?? []) as unknown as readonly Resource[];
    if (resources.length === 0) {
      expect(page.totalResults).toBe(found.length);
      return found;
    }
    found.push(...resources);
  }
}

async function byCursor({ service, context }: OpenScenario, request: SearchRequest, count: number): Promise<Found> {
  const found: Resource[] = [];
  let cursor: JsonValue | undefined = '';
  while (typeof cursor === 'string') {
    const page: Resource = await service.search('User', { ...request, cursor, count }, context());
    found.push(...((page.Resources ?? []) as unknown as readonly Resource[]));
    cursor = page.nextCursor;
  }
  return found;
}

function sortKey({ runtimes }: OpenScenario, resource: Resource, sortBy: string): ComparisonKey | undefined {
  const resolved = resolvePath(sampleType, sortBy);
  if (resolved.kind !== 'attribute') throw new Error(`${sortBy} is no attribute.`);
  const { attribute } = resolved.path;
  const sub = resolved.path.sub ?? (attribute.type === 'complex' ? subAttribute(attribute, 'value') : undefined);
  const value = readAttribute(resource, attribute);
  const elements = Array.isArray(value) ? (value as readonly JsonValue[]) : value === undefined ? [] : [value];
  const chosen = elements.find((element) => asComplex(element).primary === true) ?? elements[0];
  const comparison = runtimes.get('User')!.pushDown().comparisonFor(leafOf({ attribute, sub }));
  return keyOf(comparison, sub === undefined ? chosen : asComplex(chosen)[sub.name]);
}

function sorted(
  keys: readonly (ComparisonKey | undefined)[],
  descending: boolean,
): readonly (ComparisonKey | undefined)[] {
  const present = keys.filter((key) => key !== undefined).toSorted(compareKeys);
  const absent = keys.filter((key) => key === undefined);
  return descending ? [...absent, ...present.toReversed()] : [...present, ...absent];
}
