import { describe, expect, it } from 'vitest';
import { jsonPatch } from '../../adapters/rest/json-patch.js';
import { nextLinkOf } from '../../adapters/rest/link-header.js';
import { mergePatch } from '../../adapters/rest/merge-patch.js';
import { noticeOf, retryAfterOf } from '../../adapters/rest/notices.js';
import { parsePointer, printPointer, valueAt, withValueAt } from '../../adapters/rest/pointer.js';
import { revisionOfTag, tagOfRevision } from '../../adapters/rest/revision.js';
import { fillJson, fillRequest, parseRequest } from '../../adapters/rest/template.js';

describe('JSON Pointer (RFC 6901)', () => {
  // The document and the values of RFC 6901 §5.
  const document = { foo: ['bar', 'baz'], '': 0, 'a/b': 1, 'c%d': 2, 'e^f': 3, 'i\\j': 5, ' ': 7, 'm~n': 8 };
  it.each([
    ['', document],
    ['/foo', ['bar', 'baz']],
    ['/foo/0', 'bar'],
    ['/', 0],
    ['/a~1b', 1],
    ['/c%d', 2],
    ['/e^f', 3],
    ['/i\\j', 5],
    ['/ ', 7],
    ['/m~0n', 8],
    ['/nothing/there', undefined],
    ['/foo/01', undefined],
    ['/constructor', undefined],
  ])('%j', (text, expected) => {
    expect(valueAt(document, parsePointer(text))).toEqual(expected);
    expect(printPointer(parsePointer(text))).toBe(text);
  });

  it('puts a value in and takes it out without touching what it was given', () => {
    const before = { profile: { mail: 'a' }, other: 1 };
    expect(withValueAt(before, ['profile', 'phone'], 'b')).toEqual({ profile: { mail: 'a', phone: 'b' }, other: 1 });
    expect(withValueAt(before, ['new', 'part'], 1)).toEqual({ ...before, new: { part: 1 } });
    expect(withValueAt(before, ['profile', 'mail'], undefined)).toEqual({ profile: {}, other: 1 });
    expect(withValueAt(before, ['none', 'at', 'all'], undefined)).toEqual(before);
    expect(before).toEqual({ profile: { mail: 'a' }, other: 1 });
  });
});

describe('request templates', () => {
  const user = parseRequest('GET /users/{id}/items?view=full&of={id}');

  it('encodes a value as one piece, so that it cannot leave its place', () => {
    expect(fillRequest(user, { id: 'a/b?c=d&e#f' })).toEqual({
      path: '/users/a%2Fb%3Fc%3Dd%26e%23f/items?view=full&of=a%2Fb%3Fc%3Dd%26e%23f',
    });
    expect(fillRequest(user, { id: 'x\r\nHost: evil' })).toEqual({
      path: '/users/x%0D%0AHost%3A%20evil/items?view=full&of=x%0D%0AHost%3A%20evil',
    });
    expect(fillRequest(user, { id: 'https://evil.example' })).toMatchObject({
      path: expect.stringContaining('%3A%2F%2F'),
    });
  });

  it.each(['', '.', '..'])('refuses %j as a segment: it would name another folder', (id) => {
    expect(fillRequest(parseRequest('GET /users/{id}'), { id })).toEqual({ unfit: 'id' });
  });

  it('refuses dots that come together from several values, and half a surrogate pair', () => {
    expect(fillRequest(parseRequest('GET /x/{a}{b}'), { a: '.', b: '.' })).toHaveProperty('unfit');
    expect(fillRequest(parseRequest('GET /x/{a}.json'), { a: '..' })).toEqual({ path: '/x/...json' });
    expect(fillRequest(parseRequest('GET /x/{a}'), { a: '\ud800' })).toHaveProperty('unfit');
    expect(fillRequest(parseRequest('GET /x/{a}'), {})).toHaveProperty('unfit');
  });

  it('keeps the type of a value that is the whole of a JSON text', () => {
    const template = { id: '{n}', label: 'no. {n}', list: ['{list}'], keep: { brace: '{other}' } };
    expect(fillJson(template, { n: 5, list: [1, '2'] })).toEqual({
      id: 5,
      label: 'no. 5',
      list: [[1, '2']],
      keep: { brace: '{other}' },
    });
    expect(fillJson('{n}', { n: '"}, {"admin": true' })).toBe('"}, {"admin": true');
  });
});

describe('Link headers (RFC 8288)', () => {
  it.each([
    ['</u?page=2>; rel="next"', '/u?page=2'],
    ['</u?page=1>; rel="prev", </u?page=3>; rel="next"', '/u?page=3'],
    ['</u?page=3>; title="a, <b>; rel=next"; rel="last next"', '/u?page=3'],
    ['</a>; title="a, b; rel=\\"next\\""; rel=first, </u?a=1>; title=more; REL="last-seen NEXT"', '/u?a=1'],
    ['</u?page=3>;rel=next;rel=first', '/u?page=3'],
    ['</u?page=3>; rel=first; rel=next', undefined],
    ['</u?page=3>; rel="nextish"', undefined],
    ['', undefined],
    ['</a>; rel=prev; ; title=x, , </b>; rel=last', undefined],
  ])('%s', (header, expected) => {
    expect(nextLinkOf(header)).toEqual({ target: expected });
  });
  it.each(['nonsense', '<http://x; rel="next"', '</a>; rel=first, /b; rel=next', '</a>; rel="next', '</a> rel=next'])(
    'that cannot be read to the end are told apart: %s',
    (header) => {
      expect(nextLinkOf(header)).toBe('malformed');
    },
  );
  it('reads several headers as one', () => {
    expect(nextLinkOf(['</a>; rel=prev', '</b>; rel=next'])).toEqual({ target: '/b' });
    expect(nextLinkOf(undefined)).toEqual({ target: undefined });
  });
});

