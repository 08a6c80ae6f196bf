import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it, vi } from 'vitest';
import { startLive } from './live-setup.js';

interface Parts {
  readonly limits?: string;
  readonly mapping?: string;
  readonly store?: string;
  readonly more?: string;
  readonly top?: string;
}

/** Two gateways with a store each. */
const config = ({ limits = '', mapping = '', store = '', more = '', top = '' }: Parts = {}): string => `version: 1
${top}
adapters:
  store: { type: gated${store} }
  other: { type: gated }
gateways:
  corp:
    address: /corp
    limits: { requestsPerSecond: 0, ${limits} }
    resources:
      User: { adapter: store, mapping: { userName: { field: login, required: true, unique: true }, ${mapping} } }
  lab:
    address: /lab
    resources:
      User: { adapter: other, mapping: { userName: login } }
${more}`;

const user = (userName: string, more: object = {}): RequestInit => ({
  method: 'POST',
  body: JSON.stringify({ schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'], userName, ...more }),
});

async function total(answer: Response): Promise<number> {
  return ((await answer.json()) as { totalResults: number }).totalResults;
}

describe('another configuration', () => {
  it('leaves alone what it does not change: gateways, adapters and their records', async () => {
    const { live, gated, change, send, token } = await startLive(config());
    const corp = await token('corp');
    await send('/corp/Users', corp, user('anna'));
    const before = live.gateways;
    const changes = await change(config({ limits: 'maxResults: 500' }));
    expect([...changes.gateways]).toEqual([['corp', ['limits.maxResults']]]);
    expect(live.gateways[0]).not.toBe(before[0]);
    expect(live.gateways[1]).toBe(before[1]);
    expect(gated.opened()).toBe(2);
    expect(await total(await send('/corp/Users', corp))).toBe(1);
  });

  it('that says the same in other words changes nothing', async () => {
    const { live, change } = await startLive(config());
    const before = live.gateways;
    const same = config({ limits: 'scanLimit: 10000' }).replace('/lab', '"/lab" # a remark');
    const changes = await change(same);
    expect([...changes.gateways, ...changes.adapters, ...changes.settings]).toEqual([]);
    expect(live.gateways).toEqual(before);
    expect(live.gateways[0]).toBe(before[0]);
  });

  it('holds for the next request, and the one under way finishes on the former', async () => {
    const { gated, live, change, send, token } = await startLive(config());
    const corp = await token('corp');
    for (const name of ['a', 'b', 'c']) await send('/corp/Users', corp, user(name, { nickName: name }));
    const release = gated.hold();
    const slow = send('/corp/Users', corp);
    await vi.waitFor(() => expect(gated.held()).toBe(1), { interval: 1 });
    await change(config({ limits: 'defaultResults: 1', mapping: 'nickName: nick' }));
    expect(live.openAdapters).toBe(3);
    release();
    expect(await (await slow).json()).toMatchObject({ totalResults: 3, itemsPerPage: 3 });
    await vi.waitFor(() => expect(live.openAdapters).toBe(2), { interval: 1 });
    await send('/corp/Users', corp, user('d', { nickName: 'dora' }));
    expect(await (await send('/corp/Users', corp)).json()).toMatchObject({ Resources: [{ nickName: 'dora' }] });
  });

  it('opens an adapter anew when its secret changes, and no other', async () => {
    const { gated, live, change } = await startLive(config({ store: ', password: one' }));
    const changes = await change(config({ store: ', password: two' }));
    expect([...changes.adapters]).toEqual([['store', ['password (secret)']]]);
    expect(gated.settings.map(({ password }) => password)).toEqual(['one', undefined, 'two']);
    await vi.waitFor(() => expect(gated.open()).toBe(2), { interval: 1 });
    expect(live.openAdapters).toBe(2);
  });

  it('is refused as a whole when one of its adapters cannot be opened', async () => {
    const { gated, live, change, send, token } = await startLive(config());
    const corp = await token('corp');
    const before = live.gateways;
    const served = live.served;
    const faulty = config({ limits: 'maxResults: 500', mapping: 'nickName: nick', store: ', fails: true' });
    await expect(change(faulty)).rejects.toThrow('This backend is too old.');
    // The first of two opens, and is closed again.
    const half = config({ mapping: 'nickName: nick' }).replace(
      'other: { type: gated }',
      'other: { type: gated, fails: true }',
    );
    await expect(change(half)).rejects.toThrow('This backend is too old.');
    expect(live.gateways).toBe(before);
    expect(live.served).toBe(served);
    expect([gated.opened(), gated.open()]).toEqual([3, 2]);
    expect((await send('/corp/Users', corp)).status).toBe(200);
  });

  it('adds gateways and takes them away; a request under way on one that goes is answered', async () => {
    const { gated, live, change, send, token } = await startLive(config());
    const more =
      '  new: { address: /new, resources: { User: { adapter: other, entity: guests, mapping: { userName: login } } } }';
    const added = await token('new');
    expect((await send('/new/Users', added)).status).toBe(404);
    expect([...(await change(config({ more }))).gateways]).toEqual([['new', ['added']]]);
    expect((await send('/new/Users', added)).status).toBe(200);
    const release = gated.hold();
    const slow = send('/new/Users', added);
    await vi.waitFor(() => expect(gated.held()).toBe(1), { interval: 1 });
    expect([...(await change(config())).gateways]).toEqual([['new', ['removed']]]);
    expect((await send('/new/Users', added)).status).toBe(404);
    expect(live.health().map(({ id }) => id)).toEqual(['corp', 'lab']);
    release();
    expect((await slow).status).toBe(200);
    await vi.waitFor(() => expect(gated.open()).toBe(2), { interval: 1 });
  });

  it('may move a gateway and the URL that the outside world uses', async () => {
    const { change, send, token } = await startLive(config());
    const corp = await token('corp');
    expect((await send('/corp/Users', corp, user('a'))).headers.get('location')).toMatch(
      'http://localhost/corp/Users/',
    );
    const changes = await change(config({ top: 'publicUrl: https://scim.example.com' }));
    expect(changes).toMatchObject({ settings: ['publicUrl'], gateways: new Map() });
    const created = await send('/corp/Users', corp, user('b'));
    expect(created.headers.get('location')).toMatch('https://scim.example.com/corp/Users/');
    await change(config().replace('address: /corp', 'address: /elsewhere'));
    expect((await send('/corp/Users', corp)).status).toBe(404);
    expect(await total(await send('/elsewhere/Users', corp))).toBe(2);
  });

  it('changes the deadline of operations and keeps the records and the circuit', async () => {
    const { live, gated, change, send, token } = await startLive(config());
    const corp = await token('corp');
    await send('/corp/Users', corp, user('a'));
    await change(config({ limits: 'requestSeconds: 5' }));
    expect(gated.opened()).toBe(2);
    expect(await total(await send('/corp/Users', corp))).toBe(1);
    expect(live.health()).toMatchObject([{ id: 'corp', adapters: [{ name: 'store', state: 'up' }] }, { id: 'lab' }]);
  });

  it('keeps counting requests where the limits on them stay as they are', async () => {
    const limited = (scanLimit: number, burst: number) =>
      config({ limits: `scanLimit: ${scanLimit}` }).replace(
        'requestsPerSecond: 0',
        `requestsPerSecond: 1, burst: ${burst}`,
      );
    const { live, change } = await startLive(limited(10, 2));
    const admission = () => live.gateways[0]?.http.admission;
    const before = admission();
    await change(limited(11, 2));
    expect(admission()).toBe(before);
    await change(limited(11, 3));
    expect(admission()).not.toBe(before);
  });

  it('keeps the keys of issuers where their settings stay as they are', async () => {
    const jwt = (issuer: string, limits: string) =>
      config({ limits }).replace(
        'address: /corp',
        `address: /corp\n    auth: { jwt: { issuer: "${issuer}", audience: a, jwks: "http://127.0.0.1:1/" } }`,
      );
    const { live, change } = await startLive(jwt('https://a.example/', ''));
    const before = live.gateways[0]?.jwt;
    expect(before).toBeDefined();
    await change(jwt('https://a.example/', 'maxResults: 500'));
    expect(live.gateways[0]?.jwt).toBe(before);
    const changes = await change(jwt('https://b.example/', 'maxResults: 500'));
    expect([...changes.gateways]).toEqual([['corp', ['auth.jwt.issuer']]]);
    expect(live.gateways[0]?.jwt).not.toBe(before);
  });
});

describe('the end', () => {
  it('waits for no request of a former configuration, and closes everything', async () => {
    const { gated, live, change, send, token } = await startLive(config());
    const release = gated.hold();
    const slow = send('/corp/Users', await token('corp'));
    await vi.waitFor(() => expect(gated.held()).toBe(1), { interval: 1 });
    await change(config({ mapping: 'nickName: nick' }));
    expect(gated.open()).toBe(3);
    await live.close();
    expect([gated.open(), live.openAdapters]).toEqual([0, 0]);
    release();
    expect((await slow).status).toBe(503);
  });
});

describe('a hundred configurations under load', () => {
  it('lose no request and leave nothing behind', async () => {
    const { gated, live, change, send, token } = await startLive(config());
    const corp = await token('corp');
    await send('/corp/Users', corp, user('anna'));
    setFlagsFromString('--expose-gc');
    const gc = runInNewContext('gc') as () => void;
    const heap = (): number => {
      gc();
      return process.memoryUsage().heapUsed;
    };
    const statuses = new Map<number, number>();
    let isOver = false;
    const caller = async (): Promise<void> => {
      while (!isOver) {
        const { status } = await send('/corp/Users?count=1', corp);
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
        await new Promise((resolve) => setImmediate(resolve));
      }
    };
    const callers = [caller(), caller(), caller(), caller()];
    const answered = (): number => [...statuses.values()].reduce((sum, count) => sum + count, 0);
    const reload = async (from: number, to: number): Promise<void> => {
      for (let round = from; round < to; round++) {
        const rule = round % 2 === 0 ? 'nickName: nick' : 'title: title';
        await change(config({ limits: `scanLimit: ${100 + round}`, mapping: round % 3 === 0 ? rule : '' }));
        // Some requests in between, so that each configuration serves a few.
        const seen = answered();
        await vi.waitFor(() => expect(answered()).toBeGreaterThan(seen + 4), { interval: 1 });
      }
    };
    await reload(0, 30);
    const before = heap();
    await reload(30, 100);
    const after = heap();
    isOver = true;
    await Promise.all(callers);
    expect([...statuses.keys()]).toEqual([200]);
    expect(statuses.get(200)).toBeGreaterThan(500);
    await vi.waitFor(() => expect(gated.open()).toBe(2), { interval: 1 });
    expect(live.openAdapters).toBe(2);
    expect(after - before).toBeLessThan(8 * 1024 * 1024);
  });
});
