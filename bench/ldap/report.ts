import type { Machine } from '../machine.js';
import type { LdapPlan } from '../plan.js';
import { about, type Judge, micros, percent, type Report, report, shownMs, type Table } from '../report.js';
import type { LdapSizes, Versus } from './size.js';
import type { LdapOperation, LdapThroughput } from './throughput.js';

export interface LdapResults {
  readonly machine: Machine;
  readonly plan: LdapPlan;
  readonly throughput: readonly LdapThroughput[];
  readonly sizes: LdapSizes;
}

/** The least part of the direct throughput, at 16 connections. */
const leastRatio: { readonly [O in LdapOperation]: number } = {
  'read by id': 0.4,
  'userName eq': 0.4,
  PATCH: 0.8,
  'add or remove a member': 0.8,
  'the same in a group of all': 0.9,
  create: 0.8,
};
const targetConnections = 16;
const mostImport = 1.5;
const mostColdPage = 1;
const mostGrowthMb = 30;

export function writeLdapReport(results: LdapResults): Report {
  return report((judge) => [
    about(results.machine),
    throughputTable(results.throughput, judge),
    sizeTable(results, judge),
  ]);
}

function throughputTable(throughput: readonly LdapThroughput[], judge: Judge): Table {
  const rows = throughput.flatMap(({ operation, roundTrips, comparisons }) =>
    comparisons.map(({ connections, bare, gateway, ratio, range, directory }) => {
      const least = leastRatio[operation];
      const verdict =
        connections === targetConnections ? { target: `≥ ${percent(least)}`, passed: ratio >= least } : undefined;
      return [
        operation,
        String(connections),
        bare.perSecond.toFixed(0),
        gateway.perSecond.toFixed(0),
        `${percent(ratio)} (${percent(range[0])}–${percent(range[1])})`,
        ...judge(`LDAP, ${operation}, ${connections} connections: ${percent(ratio)}`, verdict),
        roundTrips.toFixed(1),
        micros(bare.cpuMicros),
        micros(gateway.cpuMicros),
        `${micros(directory.direct)} / ${micros(directory.gateway)}`,
        bare.p99Ms.toFixed(1),
        gateway.p99Ms.toFixed(1),
      ];
    }),
  );
  const head = [
    ...['operation', 'connections', 'direct, per s', 'gateway, per s', 'ratio (range)', 'target', ''],
    ...['LDAP operations', 'ldapts CPU, µs', 'gateway CPU, µs', 'slapd CPU, µs', 'direct p99, ms', 'gateway p99, ms'],
  ];
  return { head, rows };
}

function sizeTable({ plan, sizes }: LdapResults, judge: Judge): Table {
  const many = plan.users.toLocaleString('en');
  const shown = ({ ratio, range }: Versus, unit: (ratio: number) => string): string =>
    `${unit(ratio)} (${unit(range[0])}–${unit(range[1])})`;
  // One after the other: how much longer one waits, not how many fit into a second.
  const wait = (name: string, times: Versus): readonly string[] => [
    name,
    ms(times.gatewayMs),
    `direct: ${ms(times.directMs)}`,
    shown(times, (r) => `${r.toFixed(2)} ×`),
    '',
    '',
  ];
  const factor = (name: string, than: string, times: Versus, most: number): readonly string[] => {
    const verdict = { target: `≤ ${most} ×`, passed: times.ratio <= most };
    const judged = judge(`LDAP, ${name}: ${times.ratio.toFixed(2)} ×`, verdict);
    return [
      name,
      ms(times.gatewayMs),
      `${than}: ${ms(times.directMs)}`,
      shown(times, (r) => `${r.toFixed(2)} ×`),
      ...judged,
    ];
  };
  const growth = sizes.memoryGrowth;
  const grown = growth === undefined ? 'unknown' : `${growth.toFixed(0)} MB`;
  const flat = { target: `≤ ${mostGrowthMb} MB`, passed: growth !== undefined && growth <= mostGrowthMb };
  return {
    head: ['measure', 'result', 'compared with', 'ratio (range)', 'target', ''],
    rows: [
      wait(`add a member to a group of ${many}, one at a time`, sizes.addToLarge),
      wait(`remove a member of a group of ${many}, one at a time`, sizes.removeFromLarge),
      factor(`import of ${many} by startIndex`, 'direct, and a sweep of ids', sizes.importByIndex, mostImport),
      factor(`import of ${many} by cursor`, 'direct, and a sweep of ids', sizes.importByCursor, mostImport),
      factor('cold page of 100 anywhere', 'a sweep of ids', sizes.coldPage, mostColdPage),
      ['', '', `a virtual list view: ${ms(sizes.virtualListMs)}`, '', '', ''],
      [
        `growth of memory while ${many} users are read ${sizes.memoryWalks} times in pages of 100`,
        ...[grown, '', '', ...judge(`LDAP, growth of memory: ${grown}`, flat)],
      ],
    ],
  };
}

const ms = (value: number): string => (value < 10 ? shownMs(value) : `${value.toFixed(0)} ms`);
