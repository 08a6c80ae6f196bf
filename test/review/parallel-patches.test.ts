import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TestGateway, TestServer } from '../support/gateway.js';
import { startServer } from '../support/in-process-server.js';

const patchOp = 'urn:ietf:params:scim:api:messages:2.0:PatchOp';

describe('changes of one resource at the same time', () => {
  let server: TestServer;
  let gateway: TestGateway;

  beforeAll(async () => {
    server = await startServer();
    gateway = await server.gateway();
  });
  afterAll(() => server.close());

  const create = async (type: string, body: Record<string, unknown>): Promise<string> => {
    const answer = await gateway.request('POST', type, { body });
    expect(answer.status, answer.text).toBe(201);
    return answer.body.id;
  };

  it('40 PATCHes that depend on what is there all succeed, and none is lost [7644-3.5.2-29]', async () => {
    const id = await create('/Users', { userName: 'busy' });
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, n) =>
        gateway.request('PATCH', `/Users/${id}`, {
          body: {
            schemas: [patchOp],
            Operations: [{ op: 'add', path: 'emails', value: [{ value: `${n}@example.com`, type: `t${n}` }] }],
          },
        }),
      ),
    );
    expect(answers.map((answer) => answer.status)).toEqual(answers.map(() => 200));
    const { body } = await gateway.request('GET', `/Users/${id}`);
    expect(body.emails).toHaveLength(40);
  });

  it.each([
    [{ display: 'somebody' }],
    ['{"value":"x"}'].map((text) => ({ members: [text] })),
    [{ members: [{ value: 'x' }] }],
  ])(
    'a removal whose list names no member is refused, so that nobody believes the access gone: %j [7644-3.5.2.2-09]',
    async (...list) => {
      const user = await create('/Users', { userName: `member-${crypto.randomUUID()}` });
      const group = await create('/Groups', {
        displayName: `group-${crypto.randomUUID()}`,
        members: [{ value: user }],
      });
      const answer = await gateway.request('PATCH', `/Groups/${group}`, {
        body: { schemas: [patchOp], Operations: [{ op: 'remove', path: 'members', value: list }] },
      });
      expect(answer.status, answer.text).toBe(400);
      expect(answer.body.scimType).toBe('invalidValue');
      const { body } = await gateway.request('GET', `/Groups/${group}`);
      expect(body.members?.map(({ value }) => value)).toEqual([user]);
    },
  );

  it.each([[[]], [null], ['']])('a removal with %j as its list takes nobody out [7644-3.5.2.2-09]', async (value) => {
    const user = await create('/Users', { userName: `member-${crypto.randomUUID()}` });
    const group = await create('/Groups', { displayName: `group-${crypto.randomUUID()}`, members: [{ value: user }] });
    const answer = await gateway.request('PATCH', `/Groups/${group}`, {
      body: { schemas: [patchOp], Operations: [{ op: 'remove', path: 'members', value }] },
    });
    expect(answer.status, answer.text).toBe(204);
    const { body } = await gateway.request('GET', `/Groups/${group}`);
    expect(body.members?.map((member) => member.value)).toEqual([user]);
  });
});
