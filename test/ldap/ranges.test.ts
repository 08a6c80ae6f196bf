import { afterAll, beforeEach, expect, it } from 'vitest';
import { describeOnLdap, startLdap } from '../support/ldap/available.js';
import { startRangeProxy } from '../support/ldap/range-proxy.js';
import { patchOf, peopleLdif, startPresetGateway } from './preset-gateway.js';

const size = 7;
const names = Array.from({ length: 60 }, (_, n) => `u${n}`);

await describeOnLdap('samba', 'members that come in ranges', async () => {
  const directory = await startLdap('samba');
  await directory.add(peopleLdif(directory, names));
  const proxy = await startRangeProxy(directory, size);
  const api = await startPresetGateway(directory, { url: proxy.url });
  afterAll(async () => {
    await api.close();
    await proxy.close();
    await directory.close();
  });
  const { body } = await api.request('GET', '/Users?count=100&attributes=userName');
  const idOf = new Map((body.Resources ?? []).map(({ id, userName }) => [String(userName).split('@')[0], id]));
  const idsOf = (some: readonly string[]): readonly string[] => some.map((name) => idOf.get(name) ?? '').sort();
  let group = '';
  let made = 0;

  beforeEach(async () => {
    proxy.beforeNext = undefined;
    const members = idsOf(names.slice(0, 40)).map((value) => ({ value }));
    const created = await api.request('POST', '/Groups', { displayName: `group ${made++}`, members });
    expect(created.status, created.text).toBe(201);
    group = created.body.id;
    proxy.asked.length = 0;
  });

  const membersNow = async (): Promise<readonly string[]> => {
    const answer = await api.request('GET', `/Groups/${group}`);
    expect(answer.status, answer.text).toBe(200);
    return (answer.body.members ?? []).map(({ value }) => value ?? '').sort();
  };
  /** As another administrator does it, past the gateway. */
  const change = (op: 'add' | 'delete', name: string): Promise<void> =>
    directory.modify(
      `dn: CN=group ${made - 1},${directory.groupsDn}\nchangetype: modify\n${op}: member\nmember: CN=${name},${directory.peopleDn}\n`,
    );

  it('are read to the end, part by part', async () => {
    expect(await membersNow()).toEqual(idsOf(names.slice(0, 40)));
    expect(proxy.asked).toEqual([0, 7, 14, 21, 28, 35]);
    const listed = await api.request(
      'GET',
      `/Groups?filter=${encodeURIComponent(`displayName eq "group ${made - 1}"`)}`,
    );
    expect(listed.body.Resources?.[0]?.members).toHaveLength(40);
  });

  it('are all replaced by a PUT, also those beyond the first part', async () => {
    const wanted = names.slice(30, 55);
    const members = idsOf(wanted).map((value) => ({ value }));
    const put = await api.request('PUT', `/Groups/${group}`, { displayName: `group ${made - 1}`, members });
    expect([200, 204], put.text).toContain(put.status);
    expect(await membersNow()).toEqual(idsOf(wanted));
    const emptied = patchOf({ op: 'replace', path: 'members', value: [] });
    expect((await api.request('PATCH', `/Groups/${group}`, emptied)).status).toBe(204);
    expect(await membersNow()).toEqual([]);
  });

  it('are added and removed where many of them are there already, or not', async () => {
    const add = { op: 'add', path: 'members', value: idsOf(names.slice(10, 50)).map((value) => ({ value })) };
    expect((await api.request('PATCH', `/Groups/${group}`, patchOf(add))).status).toBe(204);
    expect(await membersNow()).toEqual(idsOf(names.slice(0, 50)));
    const remove = { op: 'remove', path: 'members', value: idsOf(names.slice(25)).map((value) => ({ value })) };
    expect((await api.request('PATCH', `/Groups/${group}`, patchOf(remove))).status).toBe(204);
    expect(await membersNow()).toEqual(idsOf(names.slice(0, 25)));
  });

  it('are what they are in the end while others come and go: none that stays is left out, none is doubled', async () => {
    const changes = [
      () => change('delete', 'u0'),
      () => change('add', 'u50'),
      () => change('delete', 'u20'),
      () => change('delete', 'u39'),
      () => change('add', 'u51'),
    ];
    let parts = 0;
    proxy.beforeNext = async () => {
      if (++parts % 2 === 0) await changes.shift()?.();
    };
    const stayed = names.slice(0, 40).filter((name) => !['u0', 'u20', 'u39'].includes(name));
    expect(await membersNow()).toEqual(idsOf([...stayed, 'u50', 'u51']));
    expect(changes).toEqual([]);
  });

  it('are refused as a whole, rather than given in part, when they never hold still', async () => {
    let isIn = false;
    proxy.beforeNext = async () => {
      isIn = !isIn;
      await change(isIn ? 'add' : 'delete', 'u59');
    };
    const answer = await api.request('GET', `/Groups/${group}`);
    expect(answer.status, answer.text).toBe(503);
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
  });

  it('leave a group out of a list that was deleted while it was read', async () => {
    proxy.beforeNext = async () => {
      proxy.beforeNext = undefined;
      await directory.modify(`dn: CN=group ${made - 1},${directory.groupsDn}\nchangetype: delete\n`);
    };
    const answer = await api.request('GET', '/Groups');
    expect(answer.status, answer.text).toBe(200);
    expect((answer.body.Resources ?? []).some(({ id }) => id === group)).toBe(false);
  });
});
