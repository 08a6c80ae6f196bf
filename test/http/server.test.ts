import { connect } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { type HttpServer, startServer } from '../../src/http/server.js';
import { createFakeService } from './fake-service.js';
import { createTestApp, json, type TestApp } from './test-app.js';

const servers: HttpServer[] = [];
const host = '127.0.0.1';
const authorization = { authorization: 'Bearer t' };

async function start(test: TestApp): Promise<string> {
  const server = await startServer({ host, port: 0, fetch: test.app.fetch });
  servers.push(server);
  return `http://${host}:${server.port}`;
}

/** Sends bytes as they are, and gives everything that comes back until the server closes. */
function raw(base: string, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let received = '';
    const socket = connect(Number(new URL(base).port), host, () => socket.write(text));
    socket.on('data', (chunk) => {
      received += String(chunk);
    });
    socket.on('error', reject);
    socket.on('close', () => resolve(received));
  });
}

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.stop(0)));
});

describe('the server', () => {
  it('serves the app, reads bodies and keeps UTF-8 [7644-3.8-01]', async () => {
    const test = createTestApp();
    const base = await start(test);
    const init = json('POST', { displayName: 'Zoë 你好 😀' }, authorization);
    const response = await fetch(`${base}/scim/Users`, init);
    expect(response.status).toBe(201);
    expect(test.service.calls[0]?.arguments[1]).toEqual({ displayName: 'Zoë 你好 😀' });
    expect(response.headers.get('location')).toBe('https://scim.example.com/scim/Users/new');
  });

  it('knows conditions, query and HEAD as they come over the wire', async () => {
    const base = await start(createTestApp());
    const notModified = await fetch(`${base}/scim/Users/1`, {
      headers: { ...authorization, 'if-none-match': 'W/"1"' },
    });
    expect(notModified.status).toBe(304);
    const head = await fetch(`${base}/scim/Users?count=1`, { method: 'HEAD', headers: authorization });
    expect(head.status).toBe(200);
    expect(head.headers.get('content-type')).toBe('application/scim+json');
  });

  it('refuses a body by its announced length at once, and closes [7644-3.7.4-03]', async () => {
    const base = await start(createTestApp());
    const answer = await raw(
      base,
      'POST /scim/Bulk HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer t\r\nContent-Type: application/json\r\nContent-Length: 4294967296\r\n\r\n{',
    );
    expect(answer).toMatch(/^HTTP\/1\.1 413 /);
    expect(answer).toContain('maxPayloadSize');
  });

  it('refuses a chunked body while it comes [7644-3.7.4-03]', async () => {
    const base = await start(createTestApp());
    const chunk = `400\r\n${'x'.repeat(1024)}\r\n`;
    const answer = await raw(
      base,
      `POST /scim/Bulk HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer t\r\nTransfer-Encoding: chunked\r\n\r\n${chunk.repeat(4)}`,
    );
    expect(answer).toMatch(/^HTTP\/1\.1 413 /);
  });

  it.each([
    ['no HTTP at all', 'nonsense\r\n\r\n', 400],
    ['headers beyond all measure', `GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(40_000)}\r\n\r\n`, 431],
    ['a Host that is none', 'GET /scim/Users HTTP/1.1\r\nHost: a b\r\nConnection: close\r\n\r\n', 400],
  ])('answers %s with a SCIM error [7644-3.12-01]', async (_name, text, status) => {
    const base = await start(createTestApp());
    const answer = await raw(base, text);
    expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(answer.toLowerCase()).toContain('content-type: application/scim+json');
    expect(JSON.parse(answer.slice(answer.indexOf('\r\n\r\n')))).toMatchObject({
      schemas: ['urn:ietf:params:scim:api:messages:2.0:Error'],
      status: String(status),
    });
  });

  it('answers health checks in HTTP/1.0, which name no host', async () => {
    const base = await start(createTestApp());
    expect(await raw(base, 'GET /health/ready HTTP/1.0\r\n\r\n')).toMatch(/^HTTP\/1\.1 200 /);
  });

  it('fires the signal when the client leaves', async () => {
    let signal: AbortSignal | undefined;
    let entered: () => void = () => undefined;
    const hasEntered = new Promise<void>((resolve) => {
      entered = resolve;
    });
    const service = createFakeService({
      search: (_type, _request, context) => {
        signal = context.signal;
        entered();
        return new Promise((_resolve, reject) => signal?.addEventListener('abort', () => reject(signal?.reason)));
      },
    });
    const base = await start(createTestApp({ service }));
    const client = new AbortController();
    const request = fetch(`${base}/scim/Users`, { headers: authorization, signal: client.signal });
    await hasEntered;
    const aborted = new Promise((resolve) => signal?.addEventListener('abort', resolve));
    client.abort();
    await expect(request).rejects.toThrow();
    await aborted;
    expect(signal?.reason).toMatchObject({ name: 'AbortError' });
  });
});

describe('starting', () => {
  it('says in words that the port is in use', async () => {
    const base = await start(createTestApp());
    const port = Number(new URL(base).port);
    await expect(startServer({ host, port, fetch: createTestApp().app.fetch })).rejects.toThrow(
      `Cannot listen on ${host}:${port}: port ${port} is in use by another program.`,
    );
  });
});

describe('stopping', () => {
  it('lets requests in flight finish, and takes no new ones', async () => {
    let finish: () => void = () => undefined;
    let entered: () => void = () => undefined;
    const hasEntered = new Promise<void>((resolve) => {
      entered = resolve;
    });
    const service = createFakeService({
      search: async () => {
        entered();
        await new Promise<void>((resolve) => {
          finish = resolve;
        });
        return { schemas: [], totalResults: 0 };
      },
    });
    const server = await startServer({ host, port: 0, fetch: createTestApp({ service }).app.fetch });
    const url = `http://${host}:${server.port}/scim/Users`;
    const answer = fetch(url, { headers: authorization });
    await hasEntered;
    const stopped = server.stop(10_000);
    await expect(fetch(url, { headers: authorization })).rejects.toThrow();
    finish();
    expect((await answer).status).toBe(200);
    await stopped;
  });

  it('ends requests that do not finish in time', async () => {
    let entered: () => void = () => undefined;
    const hasEntered = new Promise<void>((resolve) => {
      entered = resolve;
    });
    const service = createFakeService({
      search: () => {
        entered();
        return new Promise(() => undefined);
      },
    });
    const server = await startServer({ host, port: 0, fetch: createTestApp({ service }).app.fetch });
    const answer = fetch(`http://${host}:${server.port}/scim/Users`, { headers: authorization });
    answer.catch(() => undefined);
    await hasEntered;
    await server.stop(20);
    await expect(answer).rejects.toThrow();
  });
});
