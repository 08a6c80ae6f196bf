import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CursorTarget, startCursorTarget } from '../support/rest/cursor-target.js';
import { type LinkTarget, startLinkTarget } from '../support/rest/link-target.js';
import { type PageTarget, startPageTarget } from '../support/rest/page-target.js';
import { type ScimTarget, startScimTarget } from '../support/rest/scim-target.js';

interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly body: unknown;
}

async function send(url: string, init: RequestInit = {}): Promise<Reply> {
  const answer = await fetch(url, { redirect: 'manual', ...init });
  const text = await answer.text();
  return { status: answer.status, headers: answer.headers, body: text === '' ? undefined : JSON.parse(text) };
}

function json(method: string, body: unknown, type = 'application/json'): RequestInit {
  return { method, body: JSON.stringify(body), headers: { 'content-type': type } };
}

function withHeaders(init: RequestInit, headers: Readonly<Record<string, string>>): RequestInit {
  return { ...init, headers: { ...(init.headers as Record<string, string>), ...headers } };
}

/** The test servers are strict: what an adapter sends wrongly does not go through. */
describe('the target with page numbers', () => {
  let target: PageTarget;
  beforeAll(async () => {
    target = await startPageTarget();
  });
  afterAll(() => target?.close());
  const call = (path: string, init: RequestInit = {}) =>
    send(target.baseUrl + path, withHeaders(init, { authorization: `Bearer ${target.token}` }));

  it('asks for the token', async () => {
    expect((await send(`${target.baseUrl}/users`)).status).toBe(401);
  });

  it.each([
    ['/users?pages=1', 400],
    ['/users?page=0', 400],
    ['/users?page=1&page=2', 400],
    ['/users?login=%ff', 400],
    ['/users?page=1&per_page=101', 400],
    ['/users/%2e%2e', 400],
    ['/users/nobody', 404],
    ['/nothing', 404],
  ])('answers %s with %i', async (path, status) => {
    expect((await call(path)).status).toBe(status);
  });

  it('keeps records, refuses names that are taken, and forgets nothing that a patch does not name', async () => {
    const made = await call('/users', json('POST', { login: 'alice', internal: { costRate: 5 } }));
    expect(made).toMatchObject({ status: 201, body: { login: 'alice', etag: '"v1"', teams: [] } });
    const { id } = made.body as { readonly id: string };
    expect(await call('/users', json('POST', { login: 'ALICE' }))).toMatchObject({
      status: 409,
      body: { error: { code: 'taken', field: '/login' } },
    });
    const patch = json('PATCH', { name: 'Alice', badge: null }, 'application/merge-patch+json');
    const changed = await call(`/users/${id}`, withHeaders(patch, { 'if-match': '"v1"' }));
    expect(changed).toMatchObject({ status: 200, body: { name: 'Alice', internal: { costRate: 5 }, etag: '"v2"' } });
    expect((await call(`/users/${id}`, withHeaders(patch, { 'if-match': '"v1"' }))).status).toBe(412);
    expect((await call(`/users/${id}`, json('PATCH', {}))).status).toBe(415);
    const found = await call('/users?login=Alice');
    expect(found.headers.get('x-total-count')).toBe('1');
    expect((await call(`/users/${id}`, { method: 'DELETE' })).status).toBe(204);
    expect((await call(`/users/${id}`)).status).toBe(410);
  });

  it('carries one POST with an idempotency key out once', async () => {
    const post = withHeaders(json('POST', { login: 'once' }), { 'idempotency-key': 'k1' });
    const [first, second] = [await call('/users', post), await call('/users', post)];
    expect([first.status, second.status]).toEqual([201, 201]);
    expect(second.body).toEqual(first.body);
    const other = withHeaders(json('POST', { login: 'other' }), { 'idempotency-key': 'k1' });
    expect((await call('/users', other)).status).toBe(422);
  });

  it('has members by calls of their own', async () => {
    const { id: user } = (await call('/users', json('POST', { login: 'm' }))).body as { readonly id: string };
    const { id: team } = (await call('/teams', json('POST', { title: 't' }))).body as { readonly id: string };
    const member = `/teams/${team}/members/${user}`;
    const put = async () => (await call(member, { method: 'PUT' })).status;
    expect([await put(), await put()]).toEqual([201, 204]);
    expect((await call(`/teams/${team}/members`)).body).toEqual({ data: [{ id: user, kind: 'User' }] });
    expect((await call(`/users/${user}`)).body).toMatchObject({ teams: [team] });
    expect((await call(`/teams/${team}/members/nobody`, { method: 'PUT' })).status).toBe(422);
    expect((await call(member, { method: 'DELETE' })).status).toBe(204);
    expect((await call(member, { method: 'DELETE' })).status).toBe(404);
  });
});

