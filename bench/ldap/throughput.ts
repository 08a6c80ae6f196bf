import { type Comparison, type SideResult, takeTurns } from '../comparison.js';
import { patchTitle, userDocument, userNameOf } from '../documents.js';
import { type Extent, keepBusy, runLoad, type Work } from '../load.js';
import type { LdapPlan } from '../plan.js';
import { cpuMs } from '../servers.js';
import { byUserName, Client, encodeRequest, listIds, type Target } from '../target.js';
import { seededRandom } from '../throughput.js';
import type { Direct } from './direct.js';
import { groupDn, largeGroup, smallGroup, userDn } from './seed.js';

export const ldapOperations = [
  'read by id',
  'userName eq',
  'PATCH',
  'add or remove a member',
  'the same in a group of all',
  'create',
] as const;
export type LdapOperation = (typeof ldapOperations)[number];

export interface LdapThroughput {
  readonly operation: LdapOperation;
  /** LDAP operations of the gateway for one request, when it has seen the entries before. */
  readonly roundTrips: number;
  readonly comparisons: readonly LdapComparison[];
}

export interface LdapComparison extends Comparison {
  /** Processor time of the directory for one request, in microseconds. */
  readonly directory: { readonly direct: number | undefined; readonly gateway: number | undefined };
}

/** The directory with all who ask it. */
export interface Scene {
  readonly direct: Direct;
  readonly slapdPid: number;
  readonly gateway: Target;
  readonly plan: LdapPlan;
  /** Ids of users 0, 1, 2 … */
  readonly userIds: readonly string[];
  readonly groupIds: readonly string[];
  /** Of the group of all users. */
  readonly largeId: string;
}

/** One operation, as both sides are asked for it. */
interface Pair {
  readonly work: Work;
  readonly ask: () => Promise<void>;
  readonly extent: Extent;
  /** Where not at all numbers of connections. */
  readonly connections?: readonly number[];
}

export async function readScene(parts: Pick<Scene, 'direct' | 'slapdPid' | 'gateway' | 'plan'>): Promise<Scene> {
  const { direct, gateway, plan } = parts;
  const idOf = new Map<string, string>();
  for (const [id, { dn }] of [...(await direct.sweepUsers()), ...(await direct.sweepGroups())]) idOf.set(dn, id);
  const userIds = Array.from({ length: plan.users }, (_, n) => idOf.get(userDn(n)) ?? '');
  const groupIds = Array.from({ length: plan.groups }, (_, n) => idOf.get(groupDn(smallGroup(n))) ?? '');
  const client = await Client.open(gateway);
  const listed = new Set(await listIds(client));
  client.close();
  if (!userIds.every((id) => listed.has(id))) throw new Error('The gateway lists other users than the directory has.');
  return { ...parts, userIds, groupIds, largeId: idOf.get(groupDn(largeGroup)) ?? '' };
}

export async function measureLdapThroughput(
  scene: Scene,
  operations: readonly LdapOperation[],
  progress: (text: string) => void,
): Promise<readonly LdapThroughput[]> {
  const counters = { value: 0, created: scene.plan.users };
  const measured: LdapThroughput[] = [];
  for (const operation of operations) {
    const pair = pairs[operation](scene, counters);
    await warmUp(scene, pair);
    const roundTrips = await countRoundTrips(scene, pair);
    const comparisons: LdapComparison[] = [];
    for (const connections of pair.connections ?? scene.plan.connections) {
      progress(`LDAP: ${operation}, ${connections} connections`);
      comparisons.push(await compareOn(scene, pair, connections));
    }
    measured.push({ operation, roundTrips, comparisons });
  }
  return measured;
}

/** Until the time for a request no longer falls: in a gateway that serves all day, everything has been compiled. */
async function warmUp({ gateway, plan }: Scene, { work, ask, extent }: Pair): Promise<void> {
  const askers = Array.from({ length: 16 }, () => ask);
  const [step, endsAfterMs] = 'ms' in extent ? [{ ms: plan.warmUpMs }, 0] : [extent, plan.warmUpMs];
  for (const run of [() => runLoad(gateway, work, 16, step), () => keepBusy(askers, process.pid, step)]) {
    const startedAt = performance.now();
    do await run();
    while (performance.now() - startedAt < endsAfterMs);
  }
}

async function compareOn(scene: Scene, { work, ask, extent }: Pair, connections: number): Promise<LdapComparison> {
  const askers = Array.from({ length: connections }, () => ask);
  const spent = { direct: [] as number[], gateway: [] as number[] };
  const watched = (side: 'direct' | 'gateway', run: () => Promise<SideResult>) => async (): Promise<SideResult> => {
    const before = cpuMs(scene.slapdPid);
    const startedAt = performance.now();
    const result = await run();
    const requests = (result.perSecond * (performance.now() - startedAt)) / 1000;
    const after = cpuMs(scene.slapdPid);
    if (before !== undefined && after !== undefined) spent[side].push(((after - before) * 1000) / requests);
    return result;
  };
  const comparison = await takeTurns(
    watched('direct', () => keepBusy(askers, process.pid, extent)),
    watched('gateway', () => runLoad(scene.gateway, work, connections, extent)),
    { connections, rounds: scene.plan.rounds },
  );
  const mean = (values: readonly number[]): number | undefined =>
    values.length === 0 ? undefined : values.reduce((sum, value) => sum + value, 0) / values.length;
  return { ...comparison, directory: { direct: mean(spent.direct), gateway: mean(spent.gateway) } };
}

