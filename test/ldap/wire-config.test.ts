import { describe, expect, it } from 'vitest';
import { ldapConfigSchema } from '../../adapters/ldap/config.js';
import { validator } from '../../config/validator.js';

describe('the configuration of connections', () => {
  const validate = validator().compile(ldapConfigSchema);
  const entities = { people: { base: 'ou=people,dc=example,dc=org' } };
  const least = {
    type: 'ldap',
    url: 'ldaps://dc1.example.com',
    bind: { dn: 'cn=scim', password: 's' },
    entities,
  };
  const check = (config: object): string => {
    const copy: unknown = structuredClone(config);
    return validate(copy) ? 'right' : (validate.errors ?? []).map(({ instancePath }) => instancePath).join(' ');
  };

  it('fills in what is left out', () => {
    const config: unknown = structuredClone({ ...least, tls: {}, pool: {} });
    expect(validate(config)).toBe(true);
    expect(config).toMatchObject({
      timeoutMs: 10_000,
      connectTimeoutMs: 5_000,
      allowClearText: false,
      pageSize: 500,
      pool: { connections: 2, pipeline: 32, leases: 8 },
      tls: { verify: true, minVersion: 'TLSv1.2' },
    });
  });

  it.each([
    { url: 'ldap://localhost' },
    { url: 'LDAPS://[::1]:1636/' },
    { url: ['ldaps://dc1.example.com', 'ldaps://dc2.example.com:3269'] },
    { bind: { external: true } },
    { tls: { ca: 'ca.pem', certificate: 'c.pem', key: 'k.pem', passphrase: 'p', serverName: 'x' } },
    { startTls: true, allowClearText: true, kind: 'generic', features: { deref: false }, maxRequestBytes: 1_000_000 },
  ])('takes %j', (part) => expect(check({ ...least, ...part })).toBe('right'));

  it.each([
    [{ url: 'http://dc1' }, '/url'],
    [{ url: [] }, '/url'],
    [{ url: 'ldap://user:secret@dc1' }, '/url'],
    [{ url: 'ldaps://dc1/dc=example' }, '/url'],
    [{ bind: { dn: 'cn=scim' } }, '/bind'],
    [{ bind: { dn: 'cn=scim', password: '' } }, '/bind'],
    [{ bind: { external: false } }, '/bind'],
    [{ tls: { certificate: 'c.pem' } }, '/tls'],
    [{ tls: { minVersion: 'TLSv1' } }, '/tls'],
    [{ pool: { connections: 0 } }, '/pool'],
    [{ features: { unknown: true } }, '/features'],
    [{ entities: {} }, '/entities'],
  ])('refuses %j', (part, place) => expect(check({ ...least, ...part })).toContain(place));

  it('demands an account: nothing is ever done as nobody', () => {
    const { bind: _, ...others } = least;
    expect(check(others)).not.toBe('right');
  });
});
