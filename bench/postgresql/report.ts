import type { Machine } from '../machine.js';
import type { PostgresqlPlan } from '../plan.js';
import { about, type Judge, micros, percent, type Report, report, shownMs, type Table } from '../report.js';
import type { SqlSizes } from './size.js';
import type { SqlOperation, SqlThroughput } from './throughput.js';

export interface SqlResults {
  readonly machine: Machine;
  readonly plan: PostgresqlPlan;
  readonly throughput: readonly SqlThroughput[];
  readonly sizes: SqlSizes;
}

/** The least part of the direct throughput, at 16 connections. */
const leastRatio: { readonly [O in SqlOperation]: number } = {
  'read by id': 0.5,
  'userName eq': 0.5,
  PATCH: 0.8,
  'add or remove a member': 0.8,
  create: 0.8,
};
const targetConnections = 16;
const mostMemberRatio = 1.5;
const mostPageRatio = 2;

export function writeSqlReport({ machine, plan, throughput, sizes }: SqlResults): Report {
  return report((judge) => [about(machine), throughputTable(throughput, judge), sizeTable(plan, sizes, judge)]);
}

function throughputTable(throughput: readonly SqlThroughput[], judge: Judge): Table {
  const rows = throughput.flatMap(({ operation, comparisons }) =>
    comparisons.map(({ connections, bare, gateway, ratio, range }) => {
      const least = leastRatio[operation];
      const verdict =
        connections === targetConnections ? { target: `≥ ${percent(least)}`, passed: ratio >= least } : undefined;
      return [
        operation,
        String(connections),
        bare.perSecond.toFixed(0),
        gateway.perSecond.toFixed(0),
        `${percent(ratio)} (${percent(range[0])}–${percent(range[1])})`,
        ...judge(`PostgreSQL, ${operation}, ${connections} connections: ${percent(ratio)}`, verdict),
        micros(bare.cpuMicros),
        micros(gateway.cpuMicros),
        bare.p99Ms.toFixed(1),
        gateway.p99Ms.toFixed(1),
      ];
    }),
  );
  const head = [
    ...['operation', 'connections', 'direct, per s', 'gateway, per s', 'ratio (range)', 'target', ''],
    ...['pg CPU, µs', 'gateway CPU, µs', 'direct p99, ms', 'gateway p99, ms'],
  ];
  return { head, rows };
}

function sizeTable({ users }: PostgresqlPlan, sizes: SqlSizes, judge: Judge): Table {
  const many = users.toLocaleString('en');
  const far = Math.floor(users * 0.9).toLocaleString('en');
  const compared = (name: string, ms: number, than: string, baseMs: number, most: number): readonly string[] => {
    const ratio = ms / baseMs;
    const shown = `${ratio.toFixed(2)} ×`;
    const judged = judge(`PostgreSQL, ${name}: ${shown}`, { target: `≤ ${most} ×`, passed: ratio <= most });
    return [name, shownMs(ms), `${than}: ${shownMs(baseMs)}`, shown, ...judged];
  };
  const { add, remove, firstPageMs, deepByIndexMs, deepByCursorMs, coldDeepMs } = sizes;
  return {
    head: ['measure', 'result', 'compared with', 'ratio', 'target', ''],
    rows: [
      compared(`add a member to a group of ${many}`, add.large, 'group of 10', add.small, mostMemberRatio),
      compared(`remove a member of a group of ${many}`, remove.large, 'group of 10', remove.small, mostMemberRatio),
      compared(`page of a walk by startIndex at ${far}`, deepByIndexMs, 'first page', firstPageMs, mostPageRatio),
      compared(`page of a walk by cursor at ${far}`, deepByCursorMs, 'first page', firstPageMs, mostPageRatio),
      [`cold page of 100 at ${far} of ${many}`, shownMs(coldDeepMs), `first page: ${shownMs(firstPageMs)}`, '', '', ''],
    ],
  };
}
