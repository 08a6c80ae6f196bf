import { patchTitle } from '../documents.js';
import { median } from '../load.js';
import { memoryOf } from '../servers.js';
import { Client, encodeRequest, type Target } from '../target.js';
import { groupDn, largeGroup, userDn } from './seed.js';
import { memberPatch, type Scene } from './throughput.js';

const pageSize = 100;

/** Medians of milliseconds, with the lowest and highest ratio of two that followed each other. */
export interface Versus {
  readonly directMs: number;
  readonly gatewayMs: number;
  readonly ratio: number;
  readonly range: readonly [lowest: number, highest: number];
}

export interface LdapSizes {
  readonly addToLarge: Versus;
  readonly removeFromLarge: Versus;
  readonly importByIndex: Versus;
  readonly importByCursor: Versus;
  readonly coldPage: Versus;
  readonly virtualListMs: number;
  readonly memoryGrowth: number | undefined;
  readonly memoryWalks: number;
}

export async function measureLdapSizes(
  scene: Scene,
  url: string,
  progress: (text: string) => void,
): Promise<LdapSizes> {
  const client = await Client.open(scene.gateway);
  try {
    progress('LDAP: members of a large group');
    const large = await measureLarge(scene, client);
    progress('LDAP: whole imports');
    const imports = await measureImports(scene, client);
    progress('LDAP: cold pages');
    const cold = await measureColdPages(scene, client, url);
    progress('LDAP: memory');
    return { ...large, ...imports, ...cold, ...(await measureMemory(scene, client)) };
  } finally {
    client.close();
  }
}

async function measureLarge(
  { direct, gateway, plan }: Scene,
  client: Client,
): Promise<Pick<LdapSizes, 'addToLarge' | 'removeFromLarge'>> {
  const dn = groupDn(largeGroup);
  const list = await client.json(
    'GET',
    `/Groups?filter=${encodeURIComponent(`displayName eq "${largeGroup}"`)}&attributes=id`,
    200,
  );
  const [group] = list.Resources as readonly { readonly id: string }[];
  // Two users of their own, who are in no other group.
  await Promise.all([direct.create(largeUser), direct.create(largeUser + 1)]);
  const found = await direct.sweepUsers();
  const id = [...found].find(([, entry]) => entry.dn === userDn(largeUser))?.[0] ?? '';
  const request = (isAdded: boolean): Buffer =>
    encodeRequest(gateway, 'PATCH', `/Groups/${group?.id}`, memberPatch(isAdded, id));
  const [add, remove] = [request(true), request(false)];
  const times = {
    addDirect: [] as number[],
    add: [] as number[],
    removeDirect: [] as number[],
    remove: [] as number[],
  };
  for (let sample = -3; sample < plan.samples; sample++) {
    const onDirect = async (): Promise<readonly [number, number]> => [
      await timed(() => direct.addMember(dn, userDn(largeUser + 1))),
      await timed(() => direct.removeMember(dn, userDn(largeUser + 1))),
    ];
    const onGateway = async (): Promise<readonly [number, number]> => [
      await client.time(add, 204),
      await client.time(remove, 204),
    ];
    const first = sample % 2 === 0 ? await onDirect() : undefined;
    const through = await onGateway();
    const straight = first ?? (await onDirect());
    if (sample < 0) continue;
    times.addDirect.push(straight[0]);
    times.removeDirect.push(straight[1]);
    times.add.push(through[0]);
    times.remove.push(through[1]);
  }
  await direct.remove([largeUser, largeUser + 1]);
  return {
    addToLarge: versus(times.addDirect, times.add),
    removeFromLarge: versus(times.removeDirect, times.remove),
  };
}

const largeUser = 90_000_000;

