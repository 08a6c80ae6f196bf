import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { untilAvailable } from '../support/ldap/outage.js';
import { type FaultSetting, patchBody, startFaultSetting, userSchema } from '../support/rest/fault-setting.js';
import type { JsonObject } from '../support/rest/shape.js';
import { restStyles } from '../support/rest/targets.js';

/** Other programs write to the same records, and answers are lost: nothing that anybody wrote is undone. */
describe.each(restStyles)('a REST target, %s, that others write to', (style) => {
  let setting: FaultSetting;
  beforeAll(async () => {
    setting = await startFaultSetting(style);
  });
  afterAll(() => setting?.close());

  function bodyOf(id: string): JsonObject {
    return setting.target.staff.people.get(id)?.body ?? {};
  }

  /** What another program does to a person. */
  function writeAsOther(id: string, members: JsonObject): void {
    const { people } = setting.target.staff;
    const stored = people.get(id);
    if (stored !== undefined) people.replace(stored, { ...stored.body, ...members });
  }

  /** The other program writes while the next so many answers about the record are on their way. */
  function afterReading(id: string, act: () => void, times = 1): void {
    const path = new RegExp(`/${id}$`);
    const alter = <T>(answer: T): T => {
      act();
      return answer;
    };
    setting.target.faults.inject({ kind: 'alter', alter }, { method: 'GET', path }, times);
  }

  it('keeps what the gateway knows nothing of, in every kind of change', async () => {
    const { gateway, newUser } = setting;
    const { id, userName } = await newUser();
    const internal = { costRate: 5, note: 'not yours' };
    writeAsOther(id, { internal, badge: 'b-7' });
    const patch = patchBody({ op: 'replace', path: 'title', value: 'After' });
    expect((await gateway.request('PATCH', `/Users/${id}`, { body: patch })).status).toBe(200);
    expect(bodyOf(id)).toMatchObject({ internal, badge: 'b-7', profile: { title: 'After' } });
    const put = { schemas: [userSchema], userName, displayName: 'Whole' };
    expect((await gateway.request('PUT', `/Users/${id}`, { body: put })).status).toBe(200);
    expect(bodyOf(id)).toMatchObject({ internal, badge: 'b-7', name: 'Whole' });
    expect(bodyOf(id).profile ?? {}).not.toHaveProperty('title');
  });

  it('undoes nothing that another writes between reading and writing', async () => {
    const { gateway, newUser, target } = setting;
    const { id } = await newUser();
    let round = 0;
    afterReading(id, () => writeAsOther(id, { badge: `b-${++round}`, internal: { costRate: round } }), 2);
    const body = patchBody(
      { op: 'replace', path: 'title', value: 'After' },
      { op: 'add', path: 'emails', value: [{ value: 'a@example.org', type: 'work' }] },
    );
    const answer = await untilAvailable(() => gateway.request('PATCH', `/Users/${id}`, { body }));
    target.faults.heal();
    expect([200, 204], answer.text).toContain(answer.status);
    expect(bodyOf(id)).toMatchObject({
      badge: `b-${round}`,
      internal: { costRate: round },
      profile: { title: 'After' },
      contacts: [{ value: 'a@example.org', type: 'work' }],
    });
  });

  it('adds an address beside one that another adds at the same time', async () => {
    const { gateway, newUser, target } = setting;
    const { id } = await newUser();
    writeAsOther(id, { contacts: [{ value: 'first@example.org', type: 'work' }] });
    let isDone = false;
    afterReading(id, () => {
      if (isDone) return;
      isDone = true;
      const contacts = [...((bodyOf(id).contacts ?? []) as readonly JsonObject[]), { value: 'theirs@example.org' }];
      writeAsOther(id, { contacts });
    });
    const value = [{ value: 'ours@example.org', type: 'home' }];
    const body = patchBody({ op: 'add', path: 'emails', value });
    const answer = await untilAvailable(() => gateway.request('PATCH', `/Users/${id}`, { body }));
    target.faults.heal();
    expect([200, 204], answer.text).toContain(answer.status);
    const addresses = ((bodyOf(id).contacts ?? []) as readonly JsonObject[]).map((one) => String(one.value));
    expect(addresses.sort()).toEqual(['first@example.org', 'ours@example.org', 'theirs@example.org']);
  });

  it('loses no member of a group that many change at the same time', async () => {
    const { gateway, newUser, newGroup, target } = setting;
    const users = [];
    for (let n = 0; n < 16; n++) users.push(await newUser());
    const others = users.splice(0, 4).map(({ id }) => id);
    const group = await newGroup();
    const adding = users.map(({ id }) => {
      const body = patchBody({ op: 'add', path: 'members', value: [{ value: id }] });
      return untilAvailable(() => gateway.request('PATCH', `/Groups/${group}`, { body }));
    });
    for (const other of others) {
      target.staff.addMember(group, other);
      await new Promise((resolve) => setImmediate(resolve));
    }
    for (const { status, text } of await Promise.all(adding)) expect([200, 204], text).toContain(status);
    expect([...target.staff.members(group)].sort()).toEqual([...others, ...users.map(({ id }) => id)].sort());
  });

  it('gives up on a record that never stands still, and has not touched it', async () => {
    const { gateway, newUser, target } = setting;
    const { id } = await newUser();
    let round = 0;
    afterReading(id, () => writeAsOther(id, { internal: { costRate: ++round } }), 1_000);
    const body = patchBody({ op: 'add', path: 'emails', value: [{ value: 'never@example.org', type: 'work' }] });
    const answer = await gateway.request('PATCH', `/Users/${id}`, { body });
    target.faults.heal();
    if (answer.status === 503) expect(bodyOf(id)).not.toHaveProperty('contacts');
    else expect([200, 204], answer.text).toContain(answer.status);
    expect(bodyOf(id)).toMatchObject({ internal: { costRate: expect.any(Number) } });
  });

  it('changes nothing under an If-Match that is old, and what it says under the right one [7644-3.14-05]', async () => {
    const { gateway, newUser } = setting;
    const { id } = await newUser();
    const first = await gateway.request('GET', `/Users/${id}`);
    const etag = first.headers.get('etag') ?? '';
    expect(etag).not.toBe('');
    writeAsOther(id, { badge: 'meanwhile' });
    const body = patchBody({ op: 'replace', path: 'title', value: 'Stale' });
    const stale = await gateway.request('PATCH', `/Users/${id}`, { body, headers: { 'if-match': etag } });
    expect(stale.status, stale.text).toBe(412);
    expect(bodyOf(id)).toMatchObject({ badge: 'meanwhile', profile: { title: 'Before' } });
    expect((await gateway.request('DELETE', `/Users/${id}`, { headers: { 'if-match': etag } })).status).toBe(412);
    const now = (await gateway.request('GET', `/Users/${id}`)).headers.get('etag') ?? '';
    const fresh = await gateway.request('PATCH', `/Users/${id}`, { body, headers: { 'if-match': now } });
    expect(fresh.status, fresh.text).toBe(200);
    expect((await gateway.request('DELETE', `/Users/${id}`, { headers: { 'if-match': now } })).status).toBe(412);
  });

  it('answers 409 for a name that is taken, and names the attribute', async () => {
    const { gateway, newUser } = setting;
    const { userName } = await newUser();
    const { id } = await newUser();
    const create = await gateway.request('POST', '/Users', {
      body: { schemas: [userSchema], userName: userName.toUpperCase() },
    });
    expect(create.status, create.text).toBe(409);
    expect(create.body).toMatchObject({ scimType: 'uniqueness' });
    expect(create.body.detail).toContain('userName');
    const body = patchBody({ op: 'replace', path: 'userName', value: userName });
    const rename = await gateway.request('PATCH', `/Users/${id}`, { body });
    expect(rename.status, rename.text).toBe(409);
  });

  it('writes nothing when nothing changes', async () => {
    const { gateway, newUser, newGroup, target } = setting;
    const user = await newUser();
    const group = await newGroup(user);
    const versions = () => [target.staff.people.get(user.id)?.version, target.staff.groups.get(group)?.version];
    const before = versions();
    const same = patchBody({ op: 'replace', path: 'title', value: 'Before' });
    expect((await gateway.request('PATCH', `/Users/${user.id}`, { body: same })).status).toBe(200);
    const there = patchBody({ op: 'add', path: 'members', value: [{ value: user.id }] });
    expect([200, 204]).toContain((await gateway.request('PATCH', `/Groups/${group}`, { body: there })).status);
    expect(versions()).toEqual(before);
  });

  it('asks for a user by name with one request [7644-3.4.2.2-06]', async () => {
    const { gateway, newUser, target } = setting;
    const { id, userName } = await newUser();
    target.forget();
    const query = { filter: `userName eq "${userName.toUpperCase()}"` };
    const { body, text } = await gateway.request('GET', '/Users', { query });
    expect(
      body.Resources?.map((user) => user.id),
      text,
    ).toEqual([id]);
    expect(target.seen.filter(({ rawPath }) => rawPath.startsWith(target.paths.people))).toHaveLength(1);
  });

  it('adds a member to a group of many with a number of requests that does not depend on them', async () => {
    const { gateway, newUser, newGroup, target } = setting;
    const user = await newUser();
    const group = await newGroup();
    const many = Array.from({ length: 900 }, (_, n) => target.staff.people.insert({ login: `many${style}${n}` }).id);
    target.staff.setMembers(group, many);
    target.forget();
    const body = patchBody({ op: 'add', path: 'members', value: [{ value: user.id }] });
    const answer = await gateway.request('PATCH', `/Groups/${group}`, { body });
    expect([200, 204], answer.text).toContain(answer.status);
    expect(target.seen.length).toBeLessThanOrEqual(5);
    expect(target.staff.members(group)).toHaveLength(901);
  });
});

