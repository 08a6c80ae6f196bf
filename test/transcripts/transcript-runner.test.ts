// biome-ignore-all lint/suspicious/noTemplateCurlyInString: placeholders of transcripts look like those of template strings.
import { describe, expect, it } from 'vitest';
import { createTestGateway, type Send } from '../support/gateway.js';
import { valueAt } from './saved-path.js';
import {
  checkAnswer,
  type Exchange,
  loadTranscript,
  runExchange,
  startTranscript,
  stepsOf,
  unmetRequirement,
} from './transcript-runner.js';

interface Sent {
  readonly method: string;
  readonly url: string;
  readonly headers: Headers;
  readonly body: unknown;
}

/** A server that keeps what it was sent and gives the same answer to everything. */
function recordingGateway(answer: { readonly status?: number; readonly body?: string; readonly etag?: string }) {
  const sent: Sent[] = [];
  const send: Send = async (url, init) => {
    sent.push({ method: init.method ?? '', url, headers: new Headers(init.headers), body: init.body });
    const headers = answer.etag === undefined ? {} : { ETag: answer.etag };
    return new Response(answer.body ?? null, { status: answer.status ?? 200, headers });
  };
  const gateway = createTestGateway('http://host/scim', 'secret', send);
  return { sent, gateway, scope: startTranscript(gateway) };
}

const exchange = (fields: Partial<Exchange>): Exchange => ({
  name: 'x',
  method: 'GET',
  path: '/Users',
  expect: { status: [200] },
  ...fields,
});

describe('runExchange', () => {
  it('sends the default headers and a body with its type', async () => {
    const { sent, gateway, scope } = recordingGateway({});
    await runExchange(exchange({ method: 'POST', body: { a: '${run}' } }), gateway, scope);
    expect(Object.fromEntries(sent[0]?.headers ?? [])).toMatchObject({
      authorization: 'Bearer secret',
      accept: 'application/scim+json',
      'content-type': 'application/scim+json',
    });
    expect(sent[0]?.body).toMatch(/^\{"a":"r[0-9a-f]{8}"\}$/);
  });

  it('sends no content type without a body, and removes a default that is null', async () => {
    const { sent, gateway, scope } = recordingGateway({});
    await runExchange(exchange({ headers: { Authorization: null, 'X-Run': '1' } }), gateway, scope);
    expect(Object.fromEntries(sent[0]?.headers ?? [])).toEqual({ accept: 'application/scim+json', 'x-run': '1' });
  });

  it('encodes the query and keeps one that is in the path', async () => {
    const { sent, gateway, scope } = recordingGateway({});
    const query = { filter: 'a eq "b+c&d"', cursor: null };
    await runExchange(exchange({ path: '/Users?x=%22', query }), gateway, scope);
    expect(sent[0]?.url).toBe('http://host/scim/Users?x=%22&filter=a%20eq%20%22b%2Bc%26d%22&cursor');
  });

  it('sends a raw body as it is', async () => {
    const { sent, gateway, scope } = recordingGateway({});
    await runExchange(exchange({ method: 'POST', rawBody: '{"broken' }), gateway, scope);
    expect(sent[0]?.body).toBe('{"broken');
  });

  it('saves values and headers for later exchanges', async () => {
    const { sent, gateway, scope } = recordingGateway({ body: '{"id":"7","list":[{"x":"y"}]}', etag: 'W/"1"' });
    const save = { userId: '$.id', tag: 'header:etag', deep: "$.list[0]['x']" };
    await runExchange(exchange({ save }), gateway, scope);
    await runExchange(
      exchange({ path: '/Users/${userId}/${deep}', headers: { 'if-match': '${tag}' } }),
      gateway,
      scope,
    );
    expect(sent[1]?.url).toBe('http://host/scim/Users/7/y');
    expect(sent[1]?.headers.get('if-match')).toBe('W/"1"');
  });

  it('fails on a value that is not there to be saved', async () => {
    const { gateway, scope } = recordingGateway({ body: '{"id":"7"}' });
    await expect(runExchange(exchange({ save: { a: '$.name.x' } }), gateway, scope)).rejects.toThrow('Nothing at');
    await expect(runExchange(exchange({ save: { a: 'header:etag' } }), gateway, scope)).rejects.toThrow('header:etag');
  });

  it('repeats with the number of the round', async () => {
    const { sent, gateway, scope } = recordingGateway({});
    await runExchange(exchange({ repeat: 3, path: '/Users/${i}' }), gateway, scope);
    expect(sent.map(({ url }) => url.at(-1))).toEqual(['1', '2', '3']);
  });

  it('fails on an unknown placeholder before anything is sent', async () => {
    const { sent, gateway, scope } = recordingGateway({});
    await expect(runExchange(exchange({ path: '/Users/${nosuch}' }), gateway, scope)).rejects.toThrow('nosuch');
    expect(sent).toEqual([]);
  });
});

