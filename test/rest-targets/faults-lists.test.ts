import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Answer } from '../support/gateway.js';
import { isRightOrUnavailable, skipTime } from '../support/ldap/outage.js';
import type { Fault } from '../support/rest/fault.js';
import { deadlineMs, type FaultSetting, startFaultSetting } from '../support/rest/fault-setting.js';
import type { TargetAnswer } from '../support/rest/http-exchange.js';
import { type HttpTarget, startHttpTarget } from '../support/rest/http-target.js';
import { type RestStyle, restStyles } from '../support/rest/targets.js';

const everybody = 230;
type Records = readonly Readonly<Record<string, unknown>>[];

/** The records in an answer of each style. */
function recordsIn(answer: TargetAnswer): Records {
  const json = JSON.parse(String(answer.body)) as Records & { readonly data?: Records; readonly items?: Records };
  return json.data ?? json.items ?? json;
}

function withRecords(answer: TargetAnswer, records: unknown): TargetAnswer {
  const json = JSON.parse(String(answer.body)) as object;
  if (Array.isArray(json)) return { ...answer, body: JSON.stringify(records) };
  const name = 'data' in json ? 'data' : 'items';
  return { ...answer, body: JSON.stringify({ ...json, [name]: records }) };
}

function altered(alter: (answer: TargetAnswer) => TargetAnswer): Fault {
  return { kind: 'alter', alter };
}

function edited(edit: (records: Records) => unknown): Fault {
  return altered((answer) => withRecords(answer, edit(recordsIn(answer))));
}

function withTotal(total: string | undefined): Fault {
  return altered(({ headers: { 'x-total-count': _, ...headers } = {}, ...answer }) => ({
    ...answer,
    headers: total === undefined ? headers : { ...headers, 'x-total-count': total },
  }));
}

function withNextIn(answer: TargetAnswer, next: unknown): TargetAnswer {
  return { ...answer, body: JSON.stringify({ ...(JSON.parse(String(answer.body)) as object), page: { next } }) };
}

function withLinkIn(answer: TargetAnswer, link: string): TargetAnswer {
  return { ...answer, headers: { ...answer.headers, link } };
}

const withNext = (next: unknown): Fault => altered((answer) => withNextIn(answer, next));
const withLink = (link: string): Fault => altered((answer) => withLinkIn(answer, link));
const linkTo = (after: number): string => `</rest/accounts?size=100&after=${after}>; rel="next"`;

const anywhere: readonly (readonly [string, () => Fault, number])[] = [
  ['a record twice in one page', () => edited((records) => [...records, records[0]]), 1],
  ['more records than were asked for', () => edited((records) => records.flatMap((one) => [one, one])), 9],
  ['a record without an id', () => edited(([{ id: _, ...first } = {}, ...rest]) => [first, ...rest]), 1],
  ['a record that is none', () => edited(([, ...rest]) => [null, ...rest]), 1],
  ['no list', () => edited(() => ({ first: 1 })), 1],
  ['no list at all', () => altered((answer) => ({ ...answer, body: '{}' })), 1],
  ['a page that is cut', () => ({ kind: 'cutBody', bytes: 2_000 }), 1],
  ['a page without end', () => ({ kind: 'oversize', bytes: 30_000_000 }), 1],
];

/** A page of nothing that leads to the first one. */
function emptyBefore(next: (answer: TargetAnswer) => TargetAnswer): Fault {
  return altered((answer) => next(withRecords(answer, [])));
}

const faults: Readonly<Record<RestStyle, typeof anywhere>> = {
  page: [
    ...anywhere,
    ['no total', () => withTotal(undefined), 9],
    ['a total that is no number', () => withTotal('many'), 9],
    ['a negative total', () => withTotal('-1'), 9],
    ['a total that is too large', () => withTotal('100000'), 9],
    ['a total that is too small', () => withTotal('7'), 9],
    ['a total of nothing', () => withTotal('0'), 9],
    ['a page of nothing, and a total of many', () => edited(() => []), 1],
  ],
  cursor: [
    ...anywhere,
    ['an empty page in the middle', () => emptyBefore((answer) => withNextIn(answer, 'cGxhY2U6MA==')), 1],
    ['a cursor that goes round', () => withNext(Buffer.from('place:50').toString('base64')), 1_000],
    ['a cursor that stands still', () => withNext('cGxhY2U6MA=='), 1_000],
    ['a cursor that is a number', () => withNext(7), 1],
    ['a cursor that is an object', () => withNext({ a: 1 }), 1],
    ['a cursor that the target does not take', () => withNext('nonsense'), 1],
    ['a cursor of 100,000 characters', () => withNext('x'.repeat(100_000)), 1],
  ],
  link: [
    ...anywhere,
    ['an empty page in the middle', () => emptyBefore((answer) => withLinkIn(answer, linkTo(0))), 1],
    ['a link that goes round', () => withLink(linkTo(50)), 1_000],
    ['a link to the page itself', () => withLink(linkTo(0)), 1_000],
    ['a link to another host', () => withLink('<http://STRANGER/rest/accounts?after=100>; rel="next"'), 1],
    ['a link to another host without a scheme', () => withLink('<//STRANGER/rest/accounts?after=100>; rel="next"'), 1],
    ['a link to another scheme', () => withLink('<file:///etc/passwd>; rel="next"'), 1],
    ['a link that is broken', () => withLink('<http://[; rel="next"'), 1],
    ['a link outside the base', () => withLink('</elsewhere?after=100>; rel="next"'), 1],
  ],
};

