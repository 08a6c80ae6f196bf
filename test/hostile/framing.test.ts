import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTarget, type Target } from './target.js';
import { expectScimError } from './wire.js';

let target: Target;
let authorization: string;
beforeAll(async () => {
  target = await startTarget();
  authorization = `Authorization: Bearer ${target.token}\r\n`;
});
afterAll(async () => {
  await target.expectUnharmed();
  await target.server.close();
});

/** A request within the body of another. When it is answered, somebody would have smuggled it past a proxy. */
const smuggled = (): string =>
  `GET /scim/Users/${target.userId} HTTP/1.1\r\nHost: a\r\nX-Request-Id: smuggled\r\n${authorization}\r\n`;
const post = (framing: string, body: string): string =>
  `POST /scim/Users HTTP/1.1\r\nHost: a\r\n${authorization}Content-Type: application/json\r\n${framing}\r\n${body}`;

/** One refusal, then the end: what follows on the connection is never understood as a request. */
async function expectRefusedAndClosed(bytes: string, status?: number | readonly number[]): Promise<void> {
  const { answers, isClosed } = await target.raw(bytes, { answers: 2 });
  expect(isClosed).toBe(true);
  expect(answers.length).toBeLessThanOrEqual(1);
  if (answers.length > 0) expectScimError(answers[0], status ?? 400);
  for (const { headers } of answers) expect(headers.get('x-request-id')).not.toBe('smuggled');
}

describe('a body with two lengths', () => {
  it.each([
    ['CL.TE', 'Content-Length: 6\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\nG'],
    ['TE.CL', 'Transfer-Encoding: chunked\r\nContent-Length: 4\r\n', '5c\r\n0\r\n\r\n'],
    ['two that differ', 'Content-Length: 5\r\nContent-Length: 6\r\n', 'hello'],
    ['two that are equal', 'Content-Length: 5\r\nContent-Length: 5\r\n', 'hello'],
    ['two in one line', 'Content-Length: 5, 5\r\n', 'hello'],
    ['two spellings', 'Content-Length: 5\r\ncontent-length: 50\r\n', 'hello'],
  ])('is refused: %s (RFC 9112 §6.1, §6.3)', async (_name, framing, body) => {
    await expectRefusedAndClosed(post(framing, body) + smuggled());
  });
});

describe('a length that is none', () => {
  it.each(['+5', '-1', '0x5', '5 5', '', '5\x0b', '5a', '99999999999999999999999', '1e1', '5;', '٥'])(
    'is refused: %j',
    async (length) => {
      await expectRefusedAndClosed(post(`Content-Length: ${length}\r\n`, 'hello') + smuggled());
    },
  );

  it('is refused when a blank stands before the colon', async () => {
    await expectRefusedAndClosed(post('Content-Length : 5\r\n', 'hello') + smuggled());
  });

  it('is none when its name is another', async () => {
    await expectRefusedAndClosed(post('Content_Length: 400\r\n', 'hello') + smuggled());
  });
});

describe('a transfer coding that hides', () => {
  it.each([
    'Transfer-Encoding: xchunked',
    'Transfer-Encoding : chunked',
    ' Transfer-Encoding: chunked',
    'Transfer-Encoding: chunked, identity',
    'Transfer-Encoding: identity, chunked',
    'Transfer-Encoding: gzip, chunked',
    'Transfer-Encoding: \x0bchunked',
    'Transfer-Encoding: chunked\x0b',
    'Transfer-Encoding: chunked\r\nTransfer-Encoding: x',
    'Transfer-Encoding: x\r\nTransfer-Encoding: chunked',
    'Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked',
    'X: y\nTransfer-Encoding: chunked',
    'X: y\rTransfer-Encoding: chunked',
    'Transfer-Encoding\r\n: chunked',
    'Transfer-Encoding:\r\n chunked',
    'Transfer-Encoding: chunked;q=1',
    'Transfer-Encoding: "chunked"',
    'Transfer-Encoding:',
    'Transfer-Encoding: chunked, chunked',
    'Transfer-Encoding: chunked\r\nContent-Length: 0',
  ])('is refused: %j (RFC 9112 §6.1)', async (framing) => {
    await expectRefusedAndClosed(post(`${framing}\r\n`, '0\r\n\r\n') + smuggled(), [400, 501]);
  });

  it('is refused in HTTP/1.0', async () => {
    const bytes = post('Transfer-Encoding: chunked\r\n', '0\r\n\r\n').replace('HTTP/1.1', 'HTTP/1.0');
    await expectRefusedAndClosed(bytes + smuggled());
  });

  it.each(['Transfer-Encoding: chunked', 'transfer-encoding:\tCHUNKED '])(
    'is understood when it is plain: %j',
    async (framing) => {
      const body = `{"userName":"chunked-${Math.random()}"}`;
      const chunks = `${body.length.toString(16)};extension="a;b"\r\n${body}\r\n0\r\nX-Trailer: 1\r\n\r\n`;
      const { answers } = await target.raw(post(`${framing}\r\n`, chunks) + smuggled(), { answers: 2 });
      // Here the second one is a request of its own.
      expect(answers.map(({ status }) => status)).toEqual([201, 200]);
    },
  );
});