describe('a REST target that knows idempotency keys', () => {
  let setting: FaultSetting;
  beforeAll(async () => {
    setting = await startFaultSetting('page');
  });
  afterAll(() => setting?.close());

  it.each(['loseAnswer', 'loseRequest', 'silentAnswer'] as const)(
    'gets the same key with every try of one create, and another with the next one: %s',
    async (kind) => {
      const { gateway, target } = setting;
      const create = (userName: string) =>
        gateway.request('POST', '/Users', { body: { schemas: [userSchema], userName } });
      target.forget();
      target.faults.inject({ kind }, { method: 'POST' });
      const first = await create(`key-${kind}`);
      expect([201, 503], first.text).toContain(first.status);
      expect((await create(`next-${kind}`)).status).toBe(201);
      const keys = target.seen
        .filter(({ method, rawPath }) => method === 'POST' && rawPath === target.paths.people)
        .map(({ headers, body }) => [body.toString().includes(`key-${kind}`), headers['idempotency-key']] as const);
      const own = new Set(keys.filter(([isFirst]) => isFirst).map(([, key]) => key));
      const others = new Set(keys.filter(([isFirst]) => !isFirst).map(([, key]) => key));
      expect([own.size, others.size]).toEqual([1, 1]);
      expect([...own][0]).toMatch(/^[\x21-\x7e]{16,}$/);
      expect(own).not.toEqual(others);
      const kept = target.staff.people.all().filter(({ body }) => body.login === `key-${kind}`);
      expect(kept).toHaveLength(first.status === 201 ? 1 : kept.length);
      expect(kept.length).toBeLessThanOrEqual(1);
    },
  );
});

describe('a REST target that answers a change without the record', () => {
  let setting: FaultSetting;
  beforeAll(async () => {
    setting = await startFaultSetting('cursor');
  });
  afterAll(() => setting?.close());

  it('is not told 412 for a change that was made and could not be read back', async () => {
    const { gateway, newUser, target } = setting;
    const { id } = await newUser();
    const etag = (await gateway.request('GET', `/Users/${id}`)).headers.get('etag') ?? '';
    const on = { method: 'GET', path: new RegExp(`/${id}$`) };
    target.faults.inject({ kind: 'alter', alter: (answer) => answer }, on);
    const lost = target.faults.inject({ kind: 'answer', answer: { status: 503 } }, on);
    const body = patchBody({ op: 'replace', path: 'title', value: 'After' });
    const answer = await gateway.request('PATCH', `/Users/${id}`, { body, headers: { 'if-match': etag } });
    target.faults.heal();
    expect(lost.hits).toBe(1);
    expect([200, 503], answer.text).toContain(answer.status);
    expect(target.staff.people.get(id)?.body).toMatchObject({ profile: { title: 'After' } });
    expect(target.seen.filter(({ method, rawPath }) => method === 'PATCH' && rawPath.endsWith(id))).toHaveLength(1);
  });
});
