import { median } from './load.js';
import type { Plan } from './plan.js';
import { memoryOf } from './servers.js';
import { Client, encodeRequest, listIds, type Target } from './target.js';
import { seededRandom } from './throughput.js';

const pageSize = 100;
const smallGroup = 10;
const memoryEveryPages = 20;

/** Times of changing one member, in milliseconds. */
export interface MemberTimes {
  readonly add: { readonly small: number; readonly large: number };
  readonly remove: { readonly small: number; readonly large: number };
}

export interface PageTimes {
  /** A page at the end, asked for out of the blue. */
  readonly coldBareMs: number;
  readonly coldMs: number;
  readonly firstMs: number;
  /** A page of a walk from start to end, by startIndex and by cursor. */
  readonly indexWalkMs: number;
  readonly cursorWalkMs: number;
}

export interface WalkMemory {
  readonly users: number;
  readonly seconds: number;
  /** What the process grew by in MB, at its highest. */
  readonly rssGrowth: number | undefined;
  readonly anonymousGrowth: number | undefined;
}

/** Adding and removing one member, by turns in a small group and in one with all users. */
export async function measureMembers(gateway: Target, plan: Plan): Promise<MemberTimes> {
  const client = await Client.open(gateway);
  const ids = await listIds(client);
  const [extra = ''] = ids;
  const others = ids.slice(1);
  const small = await createGroup(client, 'small', others.slice(0, smallGroup));
  const large = await createGroup(client, 'large', others);
  const member = { schemas: [patchSchema], Operations: [{ op: 'add', path: 'members', value: [{ value: extra }] }] };
  const gone = { schemas: [patchSchema], Operations: [{ op: 'remove', path: `members[value eq "${extra}"]` }] };
  const encode = (id: string, body: object): Buffer =>
    encodeRequest(gateway, 'PATCH', `/Groups/${id}`, JSON.stringify(body));
  const requests = {
    small: { add: encode(small, member), remove: encode(small, gone) },
    large: { add: encode(large, member), remove: encode(large, gone) },
  };
  const times = {
    small: { add: [] as number[], remove: [] as number[] },
    large: { add: [] as number[], remove: [] as number[] },
  };
  // The first few warm up and are not counted.
  for (let sample = -10; sample < plan.samples; sample++) {
    for (const size of sample % 2 === 0 ? (['small', 'large'] as const) : (['large', 'small'] as const)) {
      for (const change of ['add', 'remove'] as const) {
        const ms = await client.time(requests[size][change], 204);
        if (sample >= 0) times[size][change].push(ms);
      }
    }
  }
  client.close();
  return {
    add: { small: median(times.small.add), large: median(times.large.add) },
    remove: { small: median(times.small.remove), large: median(times.large.remove) },
  };
}

const patchSchema = 'urn:ietf:params:scim:api:messages:2.0:PatchOp';

async function createGroup(client: Client, displayName: string, ids: readonly string[]): Promise<string> {
  const schemas = ['urn:ietf:params:scim:schemas:core:2.0:Group'];
  const group = { schemas, displayName, members: ids.map((value) => ({ value })) };
  const created = await client.json('POST', '/Groups?excludedAttributes=members', 201, group);
  return String(created.id);
}

export async function measurePages(bare: Target, gateway: Target, plan: Plan): Promise<PageTimes> {
  const onBare = await Client.open(bare);
  const onGateway = await Client.open(gateway);
  const cold: { readonly bare: number[]; readonly gateway: number[] } = { bare: [], gateway: [] };
  const first: number[] = [];
  const random = seededRandom(2);
  const spread = Math.floor(plan.manyUsers / 20);
  for (let sample = -10; sample < plan.samples; sample++) {
    // Around 90 % of the way, and never one that continues an earlier one, since the gateway remembers where pages end.
    const startIndex =
      Math.floor(plan.manyUsers * 0.9) + 1 + (sample <= 0 ? 0 : Math.floor(random() * spread * 2) - spread);
    const bareMs = await onBare.time(pageRequest(bare, startIndex), 200);
    const gatewayMs = await onGateway.time(pageRequest(gateway, startIndex), 200);
    const firstMs = await onGateway.time(pageRequest(gateway, 1), 200);
    if (sample < 0) continue;
    cold.bare.push(bareMs);
    cold.gateway.push(gatewayMs);
    first.push(firstMs);
  }
  const indexWalk = await walkByIndex(onGateway, plan.manyUsers, () => undefined);
  const cursorWalk = await walkByCursor(onGateway);
  onBare.close();
  onGateway.close();
  return {
    coldBareMs: median(cold.bare),
    coldMs: median(cold.gateway),
    firstMs: median(first),
    indexWalkMs: median(indexWalk.slice(1)),
    cursorWalkMs: median(cursorWalk.slice(1)),
  };
}

/** Reads everything page by page and watches the process's memory. */
export async function measureWalkMemory(gateway: Target, plan: Plan): Promise<WalkMemory> {
  const client = await Client.open(gateway);
  // What the first requests cost once (compiled code, caches, a grown heap) is no growth by the walk.
  for (let page = 0; page < plan.warmUpPages; page++) await client.time(pageRequest(gateway, 1), 200);
  const before = memoryOf(gateway.pid);
  let rss = 0;
  let anonymous = 0;
  const startedAt = performance.now();
  await walkByIndex(client, plan.manyUsers, (page) => {
    if (page % memoryEveryPages !== 0) return;
    const now = memoryOf(gateway.pid);
    rss = Math.max(rss, now?.rss ?? 0);
    anonymous = Math.max(anonymous, now?.anonymous ?? 0);
  });
  const seconds = (performance.now() - startedAt) / 1000;
  client.close();
  return {
    users: plan.manyUsers,
    seconds,
    rssGrowth: before && rss - before.rss,
    anonymousGrowth: before && anonymous - before.anonymous,
  };
}

async function walkByIndex(
  client: Client,
  users: number,
  afterPage: (page: number) => void,
): Promise<readonly number[]> {
  const times: number[] = [];
  for (let startIndex = 1; startIndex <= users; startIndex += pageSize) {
    times.push(await client.time(pageRequest(client.target, startIndex), 200));
    afterPage(times.length);
  }
  return times;
}

async function walkByCursor(client: Client): Promise<readonly number[]> {
  const times: number[] = [];
  for (let cursor: string | undefined = ''; cursor !== undefined; ) {
    const path = `/Users?count=${pageSize}&cursor=${encodeURIComponent(cursor)}`;
    const { ms, body } = await client.timedJson(encodeRequest(client.target, 'GET', path), 200);
    times.push(ms);
    cursor = body.nextCursor as string | undefined;
  }
  return times;
}

function pageRequest(target: Target, startIndex: number): Buffer {
  return encodeRequest(target, 'GET', `/Users?startIndex=${startIndex}&count=${pageSize}`);
}
