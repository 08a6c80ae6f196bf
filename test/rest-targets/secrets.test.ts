import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { groupSchema, patchBody, userSchema } from '../support/rest/fault-setting.js';
import { jsonAnswer } from '../support/rest/http-exchange.js';
import { type RestTarget, restStyles, startRestTarget } from '../support/rest/targets.js';
import { type SpawnedServer, spawnServer } from '../support/spawned-server.js';

const personal = {
  userName: 'canaryusername@example.org',
  externalId: 'canaryexternal-4711',
  family: 'Canaryfamily',
  title: 'Canarytitle',
  mail: 'canarymail@example.com',
  group: 'Canarygroup',
};
const user = {
  schemas: [userSchema],
  userName: personal.userName,
  externalId: personal.externalId,
  name: { familyName: personal.family },
  title: personal.title,
  emails: [{ value: personal.mail, type: 'work' }],
};

/** Known secrets and personal values go to the target and come back in its refusals; what the gateway leaves behind is searched. */
describe.each([...restStyles])('a REST target, %s, and what is left of a request', (style) => {
  let target: RestTarget;
  let server: SpawnedServer;
  const failures: string[] = [];
  const statuses = new Set<number>();

  beforeAll(async () => {
    target = await startRestTarget(style);
    process.env.TEST_REST_SECRET = target.secret;
    const config = target.config
      .replace('address: /scim', 'address: /scim\n    level: debug')
      .replace('version: 1', 'version: 1\nlog: { level: trace }');
    server = await spawnServer({ config });
    const gateway = await server.gateway();
    const send = async (method: string, path: string, body?: object, headers?: Record<string, string>) => {
      const answer = await gateway.request(method, path, {
        ...(body === undefined ? {} : { body }),
        ...(headers === undefined ? {} : { headers }),
      });
      statuses.add(answer.status);
      if (answer.status >= 400) failures.push(answer.text);
      return answer.body.id;
    };
    const id = await send('POST', '/Users', user);
    await send('POST', '/Users', user);
    const group = await send('POST', '/Groups', {
      schemas: [groupSchema],
      displayName: personal.group,
      members: [{ value: id }],
    });
    const change = patchBody({ op: 'replace', path: 'title', value: `${personal.title} 2` });
    await send('PATCH', `/Users/${id}`, change);
    await send('PATCH', `/Users/${id}`, change, { 'if-match': 'W/"nothing"' });
    for (const value of [personal.userName, personal.mail]) {
      const filter = value === personal.mail ? `emails[value eq "${value}"]` : `userName eq "${value}"`;
      await send('GET', `/Users?filter=${encodeURIComponent(filter)}`);
    }
    /** The target repeats what it was sent, the gateway's own secret and whom it is about. */
    const refusedWith = async (status: number, values: readonly string[], ask: () => Promise<unknown>) => {
      const message = `${values.join(' ')} ${target.secret} ${personal.userName}`;
      const body = { error: { message }, errors: [{ message }], title: message };
      target.faults.inject({ kind: 'answer', answer: jsonAnswer(status, body) }, {}, 3);
      await ask();
      target.faults.heal();
    };
    const other = { ...user, userName: `other.${personal.userName}` };
    const rename = patchBody({ op: 'replace', path: 'title', value: personal.family });
    const byExternalId = `/Users?filter=${encodeURIComponent(`externalId eq "${personal.externalId}"`)}`;
    for (const status of [400, 401, 403, 404, 409, 412, 422, 500]) {
      await refusedWith(status, [personal.family], () => send('PATCH', `/Users/${id}`, rename));
      const sent = Object.values(personal).filter((value) => value !== personal.group);
      await refusedWith(status, sent, () => send('POST', '/Users', other));
      await refusedWith(status, [personal.externalId], () => send('GET', byExternalId));
    }
    await send('DELETE', `/Groups/${group}`);
    await send('DELETE', `/Users/${id}`);
    await server.end();
  });
  afterAll(async () => {
    await server?.close();
    await target?.close();
  });

  const issued = () =>
    target.seen.map(({ headers }) => headers.authorization?.replace(/^\w+ /, '') ?? '').filter((text) => text !== '');
  function found(text: string, values: readonly string[]): readonly string[] {
    const lower = text.toLowerCase();
    return values.flatMap((value) =>
      [value, encodeURIComponent(value), Buffer.from(value).toString('base64')].filter((form) =>
        lower.includes(form.toLowerCase()),
      ),
    );
  }
  const secrets = () => [...new Set([target.secret, ...issued()])];
  const everything = () => [...Object.values(personal), ...secrets()];

  it('has tried success and failure', () => {
    for (const status of [200, 201, 204, 409, 412, 503]) expect(statuses).toContain(status);
  });

  it('the log holds neither secrets nor values', () => {
    expect(server.log().length).toBeGreaterThan(100);
    expect(found(server.log(), everything())).toEqual([]);
  });

  it('the state and the transactions hold neither', () => {
    const files = readdirSync(server.dataDir).filter((name) => name !== 'gateway.yaml');
    expect(files).toContain('transactions.db');
    const texts = files.map((name) => readFileSync(join(server.dataDir, name), 'latin1'));
    for (const [index, text] of texts.entries()) {
      expect([files[index], found(text, everything())]).toEqual([files[index], []]);
    }
  });

  it('errors repeat no secret, and no value that the target repeats', () => {
    expect(failures.length).toBeGreaterThan(10);
    for (const text of failures) expect([text, found(text, everything())]).toEqual([text, []]);
  });
});
