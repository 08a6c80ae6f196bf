/**
 * `npm run bench`: the gateway against a bare handler on the same kind of database, and against itself at other sizes.
 * With OpenLDAP or PostgreSQL installed, also what the gateway costs on a directory or on a server's tables; and on a REST service.
 * --only sqlite|ldap|postgresql|rest: one part. --quick: only whether everything runs, in less than a minute. --write: brings the tables into docs/performance.md.
 * --cpu-prof FOLDER: CPU profiles of both servers under the throughput measures.
 */
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { measureLdap } from './ldap/run.js';
import { whyNoSlapd } from './ldap/slapd.js';
import { describeMachine } from './machine.js';
import { fullPlan, type Plan, quickPlan } from './plan.js';
import { measurePostgresql } from './postgresql/run.js';
import { whyNoPostgresql } from './postgresql/server.js';
import { type Report, type Results, updatePage, writeReport } from './report.js';
import { measureRest } from './rest/run.js';
import { type ServerProcess, startBare, startGateway, startUnwatched } from './servers.js';
import { measureMembers, measurePages, measureWalkMemory } from './size.js';
import { createUsers, measureThroughput, measureWatching } from './throughput.js';

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
    only: { type: 'string' },
    'cpu-prof': { type: 'string' },
  },
});

function progress(text: string): void {
  process.stderr.write(`${text}\n`);
}

async function withServers<T>(
  starting: readonly Promise<ServerProcess>[],
  use: (...servers: readonly ServerProcess[]) => Promise<T>,
): Promise<T> {
  const settled = await Promise.allSettled(starting);
  const servers = settled.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  try {
    await Promise.all(starting);
    return await use(...servers);
  } finally {
    await Promise.all(servers.map((server) => server.stop()));
  }
}

function folder(root: string, name: string): string {
  const path = join(root, name);
  mkdirSync(path, { mode: 0o700 });
  return path;
}

const partNames = ['sqlite', 'ldap', 'postgresql', 'rest'] as const;

/** Each part with its marks in docs/performance.md. */
const parts: Readonly<Record<string, (plan: Plan, root: string) => Promise<Report | undefined>>> = {
  bench: async (plan, root) => (isWanted('sqlite') ? writeReport(await measure(plan, root)) : undefined),
  'bench-ldap': async (plan, root) => {
    if (!isWanted('ldap')) return undefined;
    const reason = whyNoSlapd();
    if (reason === undefined) return measureLdap(plan.ldap, folder(root, 'ldap'), nodeOptions(), progress);
    progress(`The part on a directory is left out: ${reason}.`);
    return undefined;
  },
  'bench-rest': async (plan, root) =>
    isWanted('rest') ? measureRest(plan.rest, folder(root, 'rest'), nodeOptions(), progress) : undefined,
  'bench-postgresql': async (plan, root) => {
    if (!isWanted('postgresql')) return undefined;
    const reason = whyNoPostgresql();
    if (reason === undefined) {
      // PostgreSQL runs as nobody, who has to get through.
      chmodSync(root, 0o711);
      const own = folder(root, 'postgresql');
      chmodSync(own, 0o711);
      return measurePostgresql(plan.postgresql, own, nodeOptions(), progress);
    }
    progress(`The part on PostgreSQL is left out: ${reason}.`);
    return undefined;
  },
};

function isWanted(part: (typeof partNames)[number]): boolean {
  return options.only === undefined || options.only === part;
}

async function main(): Promise<void> {
  if (options.only !== undefined && !partNames.some((name) => name === options.only)) {
    throw new Error(`--only takes one of ${partNames.join(', ')}.`);
  }
  const plan: Plan = options.quick ? quickPlan : fullPlan;
  const root = mkdtempSync(join(tmpdir(), 'scimbridge-bench-'));
  const missed: string[] = [];
  try {
    for (const [name, run] of Object.entries(parts)) {
      const report = await run(plan, root);
      if (report === undefined) continue;
      process.stdout.write(`${report.text}\n\n`);
      missed.push(...report.missed);
      if (options.write && !options.quick) updatePage(name, report.text);
    }
    if (options.quick) {
      process.stdout.write('Everything ran. After so short a time the figures mean nothing.\n');
      return;
    }
    process.stdout.write(missed.length === 0 ? 'All targets are met.\n' : `Missed:\n  ${missed.join('\n  ')}\n`);
    process.exitCode = missed.length === 0 ? 0 : 1;
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

function nodeOptions(): readonly string[] {
  const profile = options['cpu-prof'];
  return profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profile}`];
}

async function measure(plan: Plan, root: string): Promise<Results> {
  const bareFolder = folder(root, 'bare');
  const gatewayFolder = folder(root, 'gateway');
  const [throughput, watching] = await withServers(
    [startBare(bareFolder, plan.users, nodeOptions()), startGateway(gatewayFolder, nodeOptions())],
    async (bare, gateway) => {
      progress(`creating ${plan.users} users`);
      await createUsers(gateway.target, plan.users);
      const watching = await withServers([startUnwatched(gatewayFolder)], (unwatched) => {
        progress('authentication and transactions');
        return measureWatching(unwatched.target, gateway.target, plan);
      });
      return [await measureThroughput(bare.target, gateway.target, plan, progress), watching] as const;
    },
  );
  return { machine: describeMachine(root), throughput, watching, ...(await measureSizes(plan, root)) };
}

async function measureSizes(
  plan: Plan,
  root: string,
): Promise<Pick<Results, 'members' | 'pages' | 'memory' | 'startMs' | 'manyUsers'>> {
  const bareFolder = folder(root, 'bare-many');
  const gatewayFolder = folder(root, 'gateway-many');
  await withServers([startGateway(gatewayFolder)], async (gateway) => {
    progress(`creating ${plan.manyUsers} users`);
    await createUsers(gateway.target, plan.manyUsers);
  });
  const startMs: number[] = [];
  for (let start = 0; start < plan.starts; start++) {
    progress('start to ready');
    startMs.push(await withServers([startGateway(gatewayFolder)], async (gateway) => gateway.readyMs));
  }
  progress('memory');
  // A process of its own: one that has read everything before would not grow any more.
  const memory = await withServers([startGateway(gatewayFolder)], (gateway) => measureWalkMemory(gateway.target, plan));
  return withServers([startBare(bareFolder, plan.manyUsers), startGateway(gatewayFolder)], async (bare, gateway) => {
    progress('pages');
    const pages = await measurePages(bare.target, gateway.target, plan);
    progress('members');
    const members = await measureMembers(gateway.target, plan);
    return { members, pages, memory, startMs, manyUsers: plan.manyUsers };
  });
}

await main();
