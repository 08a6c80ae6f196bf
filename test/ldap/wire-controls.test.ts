import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Directory } from '../../adapters/ldap/directory.js';
import { everything } from '../../adapters/ldap/ldap-filter.js';
import {
  derefControl,
  derefIn,
  extendedDnControl,
  listViewControl,
  listViewIn,
  matchedValuesControl,
  parseExtendedDn,
  permissiveModifyControl,
  sortControl,
} from '../../adapters/ldap/search-controls.js';
import { hasResultCode, resultCode } from '../../adapters/ldap/wire-errors.js';
import { describeOnLdap, startLdap } from '../support/ldap/available.js';
import type { LdapServer } from '../support/ldap/ldap-server.js';
import { contextFor, directoryOf, person } from './wire-support.js';

await describeOnLdap('openldap', 'controls', () => {
  let server: LdapServer;
  let directory: Directory;
  let members: readonly string[];

  beforeAll(async () => {
    server = await startLdap('openldap');
    directory = await directoryOf(server);
    members = ['carl', 'anna', 'Berta', 'dora'].map((name) => `uid=${name},${server.peopleDn}`);
    for (const name of ['carl', 'anna', 'Berta', 'dora']) {
      await directory.add(
        `uid=${name},${server.peopleDn}`,
        person(name, { mail: [`${name}@x.example`] }),
        [],
        contextFor(),
      );
    }
    const group = [
      { name: 'objectClass', values: ['groupOfNames'] },
      { name: 'cn', values: ['all'] },
      { name: 'member', values: members },
    ];
    await directory.add(`cn=all,${server.groupsDn}`, group, [], contextFor());
  }, 30_000);
  afterAll(async () => {
    await directory?.close();
    await server?.close();
  });

  const rule = 'caseIgnoreOrderingMatch';
  function sortedSearch(controls: NonNullable<Parameters<Directory['search']>[0]['controls']>) {
    const filter = { kind: 'present', attribute: 'uid' } as const;
    const request = { base: server.peopleDn, scope: 'one', filter, attributes: ['uid'], controls } as const;
    return directory
      .lease(contextFor())
      .then((lease) => lease.search(request, contextFor()).finally(() => lease.cut()));
  }
  const uidsOf = (answer: Awaited<ReturnType<typeof sortedSearch>>) =>
    answer.entries.map((entry) => entry.attributes.get('uid')?.[0]);

  it('sorts both ways (RFC 2891)', async () => {
    const up = await sortedSearch([sortControl({ attribute: 'uid', rule })]);
    expect(uidsOf(up)).toEqual(['anna', 'Berta', 'carl', 'dora']);
    const down = await sortedSearch([sortControl({ attribute: 'uid', rule, descending: true })]);
    expect(uidsOf(down)).toEqual(['dora', 'carl', 'Berta', 'anna']);
  });

  it('gives a stretch of a sorted list and its length', async () => {
    const sorted = sortControl({ attribute: 'uid', rule });
    const answer = await sortedSearch([sorted, listViewControl({ offset: 2, after: 1 })]);
    expect(uidsOf(answer)).toEqual(['Berta', 'carl']);
    expect(listViewIn(answer.controls)).toMatchObject({ position: 2, total: 4 });
    const beyond = sortedSearch([sorted, listViewControl({ offset: 9, after: 1 })]);
    await expect(beyond).rejects.toSatisfy((error) => hasResultCode(error, resultCode.vlvError));
  });

  it('gives attributes of the entries that a group names', async () => {
    const { entries } = await directory.search(
      {
        base: `cn=all,${server.groupsDn}`,
        scope: 'base',
        filter: everything,
        attributes: ['member'],
        controls: [derefControl('member', ['entryUUID', 'displayName', 'mail'])],
      },
      contextFor(),
    );
    const found = entries[0] === undefined ? [] : derefIn(entries[0]);
    expect(found.map(({ dn }) => dn).sort()).toEqual([...members].sort());
    for (const { attributes } of found) {
      expect(attributes.get('entryuuid')?.[0]).toMatch(/^[0-9a-f-]{36}$/);
      expect(attributes.get('mail')?.[0]).toMatch(/@x\.example$/);
    }
  });

  it('gives only the values that match (RFC 3876)', async () => {
    const wanted = members.slice(0, 2);
    const filters = wanted.map((value) => ({ kind: 'equality', attribute: 'member', value }) as const);
    const { entries } = await directory.search(
      {
        base: `cn=all,${server.groupsDn}`,
        scope: 'base',
        filter: everything,
        attributes: ['member'],
        controls: [matchedValuesControl(...filters)],
      },
      contextFor(),
    );
    expect([...(entries[0]?.attributes.get('member') ?? [])].sort()).toEqual([...wanted].sort());
  });

  it('adds what is there already without an error where that is asked for', async () => {
    const change = [{ op: 'add', name: 'member', values: [members[0] as string] }] as const;
    const dn = `cn=all,${server.groupsDn}`;
    await expect(directory.modify(dn, change, [], contextFor())).rejects.toSatisfy((error) =>
      hasResultCode(error, resultCode.attributeOrValueExists),
    );
    await expect(directory.modify(dn, change, [permissiveModifyControl], contextFor())).resolves.toBeDefined();
  });
});

