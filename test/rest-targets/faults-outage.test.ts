import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isRightOrUnavailable, skipTime, timed, untilAvailable } from '../support/ldap/outage.js';
import {
  deadlineMs,
  type FaultSetting,
  type NewUser,
  patchBody,
  startFaultSetting,
} from '../support/rest/fault-setting.js';
import { restStyles } from '../support/rest/targets.js';

const inFlight = 24;

/** What befalls a target that many ask at the same time; each gives back how it ends. */
const outages: Readonly<Record<string, (setting: FaultSetting) => Promise<() => Promise<void>>>> = {
  'all connections end': async ({ target }) => {
    target.cutAll();
    return async () => {};
  },
  'connections are refused': async ({ target }) => {
    await target.refuse();
    return () => target.accept();
  },
  'every answer is lost for a while': async ({ target }) => {
    target.faults.inject({ kind: 'loseAnswer' }, {}, inFlight);
    return async () => target.faults.heal();
  },
  'it is busy for a while': async ({ target }) => {
    target.faults.inject({ kind: 'answer', answer: { status: 503 } }, {}, inFlight);
    return async () => target.faults.heal();
  },
};

describe.each([...restStyles])('a REST target, %s: outages under load', (style) => {
  let setting: FaultSetting;
  const users: NewUser[] = [];
  beforeAll(async () => {
    setting = await startFaultSetting(style);
    for (let n = 0; n < inFlight; n++) users.push(await setting.newUser());
  });
  afterAll(() => setting?.close());

  it.each(Object.keys(outages))('%s: each read is right or 503, in time, and right when asked again', async (name) => {
    const { gateway, again } = setting;
    skipTime(60_000);
    const running = users.map(({ id }) => timed(gateway.request('GET', `/Users/${id}`)));
    const mend = await outages[name]?.(setting);
    const answers = await Promise.all(running);
    await mend?.();
    for (const [index, { answer, tookMs }] of answers.entries()) {
      expect(tookMs).toBeLessThan(deadlineMs);
      if (isRightOrUnavailable(answer, [200])) expect(answer.body).toMatchObject(users[index] ?? {});
    }
    for (const user of users) {
      expect((await again(() => gateway.request('GET', `/Users/${user.id}`))).body).toMatchObject(user);
    }
  });

  it.each(Object.keys(outages))('%s: each new member is in the group once, or was 503', async (name) => {
    const { gateway, newGroup, target } = setting;
    const group = await newGroup();
    skipTime(60_000);
    const add = (value: string) => () => {
      const body = patchBody({ op: 'add', path: 'members', value: [{ value }] });
      return gateway.request('PATCH', `/Groups/${group}`, { body });
    };
    const running = users.map(({ id }) => timed(add(id)()));
    const mend = await outages[name]?.(setting);
    const answers = await Promise.all(running);
    await mend?.();
    for (const [index, { answer, tookMs }] of answers.entries()) {
      expect(tookMs).toBeLessThan(deadlineMs);
      if (isRightOrUnavailable(answer, [200, 204])) {
        expect(target.staff.members(group)).toContain(users[index]?.id);
      }
    }
    skipTime(60_000);
    const repeated = await Promise.all(users.map(({ id }) => untilAvailable(add(id), 20_000)));
    for (const { status, text } of repeated) expect([200, 204], text).toContain(status);
    expect([...target.staff.members(group)].sort()).toEqual(users.map(({ id }) => id).sort());
  });

  it.each(Object.keys(outages))('%s: each create is there once, or was 503', async (name) => {
    const { gateway, target } = setting;
    skipTime(60_000);
    const names = users.map((_, n) => `${name.replaceAll(' ', '-')}-${n}@example.org`);
    const create = (userName: string) => () =>
      gateway.request('POST', '/Users', {
        body: { schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'], userName, title: 'New' },
      });
    const running = names.map((userName) => timed(create(userName)()));
    const mend = await outages[name]?.(setting);
    const answers = await Promise.all(running);
    await mend?.();
    const kept = (userName: string) => target.staff.people.all().filter(({ body }) => body.login === userName);
    for (const [index, { answer, tookMs }] of answers.entries()) {
      expect(tookMs).toBeLessThan(deadlineMs);
      if (isRightOrUnavailable(answer, [201])) expect(kept(names[index] ?? '')).toHaveLength(1);
    }
    skipTime(60_000);
    for (const userName of names) {
      expect([201, 409]).toContain((await untilAvailable(create(userName), 20_000)).status);
      expect(kept(userName)).toMatchObject([{ body: { profile: { title: 'New' } } }]);
    }
  });
});
