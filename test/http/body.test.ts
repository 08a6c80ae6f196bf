import { describe, expect, it } from 'vitest';
import { parseJson as parse, toText } from '../../src/http/body.js';
import { createTestApp, errorOf, json } from './test-app.js';

function stream(chunk: string, times: number): { body: ReadableStream<Uint8Array>; sent: () => number } {
  let sent = 0;
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (sent === times) return controller.close();
      sent++;
      controller.enqueue(new TextEncoder().encode(chunk));
    },
  });
  return { body, sent: () => sent };
}

const parseJson = (bytes: Buffer): unknown => parse(toText(bytes));

describe('parseJson', () => {
  it('keeps every character of UTF-8 [7644-3.8-01]', () => {
    expect(parseJson(Buffer.from('{"a":"Zoë 你好 😀"}'))).toEqual({ a: 'Zoë 你好 😀' });
  });

  it('skips a byte order mark', () => {
    expect(parseJson(Buffer.from('\ufeff{"a":1}'))).toEqual({ a: 1 });
  });

  it.each(['', '{', '{"a":}', '[1,]', 'nonsense'])('refuses %j with invalidSyntax [7644-T8-02 7644-T9-06]', (text) => {
    expect(() => parseJson(Buffer.from(text))).toThrow(
      expect.objectContaining({ status: 400, scimType: 'invalidSyntax' }),
    );
  });

  it('says where the fault is, without quoting the body', () => {
    expect(() => parseJson(Buffer.from('{\n  "password": "secret",\n  "active": True\n}'))).toThrow(
      expect.objectContaining({ message: 'The body is not valid JSON at line 3, column 13: expected a value.' }),
    );
  });

  it('refuses bytes that are not UTF-8 rather than change them', () => {
    expect(() => parseJson(Buffer.from([0x22, 0xe9, 0x22]))).toThrow(
      expect.objectContaining({ scimType: 'invalidSyntax', message: 'The body is not in UTF-8.' }),
    );
  });

  it('accepts 64 levels and refuses 65, however deep', () => {
    expect(() => parseJson(Buffer.from('['.repeat(64) + ']'.repeat(64)))).not.toThrow();
    for (const depth of [65, 100_000]) {
      expect(() => parseJson(Buffer.from('['.repeat(depth) + ']'.repeat(depth)))).toThrow(
        expect.objectContaining({ scimType: 'invalidSyntax', message: 'The body is nested deeper than 64 levels.' }),
      );
    }
    const objects = '{"a":'.repeat(65) + 1 + '}'.repeat(65);
    expect(() => parseJson(Buffer.from(objects))).toThrow(/64 levels/);
  });

  it.each(['{"__proto__":{"admin":true},"a":1}', '{"\\u005f_proto__":{"admin":true},"a":1}'])(
    'drops the key __proto__ from %s',
    (text) => {
      const value = parseJson(Buffer.from(text));
      expect(Object.keys(value as object)).toEqual(['a']);
      expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
      expect(({} as { admin?: boolean }).admin).toBeUndefined();
    },
  );
});

describe('the body limit', () => {
  it('is 413 and names the limit [7644-T8-08]', async () => {
    const { send, service } = createTestApp();
    const response = await send('/scim/Users', json('POST', { a: 'x'.repeat(1000) }));
    expect(response.status).toBe(413);
    expect((await errorOf(response)).detail).toContain('1000 bytes');
    expect(service.calls).toEqual([]);
  });

  it('counts bytes, not characters', async () => {
    const { send } = createTestApp();
    expect((await send('/scim/Users', json('POST', JSON.stringify('é'.repeat(499))))).status).toBe(201);
    expect((await send('/scim/Users', json('POST', JSON.stringify('é'.repeat(500))))).status).toBe(413);
  });

  it('of bulk is its own, and called maxPayloadSize [7644-3.7.4-02]', async () => {
    const { send, service } = createTestApp();
    expect((await send('/scim/Bulk', json('POST', { a: 'x'.repeat(1500) }))).status).toBe(200);
    const response = await send('/scim/Bulk', json('POST', { a: 'x'.repeat(2000) }));
    expect(response.status).toBe(413);
    expect((await errorOf(response)).detail).toContain('maxPayloadSize, which is 2000 bytes');
    expect(service.calls).toHaveLength(1);
  });

  it('is enforced by Content-Length before anything is read [7644-3.7.4-03]', async () => {
    const { send } = createTestApp();
    const { body, sent } = stream('x'.repeat(100), 1000);
    const headers = { 'content-length': String(4 * 2 ** 30), 'content-type': 'application/json' };
    const response = await send('/scim/Bulk', { method: 'POST', body, headers, duplex: 'half' } as RequestInit);
    expect(response.status).toBe(413);
    expect(sent()).toBeLessThan(3);
  });

  it('is enforced while reading when no length is announced [7644-3.7.4-03]', async () => {
    const { send } = createTestApp();
    const { body, sent } = stream('x'.repeat(100), 1000);
    const headers = { 'content-type': 'application/json' };
    const response = await send('/scim/Users', { method: 'POST', body, headers, duplex: 'half' } as RequestInit);
    expect(response.status).toBe(413);
    expect(sent()).toBeLessThan(15);
  });
});

describe('bulk', () => {
  it('goes to the service as parsed JSON [7644-3.7-12]', async () => {
    const { send, service } = createTestApp();
    const response = await send('/scim/Bulk', json('POST', { Operations: [{ method: 'POST' }] }));
    expect(response.status).toBe(200);
    expect(service.calls).toEqual([{ method: 'bulk', arguments: [{ Operations: [{ method: 'POST' }] }] }]);
  });

  it('that is no JSON, or comes without a right, is refused as a whole [7644-3.7-13]', async () => {
    const { app, send } = createTestApp();
    expect((await send('/scim/Bulk', json('POST', '{"Operations":'))).status).toBe(400);
    expect((await app.request('/scim/Bulk', json('POST', {}))).status).toBe(401);
  });
});
