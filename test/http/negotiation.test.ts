import { describe, expect, it } from 'vitest';
import { createTestApp, json } from './test-app.js';

const scim = 'application/scim+json';
const plain = 'application/json';

describe('Accept', () => {
  it.each([
    ['application/scim+json', scim],
    ['application/scim+json; charset=utf-8', scim],
    ['APPLICATION/SCIM+JSON', scim],
    ['application/scim+json, application/json', scim],
    ['application/json, application/scim+json', scim],
  ])('%s → %s [7644-3.8-02]', async (accept, type) => {
    const response = await createTestApp().send('/scim/Users', { headers: { accept } });
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe(type);
  });

  it.each([
    ['application/json', plain],
    ['application/json;q=0.5, text/html', plain],
    ['application/scim+json;q=0.1, application/json', plain],
    ['application/json, application/scim+json;q=0', plain],
    ['application/json, */*;q=0.1', plain],
  ])('%s → %s [7644-3.8-03]', async (accept, type) => {
    const response = await createTestApp().send('/scim/Users', { headers: { accept } });
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe(type);
  });

  it.each([undefined, '*/*', 'application/*', 'application/json, text/plain, */*', ''])(
    '%s → application/scim+json [7644-3.8-04]',
    async (accept) => {
      const response = await createTestApp().send('/scim/Users', { headers: accept === undefined ? {} : { accept } });
      expect(response.headers.get('content-type')).toBe(scim);
    },
  );

  it.each(['text/html', 'application/xml, text/xml', 'application/scim+json;q=0', 'image/*'])(
    '%s: 406, and nothing is done [7644-3.8-07]',
    async (accept) => {
      const { send, service } = createTestApp();
      const response = await send('/scim/Users', json('POST', { userName: 'a' }, { accept }));
      expect(response.status).toBe(406);
      expect(response.headers.get('content-type')).toBe(scim);
      expect(service.calls).toEqual([]);
    },
  );

  it('counts for errors too', async () => {
    const response = await createTestApp().send('/scim/Users/missing', { headers: { accept: plain } });
    expect(response.headers.get('content-type')).toBe(plain);
  });
});

describe('Content-Type', () => {
  it.each([
    'application/scim+json',
    'application/json',
    'application/scim+json; charset=utf-8',
    'application/json;charset="UTF-8"',
    'Application/Json',
  ])('%s is JSON [7644-3.8-01]', async (type) => {
    const response = await createTestApp().send('/scim/Users', json('POST', {}, { 'content-type': type }));
    expect(response.status).toBe(201);
  });

  it('may be missing', async () => {
    const { app } = createTestApp();
    const body = new TextEncoder().encode('{"userName":"a"}');
    const response = await app.request('/scim/Users', { method: 'POST', body, headers: { authorization: 'Bearer t' } });
    expect(response.status).toBe(201);
  });

  it.each([
    'text/xml',
    'text/plain',
    'application/x-www-form-urlencoded',
    'application/scim+json; charset=iso-8859-1',
    'multipart/form-data; boundary=x',
  ])('%s: 415 [7644-3.8-07]', async (type) => {
    const { send, service } = createTestApp();
    const response = await send('/scim/Users', json('POST', {}, { 'content-type': type }));
    expect(response.status).toBe(415);
    expect(service.calls).toEqual([]);
  });

  it('an encoded body: 415', async () => {
    const response = await createTestApp().send('/scim/Users', json('POST', {}, { 'content-encoding': 'gzip' }));
    expect(response.status).toBe(415);
  });
});