describe.each(restStyles)('a REST target, %s: a list goes wrong', (style) => {
  let setting: FaultSetting;
  let stranger: HttpTarget;
  let ids: readonly string[];
  /** While others write, a total of one moment may not fit the records of another. */
  let isChanging = false;
  beforeAll(async () => {
    setting = await startFaultSetting(style);
    stranger = await startHttpTarget(() => ({ status: 200, body: '[]' }));
    const { people } = setting.target.staff;
    ids = Array.from({ length: everybody }, (_, n) => people.insert({ login: `user${n}` }).id).sort();
  });
  afterAll(async () => {
    await setting?.close();
    await stranger?.close();
  });

  /** All users by pages of the gateway. @returns their ids, or undefined after 503 */
  async function importAll(count: number): Promise<readonly string[] | undefined> {
    const found: string[] = [];
    for (let startIndex = 1; ; startIndex += count) {
      const answer: Answer = await setting.gateway.request('GET', '/Users', { query: { startIndex, count } });
      // A backend whose lists are not what the configuration says is told to the administrator.
      if (answer.status === 501 && answer.body.detail?.startsWith('The backend ') === true) return undefined;
      if (!isRightOrUnavailable(answer, [200])) return undefined;
      found.push(...(answer.body.Resources ?? []).map(({ id }) => id));
      if (!isChanging) expect(answer.body.totalResults).toBeGreaterThanOrEqual(found.length);
      if (startIndex + count > answer.body.totalResults) return found;
    }
  }

  async function importIn(count: number): Promise<readonly string[] | undefined> {
    skipTime(120_000);
    const start = performance.now();
    const found = await importAll(count);
    expect(performance.now() - start).toBeLessThan(deadlineMs * 4);
    return found;
  }

  it.each([1_000, 60])('is whole, in pages of %i', async (count) => {
    expect([...((await importIn(count)) ?? [])].sort()).toEqual(ids);
  });

  const named = faults[style].map(([name, fault, times]) => ({ name, fault, times }));
  describe.each([1_000, 60])('in pages of %i', (count) => {
    it.each(named)('$name: everybody once, or 503; and nobody else is asked', async ({ fault, times }) => {
      const made = fault();
      const real: Fault =
        made.kind === 'alter' ? { ...made, alter: (...args) => withStranger(made.alter(...args)) } : made;
      setting.target.faults.inject(
        real,
        { method: 'GET', path: new RegExp(`^${setting.target.paths.people}$`) },
        times,
      );
      const found = await importIn(count).finally(() => setting.target.faults.heal());
      if (found !== undefined) expect([...found].sort()).toEqual(ids);
      expect(stranger.seen).toEqual([]);
      expect([...((await importIn(count)) ?? [])].sort()).toEqual(ids);
    });
  });

  function withStranger(answer: TargetAnswer): TargetAnswer {
    const { link } = answer.headers ?? {};
    if (link === undefined) return answer;
    const host = new URL(stranger.origin).host;
    return { ...answer, headers: { ...answer.headers, link: link.replace('STRANGER', host) } };
  }

  it('loses nobody when others are deleted between two pages of the target', async () => {
    const { staff, faults: injected, paths } = setting.target;
    const gone: string[] = [];
    isChanging = true;
    const deleteOne: Fault = altered((answer) => {
      const id = staff.people.all().find((one) => !gone.includes(one.id))?.id ?? '';
      gone.push(id);
      staff.delete('people', id);
      return answer;
    });
    injected.inject(deleteOne, { method: 'GET', path: new RegExp(`^${paths.people}$`) }, 2);
    const found = await importIn(1_000).finally(() => injected.heal());
    expect(gone).toHaveLength(2);
    if (found === undefined) return;
    expect(new Set(found).size).toBe(found.length);
    expect(found).toEqual(expect.arrayContaining(ids.filter((id) => !gone.includes(id))));
  });
});
