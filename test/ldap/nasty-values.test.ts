import { afterAll, expect, it } from 'vitest';
import type { Answer } from '../support/gateway.js';
import { describeOnLdap, startLdap } from '../support/ldap/available.js';
import type { LdapKind } from '../support/ldap/ldap-server.js';
import { nastyNames } from './nasty-names.js';
import { patchOf, startPresetGateway } from './preset-gateway.js';

type Role = 'userName' | 'displayName';
/** What each server refuses as the name of a user or a group, and the sentence that says why. */
type Refusals = Readonly<Record<Role, Readonly<Record<string, string>>>>;

const nul = 'a\0b';
const halfACharacter = 'half \ud83d';
const onlySpaces = ' ';
const neverNames = {
  [nul]: 'The directory cannot hold the character NUL in a text.',
  [halfACharacter]: 'It has a character that the name of an entry cannot hold.',
  [onlySpaces]: 'required',
};
const asciiOnly = 'The directory takes ASCII characters only in one of the attributes.';

const refusals: Readonly<Record<LdapKind, Refusals>> = {
  openldap: { userName: neverNames, displayName: neverNames },
  samba: { userName: neverNames, displayName: neverNames },
  // Its plug-in "7-bit check" guards uid as it comes.
  '389-ds': {
    userName: { ...neverNames, Bjørn: asciiOnly, 日本語: asciiOnly, '𝒳 four bytes 😀': asciiOnly },
    displayName: neverNames,
  },
};

const values = [...nastyNames, nul, halfACharacter, onlySpaces];

for (const kind of ['openldap', 'samba', '389-ds'] as const) {
  await describeOnLdap(kind, 'nasty names through the gateway', async () => {
    const directory = await startLdap(kind);
    const api = await startPresetGateway(directory);
    afterAll(async () => {
      await api.close();
      await directory.close();
    });

    const path = { userName: '/Users', displayName: '/Groups' } as const;
    const refusalOf = (role: Role, value: string): string | undefined => refusals[kind][role][value];
    /** The next value that the server takes. */
    const nextOf = (role: Role, value: string): string => {
      const following = [...values.slice(values.indexOf(value) + 1), ...values];
      return following.find((other) => other !== value && refusalOf(role, other) === undefined) ?? 'plain';
    };
    const expectRefused = ({ status, body, text }: Answer, sentence: string): void => {
      expect(status, text).toBe(400);
      expect(body).toMatchObject({ scimType: 'invalidValue', detail: expect.stringContaining(sentence) });
    };
    const idsBy = async (role: Role, filter: string): Promise<readonly string[]> => {
      const answer = await api.request('GET', `${path[role]}?filter=${encodeURIComponent(filter)}`);
      expect(answer.status, answer.text).toBe(200);
      return (answer.body.Resources ?? []).map(({ id }) => id);
    };
    const expectIs = async (role: Role, id: string, value: string): Promise<Answer['body']> => {
      const { body } = await api.request('GET', `${path[role]}/${id}`);
      expect(body[role]).toBe(value);
      const text = JSON.stringify(value);
      for (const op of ['eq', 'sw', 'ew', 'co']) expect(await idsBy(role, `${role} ${op} ${text}`)).toEqual([id]);
      return body;
    };
    const rename = async (role: Role, id: string, from: string, to: string): Promise<void> => {
      const answer = await api.request(
        'PATCH',
        `${path[role]}/${id}`,
        patchOf({ op: 'replace', path: role, value: to }),
      );
      const sentence = refusalOf(role, to);
      if (sentence !== undefined) expectRefused(answer, sentence);
      else expect([200, 204], answer.text).toContain(answer.status);
      await expectIs(role, id, sentence === undefined ? to : from);
    };
    const entries = async (): Promise<readonly string[]> =>
      (await directory.search({ attributes: ['1.1'] })).map(({ dn }) => dn);

    /** A user, made with the name or, where the server can only take it later, given it by a rename. */
    const createUser = async (userName: string): Promise<Answer> => {
      const made = await api.request('POST', '/Users', { userName });
      if (kind !== 'samba' || !userName.endsWith('\\') || userName.endsWith('\\\\')) return made;
      // The new account has a password, and Samba makes Kerberos keys with it.
      expectRefused(made, 'The directory can make no Kerberos principal of it.');
      const { body } = await api.request('POST', '/Users', { userName: 'for a moment' });
      return api.request('PATCH', `/Users/${body.id}`, patchOf({ op: 'replace', path: 'userName', value: userName }));
    };

    it.each(values.map((value) => [value]))('%j comes back exactly or is refused with a reason', async (value) => {
      const before = await entries();
      const refusedUser = refusalOf('userName', value);
      const refusedGroup = refusalOf('displayName', value);
      const userName = refusedUser === undefined ? value : nextOf('userName', value);
      const displayName = refusedGroup === undefined ? value : nextOf('displayName', value);
      if (refusedUser !== undefined)
        expectRefused(await api.request('POST', '/Users', { userName: value }), refusedUser);
      if (refusedGroup !== undefined) {
        expectRefused(await api.request('POST', '/Groups', { displayName: value }), refusedGroup);
      }
      expect(await entries()).toEqual(before);

      const user = await createUser(userName);
      expect([200, 201], user.text).toContain(user.status);
      const { id } = user.body;
      const members = [{ value: id }];
      const group = await api.request('POST', '/Groups', { displayName, members });
      expect(group.status, group.text).toBe(201);
      const expectMember = async (): Promise<void> => {
        const read = await api.request('GET', `/Groups/${group.body.id}`);
        expect(read.body.members).toMatchObject([{ value: id }]);
        expect(await idsBy('displayName', `members.value eq "${id}"`)).toEqual([group.body.id]);
        expect((await api.request('GET', `/Users/${id}`)).body.groups).toMatchObject([{ value: group.body.id }]);
      };
      await expectIs('userName', id, userName);
      await expectIs('displayName', group.body.id, displayName);
      await expectMember();

      if (refusedUser !== undefined) await rename('userName', id, userName, value);
      if (refusedGroup !== undefined) await rename('displayName', group.body.id, displayName, value);
      await rename('userName', id, userName, nextOf('userName', userName));
      await rename('displayName', group.body.id, displayName, nextOf('displayName', displayName));
      await expectMember();

      const remove = patchOf({ op: 'remove', path: `members[value eq "${id}"]` });
      expect((await api.request('PATCH', `/Groups/${group.body.id}`, remove)).status).toBe(204);
      expect((await api.request('GET', `/Groups/${group.body.id}`)).body.members).toBeUndefined();
      for (const one of [`/Users/${id}`, `/Groups/${group.body.id}`]) {
        expect((await api.request('DELETE', one)).status).toBe(204);
        expect((await api.request('GET', one)).status).toBe(404);
      }
      expect(await entries()).toEqual(before);
    });
  });
}
