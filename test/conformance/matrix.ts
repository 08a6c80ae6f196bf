import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';

/** A row of docs/requirements.json. */
export interface Requirement {
  readonly id: string;
  readonly group: string;
  /** The RFC's word; `plain` and `erratum` bind as well; `—` is a choice or an interpretation. */
  readonly level: string;
  readonly requirement: string;
  /** How a test sees it. */
  readonly check: string;
}

export interface Requirements {
  readonly groups: readonly { readonly id: string; readonly name: string }[];
  readonly rows: readonly Requirement[];
  /** Questions that the RFCs leave open, with the answer taken here. */
  readonly gaps: readonly { readonly id: string; readonly question: string; readonly answer: string }[];
}

/** Why a row has no test. */
export interface RowException {
  readonly row: string;
  readonly status: 'not applicable' | 'not offered' | 'later';
  readonly reason: string;
}

/** A test that names rows. */
export interface NamedTest {
  /** Relative to the repository. */
  readonly file: string;
  readonly name: string;
  readonly rows: readonly string[];
  /** Where strict and default differ, which of them it shows; the rule is that of the default. */
  readonly dialect: 'strict' | 'default' | undefined;
  /** The number of the tolerance in docs/dialects.md. */
  readonly rule: string | undefined;
}

const root = join(import.meta.dirname, '../..');
const literal = /\(\s*('(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\.)*`)\s*,/g;
const bracket = /\[([^\]]*)\]/g;
const rowId = /^(?:(?:7643|7644|9865|9967|6750|7519|8725)-[\w.-]+|GAP-\d+)$/;

/** The tests of a source file whose names hold row ids in square brackets. */
export function namedTests(file: string, source: string): readonly NamedTest[] {
  return [...source.matchAll(literal)].flatMap((match) => {
    const name = (match[1] ?? '').slice(1, -1).replace(/\\(.)/g, '$1');
    const rows = [...name.matchAll(bracket)].flatMap(([, ids = '']) =>
      ids.split(/[\s,]+/).filter((id) => rowId.test(id)),
    );
    const [, dialect, rule] = /\((strict|default)(?:, rule (\d+))?\)/.exec(name) ?? [];
    return rows.length === 0 ? [] : [{ file, name, rows, dialect: dialect as NamedTest['dialect'], rule }];
  });
}

export function allNamedTests(): readonly NamedTest[] {
  const folder = join(root, 'test');
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.test.ts') && file !== join('conformance', 'matrix.test.ts'))
    .sort();
  return files.flatMap((file) => {
    const path = join(folder, file);
    return namedTests(relative(root, path).replaceAll('\\', '/'), readFileSync(path, 'utf8'));
  });
}

export function readRequirements(): Requirements {
  return JSON.parse(readFileSync(join(root, 'docs/requirements.json'), 'utf8')) as Requirements;
}

export function readExceptions(): readonly RowException[] {
  return JSON.parse(readFileSync(join(root, 'docs/conformance-exceptions.json'), 'utf8')) as readonly RowException[];
}

/** A MAY is the server's to choose, and `—` is no word of an RFC: neither must be shown. */
export function isBinding({ level }: Requirement): boolean {
  return level !== 'MAY' && level !== '—';
}

/** What is wrong with the matrix: every line names a row and what to do. */
export function matrixProblems(
  { rows, gaps }: Requirements,
  tests: readonly NamedTest[],
  exceptions: readonly RowException[],
): readonly string[] {
  const known = new Set([...rows, ...gaps].map(({ id }) => id));
  const shown = new Set(tests.flatMap((test) => test.rows));
  const excepted = new Set(exceptions.map(({ row }) => row));
  const uncovered = rows.filter((row) => isBinding(row) && !shown.has(row.id) && !excepted.has(row.id));
  const oneSided = rows.filter(({ id }) => {
    const dialects = new Set(tests.filter((test) => test.rows.includes(id)).map(({ dialect }) => dialect));
    return dialects.has('strict') && !dialects.has('default') && !dialects.has(undefined);
  });
  return [
    ...uncovered.map(({ id, level }) => `${id} (${level}): neither a test nor an exception`),
    ...oneSided.map(({ id }) => `${id}: a test for strict, none for default`),
    ...tests.flatMap(({ file, name, rows: ids }) =>
      ids.filter((id) => !known.has(id)).map((id) => `${id}: no such row, named in ${file}: ${name}`),
    ),
    ...[...excepted].filter((row) => !known.has(row)).map((row) => `${row}: no such row, named by an exception`),
    ...[...excepted].filter((row) => shown.has(row)).map((row) => `${row}: has a test, so it needs no exception`),
    ...(excepted.size === exceptions.length ? [] : ['An exception stands twice.']),
  ];
}

/** The text of docs/conformance.md. */
export function renderConformance(
  requirements: Requirements,
  tests: readonly NamedTest[],
  exceptions: readonly RowException[],
): string {
  const byRow = new Map<string, NamedTest[]>();
  for (const test of tests) for (const row of test.rows) byRow.set(row, [...(byRow.get(row) ?? []), test]);
  const exceptionOf = new Map(exceptions.map((exception) => [exception.row, exception]));
  const lines = (row: Requirement): readonly string[] =>
    rowLines(row, byRow.get(row.id) ?? [], exceptionOf.get(row.id));
  const sections = requirements.groups.flatMap(({ id, name }) => [
    `## ${id}. ${name}`,
    '',
    '| id | level | requirement | shown by |',
    '| --- | --- | --- | --- |',
    ...requirements.rows.filter((row) => row.group === id).flatMap(lines),
    '',
  ]);
  const gaps = requirements.gaps.map(({ id, question, answer }) =>
    tableRow([id, question, answer, testList(byRow.get(id) ?? [])]),
  );
  return [
    '# Conformance',
    '',
    introduction(requirements, byRow, exceptionOf),
    '',
    ...sections,
    '## What the RFCs leave open',
    '',
    '| id | question | answer | shown by |',
    '| --- | --- | --- | --- |',
    ...gaps,
    '',
  ].join('\n');
}

function introduction(
  { rows }: Requirements,
  byRow: ReadonlyMap<string, readonly NamedTest[]>,
  exceptionOf: ReadonlyMap<string, RowException>,
): string {
  const shown = rows.filter(({ id }) => byRow.has(id));
  const withStatus = (status: RowException['status']): number =>
    rows.filter(({ id }) => exceptionOf.get(id)?.status === status).length;
  const binding = rows.filter(isBinding);
  const counts = [
    ['requirements', rows.length],
    ['of them binding', binding.length],
    ['shown by tests', shown.length],
    ['of them binding', shown.filter(isBinding).length],
    ['not applicable', withStatus('not applicable')],
    ['not offered', withStatus('not offered')],
    ['later', withStatus('later')],
  ] as const;
  return [
    'Every requirement of RFC 7643, 7644 and 9865 on a service provider, of RFC 9967 where it updates them, and of RFC 6750,',
    '7519 and 8725 where tokens are checked, with the tests that show it. Written by `npm run conformance` from',
    'docs/requirements.json, the names of the tests and docs/conformance-exceptions.json; a test fails when it is stale.',
    '',
    'MAY and "—" (no word of an RFC) do not bind. A row that differs between `strict: true` and the default, which takes what',
    'identity providers send beyond the RFCs, stands twice; the rules are those of dialects.md. Tests without either word hold for both.',
    '',
    '| | rows |',
    '| --- | --- |',
    ...counts.map(([name, count]) => tableRow([name, String(count)])),
  ].join('\n');
}

function rowLines(
  { id, level, requirement }: Requirement,
  tests: readonly NamedTest[],
  exception: RowException | undefined,
): readonly string[] {
  const withDialect = (dialect: 'strict' | 'default'): string => {
    const rules = [...new Set(tests.flatMap((test) => (test.dialect === dialect ? (test.rule ?? []) : [])))];
    const label = [dialect, ...rules.map((rule) => `rule ${rule}`)].join(', ');
    const shownBy = testList(tests.filter((test) => test.dialect === undefined || test.dialect === dialect));
    return tableRow([`${id} (${label})`, level, requirement, shownBy]);
  };
  if (tests.some(({ dialect }) => dialect !== undefined)) return [withDialect('strict'), withDialect('default')];
  const shownBy = exception === undefined ? testList(tests) : `${exception.status}: ${exception.reason}`;
  return [tableRow([id, level, requirement, shownBy])];
}

/** The tests as links, those of one file together. */
function testList(tests: readonly NamedTest[]): string {
  if (tests.length === 0) return 'not shown: it does not bind';
  const byFile = new Map<string, string[]>();
  for (const { file, name } of tests)
    byFile.set(file, [...(byFile.get(file) ?? []), name.replace(idBrackets, '').trim()]);
  return [...byFile]
    .map(([file, names]) => `[${file.slice('test/'.length)}](../${file}): ${names.map(quoted).join('; ')}`)
    .join('<br>');
}

const idBrackets = /\s*\[(?:[^\]]*(?:7643|7644|9865|9967|6750|7519|8725|GAP)-[^\]]*)\]/g;

function quoted(name: string): string {
  return `“${name.replace(/[<>]/g, (bracketed) => (bracketed === '<' ? '&lt;' : '&gt;'))}”`;
}

function tableRow(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`;
}
