import { describe, expect, it } from 'vitest';
import { sqliteConfigSchema } from '../../adapters/sqlite/config.js';
import { validator } from '../../config/validator.js';

const validate = validator().compile(sqliteConfigSchema);
const people = { table: 'people', key: 'id', fields: { login: 'login' } };

describe('the configuration of a SQLite adapter', () => {
  it.each([
    [{ type: 'sqlite' }],
    [{ type: 'sqlite', file: 'a.db' }],
    [{ type: 'sqlite', managed: true }],
    [{ type: 'sqlite', file: 'a.db', entities: { people } }],
    [{ type: 'sqlite', file: 'a.db', managed: false, entities: { people } }],
  ])('accepts %j', (section) => {
    expect(validate(section), JSON.stringify(validate.errors)).toBe(true);
  });

  it.each([
    ['existing tables without a file', { type: 'sqlite', entities: { people } }],
    ['a managed store with tables', { type: 'sqlite', file: 'a.db', managed: true, entities: { people } }],
    ['neither a managed store nor tables', { type: 'sqlite', file: 'a.db', managed: false }],
    ['a misspelt key', { type: 'sqlite', path: 'a.db' }],
    ['an empty file name', { type: 'sqlite', file: '' }],
  ])('refuses %s', (_, section) => {
    expect(validate(section)).toBe(false);
  });
});