describe('chunks that are none', () => {
  it.each([
    '5 ;a\r\nhello\r\n0\r\n\r\n',
    '5\nhello\n0\n\n',
    '5\r\nhello0\r\n\r\n',
    '5\r\nhello\n0\r\n\r\n',
    '0x5\r\nhello\r\n0\r\n\r\n',
    '+5\r\nhello\r\n0\r\n\r\n',
    '-5\r\nhello\r\n0\r\n\r\n',
    'g\r\nhello\r\n0\r\n\r\n',
    '\r\nhello\r\n0\r\n\r\n',
    'FFFFFFFFFFFFFFFFF\r\nhello\r\n0\r\n\r\n',
    '5;a\nhello\r\n0\r\n\r\n',
    '5\r\nhello\r\n0\r\nContent-Length: 50\r\n\r\n',
    '5\r\nhello\r\n0\r\nTransfer-Encoding: chunked\r\n\r\n',
    `5;${'x'.repeat(30_000)}\r\nhello\r\n0\r\n\r\n`,
  ])('are refused: %j', async (chunks) => {
    await expectRefusedAndClosed(post('Transfer-Encoding: chunked\r\n', chunks) + smuggled());
  });
});

describe('line ends and blanks', () => {
  it.each([
    ['line feeds alone', (head: string) => head.replaceAll('\r\n', '\n')],
    ['one line feed alone', (head: string) => head.replace('\r\n', '\n')],
    ['carriage returns alone', (head: string) => head.replaceAll('\r\n', '\r')],
    ['a folded line', (head: string) => head.replace('Host: a', 'X: a\r\n b\r\nHost: a')],
    ['a blank before the first header', (head: string) => head.replace('Host', ' Host')],
    ['a blank before a colon', (head: string) => head.replace('Host:', 'Host :')],
    ['a NUL in a value', (head: string) => head.replace('Host: a', 'Host: a\r\nX: a\0b')],
    ['a NUL in a name', (head: string) => head.replace('Host: a', 'Host: a\r\nX\0: a')],
    ['a name in brackets', (head: string) => head.replace('Host: a', 'Host: a\r\n[X]: a')],
    ['no name', (head: string) => head.replace('Host: a', 'Host: a\r\n: a')],
    ['no colon', (head: string) => head.replace('Host: a', 'Host: a\r\nnonsense')],
    ['a blank in the path', (head: string) => head.replace('/scim/Users/', '/scim/Us ers/')],
    ['a character beyond ASCII in a name', (head: string) => head.replace('Host: a', 'Host: a\r\nXä: a')],
  ])('are refused: %s', async (_name, change) => {
    await expectRefusedAndClosed(change(smuggled().replace('smuggled', 'odd')) + smuggled());
  });
});

describe('hosts', () => {
  it.each([
    ['two', 'Host: a\r\nHost: b'],
    ['two that are equal', 'Host: a\r\nhost: a'],
    ['none', 'X: y'],
    ['a user', 'Host: user:pass@a'],
    ['a path', 'Host: a/b'],
    ['a query', 'Host: a?b'],
    ['a fragment', 'Host: a#b'],
    ['blanks', 'Host: a b'],
    ['a port that is none', 'Host: a:port'],
    ['an open bracket', 'Host: [::1'],
    ['a comma', 'Host: a, b'],
    ['escapes', 'Host: a%0d%0ab'],
  ])('are refused: %s (RFC 9112 §3.2)', async (_name, line) => {
    const bytes = `GET /scim/Users HTTP/1.1\r\n${line}\r\n${authorization}\r\n`;
    const { answers } = await target.raw(bytes);
    expectScimError(answers[0], 400);
  });

  it('need not be named in HTTP/1.0', async () => {
    const { answers } = await target.raw('GET /health/live HTTP/1.0\r\n\r\n');
    expect(answers[0]?.status).toBe(200);
  });
});

