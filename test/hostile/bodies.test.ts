import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTarget, type Target } from './target.js';
import { expectScimError, type WireAnswer } from './wire.js';

let target: Target;
beforeAll(async () => {
  target = await startTarget();
});
afterAll(async () => {
  await target.expectUnharmed();
  await target.server.close();
});

const post = (body: string | Buffer, headers: readonly string[] = []): Promise<WireAnswer | undefined> =>
  target.send({ path: '/scim/Users', body, headers });
const patchUri = 'urn:ietf:params:scim:api:messages:2.0:PatchOp';
const patch = (operation: string): Promise<WireAnswer | undefined> =>
  target.send({
    method: 'PATCH',
    path: `/scim/Users/${target.userId}`,
    body: `{"schemas":["${patchUri}"],"Operations":[${operation}]}`,
  });
/** A text around bytes that no text can hold. */
const around = (...bytes: readonly number[]): Buffer =>
  Buffer.concat([Buffer.from('{"userName":"a'), Buffer.from(bytes), Buffer.from('b"}')]);

describe('JSON that is none', () => {
  it.each([
    ['nothing', ''],
    ['half an object', '{'],
    ['a key without a value', '{"userName":'],
    ['no JSON', 'nonsense'],
    ['a comma too many', '{"userName":"x",}'],
    ['single quotes', "{'userName':'x'}"],
    ['NaN', '{"userName":NaN}'],
    ['something behind it', '{"userName":"x"} x'],
    ['two documents', '{"userName":"x"}{"userName":"y"}'],
    ['a byte order mark alone', '\ufeff'],
    ['a NUL in a text', '{"userName":"a\u0000b"}'],
    ['a NUL behind it', '{"userName":"x"}\u0000'],
    ['a line break in a text', '{"userName":"a\nb"}'],
    ['an open text of a megabyte', `{"userName":"${'x'.repeat(1_000_000)}`],
    ['a million open arrays', '['.repeat(1_000_000)],
    ['a million open objects', '{"a":'.repeat(1_000_000)],
    ['a million backslashes', `{"userName":"${'\\'.repeat(1_000_001)}`],
  ])('is 400 invalidSyntax: %s [7644-3.12-01]', async (_name, body) => {
    const answer = await post(body);
    expectScimError(answer, 400);
    expect(answer?.body).toContain('"scimType":"invalidSyntax"');
  });

  it.each([
    ['bytes that are never UTF-8', around(0xff, 0xfe)],
    ['an overlong slash', around(0xc0, 0xaf)],
    ['half a character as three bytes', around(0xed, 0xa0, 0x80)],
    ['a character beyond Unicode', around(0xf4, 0x90, 0x80, 0x80)],
    ['a character cut short', around(0xe2, 0x82)],
    ['UTF-16', Buffer.from('{"userName":"x"}', 'utf16le')],
    ['UTF-16 with a mark', Buffer.from('\ufeff{"userName":"x"}', 'utf16le')],
    ['random bytes', Buffer.from(Array.from({ length: 4096 }, (_, index) => (index * 197 + 31) % 256))],
  ])('is 400 in another encoding: %s [7644-3.8-01]', async (_name, body) => {
    expectScimError(await post(body), 400);
  });
});

describe('JSON that is too much', () => {
  it.each([
    ['arrays', `${'['.repeat(10_000)}${']'.repeat(10_000)}`],
    ['objects', `${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`],
    ['both in a mapped attribute', `{"userName":"x","emails":${'[{"value":'.repeat(5000)}1${'}]'.repeat(5000)}}`],
    ['a hundred levels', `{"userName":"x","a":${'['.repeat(100)}${']'.repeat(100)}}`],
  ])('is 400 when it is 10,000 levels deep: %s', async (_name, body) => {
    const answer = await post(body);
    expectScimError(answer, 400);
    expect(answer?.body).toContain('64 levels');
  });

  it('is 413 beyond the limit, and whoever sends it hears that [7644-T8-08]', async () => {
    const answer = await post(`{"userName":"big","title":"${'x'.repeat(34_000_000)}"}`);
    expectScimError(answer, 413);
    expect(answer?.body).toContain('33554432 bytes');
    const chunk = `10000\r\n${'x'.repeat(0x10000)}\r\n`;
    const head = `POST /scim/Users HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${target.token}\r\nTransfer-Encoding: chunked\r\n\r\n`;
    const { answers } = await target.raw(head + chunk.repeat(540));
    expectScimError(answers[0], 413);
  });

  it('within the limit is worked through while others are served', async () => {
    const numbers = post(`[${'0,'.repeat(10_000_000)}0]`);
    const keys = post(`{${Array.from({ length: 300_000 }, (_, index) => `"k${index}":1`).join()}}`);
    await target.expectGood();
    expectScimError(await numbers, 400);
    expectScimError(await keys, 400);
  });
});

