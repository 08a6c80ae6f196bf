import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { strictDialect, type Tolerance, toleranceTable, tolerantDialect } from '../../src/scim/dialect.js';

const tolerances = Object.keys(toleranceTable) as readonly Tolerance[];
const rows = readFileSync(new URL('../../docs/dialects.md', import.meta.url), 'utf8')
  .split('\n')
  .map((line) => /^\| (\d+) \|.*\| (?:`(\w+)`)? ?\|$/.exec(line))
  .filter((match) => match !== null)
  .map(([, rule, tolerance]) => ({ rule: Number(rule), tolerance }));

describe('dialects', () => {
  it.each(tolerances)('%s is on by default and off when strict', (tolerance) => {
    expect(tolerantDialect.tolerates(tolerance)).toBe(true);
    expect(strictDialect.tolerates(tolerance)).toBe(false);
  });

  it('docs/dialects.md has each tolerance once, under its rule, and no other', () => {
    const documented = rows.filter(({ tolerance }) => tolerance !== undefined);
    expect(documented.map(({ rule, tolerance }) => `${rule} ${tolerance}`).sort()).toEqual(
      tolerances.map((tolerance) => `${toleranceTable[tolerance].rule} ${tolerance}`).sort(),
    );
  });

  it('docs/dialects.md has the rules 1 to 16', () => {
    expect([...new Set(rows.map(({ rule }) => rule))]).toEqual(Array.from({ length: 16 }, (_, index) => index + 1));
  });
});
