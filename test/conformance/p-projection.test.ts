import { describe, expect, it } from 'vitest';
import type { TestGateway } from '../support/gateway.js';
import { expectError, extension, list, newUser, patchBody, read, readUser, unique, urn, user } from './resources.js';
import { inBoth, useServer } from './server.js';

const server = useServer('default', 'strict');

const fields = () => ({
  schemas: [urn.user, urn.enterprise],
  title: 'T',
  name: { givenName: 'G', familyName: 'F' },
  emails: [
    { value: 'a@example.com', type: 'work', primary: true },
    { value: 'b@example.com', type: 'home' },
  ],
  [urn.enterprise]: { department: 'D', costCenter: 'C' },
});
const keys = async (gateway: TestGateway, id: string, query: Readonly<Record<string, string>>) =>
  Object.keys(await read(gateway, `/Users/${id}`, query)).sort();

describe('P. attributes and excludedAttributes', () => {
  it(
    'attributes: the minimum and what is named [7644-3.4.2.5-01 7644-3.9-01 7644-3.9-10 GAP-15]',
    inBoth(server, async (gateway) => {
      const { id } = await newUser(gateway, fields());
      expect(await keys(gateway, id, { attributes: 'userName' })).toEqual(['id', 'schemas', 'userName']);
      expect(await keys(gateway, id, { attributes: 'meta,title' })).toEqual(['id', 'meta', 'schemas', 'title']);
      const [resource] = (await list(gateway, '/Users', { filter: `id eq "${id}"`, attributes: 'title' })).Resources;
      expect(resource).toMatchObject({ id, title: 'T', schemas: expect.arrayContaining([urn.user]) });
      expect(Object.keys(resource ?? {})).not.toContain('userName');
    }),
  );

  it(
    'excludedAttributes: the minimum and the default set without what is named [7644-3.4.2.5-01 7644-3.9-02]',
    inBoth(server, async (gateway) => {
      const { id } = await newUser(gateway, fields());
      const all = Object.keys(await readUser(gateway, { id })).sort();
      const excluded = await keys(gateway, id, { excludedAttributes: 'emails,title' });
      expect(excluded).toEqual(all.filter((name) => name !== 'emails' && name !== 'title'));
    }),
  );

  it(
    'excludedAttributes: no effect on what is always returned [7644-3.4.2.5-02]',
    inBoth(server, async (gateway) => {
      const { id } = await newUser(gateway);
      expect(await read(gateway, `/Users/${id}`, { excludedAttributes: 'id,schemas' })).toMatchObject({
        id,
        schemas: [urn.user],
      });
    }),
  );

  it(
    'refuses both at once [7644-3.9-03 GAP-09]',
    inBoth(server, async (gateway) => {
      const { id } = await newUser(gateway);
      const query = { attributes: 'title', excludedAttributes: 'emails' };
      expectError(await gateway.request('GET', `/Users/${id}`, { query }), 400, 'invalidValue');
      expectError(await gateway.request('GET', '/Users', { query }), 400, 'invalidValue');
      const body = { schemas: [urn.search], attributes: ['title'], excludedAttributes: ['emails'] };
      expectError(await gateway.request('POST', '/Users/.search', { body }), 400, 'invalidValue');
    }),
  );

  it(
    'takes lists of names with sub-attributes and schemas, in any case [7644-3.9-04]',
    inBoth(server, async (gateway) => {
      const { id } = await newUser(gateway, fields());
      const attributes = `name.givenName,${urn.enterprise}:department`;
      for (const text of [attributes, attributes.toUpperCase(), attributes.replace(',', ', ')]) {
        const resource = await read(gateway, `/Users/${id}`, { attributes: text });
        expect(Object.keys(resource).sort()).toEqual(['id', 'name', 'schemas', urn.enterprise].sort());
        expect(resource.name).toEqual({ givenName: 'G' });
        expect(extension(resource, urn.enterprise)).toEqual({ department: 'D' });
      }
      const excluded = await read(gateway, `/Users/${id}`, { excludedAttributes: attributes });
      expect(excluded.name).toEqual({ familyName: 'F' });
      expect(extension(excluded, urn.enterprise)).toEqual({ costCenter: 'C' });
    }),
  );

  it(
    'applies to every answer with a resource [7644-3.9-05]',
    inBoth(server, async (gateway) => {
      const post = await gateway.request('POST', '/Users?attributes=title', { body: user({ title: 'T' }) });
      expect(Object.keys(post.body).sort()).toEqual(['id', 'schemas', 'title']);
      const { id } = post.body;
      const body = { schemas: [urn.user], userName: unique('user'), title: 'U' };
      const put = await gateway.request('PUT', `/Users/${id}?excludedAttributes=meta,userName`, { body });
      expect(Object.keys(put.body).sort()).toEqual(['id', 'schemas', 'title']);
      const patched = await gateway.request('PATCH', `/Users/${id}?attributes=title`, {
        body: patchBody({ op: 'replace', path: 'title', value: 'V' }),
      });
      expect(patched.body).toEqual({ schemas: [urn.user], id, title: 'V' });
      const searched = await gateway.request('POST', '/Users/.search', {
        body: { schemas: [urn.search], filter: `id eq "${id}"`, attributes: ['title'] },
      });
      expect(searched.body.Resources).toEqual([{ schemas: [urn.user], id, title: 'V' }]);
    }),
  );

  it(
    'takes the URI of an extension for all of it [7644-3.9-06]',
    inBoth(server, async (gateway) => {
      const { id } = await newUser(gateway, fields());
      const resource = await read(gateway, `/Users/${id}`, { attributes: urn.enterprise });
      expect(extension(resource, urn.enterprise)).toEqual({ department: 'D', costCenter: 'C' });
      expect(Object.keys(resource)).not.toContain('title');
      const excluded = await read(gateway, `/Users/${id}`, { excludedAttributes: urn.enterprise });
      expect(Object.keys(excluded)).not.toContain(urn.enterprise);
    }),
  );

  it(
    'gives a complex attribute whole, or the sub-attribute that is named [7644-3.9-07]',
    inBoth(server, async (gateway) => {
      const { id } = await newUser(gateway, fields());
      expect((await read(gateway, `/Users/${id}`, { attributes: 'name' })).name).toEqual({
        givenName: 'G',
        familyName: 'F',
      });
      const { emails } = await read(gateway, `/Users/${id}`, { attributes: 'emails.value' });
      expect(emails).toEqual([{ value: 'a@example.com' }, { value: 'b@example.com' }]);
    }),
  );

  it(
    'ignores unknown names [7644-3.9-08]',
    inBoth(server, async (gateway) => {
      const { id } = await newUser(gateway, fields());
      expect(await keys(gateway, id, { attributes: 'nosuch' })).toEqual(['id', 'schemas']);
      expect(await keys(gateway, id, { attributes: 'nosuch,title' })).toEqual(['id', 'schemas', 'title']);
      expect(await readUser(gateway, { id })).toEqual(
        await read(gateway, `/Users/${id}`, { excludedAttributes: 'nosuch' }),
      );
    }),
  );
});
