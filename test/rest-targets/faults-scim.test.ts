import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, repositoryRoot, type TestGateway, type TestServer } from '../support/gateway.js';
import { isRightOrUnavailable, skipTime, timed, untilAvailable } from '../support/ldap/outage.js';
import { losses, type NamedFault, redirects, refusals, strangeAnswers } from '../support/rest/fault-kinds.js';
import { deadlineMs, groupSchema, patchBody, userSchema } from '../support/rest/fault-setting.js';
import { type ScimTarget, startScimTarget } from '../support/rest/scim-target.js';
import { startRestGateway } from '../support/rest/targets.js';

/** What befalls requests to another SCIM server: some of what the other targets are tested with. */
const chosen =
  /^(?:429 w|503 w|500|200 with|302 to the same|the request|done|the body (?:is empty|\[\]|\{\}|\{"id)|without end)/;
const faults: readonly NamedFault[] = [...refusals, ...redirects('http://other'), ...losses, ...strangeAnswers].filter(
  ({ name }) => chosen.test(name),
);
let count = 0;

describe('a SCIM server as a target: a request goes wrong', () => {
  let target: ScimTarget;
  let server: TestServer;
  let gateway: TestGateway;
  beforeAll(async () => {
    target = await startScimTarget();
    const text = readFileSync(join(repositoryRoot, 'test/transcripts/rest/scim.yaml'), 'utf8');
    const config = text.replace('BASE_URL', target.baseUrl);
    server = await startRestGateway({ config, secret: target.token }, ['timeoutMs: 400', 'connectTimeoutMs: 400']);
    gateway = await server.gateway();
  });
  afterAll(async () => {
    await server?.close();
    await target?.close();
  });

  function again(ask: () => Promise<Answer>): Promise<Answer> {
    skipTime(60_000);
    return untilAvailable(ask);
  }

  async function askWith({ fault }: NamedFault, method: string, ask: () => Promise<Answer>, right: readonly number[]) {
    skipTime(60_000);
    const injected = target.faults.inject(fault, { method });
    const { answer, tookMs } = await timed(ask());
    target.faults.heal();
    expect(injected.hits, 'the fault did not happen').toBe(1);
    expect(tookMs).toBeLessThan(deadlineMs);
    return isRightOrUnavailable(answer, right);
  }

  async function newUser(): Promise<{ readonly id: string; readonly userName: string }> {
    const userName = `scim${count++}@example.org`;
    const body = { schemas: [userSchema], userName, title: 'Before', name: { familyName: 'User' } };
    const { status, text, body: made } = await again(() => gateway.request('POST', '/Users', { body }));
    expect(status, text).toBe(201);
    return { id: made.id, userName };
  }

  /** The users of that name that are really there. */
  async function kept(userName: string) {
    const query = { filter: `userName eq "${userName}"` };
    return (await target.gateway.request('GET', '/Users', { query })).body.Resources ?? [];
  }

  it.each(faults)('a look-up is right or 503, never empty or 404: $name', async (named) => {
    const { id, userName } = await newUser();
    const read = () => gateway.request('GET', `/Users/${id}`);
    await askWith(named, 'GET', read, [200]);
    expect((await again(read)).body).toMatchObject({ id, userName, title: 'Before' });
  });

  it.each(faults)('a create is there once: $name', async (named) => {
    const userName = `made${count++}@example.org`;
    const body = { schemas: [userSchema], userName, title: 'New' };
    const create = () => gateway.request('POST', '/Users', { body });
    const done = await askWith(named, 'POST', create, [201]);
    if (!done) expect([201, 409]).toContain((await again(create)).status);
    expect(await kept(userName)).toMatchObject([{ title: 'New' }]);
  });

  it.each(faults)('a change is done, and nothing else: $name', async (named) => {
    const { id, userName } = await newUser();
    const body = patchBody({ op: 'replace', path: 'title', value: 'After' });
    const change = () => gateway.request('PATCH', `/Users/${id}`, { body });
    const done = await askWith(named, 'PATCH', change, [200]);
    if (!done) expect((await again(change)).status).toBe(200);
    expect(await kept(userName)).toMatchObject([{ title: 'After', name: { familyName: 'User' } }]);
  });

  it.each(faults)('a new member is in the group once, beside the others: $name', async (named) => {
    const [first, second] = [await newUser(), await newUser()];
    const displayName = `Group ${count++}`;
    const group = { schemas: [groupSchema], displayName, members: [{ value: first.id }] };
    const made = await again(() => gateway.request('POST', '/Groups', { body: group }));
    expect(made.status, made.text).toBe(201);
    const path = `/Groups/${made.body.id}`;
    const body = patchBody({ op: 'add', path: 'members', value: [{ value: second.id }] });
    const add = () => gateway.request('PATCH', path, { body });
    const done = await askWith(named, 'PATCH', add, [200, 204]);
    if (!done) expect([200, 204]).toContain((await again(add)).status);
    const members = (await target.gateway.request('GET', path)).body.members ?? [];
    expect(members.map(({ value }) => value).sort()).toEqual([first.id, second.id].sort());
  });

  it.each(faults)('a delete is done: $name', async (named) => {
    const { id, userName } = await newUser();
    const remove = () => gateway.request('DELETE', `/Users/${id}`);
    const done = await askWith(named, 'DELETE', remove, [204]);
    if (!done) expect([204, 404]).toContain((await again(remove)).status);
    expect(await kept(userName)).toEqual([]);
  });
});
