import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  allNamedTests,
  isBinding,
  matrixProblems,
  namedTests,
  type RowException,
  readExceptions,
  readRequirements,
  renderConformance,
} from './matrix.js';

const row = (id: string, level = 'MUST') => ({ id, group: 'A', level, requirement: `What ${id} asks.`, check: 'See.' });
const requirements = {
  groups: [{ id: 'A', name: 'First' }],
  rows: [row('7643-1-01'), row('7643-1-02', 'MAY')],
  gaps: [{ id: 'GAP-01', question: 'What?', answer: 'That.' }],
};
const test = (name: string) => namedTests('test/x.test.ts', `it('${name}', () => {});`);
const exception: RowException = { row: '7643-1-01', status: 'later', reason: 'Not yet.' };

describe('row ids in the names of tests', () => {
  it('are read from literals of any kind, also after it.each', () => {
    const source = [
      "it('says one [7643-1-01]', () => {});",
      "it.each([1])(\n  'says %s more [7644-2.1-x-02 GAP-03]',\n  () => {});",
      "it(\n    `don\\'t [9865-2-01, 9865-2-02]`,\n () => {});",
      "it('names no row [RFC 7644 §3]', () => {});",
      'it(\'has a path emails[type eq "work"] [7643-1-02]\', () => {});',
    ].join('\n');
    expect(namedTests('a.test.ts', source).map(({ name, rows }) => [name.slice(0, 6), rows])).toEqual([
      ['says o', ['7643-1-01']],
      ['says %', ['7644-2.1-x-02', 'GAP-03']],
      ["don't ", ['9865-2-01', '9865-2-02']],
      ['has a ', ['7643-1-02']],
    ]);
  });

  it('go with the dialect that a name says', () => {
    expect(test('a (strict) [7643-1-01]')).toMatchObject([{ dialect: 'strict' }]);
    expect(test('a (default, rule 3) [7643-1-01]')).toMatchObject([{ dialect: 'default' }]);
    expect(test('a (default) [7643-1-01]')).toMatchObject([{ dialect: 'default' }]);
    expect(test('a (b) [7643-1-01]')).toMatchObject([{ dialect: undefined }]);
  });
});

describe('problems of the matrix', () => {
  it('are none when each binding row has a test or an exception', () => {
    expect(matrixProblems(requirements, test('a [7643-1-01]'), [])).toEqual([]);
    expect(matrixProblems(requirements, [], [exception])).toEqual([]);
  });

  it.each([
    ['a binding row without either', [], [], '7643-1-01 (MUST): neither'],
    ['a test that names an unknown row', test('a [7643-1-01 7643-9-99]'), [], '7643-9-99: no such row'],
    ['a row with both', test('a [7643-1-01]'), [exception], '7643-1-01: has a test'],
    [
      'an exception of an unknown row',
      test('a [7643-1-01]'),
      [{ ...exception, row: '7643-9-98' }],
      '7643-9-98: no such',
    ],
    ['an exception that stands twice', [], [exception, exception], 'stands twice'],
    ['a row shown for strict alone', test('a (strict) [7643-1-01]'), [], 'none for default'],
  ] as const)('are found: %s', (_, tests, exceptions, problem) => {
    expect(matrixProblems(requirements, tests, exceptions)).toEqual([expect.stringContaining(problem)]);
  });
});

describe('the page', () => {
  it('has a row twice when strict and default differ, with the tests of each', () => {
    const tests = [
      ...test('a (strict) [7643-1-01]'),
      ...test('b (default, rule 2) [7643-1-01]'),
      ...test('c [7643-1-01]'),
    ];
    const lines = renderConformance(requirements, tests, []).split('\n');
    const [strict, lenient] = lines.filter((line) => line.includes('7643-1-01'));
    expect(strict).toMatch(/^\| 7643-1-01 \(strict\) .*“a \(strict\)”; “c”/);
    expect(lenient).toMatch(/^\| 7643-1-01 \(default, rule 2\) .*“b \(default, rule 2\)”; “c”/);
  });

  it('gives the reason of an exception, and escapes bars', () => {
    const page = renderConformance(requirements, test('a | b [7643-1-02]'), [exception]);
    expect(page).toContain('later: Not yet.');
    expect(page).toContain('a \\| b');
  });
});

describe('docs/conformance.md', () => {
  const matrix = readRequirements();

  it('has all 557 requirements, none twice', () => {
    expect(matrix.rows).toHaveLength(557);
    expect(new Set(matrix.rows.map(({ id }) => id)).size).toBe(557);
    expect(matrix.gaps).toHaveLength(19);
    expect(matrix.rows.filter(isBinding)).toHaveLength(436);
  });

  it('shows every binding requirement by a test, or says why not', () => {
    expect(matrixProblems(matrix, allNamedTests(), readExceptions())).toEqual([]);
  });

  it('is what `npm run conformance` writes', () => {
    const page = readFileSync(join(import.meta.dirname, '../../docs/conformance.md'), 'utf8');
    expect(page).toBe(renderConformance(matrix, allNamedTests(), readExceptions()));
  });
});
