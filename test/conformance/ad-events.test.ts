import { describe, expect, it } from 'vitest';
import { newUser, patchBody, read, user } from './resources.js';
import { inBoth, useServer } from './server.js';

const server = useServer('default', 'strict');

describe('AD. Events and asynchronous requests', () => {
  it(
    'are not offered, and ServiceProviderConfig does not claim them [9967-4-01]',
    inBoth(server, async (gateway) => {
      expect(Object.keys(await read(gateway, '/ServiceProviderConfig'))).not.toContain('securityEvents');
    }),
  );

  it(
    'asked for by Prefer: respond-async get the normal answer [9967-2.5.1.1-01]',
    inBoth(server, async (gateway) => {
      const headers = { prefer: 'respond-async' };
      const post = await gateway.request('POST', '/Users', { body: user(), headers });
      expect(post.status).toBe(201);
      const { id } = await newUser(gateway);
      const body = patchBody({ op: 'add', path: 'title', value: 'T' });
      const patched = await gateway.request('PATCH', `/Users/${id}`, { body, headers });
      expect(patched.status).toBe(200);
      expect(patched.headers.has('set-txn')).toBe(false);
    }),
  );
});
