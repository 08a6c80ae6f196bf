import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { mysqlConfigSchema } from '../../adapters/sql/mysql/config.js';
import { postgresqlConfigSchema } from '../../adapters/sql/postgresql/config.js';
import { repositoryRoot } from '../support/gateway.js';

describe('docs/configuration.md', () => {
  it('names every key of an adapter for tables on a server', () => {
    const text = readFileSync(join(repositoryRoot, 'docs/configuration.md'), 'utf8');
    for (const { properties } of [postgresqlConfigSchema, mysqlConfigSchema]) {
      const { type: _, ...keys } = properties;
      const below = { ...keys.tls.properties, ...keys.pool.properties };
      for (const key of [...Object.keys(keys), ...Object.keys(below)]) expect(text, key).toContain(`\`${key}\``);
    }
  });
});
