import { memberPatch } from '../ldap/throughput.js';
import { median } from '../load.js';
import { Client, encodeRequest } from '../target.js';
import type { Scene } from './throughput.js';

const pageSize = 100;

/** Medians of milliseconds. */
export interface SqlSizes {
  readonly add: { readonly small: number; readonly large: number };
  readonly remove: { readonly small: number; readonly large: number };
  readonly firstPageMs: number;
  /** Pages at nine tenths of all users, each after the one before it. */
  readonly deepByIndexMs: number;
  readonly deepByCursorMs: number;
  /** A page there that nothing came before. */
  readonly coldDeepMs: number;
}

export async function measureSqlSizes(scene: Scene, progress: (text: string) => void): Promise<SqlSizes> {
  const client = await Client.open(scene.gateway);
  try {
    progress('PostgreSQL: members of a large group');
    const members = await measureMembers(scene, client);
    progress('PostgreSQL: deep pages');
    return { ...members, ...(await measurePages(scene, client)) };
  } finally {
    client.close();
  }
}

/** A user who is in the large group, and in no small one. */
async function measureMembers(
  { gateway, userIds, groupIds, largeId, plan }: Scene,
  client: Client,
): Promise<Pick<SqlSizes, 'add' | 'remove'>> {
  const user = userIds.at(-1) ?? '';
  const groups = { small: groupIds.at(-1) ?? '', large: largeId } as const;
  const times = {
    add: { small: [] as number[], large: [] as number[] },
    remove: { small: [] as number[], large: [] as number[] },
  };
  const request = (group: string, isAdded: boolean): Buffer =>
    encodeRequest(gateway, 'PATCH', `/Groups/${group}`, memberPatch(isAdded, user));
  for (let sample = -5; sample < plan.samples; sample++) {
    for (const size of ['small', 'large'] as const) {
      // Out first: the user is in the large group already.
      const removeMs = await client.time(request(groups[size], false), 204);
      const addMs = await client.time(request(groups[size], true), 204);
      if (sample < 0) continue;
      times.remove[size].push(removeMs);
      times.add[size].push(addMs);
    }
  }
  await client.time(request(groups.small, false), 204);
  const medians = ({ small, large }: { small: number[]; large: number[] }) => ({
    small: median(small),
    large: median(large),
  });
  return { add: medians(times.add), remove: medians(times.remove) };
}

async function measurePages({ gateway, plan }: Scene, client: Client): Promise<Omit<SqlSizes, 'add' | 'remove'>> {
  const page = (startIndex: number): Promise<number> =>
    client.time(encodeRequest(gateway, 'GET', `/Users?startIndex=${startIndex}&count=${pageSize}`), 200);
  const deep = Math.floor(plan.users * 0.9);
  const [first, byIndex, byCursor, cold]: readonly number[][] = [[], [], [], []];
  for (let sample = -5; sample < plan.samples; sample++) {
    const firstMs = await page(1);
    if (sample >= 0) first?.push(firstMs);
  }
  for (let sample = 0; sample < Math.ceil(plan.samples / 10); sample++) {
    // Beside the others' pages, so that nobody remembers where it starts.
    const start = deep - 1_000 - 37 * sample;
    cold?.push(await page(Math.max(1, start)));
    for (let at = 1; at <= 5; at++) byIndex?.push(await page(Math.max(1, start) + at * pageSize));
  }
  let cursor = '';
  for (let at = 0; at < Math.floor(plan.users / pageSize); at++) {
    const path = `/Users?count=${pageSize}&cursor=${encodeURIComponent(cursor)}`;
    const { ms, body } = await client.timedJson(encodeRequest(gateway, 'GET', path), 200);
    if (at * pageSize >= deep) byCursor?.push(ms);
    cursor = typeof body.nextCursor === 'string' ? body.nextCursor : '';
  }
  return {
    firstPageMs: median(first ?? []),
    deepByIndexMs: median(byIndex ?? []),
    deepByCursorMs: median(byCursor ?? []),
    coldDeepMs: median(cold ?? []),
  };
}
