import { type Comparison, takeTurns } from '../comparison.js';
import { patchTitle, userDocument, userNameOf } from '../documents.js';
import { memberPatch } from '../ldap/throughput.js';
import { type Extent, keepBusy, runLoad, type Work } from '../load.js';
import type { PostgresqlPlan } from '../plan.js';
import { byUserName, encodeRequest, type Target } from '../target.js';
import { seededRandom } from '../throughput.js';
import type { Direct } from './direct.js';
import type { Seeded } from './seed.js';

export const operations = ['read by id', 'userName eq', 'PATCH', 'add or remove a member', 'create'] as const;
export type SqlOperation = (typeof operations)[number];

export interface SqlThroughput {
  readonly operation: SqlOperation;
  readonly comparisons: readonly Comparison[];
}

/** The database with all who ask it. */
export interface Scene extends Seeded {
  readonly direct: Direct;
  readonly gateway: Target;
  readonly plan: PostgresqlPlan;
}

/** One operation, as both sides are asked for it. */
interface Pair {
  readonly work: Work;
  readonly ask: () => Promise<void>;
  readonly extent: Extent;
}

export async function measureSqlThroughput(
  scene: Scene,
  wanted: readonly SqlOperation[],
  progress: (text: string) => void,
): Promise<readonly SqlThroughput[]> {
  const counters = { value: 0, created: scene.plan.users };
  const measured: SqlThroughput[] = [];
  for (const operation of wanted) {
    const { work, ask, extent } = pairs[operation](scene, counters);
    const { gateway, plan } = scene;
    const askers = (count: number) => Array.from({ length: count }, () => ask);
    const warmUp = 'ms' in extent ? { ms: plan.warmUpMs } : extent;
    await runLoad(gateway, work, 16, warmUp);
    await keepBusy(askers(16), process.pid, warmUp);
    const comparisons: Comparison[] = [];
    for (const connections of plan.connections) {
      progress(`PostgreSQL: ${operation}, ${connections} connections`);
      const onDirect = () => keepBusy(askers(connections), process.pid, extent);
      const onGateway = () => runLoad(gateway, work, connections, extent);
      comparisons.push(await takeTurns(onDirect, onGateway, { connections, rounds: plan.rounds }));
    }
    measured.push({ operation, comparisons });
  }
  return measured;
}

interface Counters {
  value: number;
  created: number;
}

const pairs: { readonly [O in SqlOperation]: (scene: Scene, counters: Counters) => Pair } = {
  'read by id': ({ direct, gateway, userIds, plan }) => {
    const [one, other] = [picker(userIds), picker(userIds)];
    const next = (): Buffer => encodeRequest(gateway, 'GET', `/Users/${one()}`);
    return { work: { status: 200, next }, ask: () => direct.readById(other()), extent: { ms: plan.roundMs } };
  },
  'userName eq': ({ direct, gateway, userIds, plan }) => {
    const names = userIds.map((_, n) => userNameOf(n));
    const [one, other] = [picker(names), picker(names)];
    const next = (): Buffer => encodeRequest(gateway, 'GET', byUserName(one()));
    return { work: { status: 200, next }, ask: () => direct.byUserName(other()), extent: { ms: plan.roundMs } };
  },
  // A title that the user has not got, so that every PATCH is a write.
  PATCH: ({ direct, gateway, userIds, plan }, counters) => {
    const [one, other] = [picker(userIds), picker(userIds)];
    const title = (): string => `Title ${counters.value++}`;
    const next = (): Buffer => encodeRequest(gateway, 'PATCH', `/Users/${one()}`, patchTitle(title()));
    return { work: { status: 200, next }, ask: () => direct.setTitle(other(), title()), extent: { ms: plan.roundMs } };
  },
  'add or remove a member': memberPair,
  create: ({ direct, gateway, plan }, counters) => {
    const next = (): Buffer => {
      return encodeRequest(gateway, 'POST', '/Users', JSON.stringify(userDocument(counters.created++)));
    };
    const ask = (): Promise<void> => direct.create(counters.created++);
    return { work: { status: 201, next }, ask, extent: { requests: plan.createsPerRound } };
  },
};

/** So many are added, and then the same removed: more than requests are under way, so that none overtakes. */
function memberPair({ direct, gateway, userIds, groupIds, plan }: Scene): Pair {
  const count = plan.membersPerRound;
  const changes = (side: 0 | 1) => {
    let at = 0;
    return () => {
      const pair = Math.floor(at / (2 * count)) * count + (at % count);
      const isAdded = at % (2 * count) < count;
      at++;
      // From the end of the users, who are in no small group; the sides have users of their own.
      const user = userIds[userIds.length - 1 - 2 * (pair % (userIds.length >> 2)) - side] ?? '';
      return { isAdded, group: groupIds[pair % groupIds.length] ?? '', user };
    };
  };
  const [one, other] = [changes(0), changes(1)];
  const next = (): Buffer => {
    const { isAdded, group, user } = one();
    return encodeRequest(gateway, 'PATCH', `/Groups/${group}`, memberPatch(isAdded, user));
  };
  const ask = (): Promise<void> => {
    const { isAdded, group, user } = other();
    return isAdded ? direct.addMember(group, user) : direct.removeMember(group, user);
  };
  return { work: { status: 204, next }, ask, extent: { requests: 2 * count } };
}

function picker(list: readonly string[]): () => string {
  const random = seededRandom(1);
  return () => list[Math.floor(random() * list.length)] ?? '';
}
