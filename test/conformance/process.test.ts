import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TestGateway } from '../support/gateway.js';
import { type SpawnedServer, spawnServer } from '../support/spawned-server.js';
import {
  expectError,
  idsOf,
  memberIds,
  newGroup,
  newUser,
  newUsers,
  read,
  readGroup,
  readUser,
  unique,
  user,
} from './resources.js';

/** The program itself, ended and started again on the same data. */
describe('A server that was ended and started again', () => {
  const servers: SpawnedServer[] = [];
  let gateway: TestGateway;

  const start = async (): Promise<SpawnedServer> => {
    const dataDir = servers[0]?.dataDir;
    const server = await spawnServer(dataDir === undefined ? {} : { dataDir });
    servers.push(server);
    return server;
  };
  /** The same credential at the new server's address. */
  const restart = async (): Promise<void> => {
    expect(await servers.at(-1)?.end()).toBe(0);
    gateway = (await (await start()).gateway()).withToken(gateway.token);
  };

  beforeAll(async () => {
    gateway = await (await start()).gateway();
  });
  afterAll(async () => {
    for (const server of servers) await server.close();
  });

  it('has the same resources with the same ids and versions [7643-3.1-id-03]', async () => {
    const person = await newUser(gateway, { title: 'T' });
    const team = await newGroup(gateway, { members: [{ value: person.id }] });
    const before = await readUser(gateway, person);
    await restart();
    const after = await readUser(gateway, person);
    expect({ ...after, meta: { ...after.meta, location: '' } }).toEqual({
      ...before,
      meta: { ...before.meta, location: '' },
      groups: after.groups,
    });
    expect(memberIds(await readGroup(gateway, team))).toEqual([person.id]);
    expectError(
      await gateway.request('POST', '/Users', { body: user({ userName: person.userName }) }),
      409,
      'uniqueness',
    );
  });

  it('takes tokens and cursors that it gave before [9865-2-04]', async () => {
    const userType = unique('type');
    const users = await newUsers(gateway, 5, { userType });
    const query = { filter: `userType eq "${userType}"`, count: 3, cursor: '' };
    const first = await read(gateway, '/Users', query);
    await restart();
    const second = await read(gateway, '/Users', { ...query, cursor: first.nextCursor ?? '' });
    expect(second.nextCursor).toBeUndefined();
    expect(idsOf(...(first.Resources ?? []), ...(second.Resources ?? []))).toEqual(idsOf(...users));
  });

  it('refuses a body beyond its limit without reading it to the end [7644-3.7.4-03]', async () => {
    const chunk = new TextEncoder().encode('x'.repeat(65_536));
    let sent = 0;
    const body = new ReadableStream({
      pull: (controller) => {
        sent += chunk.length;
        controller.enqueue(chunk);
      },
    });
    const init = { method: 'POST', body, duplex: 'half', headers: { authorization: `Bearer ${gateway.token}` } };
    const limit = (await read(gateway, '/ServiceProviderConfig')).bulk as { readonly maxPayloadSize: number };
    const status = await fetch(`${gateway.base}/Bulk`, {
      ...init,
      headers: { ...init.headers, 'content-type': 'application/scim+json' },
    } as RequestInit).then(
      (response) => response.status,
      // The connection may be closed while the client is still sending.
      () => 413,
    );
    expect(status).toBe(413);
    expect(sent).toBeLessThan(limit.maxPayloadSize * 4);
  });
});