/** Direct is a paged import and one sweep of ids, which is what exact totals and stable pages cost at least. */
async function measureImports(
  scene: Scene,
  client: Client,
): Promise<Pick<LdapSizes, 'importByIndex' | 'importByCursor'>> {
  const { direct, plan } = scene;
  const [straight, byIndex, byCursor]: readonly [number[], number[], number[]] = [[], [], []];
  for (let sample = -1; sample < plan.imports; sample++) {
    const directMs = await timed(async () => {
      const count = await direct.importUsers(pageSize);
      const { size } = await direct.sweepUsers();
      if (count !== plan.users || size !== count) throw new Error(`${count} and ${size} of ${plan.users} users.`);
    });
    const indexMs = await timed(() => walkByIndex(client, plan.users));
    // What the walk by index has learned is not to help.
    await dropOrder(client, scene);
    const cursorMs = await timed(() => walkByCursor(client, plan.users));
    await dropOrder(client, scene);
    if (sample < 0) continue;
    straight.push(directMs);
    byIndex.push(indexMs);
    byCursor.push(cursorMs);
  }
  return { importByIndex: versus(straight, byIndex), importByCursor: versus(straight, byCursor) };
}

async function measureColdPages(
  scene: Scene,
  client: Client,
  url: string,
): Promise<Pick<LdapSizes, 'coldPage' | 'virtualListMs'>> {
  const { direct, gateway, plan } = scene;
  const [sweeps, pages, views]: readonly [number[], number[], number[]] = [[], [], []];
  for (let sample = -2; sample < plan.imports * 3; sample++) {
    const startIndex = 1 + Math.floor((plan.users - pageSize) * (((sample + 2) * 0.37) % 1));
    const sweepMs = await timed(() => direct.sweepUsers());
    const viewMs = await direct.virtualListPage(url, startIndex, pageSize);
    await dropOrder(client, scene);
    const pageMs = await client.time(pageRequest(gateway, startIndex), 200);
    if (sample < 0) continue;
    sweeps.push(sweepMs);
    views.push(viewMs);
    pages.push(pageMs);
  }
  return { coldPage: versus(sweeps, pages), virtualListMs: median(views) };
}

/** What the process grows by over many imports, after those that came before. */
async function measureMemory(scene: Scene, client: Client): Promise<Pick<LdapSizes, 'memoryGrowth' | 'memoryWalks'>> {
  const { gateway, plan } = scene;
  await walkByCursor(client, plan.users);
  const before = memoryOf(gateway.pid)?.rss;
  let most = 0;
  for (let walk = 0; walk < plan.memoryWalks; walk++) {
    await walkByIndex(client, plan.users);
    await dropOrder(client, scene);
    await walkByCursor(client, plan.users);
    await dropOrder(client, scene);
    most = Math.max(most, memoryOf(gateway.pid)?.rss ?? 0);
  }
  return { memoryGrowth: before === undefined ? undefined : most - before, memoryWalks: 2 * plan.memoryWalks };
}

let drops = 0;

/** The gateway forgets the order of a walk with every write, so that the next page is cold. */
async function dropOrder(client: Client, { gateway, userIds }: Scene): Promise<void> {
  const request = encodeRequest(gateway, 'PATCH', `/Users/${userIds[0]}`, patchTitle(`Drop ${drops++}`));
  await client.time(request, 200);
}

async function walkByIndex(client: Client, users: number): Promise<void> {
  for (let startIndex = 1; startIndex <= users; startIndex += pageSize) {
    await client.time(pageRequest(client.target, startIndex), 200);
  }
}

async function walkByCursor(client: Client, users: number): Promise<void> {
  let count = 0;
  for (let cursor: string | undefined = ''; cursor !== undefined; ) {
    const path = `/Users?count=${pageSize}&cursor=${encodeURIComponent(cursor)}`;
    const { body } = await client.timedJson(encodeRequest(client.target, 'GET', path), 200);
    count += (body.Resources as readonly unknown[]).length;
    cursor = body.nextCursor as string | undefined;
  }
  if (count !== users) throw new Error(`A walk by cursor gave ${count} users of ${users}.`);
}

function pageRequest(target: Target, startIndex: number): Buffer {
  return encodeRequest(target, 'GET', `/Users?startIndex=${startIndex}&count=${pageSize}`);
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
}

function versus(direct: readonly number[], gateway: readonly number[]): Versus {
  const ratios = gateway.map((ms, at) => ms / (direct[at] ?? Number.NaN));
  return {
    directMs: median(direct),
    gatewayMs: median(gateway),
    ratio: median(ratios),
    range: [Math.min(...ratios), Math.max(...ratios)],
  };
}
