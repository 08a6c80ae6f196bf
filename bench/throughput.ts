import { deepStrictEqual } from 'node:assert';
import { type Comparison, compare } from './comparison.js';
import { patchTitle, userDocument, userNameOf } from './documents.js';
import { type Extent, runLoad, type Work } from './load.js';
import type { Plan } from './plan.js';
import { byUserName, Client, encodeRequest, type Json, listIds, type Target } from './target.js';

export type Operation = 'read by id' | 'userName eq' | 'PATCH' | 'create';

export interface Throughput {
  readonly operation: Operation;
  readonly comparisons: readonly Comparison[];
}

/** What a side's requests are made from. */
interface Material {
  readonly target: Target;
  readonly ids: readonly string[];
  readonly random: () => number;
  /** Numbers of users that have not been created yet. */
  nextUser: number;
  nextTitle: number;
}

type MakeWork = (material: Material) => Work;

const operations: { readonly [O in Operation]: MakeWork } = {
  'read by id': ({ target, ids, random }) => {
    const requests = ids.map((id) => encodeRequest(target, 'GET', `/Users/${id}`));
    return { status: 200, next: () => pick(requests, random) };
  },
  'userName eq': ({ target, ids, random }) => {
    const requests = ids.map((_, n) => encodeRequest(target, 'GET', byUserName(userNameOf(n))));
    return { status: 200, next: () => pick(requests, random) };
  },
  // A title that the user has not got, so that every PATCH is a write.
  PATCH: (material) => ({
    status: 200,
    next: () => {
      const body = patchTitle(`Title ${material.nextTitle++}`);
      return encodeRequest(material.target, 'PATCH', `/Users/${pick(material.ids, material.random)}`, body);
    },
  }),
  create: (material) => ({
    status: 201,
    next: () => encodeRequest(material.target, 'POST', '/Users', JSON.stringify(userDocument(material.nextUser++))),
  }),
};

/** Creates users 0 to count - 1 with the load generator, which warms the server up at the same time. */
export async function createUsers(target: Target, count: number): Promise<void> {
  const material = { target, ids: [], random: Math.random, nextUser: 0, nextTitle: 0 };
  await runLoad(target, operations.create(material), 32, { requests: count });
}

/** Requests per second of both servers: each operation at each number of connections. Creating comes last. */
export async function measureThroughput(
  bare: Target,
  gateway: Target,
  plan: Plan,
  progress: (text: string) => void,
): Promise<readonly Throughput[]> {
  await expectSameAnswers(bare, gateway);
  const sides = [await materialFor(bare, plan), await materialFor(gateway, plan)] as const;
  const measured: Throughput[] = [];
  for (const [name, makeWork] of Object.entries(operations) as [Operation, MakeWork][]) {
    const [onBare, onGateway] = sides.map((material) => ({ target: material.target, work: makeWork(material) }));
    if (onBare === undefined || onGateway === undefined) continue;
    for (const { target, work } of [onBare, onGateway]) await runLoad(target, work, 16, warmUp(name, plan));
    const comparisons: Comparison[] = [];
    for (const connections of plan.connections) {
      progress(`${name}, ${connections} connections`);
      comparisons.push(
        await compare(onBare, onGateway, { connections, rounds: plan.rounds, extent: extent(name, plan) }),
      );
    }
    measured.push({ operation: name, comparisons });
  }
  return measured;
}

/** Reads by id of the gateway with and without authentication and transactions, at 16 connections. */
export async function measureWatching(unwatched: Target, gateway: Target, plan: Plan): Promise<Comparison> {
  const makeWork = operations['read by id'];
  const [without, full] = [await materialFor(unwatched, plan), await materialFor(gateway, plan)];
  const sides = [without, full].map((material) => ({ target: material.target, work: makeWork(material) }));
  const [one, other] = sides;
  if (one === undefined || other === undefined) throw new Error('Two sides are compared.');
  for (const { target, work } of sides) await runLoad(target, work, 16, warmUp('read by id', plan));
  return compare(one, other, { connections: 16, rounds: plan.rounds, extent: extent('read by id', plan) });
}

function extent(operation: Operation, { roundMs, createsPerRound }: Plan): Extent {
  return operation === 'create' ? { requests: createsPerRound } : { ms: roundMs };
}

function warmUp(operation: Operation, { warmUpMs, createsPerRound }: Plan): Extent {
  return operation === 'create' ? { requests: createsPerRound } : { ms: warmUpMs };
}

async function materialFor(target: Target, plan: Plan): Promise<Material> {
  const client = await Client.open(target);
  const ids = (await listIds(client)).slice(0, plan.users);
  client.close();
  // The same picks on both sides.
  return { target, ids, random: seededRandom(1), nextUser: plan.users, nextTitle: 0 };
}

/** Both sides are to do the same work: one user, read in both ways, is compared but for its id and its times. */
async function expectSameAnswers(bare: Target, gateway: Target): Promise<void> {
  const answers: Json[] = [];
  for (const target of [bare, gateway]) {
    const client = await Client.open(target);
    const list = await client.json('GET', byUserName(userNameOf(1)), 200);
    const [found] = list.Resources as readonly (Json & { readonly id: string })[];
    if (found === undefined) throw new Error(`${target.name} does not find ${userNameOf(1)}.`);
    const read = await client.json('GET', `/Users/${found.id}`, 200);
    client.close();
    answers.push({ ...list, Resources: [comparable(found)], read: comparable(read) });
  }
  deepStrictEqual(answers[1], answers[0], 'The two sides answer differently.');
}

function comparable(resource: Json): Json {
  const meta = Object.keys(resource.meta as object).sort();
  const schemas = (resource.schemas as readonly string[]).toSorted();
  return { ...resource, schemas, id: 'some', meta };
}

function pick<T>(list: readonly T[], random: () => number): T {
  return list[Math.floor(random() * list.length)] as T;
}

/** Small and repeatable (mulberry32). @returns numbers from 0 up to 1 */
export function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
