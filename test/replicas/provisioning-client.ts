import { setTimeout as delay } from 'node:timers/promises';
import type { Answer, TestGateway } from '../support/gateway.js';

/** What was acknowledged to one client: what has to be there in the end, exactly once. */
export interface Acknowledged {
  /** By userName: the id, and the title that was written last. */
  readonly users: Map<string, { readonly id: string; title: string }>;
  /** Ids that were added to the group. */
  readonly members: Set<string>;
  /** Deleted for good. */
  readonly deleted: Set<string>;
  readonly requestIds: Set<string>;
  /** Answers that an identity provider tries again after: by status; 0 for a connection that broke. */
  readonly retried: number[];
  /** Anything else that was not expected. */
  readonly wrong: string[];
}

/** Provisions as identity providers do: one request after the other, and again after what may pass. */
export async function provision(
  gateway: TestGateway,
  name: string,
  groupId: string,
  isOver: () => boolean,
): Promise<Acknowledged> {
  const done: Acknowledged = {
    users: new Map(),
    members: new Set(),
    deleted: new Set(),
    requestIds: new Set(),
    retried: [],
    wrong: [],
  };
  const send = async (method: string, path: string, options = {}): Promise<Answer> => {
    for (;;) {
      const answer = await gateway.request(method, path, options).catch(() => undefined);
      const status = answer?.status ?? 0;
      if (answer !== undefined && ![429, 502, 503, 504].includes(status)) {
        const id = answer.headers.get('x-request-id');
        if (id !== null) done.requestIds.add(id);
        return answer;
      }
      done.retried.push(status);
      await delay(100);
    }
  };
  const expectStatus = (answer: Answer, statuses: readonly number[], what: string): boolean => {
    if (statuses.includes(answer.status)) return true;
    done.wrong.push(`${what}: ${answer.status} ${answer.text}`);
    return false;
  };
  for (let count = 0; !isOver(); count++) {
    const userName = `${name}-${count}@example.com`;
    const filter = `userName eq "${userName}"`;
    const found = await send('GET', '/Users', { query: { filter } });
    if (!expectStatus(found, [200], 'look-up') || found.body.totalResults !== 0) continue;
    const user = { schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'], userName, title: 'new' };
    const created = await send('POST', '/Users', { body: user });
    // The answer to an earlier attempt was lost: the look-up tells the id, as identity providers ask then.
    const known =
      created.status === 409 ? (await send('GET', '/Users', { query: { filter } })).body.Resources?.[0] : created.body;
    if (!expectStatus(created, [201, 409], 'create') || known === undefined) continue;
    const record = { id: known.id, title: 'new' };
    done.users.set(userName, record);
    const operations = (...list: readonly object[]) => ({
      body: { schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'], Operations: list },
    });
    const title = `title ${count}`;
    const patched = await send(
      'PATCH',
      `/Users/${record.id}`,
      operations({ op: 'replace', path: 'title', value: title }),
    );
    if (expectStatus(patched, [200, 204], 'patch')) record.title = title;
    const member = { op: 'add', path: 'members', value: [{ value: record.id }] };
    if (expectStatus(await send('PATCH', `/Groups/${groupId}`, operations(member)), [200, 204], 'add member')) {
      done.members.add(record.id);
    }
    if (count % 4 !== 3) continue;
    const remove = { op: 'remove', path: `members[value eq "${record.id}"]` };
    if (expectStatus(await send('PATCH', `/Groups/${groupId}`, operations(remove)), [200, 204], 'remove member')) {
      done.members.delete(record.id);
    }
    if (expectStatus(await send('DELETE', `/Users/${record.id}`), [204, 404], 'delete')) {
      done.users.delete(userName);
      done.deleted.add(record.id);
    }
  }
  return done;
}
