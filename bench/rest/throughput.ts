import { type Comparison, takeTurns } from '../comparison.js';
import { patchTitle, userDocument, userNameOf } from '../documents.js';
import { type Extent, keepBusy, runLoad, type Work } from '../load.js';
import type { RestPlan } from '../plan.js';
import { byUserName, encodeRequest, type Target } from '../target.js';
import { seededRandom } from '../throughput.js';
import type { Direct } from './direct.js';

export const restOperations = ['read by id', 'userName eq', 'PATCH', 'create'] as const;
export type RestOperation = (typeof restOperations)[number];

export interface RestThroughput {
  readonly operation: RestOperation;
  /** Requests of the gateway to the service for one of its own. */
  readonly roundTrips: number;
  readonly comparisons: readonly Comparison[];
}

/** The service with those who ask it. */
export interface Scene {
  readonly direct: Direct;
  readonly gateway: Target;
  readonly plan: RestPlan;
  readonly ids: readonly string[];
}

/** One operation, as both sides are asked for it. */
interface Pair {
  readonly work: Work;
  readonly ask: () => Promise<void>;
  readonly extent: Extent;
}

/** Creating comes last, since it makes the service grow. */
export async function measureRestThroughput(
  scene: Scene,
  progress: (text: string) => void,
): Promise<readonly RestThroughput[]> {
  const counters: Counters = { title: 0, created: scene.plan.users };
  const measured: RestThroughput[] = [];
  for (const operation of restOperations) {
    const pair = pairs[operation](scene, counters);
    const warmUp = 'ms' in pair.extent ? { ms: scene.plan.warmUpMs } : pair.extent;
    await runLoad(scene.gateway, pair.work, 16, warmUp);
    await keepBusy(askers(pair, 16), process.pid, warmUp);
    const roundTrips = await countRoundTrips(scene, pair);
    const comparisons: Comparison[] = [];
    for (const connections of scene.plan.connections) {
      progress(`REST: ${operation}, ${connections} connections`);
      const comparison = await takeTurns(
        () => keepBusy(askers(pair, connections), process.pid, pair.extent),
        () => runLoad(scene.gateway, pair.work, connections, pair.extent),
        { connections, rounds: scene.plan.rounds },
      );
      comparisons.push(comparison);
    }
    measured.push({ operation, roundTrips, comparisons });
  }
  return measured;
}

function askers({ ask }: Pair, connections: number): readonly (() => Promise<void>)[] {
  return Array.from({ length: connections }, () => ask);
}

async function countRoundTrips({ direct, gateway }: Scene, { work }: Pair): Promise<number> {
  const requests = 50;
  const before = await direct.requests();
  await runLoad(gateway, work, 1, { requests });
  return ((await direct.requests()) - before) / requests;
}

interface Counters {
  title: number;
  created: number;
}

type MakePair = (scene: Scene, counters: Counters) => Pair;

const pairs: { readonly [O in RestOperation]: MakePair } = {
  'read by id': ({ direct, gateway, ids, plan }) => {
    const requests = ids.map((id) => encodeRequest(gateway, 'GET', `/Users/${id}`));
    const [one, other] = [picker(requests), picker(ids)];
    return { work: { status: 200, next: one }, ask: () => direct.readById(other()), extent: { ms: plan.roundMs } };
  },
  'userName eq': ({ direct, gateway, ids, plan }) => {
    const names = ids.map((_, n) => userNameOf(n));
    const requests = names.map((name) => encodeRequest(gateway, 'GET', byUserName(name)));
    const [one, other] = [picker(requests), picker(names)];
    return { work: { status: 200, next: one }, ask: () => direct.byUserName(other()), extent: { ms: plan.roundMs } };
  },
  // A title that the user has not got, so that every PATCH is a write.
  PATCH: ({ direct, gateway, ids, plan }, counters) => {
    const [one, other] = [picker(ids), picker(ids)];
    const next = (): Buffer =>
      encodeRequest(gateway, 'PATCH', `/Users/${one()}`, patchTitle(`Title ${counters.title++}`));
    const ask = (): Promise<void> => direct.setTitle(other(), `Title ${counters.title++}`);
    return { work: { status: 200, next }, ask, extent: { ms: plan.roundMs } };
  },
  create: ({ direct, gateway, plan }, counters) => ({
    work: {
      status: 201,
      next: () => encodeRequest(gateway, 'POST', '/Users', JSON.stringify(userDocument(counters.created++))),
    },
    ask: () => direct.create(counters.created++),
    extent: { requests: plan.createsPerRound },
  }),
};

/** The same picks for both sides. */
function picker<T>(list: readonly T[]): () => T {
  const random = seededRandom(1);
  return () => list[Math.floor(random() * list.length)] as T;
}
