import { describe, expect, it } from 'vitest';
import {
  expectError,
  expectSuccess,
  newGroup,
  newUser,
  patchBody,
  patchedUser,
  read,
  readUser,
  urn,
  user,
} from './resources.js';
import { inBoth, useServer } from './server.js';

const server = useServer('default', 'strict', 'policy');
const retitle = (value: string) => patchBody({ op: 'replace', path: 'title', value });

describe('Z. ETag', () => {
  it(
    'is supported, says so, and stands in the header and in meta.version [7644-3.14-01 7644-3.14-02 7644-3.14-03]',
    inBoth(server, async (gateway) => {
      expect((await read(gateway, '/ServiceProviderConfig')).etag).toMatchObject({ supported: true });
      const post = await gateway.request('POST', '/Users', { body: user() });
      const { id, userName } = post.body;
      const team = await newGroup(gateway);
      const withBody = [
        post,
        await gateway.request('GET', `/Users/${id}`),
        await gateway.request('PUT', `/Users/${id}`, { body: { schemas: [urn.user], userName } }),
        await gateway.request('PATCH', `/Groups/${team.id}?excludedAttributes=members`, {
          body: patchBody({ op: 'add', path: 'externalId', value: 'x' }),
        }),
      ];
      for (const { headers, body } of withBody) {
        expect(headers.get('etag')).toMatch(/^(W\/)?"[^"]+"$/);
        expect(headers.get('etag')).toBe(body.meta.version);
      }
      const without = await gateway.request('PATCH', `/Groups/${team.id}`, {
        body: patchBody({ op: 'add', path: 'externalId', value: 'y' }),
      });
      expect(without.headers.get('etag')).toBe((await read(gateway, `/Groups/${team.id}`)).meta.version);
    }),
  );

  it(
    'If-None-Match: 304 when it is among them, also "*" [7644-3.14-04]',
    inBoth(server, async (gateway) => {
      const { id, meta } = await newUser(gateway);
      const strong = meta.version.replace(/^W\//, '');
      for (const text of [meta.version, `W/"a", ${meta.version}`, `${meta.version},W/"b"`, '*', `W/${strong}`]) {
        const answer = await gateway.request('GET', `/Users/${id}`, { headers: { 'if-none-match': text } });
        expect([answer.status, answer.text], text).toEqual([304, '']);
        expect(answer.headers.get('etag')).toBe(meta.version);
      }
      const other = await gateway.request('GET', `/Users/${id}`, { headers: { 'if-none-match': 'W/"a", W/"b"' } });
      expect(other.status).toBe(200);
    }),
  );

  it(
    'If-Match: only on the latest version [7644-3.14-05 7644-3.14-06 GAP-16]',
    inBoth(server, async (gateway) => {
      const resource = await newUser(gateway);
      const path = `/Users/${resource.id}`;
      const changed = await patchedUser(gateway, resource, { op: 'replace', path: 'title', value: 'A' });
      const stale = { 'if-match': resource.meta.version };
      expectError(await gateway.request('PATCH', path, { body: retitle('B'), headers: stale }), 412);
      const body = { schemas: [urn.user], userName: resource.userName };
      expectError(await gateway.request('PUT', path, { body, headers: stale }), 412);
      expect(await readUser(gateway, resource)).toEqual(changed);
      let current = changed.meta.version;
      for (const form of [(tag: string) => tag, (tag: string) => `W/"a", ${tag}`, () => '*']) {
        const headers = { 'if-match': form(current) };
        const answer = await gateway.request('PATCH', path, { body: retitle(`T${form(current).length}`), headers });
        expectSuccess(answer);
        current = answer.headers.get('etag') ?? '';
      }
      expectError(await gateway.request('PUT', '/Users/nobody', { body, headers: { 'if-match': '*' } }), 404);
    }),
  );

  it(
    'changes with every change and only then [7644-3.14-07]',
    inBoth(server, async (gateway) => {
      const resource = await newUser(gateway);
      const seen = [resource.meta.version];
      for (const operation of [
        { op: 'add', path: 'title', value: 'A' },
        { op: 'replace', path: 'title', value: 'B' },
        { op: 'add', path: 'emails', value: [{ value: 'a@example.com' }] },
        { op: 'remove', path: 'emails' },
        { op: 'replace', path: 'active', value: false },
        { op: 'add', path: `${urn.enterprise}:department`, value: 'D' },
      ]) {
        seen.push((await patchedUser(gateway, resource, operation)).meta.version);
      }
      expect(new Set(seen).size).toBe(seen.length);
      const same = await patchedUser(gateway, resource, { op: 'replace', path: 'title', value: 'B' });
      expect(same.meta.version).toBe(seen.at(-1));
      expect((await readUser(gateway, resource)).meta.version).toBe(seen.at(-1));
    }),
  );

  it(
    'lets one of two writers with the same version through [7644-3.14-08]',
    inBoth(server, async (gateway) => {
      const { id, meta } = await newUser(gateway);
      const headers = { 'if-match': meta.version };
      const answers = await Promise.all(
        ['A', 'B', 'C', 'D'].map((title) =>
          gateway.request('PATCH', `/Users/${id}`, { body: retitle(title), headers }),
        ),
      );
      const winners = answers.filter(({ status }) => status === 200 || status === 204);
      expect(winners).toHaveLength(1);
      for (const answer of answers.filter((each) => !winners.includes(each))) expectError(answer, 412);
    }),
  );

  it('may be demanded: 428 without If-Match [7644-3.14-09]', async () => {
    const gateway = server.gateway('policy');
    const resource = await newUser(gateway);
    const path = `/Users/${resource.id}`;
    expectError(await gateway.request('PATCH', path, { body: retitle('A') }), 428);
    const headers = { 'if-match': resource.meta.version };
    expectSuccess(await gateway.request('PATCH', path, { body: retitle('A'), headers }));
  });

  it(
    'does not depend on what is asked for [7644-3.14-10]',
    inBoth(server, async (gateway) => {
      const { id, meta } = await newUser(gateway, { title: 'T' });
      for (const query of [{ attributes: 'userName' }, { excludedAttributes: 'title' }, { attributes: 'meta' }]) {
        const answer = await gateway.request('GET', `/Users/${id}`, { query });
        expect(answer.headers.get('etag')).toBe(meta.version);
      }
    }),
  );
});
