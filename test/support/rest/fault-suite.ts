import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FaultFor } from './fault.js';
import { losses, type NamedFault, redirects, refusals, strangeAnswers } from './fault-kinds.js';
import { type FaultSetting, patchBody, startFaultSetting, userSchema } from './fault-setting.js';
import { type HttpTarget, startHttpTarget } from './http-target.js';
import type { RestStyle } from './targets.js';

const changing: Readonly<Record<RestStyle, string>> = { page: 'PATCH', cursor: 'PATCH', link: 'PUT' };
/** Faults that are met before it matters how a target is asked: on one style they are enough. */
const onOneStyle = /^(?:429, come|503, come|301|303|308|403|408)/;
let count = 0;

/** Whatever goes wrong with a request to a target of the style: nothing is lost, doubled or answered wrongly. */
export function describeRequestFaults(style: RestStyle): void {
  describe(`a REST target, ${style}: a request goes wrong`, () => {
    let setting: FaultSetting;
    let stranger: HttpTarget;
    beforeAll(async () => {
      setting = await startFaultSetting(style);
      stranger = await startHttpTarget(() => ({ status: 200, body: '{}' }));
    });
    afterAll(async () => {
      await setting?.close();
      await stranger?.close();
    });
    /** The origin of the stranger is known only when it runs. */
    const every: readonly NamedFault[] = [...refusals, ...redirects('http://stranger'), ...losses, ...strangeAnswers];
    const all = style === 'page' ? every : every.filter(({ name }) => !onOneStyle.test(name));
    const real = ({ fault }: NamedFault): NamedFault['fault'] => {
      if (fault.kind !== 'answer' || fault.answer.headers?.location === undefined) return fault;
      const location = fault.answer.headers.location.replace('http://stranger', stranger.origin);
      return { ...fault, answer: { ...fault.answer, headers: { location } } };
    };
    const people = (): RegExp => new RegExp(`^${setting.target.paths.people}`);
    const onPeople = (method: string): FaultFor => ({ method, path: people() });
    const withLogin = (login: string) => {
      const { staff } = setting.target;
      return staff.people.all().filter(({ body }) => body.login === login);
    };

    describe('a look-up: never empty, never 404', () => {
      it.each(all)('$name', async (named) => {
        const { gateway, newUser, askWith, again } = setting;
        const { id, userName } = await newUser();
        const byId = () => gateway.request('GET', `/Users/${id}`);
        const byName = () => gateway.request('GET', '/Users', { query: { filter: `userName eq "${userName}"` } });
        // Where a list is the whole body, one in it is what an empty list is, and not what a record is.
        const isList = style === 'link' && /^the body \[/.test(named.name);
        for (const read of isList ? [byId] : [byId, byName]) {
          let seen = await read();
          const isRight = await askWith(
            real(named),
            onPeople('GET'),
            async () => {
              seen = await read();
              return seen;
            },
            [200],
          );
          if (isRight) expect(seen.body.Resources?.[0] ?? seen.body, seen.text).toMatchObject({ id, userName });
          const { body, text } = await again(read);
          expect(body.Resources?.[0] ?? body, text).toMatchObject({ id, userName });
        }
      });
    });

    describe('a create: once, or 503 and once after the retry', () => {
      it.each(all)('$name', async (named) => {
        const { gateway, askWith, again } = setting;
        const userName = `new${count++}@example.org`;
        const body = { schemas: [userSchema], userName, name: { familyName: 'New' } };
        const create = () => gateway.request('POST', '/Users', { body });
        const done = await askWith(real(named), onPeople('POST'), create, [201]);
        if (done) expect(withLogin(userName)).toHaveLength(1);
        else expect([201, 409]).toContain((await again(create)).status);
        expect(withLogin(userName)).toMatchObject([{ body: { profile: { family: 'New' } } }]);
      });
    });

    // Of this style alone a new record is read back: its answer has no body.
    if (style === 'link') {
      describe('a create whose record cannot be read back: once, or 503 and once', () => {
        it.each(all)('$name', async (named) => {
          const { gateway, askWith, again, target } = setting;
          const userName = `read${count++}@example.org`;
          const body = { schemas: [userSchema], userName, name: { familyName: 'New' } };
          const create = () => gateway.request('POST', '/Users', { body });
          const on = { method: 'GET', path: new RegExp(`^${target.paths.people}/`) };
          const done = await askWith(real(named), on, create, [201]);
          if (!done) expect([201, 409]).toContain((await again(create)).status);
          expect(withLogin(userName)).toMatchObject([{ body: { profile: { family: 'New' } } }]);
        });
      });
    }

    describe('a change: done, or 503 and done by the retry', () => {
      it.each(all)('$name', async (named) => {
        const { gateway, newUser, askWith, again } = setting;
        const { id, userName } = await newUser();
        const body = patchBody({ op: 'replace', path: 'title', value: 'After' });
        const change = () => gateway.request('PATCH', `/Users/${id}`, { body });
        const done = await askWith(real(named), onPeople(changing[style]), change, [200, 204]);
        const titles = () => withLogin(userName).map(({ body: record }) => record.profile);
        if (done) expect(titles()).toMatchObject([{ title: 'After', family: 'User' }]);
        else expect([200, 204]).toContain((await again(change)).status);
        expect(titles()).toMatchObject([{ title: 'After', family: 'User' }]);
      });
    });

    describe('a change whose reading goes wrong: done and nothing else, or 503 and nothing', () => {
      it.each(all)('$name', async (named) => {
        const { gateway, newUser, askWith, again } = setting;
        const { id, userName } = await newUser();
        const body = patchBody(
          { op: 'replace', path: 'title', value: 'After' },
          { op: 'add', path: 'emails', value: [{ value: 'a@example.org', type: 'work' }] },
        );
        const change = () => gateway.request('PATCH', `/Users/${id}`, { body });
        const done = await askWith(real(named), onPeople('GET'), change, [200, 204]);
        const [before] = withLogin(userName);
        if (!done) {
          expect(before?.body.profile).toMatchObject({ family: 'User' });
          expect([200, 204]).toContain((await again(change)).status);
        }
        expect(withLogin(userName)).toMatchObject([
          { body: { profile: { title: 'After', family: 'User' }, contacts: [{ value: 'a@example.org' }] } },
        ]);
      });
    });

    describe('a new member: once in the group, beside the others', () => {
      it.each(all)('$name', async (named) => {
        const { gateway, newUser, newGroup, askWith, again, target } = setting;
        const [first, second] = [await newUser(), await newUser()];
        const group = await newGroup(first);
        const body = patchBody({ op: 'add', path: 'members', value: [{ value: second.id }] });
        const add = () => gateway.request('PATCH', `/Groups/${group}`, { body });
        const method = style === 'page' ? 'PUT' : changing[style];
        const on = { method, path: new RegExp(`^${target.paths.groups}/`) };
        const done = await askWith(real(named), on, add, [200, 204]);
        if (done) expect(target.staff.isMember(group, second.id)).toBe(true);
        else expect([200, 204]).toContain((await again(add)).status);
        expect([...target.staff.members(group)].sort()).toEqual([first.id, second.id].sort());
      });
    });

    describe('a delete: gone, or 503 and gone after the retry', () => {
      it.each(all)('$name', async (named) => {
        const { gateway, newUser, askWith, again } = setting;
        const { id, userName } = await newUser();
        const remove = () => gateway.request('DELETE', `/Users/${id}`);
        const done = await askWith(real(named), onPeople('DELETE'), remove, [204]);
        if (!done) expect([204, 404]).toContain((await again(remove)).status);
        expect(withLogin(userName)).toEqual([]);
      });
    });

    it('nobody else was asked, and neither secrets nor names are in the log', () => {
      const { server, target } = setting;
      expect(stranger.seen).toEqual([]);
      expect(target.seen.length).toBeGreaterThan(0);
      const log = server.log();
      expect(log).not.toContain(target.secret);
      expect(log).not.toMatch(/issued-[0-9a-f]{8}/);
      expect(log).not.toMatch(/(?:fault|new|read)\d+@example\.org/);
    });
  });
}
