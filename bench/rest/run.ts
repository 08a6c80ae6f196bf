import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { median } from '../load.js';
import { describeWith, type Machine } from '../machine.js';
import type { RestPlan } from '../plan.js';
import { about, type Judge, micros, percent, type Report, report, type Table } from '../report.js';
import { announcedPort, start, startGateway, stop } from '../servers.js';
import { Client, encodeRequest, listIds } from '../target.js';
import { Direct } from './direct.js';
import { measureRestThroughput, type RestOperation, type RestThroughput, type Scene } from './throughput.js';

/** From dist/bench/rest, where this runs. */
const configFile = fileURLToPath(new URL('../../../bench/rest/gateway.yaml', import.meta.url));
const service = fileURLToPath(new URL('./service.js', import.meta.url));
const token = 'service-token-of-the-benchmark-0123456789';

/** The least part of the direct throughput, at 16 connections. */
const leastRatio: { readonly [O in RestOperation]: number } = {
  'read by id': 0.5,
  'userName eq': 0.5,
  PATCH: 0.8,
  create: 0.8,
};
const targetConnections = 16;
const pageSize = 100;

/** Milliseconds of whole imports, by turns. */
interface Imports {
  readonly directMs: number;
  readonly gatewayMs: number;
  readonly ratio: number;
}

/** The gateway on a REST service, beside a program that asks the same service directly. */
export async function measureRest(
  plan: RestPlan,
  root: string,
  nodeOptions: readonly string[],
  progress: (text: string) => void,
): Promise<Report> {
  const [serviceFolder, gatewayFolder] = ['service', 'gateway'].map((name) => join(root, name)) as [string, string];
  for (const path of [serviceFolder, gatewayFolder]) mkdirSync(path, { mode: 0o700 });
  progress(`REST: a service with ${plan.users} users`);
  const place = ['--file', join(serviceFolder, 'users.db'), '--token', token, '--seed', String(plan.users)];
  const child = start([service, ...place], serviceFolder);
  process.once('exit', () => child.kill('SIGKILL'));
  try {
    const origin = `http://127.0.0.1:${await announcedPort(child)}`;
    process.env.BENCH_REST_URL = `${origin}/api`;
    process.env.BENCH_REST_TOKEN = token;
    const machine = describeWith(serviceFolder, ['hono', '@hono/node-server', 'undici'], []);
    const gateway = await startGateway(gatewayFolder, nodeOptions, configFile);
    const direct = new Direct(origin, token);
    try {
      const ids = await direct.importUsers(pageSize);
      const scene = { direct, gateway: gateway.target, plan, ids };
      await expectSameUsers(scene);
      const imports = await measureImports(scene, progress);
      const throughput = await measureRestThroughput(scene, progress);
      return writeRestReport(machine, plan, throughput, imports);
    } finally {
      await direct.close();
      await gateway.stop();
    }
  } finally {
    await stop(child);
  }
}

async function expectSameUsers({ gateway, ids }: Scene): Promise<void> {
  const client = await Client.open(gateway);
  const listed = new Set(await listIds(client));
  client.close();
  if (listed.size !== ids.length || !ids.every((id) => listed.has(id))) {
    throw new Error('The gateway lists other users than the service has.');
  }
}

async function measureImports(scene: Scene, progress: (text: string) => void): Promise<Imports> {
  progress('REST: whole imports');
  const { direct, gateway, ids, plan } = scene;
  const client = await Client.open(gateway);
  const [straight, through]: readonly [number[], number[]] = [[], []];
  for (let sample = -1; sample < plan.imports; sample++) {
    const startedAt = performance.now();
    await direct.importUsers(pageSize);
    const directMs = performance.now() - startedAt;
    let gatewayMs = 0;
    for (let startIndex = 1; startIndex <= ids.length; startIndex += pageSize) {
      const request = encodeRequest(gateway, 'GET', `/Users?startIndex=${startIndex}&count=${pageSize}`);
      gatewayMs += await client.time(request, 200);
    }
    if (sample < 0) continue;
    straight.push(directMs);
    through.push(gatewayMs);
  }
  client.close();
  const ratio = median(through.map((ms, at) => ms / (straight[at] ?? Number.NaN)));
  return { directMs: median(straight), gatewayMs: median(through), ratio };
}

function writeRestReport(
  machine: Machine,
  plan: RestPlan,
  throughput: readonly RestThroughput[],
  imports: Imports,
): Report {
  return report((judge) => [about(machine), throughputTable(throughput, judge), importTable(plan, imports)]);
}

function throughputTable(throughput: readonly RestThroughput[], judge: Judge): Table {
  const rows = throughput.flatMap(({ operation, roundTrips, comparisons }) =>
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
        ...judge(`REST, ${operation}, ${connections} connections: ${percent(ratio)}`, verdict),
        roundTrips.toFixed(1),
        micros(bare.cpuMicros),
        micros(gateway.cpuMicros),
        bare.p99Ms.toFixed(1),
        gateway.p99Ms.toFixed(1),
      ];
    }),
  );
  const head = [
    ...['operation', 'connections', 'direct, per s', 'gateway, per s', 'ratio (range)', 'target', ''],
    ...['requests', 'undici CPU, µs', 'gateway CPU, µs', 'direct p99, ms', 'gateway p99, ms'],
  ];
  return { head, rows };
}

function importTable({ users }: RestPlan, { directMs, gatewayMs, ratio }: Imports): Table {
  const name = `import of ${users.toLocaleString('en')} by startIndex, in pages of ${pageSize}`;
  return {
    head: ['measure', 'result', 'compared with', 'ratio'],
    rows: [[name, `${gatewayMs.toFixed(0)} ms`, `direct: ${directMs.toFixed(0)} ms`, `${ratio.toFixed(2)} ×`]],
  };
}
