import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describeWith } from '../machine.js';
import type { PostgresqlPlan } from '../plan.js';
import type { Report } from '../report.js';
import { startGateway } from '../servers.js';
import { Direct } from './direct.js';
import { writeSqlReport } from './report.js';
import { seed } from './seed.js';
import { startPostgresql } from './server.js';
import { measureSqlSizes } from './size.js';
import { measureSqlThroughput } from './throughput.js';

/** From dist/bench/postgresql, where this runs. */
const configFile = fileURLToPath(new URL('../../../bench/postgresql/gateway.yaml', import.meta.url));

/** The gateway on tables of a real PostgreSQL, beside a program that asks the same tables directly. */
export async function measurePostgresql(
  plan: PostgresqlPlan,
  root: string,
  nodeOptions: readonly string[],
  progress: (text: string) => void,
): Promise<Report> {
  const [serverFolder, gatewayFolder] = ['server', 'gateway'].map((name) => join(root, name)) as [string, string];
  mkdirSync(serverFolder);
  mkdirSync(gatewayFolder, { mode: 0o700 });
  progress(`PostgreSQL: a database with ${plan.users} users`);
  const server = await startPostgresql(serverFolder);
  process.env.BENCH_POSTGRESQL_URL = server.url;
  try {
    const seeded = await seed(server.url, plan);
    const machine = describeWith(gatewayFolder, ['hono', '@hono/node-server', 'pg'], [`PostgreSQL ${server.version}`]);
    const gateway = await startGateway(gatewayFolder, nodeOptions, configFile);
    const direct = new Direct(server.url);
    try {
      const scene = { ...seeded, direct, gateway: gateway.target, plan };
      const few = ['read by id', 'userName eq', 'PATCH', 'add or remove a member'] as const;
      const throughput = await measureSqlThroughput(scene, few, progress);
      const sizes = await measureSqlSizes(scene, progress);
      // Last, since it makes the tables grow.
      const creating = await measureSqlThroughput(scene, ['create'], progress);
      return writeSqlReport({ machine, plan, throughput: [...throughput, ...creating], sizes });
    } finally {
      await direct.close();
      await gateway.stop();
    }
  } finally {
    await server.stop();
  }
}