async function countRoundTrips({ direct, gateway }: Scene, { work, extent }: Pair): Promise<number> {
  const requests = 'requests' in extent ? extent.requests : 100;
  const before = await direct.operations();
  await runLoad(gateway, work, 1, { requests });
  return ((await direct.operations()) - before - 1) / requests;
}

interface Counters {
  value: number;
  created: number;
}

type MakePair = (scene: Scene, counters: Counters) => Pair;

const pairs: { readonly [O in LdapOperation]: MakePair } = {
  'read by id': ({ direct, gateway, userIds, plan }) => {
    const requests = userIds.map((id) => encodeRequest(gateway, 'GET', `/Users/${id}`));
    const [one, other] = [picker(requests), picker(userIds)];
    return { work: { status: 200, next: one }, ask: () => direct.readById(other()), extent: { ms: plan.roundMs } };
  },
  'userName eq': ({ direct, gateway, userIds, plan }) => {
    const names = userIds.map((_, n) => userNameOf(n));
    const requests = names.map((name) => encodeRequest(gateway, 'GET', byUserName(name)));
    const [one, other] = [picker(requests), picker(names)];
    return { work: { status: 200, next: one }, ask: () => direct.byUserName(other()), extent: { ms: plan.roundMs } };
  },
  // A title that the user has not got, so that every PATCH is a write.
  PATCH: ({ direct, gateway, userIds, plan }, counters) => {
    const [one, other] = [picker(userIds), picker(userIds.map((_, n) => userDn(n)))];
    const next = (): Buffer =>
      encodeRequest(gateway, 'PATCH', `/Users/${one()}`, patchTitle(`Title ${counters.value++}`));
    const ask = (): Promise<void> => direct.setTitle(other(), `Title ${counters.value++}`);
    return { work: { status: 200, next }, ask, extent: { ms: plan.roundMs } };
  },
  'add or remove a member': (scene) => {
    const { groupIds, plan } = scene;
    const groupOf = (pair: number) => {
      const at = pair % groupIds.length;
      return { id: groupIds[at] ?? '', dn: groupDn(smallGroup(at)) };
    };
    return memberPair(scene, { groupOf, count: plan.membersPerRound, addsFirst: true });
  },
  // Everybody is a member already. One after the other is measured beside, with other sizes.
  'the same in a group of all': (scene) => {
    const groupOf = () => ({ id: scene.largeId, dn: groupDn(largeGroup) });
    return { ...memberPair(scene, { groupOf, count: scene.plan.largePerRound, addsFirst: false }), connections: [16] };
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

interface MemberWork {
  readonly groupOf: (pair: number) => { readonly id: string; readonly dn: string };
  readonly count: number;
  readonly addsFirst: boolean;
}

/** So many are added, and then the same removed: more than requests are under way, so that none overtakes. */
function memberPair({ direct, gateway, userIds }: Scene, { groupOf, count, addsFirst }: MemberWork): Pair {
  const changes = (side: 0 | 1): (() => MemberChange) => {
    let at = 0;
    return () => {
      const pair = Math.floor(at / (2 * count)) * count + (at % count);
      const isAdded = at % (2 * count) < count === addsFirst;
      at++;
      // From the end of the users, who are in no small group; the sides have users of their own.
      const user = userIds.length - 1 - 2 * (pair % (userIds.length >> 2)) - side;
      return { isAdded, group: groupOf(pair), user };
    };
  };
  const [one, other] = [changes(0), changes(1)];
  const next = (): Buffer => {
    const { isAdded, group, user } = one();
    return encodeRequest(gateway, 'PATCH', `/Groups/${group.id}`, memberPatch(isAdded, userIds[user] ?? ''));
  };
  const ask = (): Promise<void> => {
    const { isAdded, group, user } = other();
    return isAdded ? direct.addMember(group.dn, userDn(user)) : direct.removeMember(group.dn, userDn(user));
  };
  return { work: { status: 204, next }, ask, extent: { requests: 2 * count } };
}

interface MemberChange {
  readonly isAdded: boolean;
  readonly group: { readonly id: string; readonly dn: string };
  readonly user: number;
}

export function memberPatch(isAdded: boolean, id: string): string {
  const operation = isAdded
    ? { op: 'add', path: 'members', value: [{ value: id }] }
    : { op: 'remove', path: `members[value eq "${id}"]` };
  return JSON.stringify({ schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'], Operations: [operation] });
}

/** The same picks for both sides. */
function picker<T>(list: readonly T[]): () => T {
  const random = seededRandom(1);
  return () => list[Math.floor(random() * list.length)] as T;
}
