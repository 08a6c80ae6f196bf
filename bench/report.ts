import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Comparison } from './comparison.js';
import type { Machine } from './machine.js';
import type { MemberTimes, PageTimes, WalkMemory } from './size.js';
import type { Operation, Throughput } from './throughput.js';

export interface Results {
  readonly machine: Machine;
  readonly throughput: readonly Throughput[];
  /** Reads by id: the gateway as it is beside one without authentication and transactions. */
  readonly watching: Comparison;
  readonly members: MemberTimes;
  readonly pages: PageTimes;
  readonly memory: WalkMemory;
  readonly startMs: readonly number[];
  readonly manyUsers: number;
}

/** The least part of the bare handler's throughput, at 16 connections. */
const leastRatio: { readonly [O in Operation]: number } = {
  'read by id': 0.6,
  'userName eq': 0.6,
  PATCH: 0.7,
  create: 0.7,
};
const targetConnections = 16;
const mostMemberRatio = 1.5;
const mostPageRatio = 2;
const mostGrowthMb = 100;
const mostStartMs = 1000;
const mostWatchingRatio = 1.15;

export interface Table {
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

export interface Verdict {
  readonly target: string;
  readonly passed: boolean;
}

export interface Report {
  /** Markdown. */
  readonly text: string;
  readonly missed: readonly string[];
}

export function writeReport(results: Results): Report {
  return report((judge) => [about(results.machine), throughputTable(results, judge), sizeTable(results, judge)]);
}

/** @param tables made with a judge that notes what is missed */
export function report(tables: (judge: Judge) => readonly Table[]): Report {
  const missed: string[] = [];
  const judge: Judge = (name, verdict) => {
    if (verdict === undefined) return ['', ''];
    if (!verdict.passed) missed.push(`${name} (target: ${verdict.target})`);
    return [verdict.target, verdict.passed ? 'met' : 'MISSED'];
  };
  const text = tables(judge).map(format).join('\n\n');
  return { text, missed };
}

export function about(machine: Machine): Table {
  return {
    head: ['', ''],
    rows: [
      ['date', machine.date],
      ['machine', machine.machine],
      ['software', machine.software],
      ['4 KiB written and synced to the disk', `${machine.syncMs.toFixed(2)} ms`],
    ],
  };
}

export type Judge = (name: string, verdict: Verdict | undefined) => readonly [string, string];

function throughputTable({ throughput }: Results, judge: Judge): Table {
  const rows = throughput.flatMap(({ operation, comparisons }) =>
    comparisons.map((comparison) => {
      const { connections, bare, gateway, ratio, range } = comparison;
      return [
        operation,
        String(connections),
        bare.perSecond.toFixed(0),
        gateway.perSecond.toFixed(0),
        `${percent(ratio)} (${percent(range[0])}–${percent(range[1])})`,
        ...judge(`${operation}, ${connections} connections: ${percent(ratio)}`, ratioVerdict(operation, comparison)),
        micros(bare.cpuMicros),
        micros(gateway.cpuMicros),
        bare.p99Ms.toFixed(1),
        gateway.p99Ms.toFixed(1),
      ];
    }),
  );
  const head = [
    'operation',
    'connections',
    'bare, per s',
    'gateway, per s',
    'ratio (range)',
    'target',
    '',
    'bare CPU, µs',
    'gateway CPU, µs',
    'bare p99, ms',
    'gateway p99, ms',
  ];
  return { head, rows };
}

function ratioVerdict(operation: Operation, { connections, ratio }: Comparison): Verdict | undefined {
  if (connections !== targetConnections) return undefined;
  const least = leastRatio[operation];
  return { target: `≥ ${percent(least)}`, passed: ratio >= least };
}

function sizeTable({ watching, members, pages, memory, startMs, manyUsers }: Results, judge: Judge): Table {
  const many = manyUsers.toLocaleString('en');
  const far = (Math.floor(manyUsers * 0.9) + 1).toLocaleString('en');
  const compared = (name: string, ms: number, than: string, baseMs: number, most: number): readonly string[] => {
    const ratio = ms / baseMs;
    const verdict = { target: `≤ ${most} ×`, passed: ratio <= most };
    const shown = `${ratio.toFixed(2)} ×`;
    return [name, shownMs(ms), `${than}: ${shownMs(baseMs)}`, shown, ...judge(`${name}: ${shown}`, verdict)];
  };
  const growth = memory.rssGrowth;
  const grown = growth === undefined ? 'unknown' : `${growth.toFixed(0)} MB`;
  const anonymous =
    memory.anonymousGrowth === undefined ? '' : `, ${memory.anonymousGrowth.toFixed(0)} MB without mapped files`;
  const start = startMs.toSorted((one, other) => one - other)[Math.floor(startMs.length / 2)] ?? Number.NaN;
  const { add, remove } = members;
  return {
    head: ['measure', 'result', 'compared with', 'ratio', 'target', ''],
    rows: [
      compared(
        'read by id at 16 connections, with authentication and its transaction',
        1000 / watching.bare.perSecond / watching.ratio,
        'without both',
        1000 / watching.bare.perSecond,
        mostWatchingRatio,
      ),
      compared(`add a member to a group of ${many}`, add.large, 'group of 10', add.small, mostMemberRatio),
      compared(`remove a member of a group of ${many}`, remove.large, 'group of 10', remove.small, mostMemberRatio),
      compared(`cold page of 100 at ${far} of ${many}`, pages.coldMs, 'bare handler', pages.coldBareMs, mostPageRatio),
      compared(`page of a walk by startIndex`, pages.indexWalkMs, 'first page', pages.firstMs, mostPageRatio),
      compared(`page of a walk by cursor`, pages.cursorWalkMs, 'first page', pages.firstMs, mostPageRatio),
      [
        `growth of memory while ${many} users are read in pages of 100`,
        `${grown}${anonymous}`,
        `${memory.seconds.toFixed(1)} s`,
        '',
        ...judge(`growth of memory: ${grown}`, {
          target: `≤ ${mostGrowthMb} MB`,
          passed: growth !== undefined && growth <= mostGrowthMb,
        }),
      ],
      [
        `from start to ready, with ${many} users`,
        `${start.toFixed(0)} ms`,
        '',
        '',
        ...judge(`from start to ready: ${start.toFixed(0)} ms`, { target: '< 1 s', passed: start < mostStartMs }),
      ],
    ],
  };
}

/** Short times keep their digits. */
export const shownMs = (ms: number): string => `${ms.toFixed(ms < 0.1 ? 4 : 2)} ms`;
export const percent = (ratio: number): string => `${Math.round(ratio * 100)} %`;
export const micros = (value: number | undefined): string => value?.toFixed(0) ?? '';

/** A Markdown table that can be read as text too. */
export function format({ head, rows }: Table): string {
  const widths = head.map((_, column) => Math.max(3, ...[head, ...rows].map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    `| ${widths.map((width, column) => (cells[column] ?? '').padEnd(width)).join(' | ')} |`;
  return [line(head), `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`, ...rows.map(line)].join('\n');
}

const page = fileURLToPath(new URL('../../docs/performance.md', import.meta.url));
/** Puts tables into docs/performance.md, between the marks of that name. */
export function updatePage(name: string, text: string): void {
  const before = readFileSync(page, 'utf8');
  const [begin, end] = [`<!-- ${name}:begin -->`, `<!-- ${name}:end -->`];
  const from = before.indexOf(begin);
  const to = before.indexOf(end);
  if (from < 0 || to < from) throw new Error(`${page} has no ${begin} … ${end}.`);
  writeFileSync(page, `${before.slice(0, from + begin.length)}\n\n${text}\n\n${before.slice(to)}`);
}
