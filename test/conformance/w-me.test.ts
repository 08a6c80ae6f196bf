import { describe, it } from 'vitest';
import { expectError, patchBody, user } from './resources.js';
import { inBoth, useServer } from './server.js';

const server = useServer('default', 'strict');

describe('W. /Me', () => {
  it(
    'is not there for a credential that stands for no user: 501 [7644-3.11-01 7644-3.11-05]',
    inBoth(server, async (gateway) => {
      expectError(await gateway.request('GET', '/Me'), 501);
      expectError(await gateway.request('PUT', '/Me', { body: user() }), 501);
      const body = patchBody({ op: 'add', path: 'title', value: 'T' });
      expectError(await gateway.request('PATCH', '/Me', { body }), 501);
      expectError(await gateway.request('DELETE', '/Me'), 501);
      expectError(await gateway.request('POST', '/Me', { body: user() }), 501);
    }),
  );

  it(
    'asks who is calling first [7644-3.11-01]',
    inBoth(server, async (gateway) => {
      expectError(await gateway.withToken('wrong').request('GET', '/Me'), 401);
    }),
  );
});
