import { afterAll, afterEach, expect, it } from 'vitest';
import { ldapModule } from '../../adapters/ldap/module.js';
import type { EntityUse, FieldUse } from '../../src/backend/adapter.js';
import { environmentIn } from '../contract/contract-entities.js';
import { adapterConfig, entityDefaults } from '../support/ldap/adapter-config.js';
import { describeOnLdap, startLdap } from '../support/ldap/available.js';
import { type FaultProxy, startFaultProxy } from '../support/ldap/fault-proxy.js';
import { patchOf, startPresetGateway } from './preset-gateway.js';

const field = (name: string): FieldUse => ({
  name,
  type: 'string',
  multiple: false,
  comparison: 'fold',
  unique: false,
  read: name !== 'userPassword',
  written: true,
});

/** Not one of this machine's own names for itself, so that what goes there may be read on its way; yet it leads here. */
const elsewhere = (url: string): string => url.replace('127.0.0.1', '0.0.0.0');

for (const kind of ['openldap', 'samba', '389-ds'] as const) {
  await describeOnLdap(kind, 'clear passwords', async () => {
    const directory = await startLdap(kind);
    let proxy: FaultProxy = await startFaultProxy(directory);
    afterEach(async () => {
      await proxy.close();
      proxy = await startFaultProxy(directory);
    });
    afterAll(async () => {
      await proxy.close();
      await directory.close();
    });
    const userName = kind === 'samba' ? 'ann@samdom.test' : 'ann';

    it('are refused with the configuration where the connection is not secured, and nothing is sent [7643-4.1.1-pw-04]', async () => {
      const url = elsewhere(proxy.urls.ldap);
      const starting = startPresetGateway(directory, { url, adapterLines: ['allowClearText: true'] });
      await expect(starting).rejects.toThrow(/passwords.*not encrypted.*ldaps:\/\/ or "startTls: true"/);
      expect(proxy.seen).toEqual([]);
    });

    it('do not go over such a connection by another name of the field either [7643-4.1.1-pw-04]', async () => {
      const people: EntityUse = { entity: 'people', fields: [field('cn'), field('secret')] };
      const attribute = kind === 'samba' ? 'UnicodePwd' : 'userpassword';
      const entities = { people: { ...entityDefaults, base: 'ou=people', fields: { secret: attribute } } };
      const config = { ...adapterConfig(directory, 5_000, entities), url: elsewhere(proxy.urls.ldap) };
      const open = (allowClearText: boolean, use: EntityUse) =>
        ldapModule.open({ ...config, allowClearText }, environmentIn('/', [use]));
      await expect(open(true, people)).rejects.toMatchObject({ kind: 'unsupported' });
      const without = await open(true, { ...people, fields: [field('cn')] });
      await without.close();
      expect(proxy.seen).toEqual([]);
    });

    it.each(['ldaps', 'StartTLS'])('go over %s, where every operation is encrypted [7643-4.1.1-pw-04]', async (way) => {
      const url = way === 'ldaps' ? proxy.urls.ldaps : proxy.urls.ldap;
      const api = await startPresetGateway(directory, {
        url,
        adapterLines: way === 'ldaps' ? [] : ['startTls: true'],
      });
      try {
        const password = 'First.Secret-1';
        const created = await api.request('POST', '/Users', { userName, password });
        expect(created.status, created.text).toBe(201);
        expect(await api.canSignIn(userName, password)).toBe(true);
        const change = patchOf({ op: 'replace', path: 'password', value: 'Second.Secret-2' });
        const changed = await api.request('PATCH', `/Users/${created.body.id}`, change);
        expect(changed.status, changed.text).toBe(200);
        expect(await api.canSignIn(userName, 'Second.Secret-2')).toBe(true);
        expect((await api.request('DELETE', `/Users/${created.body.id}`)).status).toBe(204);
        expect(proxy.seen.length).toBeGreaterThan(4);
        expect(proxy.violations()).toEqual([]);
      } finally {
        await api.close();
      }
    });

    it('stay here when the server refuses to encrypt: there is no way back to clear text [7643-4.1.1-pw-04]', async () => {
      proxy.inject({ kind: 'answer', of: ['startTls'], resultCode: 52 }, 100);
      const api = await startPresetGateway(directory, { url: proxy.urls.ldap, adapterLines: ['startTls: true'] });
      try {
        const created = await api.request('POST', '/Users', { userName, password: 'First.Secret-1' });
        expect(created.status, created.text).toBe(503);
        expect(new Set(proxy.seen.map(({ operation }) => operation))).toEqual(new Set(['startTls']));
      } finally {
        await api.close();
      }
    });
  });
}
