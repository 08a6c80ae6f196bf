import { describe, expect, it } from 'vitest';
import {
  expectError,
  expectSuccess,
  memberIds,
  newGroup,
  newUser,
  newUsers,
  patch,
  patchBody,
  readGroup,
  readUser,
  urn,
} from '../conformance/resources.js';
import { inBoth, useServer } from '../conformance/server.js';
import type { TestGateway } from '../support/gateway.js';

const server = useServer('default', 'strict', 'rich');

async function newTeam(gateway: TestGateway) {
  const [a, b, c] = (await newUsers(gateway, 3)).map(({ id }) => id);
  const team = await newGroup(gateway, { members: [a, b, c].map((value) => ({ value })) });
  return { a, b, c, team, path: `/Groups/${team.id}` };
}

describe('A path that names the ids of members', () => {
  it(
    'never gives all of them one id, nor takes all away [7644-3.5.2.1-06 7644-3.5.2-10]',
    inBoth(server, async (gateway) => {
      const { team, path } = await newTeam(gateway);
      for (const operation of [
        { op: 'add', path: 'members.value', value: 'new' },
        { op: 'replace', path: 'members.value', value: 'new' },
        { op: 'replace', path: 'members.value', value: null },
        { op: 'remove', path: 'members.value' },
        { op: 'add', path: `${urn.group}:members.value`, value: 'new' },
      ]) {
        expectError(await patch(gateway, path, operation), 400, 'mutability');
      }
      expect(memberIds(await readGroup(gateway, team))).toEqual(memberIds(team));
    }),
  );

  it('means whole members when a list comes with it; a remove takes those away, no others [7644-3.5.2.2-09]', async () => {
    const gateway = server.gateway('default');
    const { a, b, c, team, path } = await newTeam(gateway);
    expectSuccess(await patch(gateway, path, { op: 'add', path: 'members.value', value: ['x'] }));
    expect(memberIds(await readGroup(gateway, team))).toEqual([a, b, c, 'x'].sort());
    for (const value of [[], null, '', [{ value: null }], ['x'], [{ value: a }]]) {
      expectSuccess(await patch(gateway, path, { op: 'remove', path: 'members.value', value }));
    }
    expect(memberIds(await readGroup(gateway, team))).toEqual([b, c].sort());
  });

  it('a remove of e-mail values with a list leaves the others [7644-3.5.2.2-09]', async () => {
    const gateway = server.gateway('default');
    const person = await newUser(gateway, { emails: [{ value: 'a@x' }, { value: 'b@x' }] });
    const operation = { op: 'remove', path: 'emails.value', value: ['a@x'] };
    expectSuccess(await patch(gateway, `/Users/${person.id}`, operation));
    expect((await readUser(gateway, person)).emails).toEqual([{ value: 'b@x' }]);
  });
});

describe('Emptying a group', () => {
  it(
    'takes [] or null; "" and entries without an id are refused [7643-2.5-02 7644-3.5.2.3-03]',
    inBoth(server, async (gateway) => {
      const { team, path } = await newTeam(gateway);
      for (const value of ['', {}, [{}], [''], [null], [{ value: '' }], [{ value: null }], [{ display: 'x' }]]) {
        expectError(await patch(gateway, path, { op: 'replace', path: 'members', value }), 400, 'invalidValue');
        expectError(await patch(gateway, path, { op: 'replace', value: { members: value } }), 400, 'invalidValue');
      }
      expect(memberIds(await readGroup(gateway, team))).toEqual(memberIds(team));
      expectSuccess(await patch(gateway, path, { op: 'replace', path: 'members', value: [] }));
      expect((await readGroup(gateway, team)).members).toBeUndefined();
    }),
  );
});

describe('Canonical values that are enforced', () => {
  it('are enforced in a PATCH as in a POST [7643-2.3.1-01]', async () => {
    const gateway = server.gateway('rich');
    const fields = { [urn.kinds]: { colour: 'red' }, emails: [{ value: 'a@x', type: 'work' }] };
    const before = await newUser(gateway, fields);
    const path = `${urn.kinds}:colour`;
    for (const operation of [
      { op: 'replace', path, value: 'blue' },
      { op: 'add', path, value: 'blue' },
      { op: 'replace', path: urn.kinds, value: { colour: 'blue' } },
      { op: 'replace', value: { [path]: 'blue' } },
      { op: 'add', value: { [urn.kinds]: { colour: 'blue' } } },
      { op: 'add', path: 'emails', value: [{ value: 'b@x', type: 'odd' }] },
      { op: 'replace', path: 'emails[type eq "work"]', value: { type: 'odd' } },
      { op: 'replace', path: 'emails[type eq "work"].type', value: 'odd' },
    ]) {
      const body = patchBody(operation);
      expectError(await gateway.request('PATCH', `/Users/${before.id}`, { body }), 400, 'invalidValue');
    }
    expect(await readUser(gateway, before)).toEqual(before);
    expectSuccess(await patch(gateway, `/Users/${before.id}`, { op: 'replace', path, value: 'green' }));
  });
});