describe('the target with cursors', () => {
  let target: CursorTarget;
  let token: string;
  const newToken = async (): Promise<string> => {
    const secret = Buffer.from('scimbridge+client:cursor%3Atarget+secret%2B7a20').toString('base64');
    const headers = { authorization: `Basic ${secret}` };
    const form = new URLSearchParams({ grant_type: 'client_credentials', scope: 'staff' });
    const { status, body } = await send(target.tokenUrl, { method: 'POST', headers, body: form });
    expect(status).toBe(200);
    return (body as { readonly access_token: string }).access_token;
  };
  beforeAll(async () => {
    target = await startCursorTarget();
    token = await newToken();
  });
  afterAll(() => target?.close());
  const call = (path: string, init: RequestInit = {}) =>
    send(target.baseUrl + path, withHeaders(init, { authorization: `Bearer ${token}` }));
  const patch = (path: string, operations: unknown) =>
    call(path, json('PATCH', operations, 'application/json-patch+json'));

  it('takes no token that has expired', async () => {
    target.expireTokens();
    expect((await call('/people')).status).toBe(401);
    token = await newToken();
    expect((await call('/people')).status).toBe(200);
  });

  it('carries a patch out whole or not at all, and only when its tests hold', async () => {
    const made = await call('/people', json('POST', { login: 'bob', mail: ['a', 'b'], profile: { given: 'Bob' } }));
    const { id, rev } = (made.body as { readonly item: { readonly id: string; readonly rev: number } }).item;
    const path = `/people/${id}`;
    const given = { op: 'replace', path: '/profile/given', value: 'Robert' };
    expect((await patch(path, [given, { op: 'test', path: '/rev', value: rev + 1 }])).status).toBe(409);
    expect((await patch(path, [given, { op: 'remove', path: '/mail/2' }])).status).toBe(422);
    expect((await patch(path, [given, { op: 'replace', path: '/rev', value: 9 }])).status).toBe(422);
    expect((await call(path)).body).toMatchObject({ item: { rev, profile: { given: 'Bob' }, mail: ['a', 'b'] } });
    const all = [
      { op: 'test', path: '/rev', value: rev },
      { op: 'test', path: '/mail/0', value: 'a' },
      { op: 'remove', path: '/mail/0' },
      { op: 'add', path: '/mail/-', value: 'c' },
      { op: 'add', path: '/job', value: { department: 'x' } },
      given,
    ];
    expect((await patch(path, all)).status).toBe(204);
    expect((await call(path)).body).toMatchObject({
      item: { rev: rev + 1, profile: { given: 'Robert' }, mail: ['b', 'c'], job: { department: 'x' } },
    });
  });

  it('goes on after a record that is gone', async () => {
    const ids: string[] = [];
    for (const title of ['g1', 'g2', 'g3']) {
      const made = await call('/groups', json('POST', { title, members: ['someone'] }));
      ids.push((made.body as { readonly item: { readonly id: string } }).item.id);
    }
    const first = (await call('/groups?limit=2')).body as { readonly page: { readonly next: string } };
    expect((await call(`/groups/${ids[1]}`, { method: 'DELETE' })).status).toBe(200);
    const second = await call(`/groups?limit=2&cursor=${encodeURIComponent(first.page.next)}`);
    expect(second.body).toMatchObject({ items: [{ id: ids[2], members: ['someone'] }], page: { next: null } });
  });
});

describe('the target with Link headers', () => {
  let target: LinkTarget;
  beforeAll(async () => {
    target = await startLinkTarget();
  });
  afterAll(() => target?.close());
  const call = (path: string, init: RequestInit = {}) =>
    send(target.baseUrl + path, withHeaders(init, { 'x-api-key': target.apiKey }));

  it('replaces a record as a whole, under If-Match only', async () => {
    const made = await call('/accounts', json('POST', { login: 'carol', badge: 'c' }));
    expect(made).toMatchObject({ status: 201, body: undefined });
    const location = made.headers.get('location') ?? '';
    const path = location.slice(target.baseUrl.length);
    const before = await call(path);
    expect((await call(path, json('PUT', before.body))).status).toBe(428);
    const wrong = { ...(before.body as object), _created: '2001-01-01T00:00:00Z' };
    const etag = before.headers.get('etag') ?? '';
    expect((await call(path, withHeaders(json('PUT', wrong), { 'if-match': etag }))).status).toBe(422);
    const { badge: _, ...less } = before.body as { readonly badge: string };
    const replaced = await call(path, withHeaders(json('PUT', { ...less, name: 'Carol' }), { 'if-match': etag }));
    expect(replaced).toMatchObject({ status: 200, body: { name: 'Carol' } });
    expect(replaced.body).not.toHaveProperty('badge');
    expect((await call(path, withHeaders(json('PUT', less), { 'if-match': etag }))).status).toBe(412);
  });

  it('links to the next page', async () => {
    for (const title of ['r1', 'r2']) {
      expect((await call('/roles', json('POST', { title, members: [{ id: 'x', kind: 'user' }] }))).status).toBe(201);
    }
    const first = await call('/roles?size=1');
    expect(first.headers.get('link')).toMatch(/<\/rest\/roles\?size=1&after=1>.*next/);
    const second = await call('/roles?size=1&after=1');
    expect(second.body).toMatchObject([{ title: 'r2' }]);
    expect(second.headers.get('link')).not.toMatch(/after/);
  });
});

describe('the target that speaks SCIM', () => {
  let target: ScimTarget;
  beforeAll(async () => {
    target = await startScimTarget();
  });
  afterAll(() => target?.close());

  it('answers over HTTP as a gateway does, and sees what it is asked', async () => {
    const schemas = ['urn:ietf:params:scim:schemas:core:2.0:User'];
    const headers = { authorization: `Bearer ${target.token}` };
    const post = json('POST', { schemas, userName: 'dave' }, 'application/scim+json');
    const made = await send(`${target.baseUrl}/Users`, withHeaders(post, headers));
    expect(made).toMatchObject({ status: 201, body: { userName: 'dave' } });
    const query = `filter=${encodeURIComponent('userName eq "DAVE"')}`;
    const found = await send(`${target.baseUrl}/Users?${query}`, { headers });
    expect(found).toMatchObject({ status: 200, body: { totalResults: 1, Resources: [made.body] } });
    expect((await send(`${target.baseUrl}/Users`)).status).toBe(401);
    expect(target.seen.map(({ method, status }) => [method, status])).toEqual([
      ['POST', 201],
      ['GET', 200],
      ['GET', 401],
    ]);
  });
});
