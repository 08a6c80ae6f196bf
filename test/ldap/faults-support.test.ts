import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describeOnLdap, startLdap } from '../support/ldap/available.js';
import { type FaultProxy, startFaultProxy } from '../support/ldap/fault-proxy.js';
import type { LdapKind, LdapServer } from '../support/ldap/ldap-server.js';
import { runTool } from '../support/ldap/run-tool.js';
import { violationsInLog } from '../support/ldap/server-log.js';

const kinds: readonly LdapKind[] = ['openldap', 'samba', '389-ds'];

for (const kind of kinds) {
  await describeOnLdap(kind, 'a test server', () => {
    let server: LdapServer;
    beforeAll(async () => {
      server = await startLdap(kind, { logOperations: true });
    });
    afterAll(() => server?.close());

    it('has folders for people, groups and disabled accounts', async () => {
      const units = await server.search({
        scope: 'one',
        filter: '(objectClass=organizationalUnit)',
        attributes: ['ou'],
      });
      const names = units.flatMap(({ attributes }) => attributes.ou ?? []);
      expect(names).toEqual(expect.arrayContaining(['people', 'groups', 'disabled', 'policies']));
    });

    it('keeps data and ports over a crash and a restart', async () => {
      const dn = `ou=kept,${server.baseDn}`;
      await server.add(`dn: ${dn}\nobjectClass: organizationalUnit\nou: kept\n`);
      await server.kill();
      await expect(server.search({ base: dn })).rejects.toThrow("Can't contact");
      await server.restart();
      expect(await server.search({ base: dn, attributes: ['ou'] })).toHaveLength(1);
    });

    it('logs who binds', () => {
      expect(server.log().toLowerCase()).toContain(server.bindDn);
    });

    it('shows in its log what must not be: an anonymous search, and a bind in clear text', async () => {
      expect(violationsInLog(server)).toEqual([]);
      const read = ['-x', '-H', server.urls.ldap, '-s', 'base', '-b', server.baseDn];
      await runTool('ldapsearch', [...read, '1.1']).catch(() => {});
      const anonymous = violationsInLog(server).length;
      expect(anonymous).toBeGreaterThan(0);
      // A domain controller refuses the second without a word in its log: there only the proxy can tell.
      if (kind === 'samba') return;
      await runTool('ldapsearch', [...read, '-D', server.bindDn, '-w', server.password, '1.1']).catch(() => {});
      expect(violationsInLog(server).length).toBeGreaterThan(anonymous);
    });

    it('encrypts a connection by StartTLS, with a certificate of the test authority', async () => {
      const args = ['-x', '-ZZ', '-H', server.urls.ldap, '-D', server.bindDn, '-w', server.password];
      const found = await runTool('ldapsearch', [...args, '-LLL', '-b', server.peopleDn, '-s', 'base', '1.1'], {
        env: { LDAPTLS_CACERT: server.caFile },
      });
      expect(found.toLowerCase()).toContain(`dn: ${server.peopleDn}`.toLowerCase());
    });
  });
}

await describeOnLdap('openldap', 'the proxy that makes things go wrong', () => {
  let server: LdapServer;
  let proxy: FaultProxy;
  beforeAll(async () => {
    server = await startLdap('openldap');
    proxy = await startFaultProxy(server);
  });
  afterAll(async () => {
    await proxy?.close();
    await server?.close();
  });

  const search = (url: string, ...options: readonly string[]): Promise<string> =>
    runTool(
      'ldapsearch',
      [
        ...['-x', '-H', url, '-o', 'nettimeout=2', '-l', '2', ...options],
        ...['-LLL', '-b', server.baseDn, '(objectClass=*)', 'ou'],
      ],
      { env: { LDAPTLS_CACERT: server.caFile } },
    );
  const account = (): readonly string[] => ['-D', server.bindDn, '-w', server.password];

  it.each(['ldap', 'ldaps'] as const)(
    'passes everything on, and sees a proper client of %s as proper',
    async (scheme) => {
      const options = scheme === 'ldap' ? ['-ZZ', ...account()] : account();
      expect(await search(proxy.urls[scheme], ...options)).toContain('ou: people');
      expect(proxy.violations()).toEqual([]);
      expect(proxy.seen.map(({ operation }) => operation)).toEqual(
        expect.arrayContaining(['bind', 'search', 'unbind']),
      );
    },
  );

  describe('sees what must not be', () => {
    it('an operation in clear text', async () => {
      const before = proxy.violations().length;
      await search(proxy.urls.ldap, ...account());
      expect(proxy.violations().slice(before)).toEqual([
        expect.stringMatching(/^bind on connection \d+: in clear text$/),
        expect.stringMatching(/^search on connection \d+: in clear text$/),
      ]);
    });

    it('an anonymous bind, and an operation after it', async () => {
      const before = proxy.violations().length;
      await search(proxy.urls.ldaps);
      expect(proxy.violations().slice(before)).toEqual([
        expect.stringMatching(/^bind on connection \d+: anonymous$/),
        expect.stringMatching(/^search on connection \d+: before a successful bind$/),
      ]);
    });
  });

  it.each([
    { fault: { kind: 'cutHandshake' }, shows: "Can't contact" },
    { fault: { kind: 'loseRequest', of: ['search'], by: 'cut' }, shows: 'ended with 80' },
    { fault: { kind: 'loseAnswer', of: ['search'], by: 'cut' }, shows: 'ended with 80' },
    { fault: { kind: 'cutInAnswer', of: ['search'], bytes: 9 }, shows: 'ended with 80' },
    { fault: { kind: 'answer', of: ['search'], resultCode: 51 }, shows: 'Server is busy' },
    { fault: { kind: 'answer', of: ['bind'], resultCode: 49 }, shows: 'Invalid credentials' },
  ] as const)('makes happen once: $fault', async ({ fault, shows }) => {
    const injected = proxy.inject(fault);
    await expect(search(proxy.urls.ldaps, ...account())).rejects.toThrow(shows);
    await injected.happened;
    expect(injected.hits).toBe(1);
    expect(await search(proxy.urls.ldaps, ...account())).toContain('ou: people');
  });

  it('refuses connections until it accepts them again', async () => {
    await proxy.refuse();
    await expect(search(proxy.urls.ldaps, ...account())).rejects.toThrow("Can't contact");
    await proxy.accept();
    expect(await search(proxy.urls.ldaps, ...account())).toContain('ou: people');
  });
});
