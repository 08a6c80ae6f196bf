import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AdapterError } from '../../src/backend/adapter-error.js';
import { repositoryRoot } from '../support/gateway.js';

const guide = await readFile(join(repositoryRoot, 'docs/writing-an-adapter.md'), 'utf8');
const blocks = [...guide.matchAll(/```js\n(.*?)```/gs)].map(([, block = '']) => block);

type Send = (url: string, init: RequestInit, isWrite: boolean, context: object) => Promise<unknown>;

describe('the guide for authors', () => {
  let folder: string;
  let send: Send;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'guide-'));
    const block = blocks.find((text) => text.includes('export async function send')) ?? '';
    const entry = pathToFileURL(join(repositoryRoot, 'src/authoring/adapter.ts')).href;
    await writeFile(join(folder, 'send.mjs'), block.replace("'scimbridge/adapter'", JSON.stringify(entry)));
    ({ send } = (await import(/* @vite-ignore */ join(folder, 'send.mjs'))) as { send: Send });
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  /** What becomes of an answer of a service. */
  async function outcomeOf(status: number, headers: Record<string, string> = {}, isWrite = true): Promise<unknown> {
    const server = createServer((_, response) =>
      response.writeHead(status, headers).end(status === 200 ? '{"a":1}' : ''),
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const context = { signal: AbortSignal.timeout(30_000), requestId: 'guide' };
    try {
      return await send(`http://127.0.0.1:${port}/people/secret`, {}, isWrite, context).catch(
        (error: unknown) => error,
      );
    } finally {
      server.close();
    }
  }

  it.each([
    [404, 'notFound', 'no'],
    [401, 'denied', 'no'],
    [403, 'denied', 'no'],
    [409, 'conflict', 'no'],
    [412, 'revisionMismatch', 'no'],
    [422, 'rejected', 'no'],
    [429, 'unavailable', 'no'],
    [503, 'unavailable', 'unknown'],
    [500, 'unavailable', 'unknown'],
  ] as const)('turns an answer of %i into "%s"', async (status, kind, applied) => {
    const error = await outcomeOf(status, { 'retry-after': '7' });
    expect(error).toBeInstanceOf(AdapterError);
    expect(error).toMatchObject({ kind, applied, ...(status === 429 ? { retryAfterSeconds: 7 } : {}) });
    expect((error as AdapterError).message).not.toContain('secret');
  });

  it('gives what a service answers, and says that a read carried nothing out', async () => {
    expect(await outcomeOf(200)).toEqual({ a: 1 });
    expect(await outcomeOf(204)).toBeUndefined();
    expect(await outcomeOf(500, {}, false)).toMatchObject({ kind: 'unavailable', applied: 'no' });
    const context = { signal: AbortSignal.abort(), requestId: 'guide' };
    await expect(send('http://127.0.0.1:1/', {}, true, context)).rejects.toMatchObject({ kind: 'timeout' });
    const open = { signal: AbortSignal.timeout(30_000), requestId: 'guide' };
    await expect(send('http://127.0.0.1:1/', {}, false, open)).rejects.toMatchObject({ kind: 'unavailable' });
  });

  it('names only what the package has', async () => {
    const entries = ['adapter', 'testing'] as const;
    for (const entry of entries) {
      const exported = Object.keys(await import(`../../src/authoring/${entry}.ts`));
      const imported = blocks.flatMap((block) =>
        [...block.matchAll(/import \{([^}]*)\} from '([^']+)'/g)].flatMap(([, names = '', from]) =>
          from === `scimbridge/${entry}` ? names.split(',').map((name) => name.trim()) : [],
        ),
      );
      expect(imported.length).toBeGreaterThan(1);
      expect(exported).toEqual(expect.arrayContaining(imported));
    }
  });
});
