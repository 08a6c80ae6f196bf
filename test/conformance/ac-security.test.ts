import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { created, newGroup, newUser, patchBody, read, unique, urn, user } from './resources.js';
import { inBoth, useServer } from './server.js';

const server = useServer('default', 'strict', 'policy');

describe('AC. Security and privacy', () => {
  it(
    'has no user information in its URIs [7644-7.1-01]',
    inBoth(server, async (gateway) => {
      const { id } = await newUser(gateway);
      const team = await newGroup(gateway, { members: [{ value: id }] });
      const { text } = await gateway.request('GET', `/Groups/${team.id}`);
      const withUserInfo = await gateway.request('GET', `/Users/${id}`, { headers: { host: 'user:pw@evil.example' } });
      for (const body of [text, withUserInfo.text]) expect(body).not.toMatch(/https?:\/\/[^/"]*@/);
      expect(team.meta.location).toMatch(/^https?:\/\//);
    }),
  );

  it('logs no personal values, no filters and no bodies [7644-7.5.1-01 7644-7.5.2-02]', async () => {
    const gateway = server.gateway('default');
    const canary = unique('canary');
    const userName = `${canary}@example.com`;
    const { id } = await newUser(gateway, { userName, displayName: canary, password: canary });
    await gateway.request('GET', '/Users', { query: { filter: `userName eq "${userName}"` } });
    await gateway.request('GET', '/Users', { query: { filter: `nosuch eq "${canary}"` } });
    await gateway.request('POST', '/Users', { body: user({ userName }) });
    await gateway.request('PATCH', `/Users/${id}`, {
      body: patchBody({ op: 'replace', path: 'title', value: canary }),
    });
    await gateway.request('PATCH', `/Users/${id}`, { body: patchBody({ op: 'replace', path: canary, value: 'x' }) });
    expect(server.server.log()).not.toContain(canary);
  });

  it('keeps no password, in clear or otherwise readable [7643-9.2-01 7643-4.1.1-pw-02]', async () => {
    const password = unique('Canary!');
    const gateway = server.gateway('default');
    const resource = await newUser(gateway, { password });
    const body = { schemas: [urn.user], userName: resource.userName, password };
    await gateway.request('PUT', `/Users/${resource.id}`, { body });
    const encodings = [
      password,
      ...(['base64', 'hex', 'base64url'] as const).map((as) => Buffer.from(password).toString(as)),
    ];
    for (const file of await readdir(server.server.dataDir, { recursive: true, withFileTypes: true })) {
      if (!file.isFile()) continue;
      const content = (await readFile(join(file.parentPath, file.name))).toString('latin1');
      for (const text of encodings) expect(content.includes(text), file.name).toBe(false);
    }
  });

  it('takes only what is mapped: the rest is dropped, or refused where the gateway says so [7643-9.3-02]', async () => {
    const gateway = server.gateway('policy');
    const resource = created(await gateway.request('POST', '/Users', { body: user({ nickName: 'N', title: 'T' }) }));
    expect(resource.title).toBe('T');
    expect(Object.keys(await read(gateway, `/Users/${resource.id}`))).not.toContain('nickName');
  });
});
