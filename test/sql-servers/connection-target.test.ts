import { describe, expect, it } from 'vitest';
import { connectionTarget, partsOfUrl } from '../../adapters/sql/connection-target.js';

describe('where a database is', () => {
  it.each([
    ['postgresql://scim@db.example.com/hr', { user: 'scim', host: 'db.example.com', database: 'hr' }],
    [
      'mysql://scim:secret@[::1]:3307/hr',
      { user: 'scim', password: 'secret', host: '::1', port: 3307, database: 'hr' },
    ],
    ['postgres://db.example.com:5433', { host: 'db.example.com', port: 5433 }],
    ['postgresql://scim@db/h%20r', { user: 'scim', host: 'db', database: 'h r' }],
    // From an environment variable a password comes as it is.
    ['postgresql://scim:a/b@c:d?e#f%@db/hr', { user: 'scim', password: 'a/b@c:d?e#f%', host: 'db', database: 'hr' }],
  ])('%s', (url, parts) => {
    expect(partsOfUrl(url)).toEqual(parts);
  });

  it('keys complete the URL, and may not contradict it', async () => {
    const config = { url: 'mysql://db.example.com/hr', user: 'scim', password: 'x', allowClearText: true };
    expect(await connectionTarget(config, '/', 3306)).toEqual({
      host: 'db.example.com',
      port: 3306,
      database: 'hr',
      user: 'scim',
      password: 'x',
    });
    const other = connectionTarget({ ...config, database: 'other' }, '/', 3306);
    await expect(other).rejects.toMatchObject({ kind: 'unsupported', message: expect.stringContaining('database') });
    const nobody = connectionTarget({ url: 'mysql://db.example.com/hr' }, '/', 3306);
    await expect(nobody).rejects.toMatchObject({ kind: 'unsupported', message: expect.stringContaining('user') });
    const parameters = connectionTarget({ url: 'mysql://scim@db/hr?ssl-mode=disabled' }, '/', 3306);
    await expect(parameters).rejects.toMatchObject({ kind: 'unsupported' });
  });

  it('to another machine connections are encrypted and its name is checked, unless clear text is allowed', async () => {
    const config = { url: 'postgresql://scim@db.example.com/hr' };
    expect((await connectionTarget(config, '/', 5432)).tls).toMatchObject({
      rejectUnauthorized: true,
      expectedName: 'db.example.com',
      minVersion: 'TLSv1.2',
    });
    expect(await connectionTarget({ ...config, allowClearText: true }, '/', 5432)).not.toHaveProperty('tls');
    for (const host of ['localhost', '127.0.0.1', '[::1]']) {
      expect(await connectionTarget({ url: `postgresql://scim@${host}/hr` }, '/', 5432)).not.toHaveProperty('tls');
    }
    const socket = { host: '/run/postgresql', database: 'hr', user: 'scim' };
    expect(await connectionTarget(socket, '/', 5432)).toEqual({ ...socket, port: 5432 });
  });
});
