import { afterAll, beforeAll, expect, it } from 'vitest';
import { derefControl, derefIn } from '../../adapters/ldap/deref.js';
import type { Directory } from '../../adapters/ldap/directory.js';
import { everything } from '../../adapters/ldap/ldap-filter.js';
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
});

await describeOnLdap('samba', 'what the server is, and its ranges', () => {
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
      passwordModify: false,
      ranges: true,
      guidDn: true,
    });
    expect(profile.schema.attributes.length).toBeGreaterThan(1_000);
    expect(profile.schema.attribute('objectGUID')?.isBinary).toBe(true);
    expect(profile.schema.attribute('displayName')).toMatchObject({ isSingleValued: true, isBinary: false });
    expect(profile.schema.objectClass('user')?.may).toEqual(expect.arrayContaining(['userAccountControl', 'mail']));
  });

  it('gives large lists in ranges', async () => {
    const base = (await directory.connect(contextFor())).defaultBase ?? '';
    const group = `CN=Administrators,CN=Builtin,${base}`;
    const read = (attribute: string) =>
      directory.search(
        {
          base: group,
          scope: 'base',
          filter: everything,
          attributes: [attribute, 'objectGUID'],
        },
        contextFor(),
      );
    const [entry] = (await read('member')).entries;
    const values = (entry?.attributes.get('member') ?? []).map(String);
    expect(values.length).toBeGreaterThan(1);
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
      deref: true,
      passwordModify: true,
      emptyGroups: true,
    });
    expect(profile.schema.attribute('nsUniqueId')).toBeDefined();
    expect(profile.schema.attribute('uid')?.equality).toBe('caseIgnoreMatch');
    expect(profile.schema.objectClass('inetOrgPerson')?.must).toEqual(expect.arrayContaining(['cn', 'sn']));
  });
});