describe('checkAnswer', () => {
  const answer = { status: 200, headers: new Headers({ ETag: 'W/"1"' }), body: {} as never, text: '{"a":[1]}' };

  it('accepts an answer that fits, header names in any case', () => {
    checkAnswer(answer, { status: [200, 204], headers: { ETAG: { $regex: '^W/' } }, body: { a: [1] } });
  });

  it.each([
    { status: [204] },
    { status: [200], headers: { location: { $exists: true } } },
    { status: [200], body: { a: [2] } },
    { status: [200], text: '' },
  ])('refuses %j', (expectation) => {
    expect(() => checkAnswer(answer, expectation)).toThrow('The answer: 200 {"a":[1]}');
  });

  it('wants one of several expectations', () => {
    checkAnswer(answer, [{ status: [204], text: '' }, { status: [200] }]);
    expect(() => checkAnswer(answer, [{ status: [204] }, { status: [200], body: { a: [2] } }])).toThrow('\nor ');
  });

  it('refuses a body that is no JSON when one is expected', () => {
    expect(() => checkAnswer({ ...answer, text: '<html>' }, { status: [200], body: {} })).toThrow('no JSON');
    expect(() => checkAnswer({ ...answer, text: '' }, { status: [200], body: { a: 1 } })).toThrow('an object');
  });
});

describe('requirements of an item', () => {
  const config = { bulk: { supported: true }, etag: { supported: false } };

  it.each([
    [undefined, false, undefined],
    [['bulk'], false, undefined],
    [['bulk', 'etag'], false, 'ServiceProviderConfig does not claim "etag"'],
    [['sort'], false, 'ServiceProviderConfig does not claim "sort"'],
    [['basic'], false, 'no basic credentials were given'],
    [['basic'], true, undefined],
  ])('%j with basic %s: %s', (requires, hasBasic, reason) => {
    expect(unmetRequirement(requires, config, hasBasic)).toBe(reason);
  });
});

describe('paths of saved values', () => {
  const root = { a: { 'urn:x:2.0': [{ b: 0 }] } };

  it('follows names, positions and quoted names', () => {
    expect(valueAt("$.a['urn:x:2.0'][0].b", root)).toBe(0);
    expect(valueAt('$', root)).toBe(root);
  });

  it.each(['a', '$a', '$.a[x]', '$.a.c', "$.a['urn:x:2.0'][1]"])('refuses %s', (path) => {
    expect(() => valueAt(path, root)).toThrow();
  });
});

describe('the transcript files', () => {
  const files = ['entra-id', 'okta', 'onelogin', 'pingfederate', 'jumpcloud'];

  it('hold 186 exchanges with names that are unique in their file', () => {
    const names = files.map((file) =>
      loadTranscript(`${file}.json`)
        .flatMap(stepsOf)
        .map(({ name }) => name),
    );
    expect(names.map((list) => list.length)).toEqual([100, 39, 18, 17, 12]);
    for (const list of names) expect(new Set(list).size).toBe(list.length);
  });

  it('run a case as its steps', () => {
    const steps = [exchange({ name: 'a' }), exchange({ name: 'b' })];
    expect(stepsOf({ name: 'case', steps })).toBe(steps);
  });
});