describe('other protocols', () => {
  it.each([
    ['HTTP/0.9', 'GET /scim/Users\r\n\r\n', 505],
    ['HTTP/2 with its preface', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', [400, 505]],
    ['HTTP/2 by its name', 'GET /scim/Users HTTP/2.0\r\nHost: a\r\n\r\n', 505],
    ['HTTP/1.9', 'GET /scim/Users HTTP/1.9\r\nHost: a\r\n\r\n', 400],
    ['HTTP/3', 'GET /scim/Users HTTP/3\r\nHost: a\r\n\r\n', 400],
    ['a method that is none', 'FOO /scim/Users HTTP/1.1\r\nHost: a\r\n\r\n', 400],
    ['a method in small letters', 'get /scim/Users HTTP/1.1\r\nHost: a\r\n\r\n', 400],
    ['SSH', 'SSH-2.0-OpenSSH_9.9\r\n', 400],
    ['SMTP', 'EHLO evil.example\r\n', 400],
    ['a TLS handshake', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', 400],
    ['a proxy header', 'PROXY TCP4 198.51.100.1 192.0.2.1 4711 443\r\nGET / HTTP/1.1\r\n\r\n', 400],
    ['LDAP', '0\x0c\x02\x01\x01`\x07\x02\x01\x03\x04\x00\x80\x00', 400],
    ['nothing but NULs', '\0'.repeat(1000), 400],
  ])('are refused: %s', async (_name, bytes, status) => {
    await expectRefusedAndClosed(bytes, status);
  });

  it('are not switched to', async () => {
    for (const upgrade of ['websocket', 'h2c', 'TLS/1.2']) {
      const lines = `Upgrade: ${upgrade}\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABk\r\n`;
      const { answers } = await target.raw(`GET /scim/Users HTTP/1.1\r\nHost: a\r\n${lines}${authorization}\r\n`);
      expect(answers[0]?.status).toBe(200);
    }
  });

  it('are not tunnelled', async () => {
    const bytes = `CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example:443\r\n${authorization}\r\n`;
    const { answers, isClosed } = await target.raw(bytes);
    expect(isClosed).toBe(true);
    expect(answers).toEqual([]);
  });

  it.each([
    ['TRACE', `/scim/Users`],
    ['PROPFIND', `/scim/Users`],
    ['BREW', '/scim/Users'],
  ])('are not spoken: %s [7644-3.2-01]', async (method, path) => {
    const { answers } = await target.raw(`${method} ${path} HTTP/1.1\r\nHost: a\r\n${authorization}\r\n`);
    expectScimError(answers[0], [400, 405]);
    expect(answers[0]?.body).not.toContain(target.token);
  });
});

describe('heads that are too much', () => {
  it.each([
    ['one long header', `X: ${'x'.repeat(40_000)}`],
    ['a long name', `${'X'.repeat(40_000)}: x`],
    ['10,000 headers', 'A: b\r\n'.repeat(10_000).trimEnd()],
    ['a token of 100 KB', `Authorization: Bearer ${'x'.repeat(100_000)}`],
    ['a megabyte', `X: ${'x'.repeat(1_000_000)}`],
  ])('are 431: %s', async (_name, lines) => {
    const { answers, isClosed } = await target.raw(`GET /scim/Users HTTP/1.1\r\nHost: a\r\n${lines}\r\n\r\n`, {
      answers: 2,
    });
    expect(isClosed).toBe(true);
    if (answers.length > 0) expectScimError(answers[0], 431);
  });

  it('are 431 when Node would leave out the last ones, and read whole before', async () => {
    const ask = (headers: number): string =>
      `GET /scim/Users?count=1 HTTP/1.1\r\nHost: a\r\n${'A: b\r\n'.repeat(headers)}${authorization}\r\n`;
    for (const headers of [0, 30, 31, 32, 33, 200, 253]) {
      const { answers } = await target.raw(ask(headers));
      expect(answers[0]?.status, `${headers}`).toBe(200);
    }
    for (const headers of [254, 255, 256, 257, 300, 2000, 5000]) {
      const { answers } = await target.raw(ask(headers));
      expectScimError(answers[0], 431);
    }
  });

  it.each([
    ['Accept', `${'a/b;q=0.1,'.repeat(2500)}*/*`, 200],
    ['If-None-Match', 'W/"a",'.repeat(5000), 200],
    ['Cookie', 'a=b; '.repeat(6000), 200],
    ['X-Request-Id', 'x'.repeat(30_000), 200],
    ['X-Forwarded-For', '1.2.3.4,'.repeat(3500), 200],
    ['Range', `bytes=${'0-1,'.repeat(7000)}`, 200],
    ['traceparent', '00-'.repeat(9000), 200],
  ])('are read quickly when they are long lists: %s', async (name, value, status) => {
    const path = `/scim/Users/${target.userId}`;
    const bytes = `GET ${path} HTTP/1.1\r\nHost: a\r\n${name}: ${value}\r\n${authorization}\r\n`;
    const { answers, durationMs } = await target.raw(bytes);
    expect(answers[0]?.status).toBe(status);
    expect(durationMs).toBeLessThan(1000);
  });

  it.each([
    'nonsense',
    '"',
    'bearer',
    'Bearer',
    'Bearer ',
    `Bearer ${'='.repeat(20_000)}`,
    'Basic Og==',
    `Basic ${'A'.repeat(20_000)}`,
    '\x80\xff',
    'Digest a="b',
    `Negotiate ${'x'.repeat(10_000)}`,
  ])('are 401 or 400 with credentials that are none: %.30j', async (value) => {
    const { answers } = await target.raw(`GET /scim/Users HTTP/1.1\r\nHost: a\r\nAuthorization: ${value}\r\n\r\n`);
    expectScimError(answers[0], [400, 401, 429]);
  });
});

describe('several requests at once on a connection', () => {
  it('are answered in turn', async () => {
    const ask = (id: number): string => smuggled().replace('smuggled', `turn-${id}`);
    const { answers } = await target.raw(Array.from({ length: 200 }, (_, id) => ask(id)).join(''), { answers: 200 });
    expect(answers.map(({ headers }) => headers.get('x-request-id'))).toEqual(
      Array.from({ length: 200 }, (_, id) => `turn-${id}`),
    );
  });

  it('are kept apart when a body is refused unread, or nobody wanted one', async () => {
    const inner = smuggled();
    const framing = `Content-Length: ${inner.length}\r\n`;
    const next = smuggled().replace('smuggled', 'next');
    for (const first of [
      `POST /scim/Users HTTP/1.1\r\nHost: a\r\n${framing}\r\n${inner}`,
      `GET /scim/Users/${target.userId} HTTP/1.1\r\nHost: a\r\n${authorization}${framing}\r\n${inner}`,
      `DELETE /scim/Users/nobody HTTP/1.1\r\nHost: a\r\n${authorization}${framing}\r\n${inner}`,
      post(`${framing}Content-Type: text/plain\r\n`, inner),
      `GET /nowhere HTTP/1.1\r\nHost: a\r\n${framing}\r\n${inner}`,
    ]) {
      const { answers } = await target.raw(first + next, { answers: 2 });
      expect(answers.length).toBe(2);
      expect(answers[0]?.headers.get('x-request-id')).not.toBe('smuggled');
      expect(answers[1]?.headers.get('x-request-id')).toBe('next');
      expect(answers[1]?.status).toBe(200);
    }
  });
});

describe('expectations', () => {
  it('are met when it is 100-continue', async () => {
    const body = '{"userName":"expected"}';
    const { answers } = await target.raw(post(`Expect: 100-continue\r\nContent-Length: ${body.length}\r\n`, body));
    expect(answers[0]?.status).toBe(201);
  });

  it('are 417 when it is anything else', async () => {
    await expectRefusedAndClosed(post('Expect: nonsense\r\nContent-Length: 5\r\n', 'hello') + smuggled(), 417);
  });
});