await describeOnLdap('samba', 'what the server is, and names with ids', () => {
  let server: LdapServer;
  let directory: Directory;
  beforeAll(async () => {
    server = await startLdap('samba');
    directory = await directoryOf(server);
  }, 120_000);
  afterAll(async () => {
    await directory?.close();
    await server?.close();
  });

  it('is recognised, its schema read though written in another manner', async () => {
    const profile = await directory.connect(contextFor());
    expect(profile).toMatchObject({ kind: 'active-directory', isSamba: true });
    expect(profile.defaultBase?.toLowerCase()).toMatch(/^dc=/);
    expect(profile.serverName).toBeDefined();
    expect(profile.features).toMatchObject({
      assertion: false,
      readEntry: false,
      permissiveModify: false,
      concurrentPaging: true,
      sortNeedsRule: false,
      vlv: true,
      extendedDn: true,
      passwordModify: false,
      ranges: true,
      guidDn: true,
    });
    expect(profile.schema.attributes.length).toBeGreaterThan(1_000);
    expect(profile.schema.attribute('objectGUID')?.isBinary).toBe(true);
    expect(profile.schema.attribute('displayName')).toMatchObject({ isSingleValued: true, isBinary: false });
    expect(profile.schema.objectClass('user')?.may).toEqual(expect.arrayContaining(['userAccountControl', 'mail']));
  });

  it('gives ids with the names of members, and large lists in ranges', async () => {
    const base = (await directory.connect(contextFor())).defaultBase ?? '';
    const group = `CN=Administrators,CN=Builtin,${base}`;
    const read = (attribute: string) =>
      directory.search(
        {
          base: group,
          scope: 'base',
          filter: everything,
          attributes: [attribute, 'objectGUID'],
          controls: [extendedDnControl],
        },
        contextFor(),
      );
    const [entry] = (await read('member')).entries;
    const values = (entry?.attributes.get('member') ?? []).map(String);
    expect(values.length).toBeGreaterThan(1);
    expect(parseExtendedDn(values[0] ?? '')).toMatchObject({
      guid: expect.stringMatching(/^[0-9a-f-]{36}$/),
      sid: expect.stringMatching(/^S-1-5-/),
      dn: expect.stringMatching(/^CN=/i),
    });
    expect(entry?.attributes.get('objectguid')?.[0]).toHaveLength(16);
    const [part] = (await read('member;range=0-0')).entries;
    expect(part?.attributes.get('member')).toHaveLength(1);
    expect(part?.unfinished?.get('member')).toEqual({ next: 1 });
    const [rest] = (await read('member;range=1-*')).entries;
    expect(rest?.attributes.get('member')).toHaveLength(values.length - 1);
    expect(rest?.unfinished).toBeUndefined();
  });
});

await describeOnLdap('389-ds', 'what the server is', () => {
  let server: LdapServer;
  let directory: Directory;
  beforeAll(async () => {
    server = await startLdap('389-ds');
    directory = await directoryOf(server);
  }, 120_000);
  afterAll(async () => {
    await directory?.close();
    await server?.close();
  });

  it('is recognised, its schema read', async () => {
    const profile = await directory.connect(contextFor());
    expect(profile).toMatchObject({ kind: '389-ds', isSamba: false, defaultBase: server.baseDn });
    expect(profile.features).toMatchObject({
      assertion: false,
      readEntry: true,
      permissiveModify: false,
      concurrentPaging: true,
      sortNeedsRule: false,
      vlv: true,
      deref: true,
      extendedDn: false,
      passwordModify: true,
      transactions: false,
      emptyGroups: true,
    });
    expect(profile.schema.attribute('nsUniqueId')).toBeDefined();
    expect(profile.schema.attribute('uid')?.equality).toBe('caseIgnoreMatch');
    expect(profile.schema.objectClass('inetOrgPerson')?.must).toEqual(expect.arrayContaining(['cn', 'sn']));
  });
});

describe('names with ids', () => {
  it('leaves ordinary names alone', () => {
    expect(parseExtendedDn('CN=a,DC=x')).toBeUndefined();
    expect(parseExtendedDn('<GUID=00000000-0000-0000-0000-00000000000A>;CN=a,DC=x')).toEqual({
      guid: '00000000-0000-0000-0000-00000000000a',
      sid: undefined,
      dn: 'CN=a,DC=x',
    });
  });
});
