import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describeWith } from '../machine.js';
import type { LdapPlan } from '../plan.js';
import type { Report } from '../report.js';
import { startGateway } from '../servers.js';
import { Direct } from './direct.js';
import { writeLdapReport } from './report.js';
import { password } from './seed.js';
import { measureLdapSizes } from './size.js';
import { startSlapd } from './slapd.js';
import { measureLdapThroughput, readScene } from './throughput.js';

/** From dist/bench/ldap, where this runs. */
const configFile = fileURLToPath(new URL('../../../bench/ldap/gateway.yaml', import.meta.url));
const membersEach = 10;

/** The gateway on a real directory, beside a program that asks the same directory directly. */
export async function measureLdap(
  plan: LdapPlan,
  root: string,
  nodeOptions: readonly string[],
  progress: (text: string) => void,
): Promise<Report> {
  const [slapdFolder, gatewayFolder] = ['slapd', 'gateway'].map((name) => join(root, name)) as [string, string];
  for (const path of [slapdFolder, gatewayFolder]) mkdirSync(path, { mode: 0o700 });
  progress(`LDAP: a directory with ${plan.users} users`);
  const slapd = await startSlapd(slapdFolder, { users: plan.users, groups: plan.groups, membersEach });
  process.env.BENCH_LDAP_URL = slapd.url;
  process.env.BENCH_LDAP_PASSWORD = password;
  try {
    const machine = describeWith(slapdFolder, ['hono', '@hono/node-server', 'ldapts'], [`OpenLDAP ${slapd.version}`]);
    const gateway = await startGateway(gatewayFolder, nodeOptions, configFile);
    const direct = await Direct.open(slapd.url);
    try {
      const scene = await readScene({ direct, slapdPid: slapd.pid, gateway: gateway.target, plan });
      const few = [
        'read by id',
        'userName eq',
        'PATCH',
        'add or remove a member',
        'the same in a group of all',
      ] as const;
      const throughput = await measureLdapThroughput(scene, few, progress);
      const sizes = await measureLdapSizes(scene, slapd.url, progress);
      // Last, since it makes the directory grow.
      const creating = await measureLdapThroughput(scene, ['create'], progress);
      return writeLdapReport({ machine, plan, throughput: [...throughput, ...creating], sizes });
    } finally {
      await direct.close();
      await gateway.stop();
    }
  } finally {
    await slapd.stop();
  }
}
