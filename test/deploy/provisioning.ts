import { expect } from 'vitest';
import type { TestGateway } from '../support/gateway.js';

const core = 'urn:ietf:params:scim:schemas:core:2.0';
const patch = (...operations: readonly object[]) => ({
  body: { schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'], Operations: operations },
});

export interface Person {
  readonly userName: string;
  readonly renamed: string;
  readonly password: string;
}

/**
 * A person's and a group's life, with all that a gateway's account needs rights for.
 * @param signIn tries the person's password at the directory
 */
export async function provision(scim: TestGateway, person: Person, signIn: () => Promise<string>): Promise<void> {
  const { userName, renamed, password } = person;
  const user = await scim.request('POST', '/Users', { body: { schemas: [`${core}:User`], userName, password } });
  expect(user.text).toContain(`"${userName}"`);
  const path = `/Users/${user.body.id}`;
  const change = (attribute: string, value: unknown) =>
    scim.request('PATCH', path, patch({ op: 'replace', path: attribute, value }));
  expect(await signIn()).toBe('let in');
  expect(await change('active', false)).toMatchObject({ status: 200, body: { active: false } });
  expect(await signIn()).toBe('refused');
  expect(await change('active', true)).toMatchObject({ status: 200, body: { active: true } });
  const group = await scim.request('POST', '/Groups', {
    body: { schemas: [`${core}:Group`], displayName: 'Guides', members: [{ value: user.body.id }] },
  });
  expect(group.status).toBe(201);
  const other = await change('userName', renamed);
  expect(other).toMatchObject({ status: 200, body: { userName: renamed } });
  expect((await scim.request('GET', path)).body.groups?.map(({ value }) => value)).toEqual([group.body.id]);
  const removed = patch({ op: 'remove', path: `members[value eq "${user.body.id}"]` });
  expect((await scim.request('PATCH', `/Groups/${group.body.id}`, removed)).status).toBe(204);
  expect((await scim.request('DELETE', `/Groups/${group.body.id}`)).status).toBe(204);
  expect((await scim.request('DELETE', path)).status).toBe(204);
}