describe('what answers tell of limits', () => {
  const now = Date.parse('2026-11-22T10:00:00Z');
  it.each([
    ['120', 120],
    ['0', 0],
    ['Sun, 22 Nov 2026 10:01:30 GMT', 90],
    ['Sun, 22 Nov 2026 09:00:00 GMT', 0],
    ['soon', undefined],
    ['99999999999', 86_400],
  ])('Retry-After: %s (RFC 9110 §10.2.3)', (text, expected) => {
    expect(retryAfterOf({ 'retry-after': text }, now)).toBe(expected);
  });

  it.each([
    [{ ratelimit: '"hour";r=50;t=30' }, { remaining: 50, resetSeconds: 30 }],
    [{ ratelimit: '"hour";r=50;t=3000, "second";r=2;t=1' }, { remaining: 2, resetSeconds: 1 }],
    [{ ratelimit: 'limit=100, remaining=7, reset=5' }, { remaining: 7, resetSeconds: 5 }],
    [
      { 'x-ratelimit-remaining': '3', 'x-ratelimit-reset': '60' },
      { remaining: 3, resetSeconds: 60 },
    ],
    [
      { 'x-ratelimit-remaining': '3', 'x-ratelimit-reset': String(now / 1_000 + 20) },
      { remaining: 3, resetSeconds: 20 },
    ],
    [
      { 'x-rate-limit-remaining': '0', 'x-rate-limit-reset': String(now + 4_000) },
      { remaining: 0, resetSeconds: 4 },
    ],
    [{ 'x-ratelimit-remaining': 'many' }, undefined],
    [{ 'retry-after': '5' }, undefined],
  ])('%j', (headers, expected) => {
    expect(noticeOf(200, headers, now)).toEqual(expected);
  });

  it('heeds Retry-After where the answer is a refusal for now', () => {
    for (const status of [429, 503])
      expect(noticeOf(status, { 'retry-after': '5' }, now)).toEqual({ retryAfterSeconds: 5 });
  });
});

describe('merge patches (RFC 7396)', () => {
  it('say what changes and no more', () => {
    const before = { title: 'a', profile: { mail: 'x', phone: 'y' }, tags: ['a', 'b'], keep: { deep: [1] } };
    const after = { title: 'a', profile: { mail: 'z' }, tags: ['b'], keep: { deep: [1] }, more: 1 };
    expect(mergePatch(before, after)).toEqual({ profile: { mail: 'z', phone: null }, tags: ['b'], more: 1 });
    expect(mergePatch(before, before)).toBeUndefined();
  });
});

describe('JSON patches (RFC 6902)', () => {
  const before = { rev: 3, name: 'a', tags: ['x', 'y', 'z'], profile: { mail: 'm' } };
  it('take elements out from behind and put others at the end', () => {
    const after = { rev: 3, name: 'b', tags: ['x', 'z', 'w'], profile: {} };
    expect(jsonPatch(before, after, { kind: 'none' })).toEqual([
      { op: 'replace', path: '/name', value: 'b' },
      { op: 'remove', path: '/tags/1' },
      { op: 'add', path: '/tags/-', value: 'w' },
      { op: 'remove', path: '/profile/mail' },
    ]);
  });
  it('are guarded by the revision, or by what stood in the places', () => {
    const after = { ...before, name: 'b' };
    expect(jsonPatch(before, after, { kind: 'revision', at: ['rev'], value: 3 })).toEqual([
      { op: 'test', path: '/rev', value: 3 },
      { op: 'replace', path: '/name', value: 'b' },
    ]);
    expect(jsonPatch(before, { ...before, tags: ['x', 'y', 'z', 'w'] }, { kind: 'values' })).toEqual([
      { op: 'test', path: '/tags', value: ['x', 'y', 'z'] },
      { op: 'add', path: '/tags/-', value: 'w' },
    ]);
  });
  it('make the objects on the way, and escape names', () => {
    expect(jsonPatch({}, { 'a/b': { c: 1 } }, { kind: 'none' })).toEqual([
      { op: 'add', path: '/a~1b', value: { c: 1 } },
    ]);
  });
  it('say nothing about what stays', () => {
    expect(jsonPatch(before, { ...before }, { kind: 'values' })).toEqual([]);
  });
});

describe('revisions', () => {
  it.each(['"v3"', 'W/"v3"', '""', '"a b"', '"~x"', '"W/x"', 'W/"W/x"', '"é"'])('%s comes back as it was', (tag) => {
    const revision = revisionOfTag(tag);
    expect(revision).toMatch(/^[!#-~]+$/);
    if (!/[^\x20-\x7e]/.test(tag)) expect(tagOfRevision(revision)).toBe(tag);
  });
  it('makes a tag of a plain value of the record', () => {
    expect(tagOfRevision(revisionOfTag('7'))).toBe('"7"');
  });
});