describe('names that are special in JavaScript', () => {
  it.each([
    '{"userName":"%","__proto__":{"polluted":"yes","active":false}}',
    '{"userName":"%","constructor":{"prototype":{"polluted":"yes"}}}',
    '{"userName":"%","name":{"__proto__":{"givenName":"polluted"},"constructor":"polluted"}}',
    '{"userName":"%","toString":"polluted","hasOwnProperty":1,"valueOf":null,"then":"polluted"}',
    '{"userName":"%","emails":[{"__proto__":{"value":"polluted@example.com"}}]}',
    '{"userName":"%","schemas":["__proto__","constructor"]}',
    '{"userName":"%","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"__proto__":{"department":"polluted"}}}',
    '{"userName":"%","__proto__":"polluted"}',
    '{"userName":"%","\\u005f_proto__":{"polluted":"yes"}}',
  ])('name no attribute in a body: %s', async (body) => {
    const answer = await post(body.replace('%', `proto-${Math.random()}`));
    expect(answer?.status, answer?.body).toBe(201);
    expect(answer?.body).not.toMatch(/polluted|__proto__|constructor|toString/);
  });

  it.each([
    '{"op":"add","path":"__proto__.polluted","value":"yes"}',
    '{"op":"add","path":"constructor.prototype.polluted","value":"yes"}',
    '{"op":"add","path":"name.__proto__","value":"yes"}',
    '{"op":"replace","path":"emails[__proto__ eq 1].value","value":"yes"}',
    '{"op":"remove","path":"hasOwnProperty"}',
    '{"op":"__proto__","path":"title"}',
    '{"op":"toString","path":"title"}',
    '{"op":"constructor","value":{}}',
  ])('are refused in a PATCH: %s', async (operation) => {
    expectScimError(await patch(operation), 400);
  });

  it.each([
    '{"op":"add","value":{"__proto__":{"polluted":"yes"}}}',
    '{"op":"add","value":{"name":{"__proto__":{"givenName":"polluted"}}}}',
    '{"op":"add","path":"emails","value":[{"__proto__":{"value":"polluted@example.com"}}]}',
    '{"op":"replace","value":{"constructor":{"prototype":{"polluted":"yes"}}}}',
  ])('change nothing as members of a value: %s', async (operation) => {
    const answer = await patch(operation);
    expect([200, 204, 400]).toContain(answer?.status);
    expect(answer?.body).not.toContain('polluted');
  });

  it.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'prototype'])(
    'lead nowhere as an id, a type, a schema or a bulkId: %s',
    async (name) => {
      for (const path of ['Users/', 'Groups/', '', 'Schemas/', 'ResourceTypes/']) {
        expectScimError(await target.send({ path: `/scim/${path}${name}` }), 404);
      }
      const operations = [
        { method: 'POST', path: '/Users', bulkId: name, data: { userName: `bulk-${name}` } },
        { method: 'POST', path: `/${name}`, bulkId: 'other', data: {} },
      ];
      const schemas = ['urn:ietf:params:scim:api:messages:2.0:BulkRequest'];
      const body = JSON.stringify({ schemas, Operations: operations });
      const answer = await target.send({ path: '/scim/Bulk', body });
      expect(answer?.status).toBe(200);
      expect(JSON.parse(answer?.body ?? '')).toMatchObject({ Operations: [{ status: '201' }, { status: '404' }] });
    },
  );
});

describe('texts that are no characters', () => {
  it.each(['\\ud800', '\\udc00', 'a\\ud800b', '\\udc00\\ud800', '\\ud83d'])(
    'are refused as a value: %s',
    async (text) => {
      expectScimError(await post(`{"userName":"half-${text}"}`), 400);
      expectScimError(await patch(`{"op":"replace","path":"title","value":"${text}"}`), 400);
    },
  );

  it('are harmless as a name that nobody knows', async () => {
    const answer = await post(`{"userName":"half-key","\\ud800":"x","\\u0000":1}`);
    expect(answer?.status).toBe(201);
  });

  it('come back as they were where they are allowed: NUL, escapes, the last characters of Unicode', async () => {
    const title = '\u0000\u0001\u007f\u2028\u2029\ufeff\ufffe\u{10ffff}"\\/';
    const answer = await post(JSON.stringify({ userName: 'odd-characters', title }));
    if (answer?.status !== 201) expectScimError(answer, 400);
    else expect(JSON.parse(answer.body)).toMatchObject({ title });
  });
});

describe('values of the wrong kind', () => {
  it.each([
    '[]',
    'null',
    '"text"',
    '12',
    'true',
    '{"userName":["x"]}',
    '{"userName":{}}',
    '{"userName":null}',
    '{"userName":1e400}',
    '{"userName":"x","active":1e400}',
    '{"userName":"x","active":-0}',
    '{"userName":"x","title":123456789012345678901234567890}',
    '{"userName":"x","emails":[[[]]]}',
    '{"userName":"x","emails":[1,true]}',
    '{"userName":"x","name":[1]}',
    '{"userName":"x","name":"text"}',
  ])('are 400: %s', async (body) => {
    expectScimError(await post(body), 400);
  });
});

describe('bodies of another type', () => {
  it.each([
    'text/plain',
    'text/html',
    'application/xml',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/json; charset=utf-16',
    'application/json; charset="iso-8859-1"',
    'application/json/x',
    'application/jsonp',
    'garbage',
    ';;;',
    'application/json, text/plain',
  ])('are 415: %s [7644-3.8-01]', async (type) => {
    expectScimError(await post('{"userName":"typed"}', [`Content-Type: ${type}`]), 415);
  });

  const json = '{"userName":"compressed"}';
  it.each([
    ['gzip', gzipSync(json)],
    ['deflate', deflateSync(json)],
    ['br', brotliCompressSync(json)],
    ['zstd', Buffer.from(json)],
    ['gzip, gzip', gzipSync(gzipSync(json))],
    ['identity, gzip', gzipSync(json)],
    // A gigabyte of zeros is a megabyte then.
    ['gzip', gzipSync(Buffer.alloc(64_000_000))],
    ['x-unknown', Buffer.from(json)],
  ])('are 415 when they are compressed: %s', async (encoding, body) => {
    expectScimError(await post(body, [`Content-Encoding: ${encoding}`]), 415);
  });

  it('are taken when nothing was done to them', async () => {
    const answer = await post('{"userName":"as-it-is"}', ['Content-Encoding: identity']);
    expect(answer?.status).toBe(201);
  });
});
