import { afterAll, expect, it } from 'vitest';
import { describeOnLdap, startLdap } from '../support/ldap/available.js';
import { patchOf, startPresetGateway } from './preset-gateway.js';

const securityEnabled = 'urn:ietf:params:scim:schemas:extension:unifybroker:2.0:Group';

await describeOnLdap('samba', 'what only Active Directory has', async () => {
  const directory = await startLdap('samba');
  const api = await startPresetGateway(directory, {
    entities: `
      people:
        base: OU=people
        filter: (&(objectCategory=person)(objectClass=user))
        create: { dn: "CN={userPrincipalName},OU=people", objectClasses: [user] }
      groups:
        base: ${directory.baseDn}
        filter: (objectClass=group)
        create: { dn: "CN={cn},OU=groups", objectClasses: [group] }`,
  });
  afterAll(async () => {
    await api.close();
    await directory.close();
  });
  const create = async (name: string, more: object = {}) =>
    (await api.request('POST', '/Users', { userName: `${name}@samdom.test`, ...more })).body;
  const groupNamed = async (name: string): Promise<string> => {
    const filter = encodeURIComponent(`displayName eq "${name}"`);
    return (await api.request('GET', `/Groups?filter=${filter}`)).body.Resources?.[0]?.id ?? '';
  };
  const usersBy = async (filter: string): Promise<readonly string[]> => {
    const answer = await api.request('GET', `/Users?filter=${encodeURIComponent(filter)}`);
    expect(answer.status, answer.text).toBe(200);
    return (answer.body.Resources ?? []).map(({ id }) => id).sort();
  };
  const groupsOf = async (id: string): Promise<readonly (string | undefined)[]> =>
    ((await api.request('GET', `/Users/${id}`)).body.groups ?? []).map(({ value }) => value).sort();

  it('shows the primary group among the groups of a user, and finds users by it', async () => {
    const domainUsers = await groupNamed('Domain Users');
    const ann = await create('ann');
    const ben = await create('ben');
    const { body: group } = await api.request('POST', '/Groups', { displayName: 'Own', members: [{ value: ann.id }] });
    expect(await groupsOf(ann.id)).toEqual([domainUsers, group.id].sort());
    expect(await groupsOf(ben.id)).toEqual([domainUsers]);
    expect(await usersBy(`groups.value eq "${domainUsers}"`)).toEqual([ann.id, ben.id].sort());
    expect(await usersBy(`groups.value eq "${group.id}"`)).toEqual([ann.id]);
    expect(await usersBy(`not (groups.value eq "${group.id}")`)).toEqual([ben.id]);
    expect(await usersBy(`groups.value eq "${domainUsers}" and userName sw "ben"`)).toEqual([ben.id]);
    expect(await usersBy('groups pr')).toEqual([ann.id, ben.id].sort());
  });

  it('shows each group once when the primary group becomes another', async () => {
    const domainUsers = await groupNamed('Domain Users');
    const cid = await create('cid');
    const { body: group } = await api.request('POST', '/Groups', { displayName: 'Main', members: [{ value: cid.id }] });
    const [entry] = await directory.search({ filter: '(cn=Main)', attributes: ['primaryGroupToken'] });
    const number = entry?.attributes.primaryGroupToken?.[0];
    await directory.modify(
      `dn: CN=cid@samdom.test,${directory.peopleDn}\nchangetype: modify\nreplace: primaryGroupID\nprimaryGroupID: ${number}\n`,
    );
    expect(await groupsOf(cid.id)).toEqual([domainUsers, group.id].sort());
    expect(await usersBy(`groups.value eq "${group.id}"`)).toEqual([cid.id]);
    expect(await usersBy(`groups.value eq "${domainUsers}"`)).toContain(cid.id);
  });

  it('makes groups that grant access and groups that do not, changes that, and keeps their scope', async () => {
    const typeOf = async (name: string): Promise<string | undefined> =>
      (await directory.search({ filter: `(cn=${name})`, attributes: ['groupType'] }))[0]?.attributes.groupType?.[0];
    const plain = await api.request('POST', '/Groups', { displayName: 'Secure' });
    expect(plain.body[securityEnabled]).toEqual({ securityEnabled: true });
    expect(await typeOf('Secure')).toBe('-2147483646');
    const list = await api.request('POST', '/Groups', {
      schemas: ['urn:ietf:params:scim:schemas:core:2.0:Group', securityEnabled],
      displayName: 'List',
      [securityEnabled]: { securityEnabled: false },
    });
    expect(list.body[securityEnabled], list.text).toEqual({ securityEnabled: false });
    expect(await typeOf('List')).toBe('2');
    await directory.modify(`dn: CN=List,${directory.groupsDn}\nchangetype: modify\nreplace: groupType\ngroupType: 8\n`);
    const on = patchOf({ op: 'replace', path: `${securityEnabled}:securityEnabled`, value: true });
    expect((await api.request('PATCH', `/Groups/${list.body.id}`, on)).status).toBe(204);
    expect(await typeOf('List')).toBe('-2147483640');
    const found = async (value: boolean): Promise<number> => {
      const filter = encodeURIComponent(`${securityEnabled}:securityEnabled eq ${value} and displayName sw "List"`);
      return (await api.request('GET', `/Groups?filter=${filter}`)).body.totalResults;
    };
    expect([await found(true), await found(false)]).toEqual([1, 0]);
  });

  it('keeps a formatted name with any letters, in an attribute that may hold them', async () => {
    const formatted = 'Zoë Ångström 日本';
    const zoe = await create('zoe', { name: { formatted } });
    expect(zoe.name).toMatchObject({ formatted });
    const [entry] = await directory.search({ filter: '(userPrincipalName=zoe@samdom.test)' });
    const [attribute = ''] = Object.entries(entry?.attributes ?? {}).find(([, [value]]) => value === formatted) ?? [];
    const [schema] = await directory.search({
      base: `CN=Schema,CN=Configuration,${directory.baseDn}`,
      filter: `(lDAPDisplayName=${attribute})`,
      attributes: ['attributeSyntax'],
    });
    // A Unicode string (MS-ADTS section 3.1.1.2.2.2): of a printable one, domain controllers take ASCII only.
    expect(schema?.attributes.attributeSyntax).toEqual(['2.5.5.12']);
  });
});
