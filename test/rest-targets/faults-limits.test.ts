import { afterEach, describe, expect, it } from 'vitest';
import { timed } from '../support/ldap/outage.js';
import { type FaultSetting, startFaultSetting } from '../support/rest/fault-setting.js';
import { jsonAnswer } from '../support/rest/http-exchange.js';
import { restStyles } from '../support/rest/targets.js';

let setting: FaultSetting | undefined;
afterEach(() => setting?.close());

describe.each(restStyles)('a REST target, %s, that limits its callers', (style) => {
  it.each([
    ['in seconds', 429, () => '40'],
    ['as a date', 429, () => new Date(Date.now() + 40_000).toUTCString()],
    ['in seconds', 503, () => '40'],
    ['as a date', 503, () => new Date(Date.now() + 40_000).toUTCString()],
  ])('passes on when to come again, %s of a %i, and leaves the target alone until then', async (_, status, after) => {
    setting = await startFaultSetting(style);
    const { gateway, target, newUser } = setting;
    const { id } = await newUser();
    const busy = { kind: 'answer', answer: jsonAnswer(status, {}, { 'retry-after': after() }) } as const;
    const injected = target.faults.inject(busy, {}, 100);
    const { answer, tookMs } = await timed(gateway.request('GET', `/Users/${id}`));
    expect(answer.status, answer.text).toBe(503);
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThanOrEqual(38);
    expect(Number(answer.headers.get('retry-after'))).toBeLessThanOrEqual(41);
    expect(tookMs).toBeLessThan(10_000);
    const again = await gateway.request('GET', `/Users/${id}`);
    expect(again.status).toBe(503);
    expect(Number(again.headers.get('retry-after'))).toBeGreaterThan(30);
    expect(injected.hits).toBe(1);
  });

  it.each(['soon', '-5', '99999999999999999999', '', '1.5', 'Thu, 01 Jan 1970 00:00:00 GMT'])(
    'survives Retry-After: %s',
    async (after) => {
      setting = await startFaultSetting(style);
      const { gateway, target, newUser, again } = setting;
      const { id } = await newUser();
      const busy = { kind: 'answer', answer: jsonAnswer(429, {}, { 'retry-after': after }) } as const;
      target.faults.inject(busy, {}, 1);
      const { answer, tookMs } = await timed(gateway.request('GET', `/Users/${id}`));
      expect([200, 503]).toContain(answer.status);
      if (answer.status === 503) expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
      expect(tookMs).toBeLessThan(10_000);
      // A target that asks for a thousand years is asked again some day.
      const later = await again(() => gateway.request('GET', `/Users/${id}`));
      if (after !== '99999999999999999999') expect(later.status).toBe(200);
    },
  );
});

describe('a REST target whose tokens expire', () => {
  it('gets one new token for all requests that are under way, and repeats them', async () => {
    setting = await startFaultSetting('cursor');
    const { gateway, target, newUser } = setting;
    const users = [await newUser(), await newUser(), await newUser()];
    target.forget();
    target.expireTokens?.();
    const answers = await Promise.all(users.map(({ id }) => gateway.request('GET', `/Users/${id}`)));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(target.seen.filter(({ rawPath }) => rawPath === '/oauth/token')).toHaveLength(1);
    expect(target.seen.filter(({ status }) => status === 401).length).toBeLessThanOrEqual(users.length);
  });

  it('repeats a write that was refused with 401, once', async () => {
    setting = await startFaultSetting('cursor');
    const { gateway, target, newUser } = setting;
    await newUser();
    target.expireTokens?.();
    const body = { schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'], userName: 'renewed' };
    const made = await gateway.request('POST', '/Users', { body });
    expect(made.status, made.text).toBe(201);
    expect(target.staff.people.all().filter(({ body: record }) => record.login === 'renewed')).toHaveLength(1);
  });

  it.each([
    ['refuses the client', jsonAnswer(401, { error: 'invalid_client' })],
    ['is down', jsonAnswer(503, {})],
    ['gives a page', { status: 200, headers: { 'content-type': 'text/html' }, body: '<html>' }],
    ['gives no token', jsonAnswer(200, { token_type: 'bearer' })],
    ['gives a token with a line break', jsonAnswer(200, { access_token: 'a\r\nX-Evil: 1', token_type: 'bearer' })],
    ['sends elsewhere', { status: 302, headers: { location: '/elsewhere' } }],
  ])('answers 503 when the token endpoint %s, and goes on when it is well', async (_, answer) => {
    setting = await startFaultSetting('cursor');
    const { gateway, target, newUser, again, server } = setting;
    const { id } = await newUser();
    target.expireTokens?.();
    target.faults.inject({ kind: 'answer', answer }, { path: /^\/oauth\/token$/ }, 100);
    const { answer: failed, tookMs } = await timed(gateway.request('GET', `/Users/${id}`));
    expect(failed.status, failed.text).toBe(503);
    expect(tookMs).toBeLessThan(10_000);
    target.faults.heal();
    expect((await again(() => gateway.request('GET', `/Users/${id}`))).status).toBe(200);
    expect(server.log()).not.toContain(target.secret);
  });
});

describe.each(['page', 'link'] as const)('a REST target, %s, that takes the account no more', (style) => {
  it('is 503 about the service account, never 401 or 403, and the secret is not told', async () => {
    setting = await startFaultSetting(style);
    const { gateway, target, newUser, server } = setting;
    const { id } = await newUser();
    for (const status of [401, 403]) {
      target.faults.inject(
        { kind: 'answer', answer: jsonAnswer(status, { error: { message: target.secret } }) },
        {},
        9,
      );
      const answer = await gateway.request('GET', `/Users/${id}`);
      target.faults.heal();
      expect(answer.status, answer.text).toBe(503);
      expect(answer.body.detail).toMatch(/service account/);
      expect(answer.text).not.toContain(target.secret);
    }
    expect(server.log()).not.toContain(target.secret);
  });
});
