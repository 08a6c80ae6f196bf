import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { statePlace } from '../../src/cli/state-place.js';
import { load, withResources } from './temp-config.js';

const resources = withResources('      User: { adapter: store, use: [scim] }\n');
const withState = (section: string): string => resources.replace('version: 1\n', `version: 1\nstate: ${section}\n`);
const stateOf = (section: string) => load({ 'gateway.yaml': withState(section) });

describe('state', () => {
  it('is in the data folder unless the section is there', () => {
    const { config } = load({ 'gateway.yaml': resources });
    expect(config?.state).toBeUndefined();
    expect(config && statePlace(config, undefined)).toEqual({ dataDir: config?.dataDir });
  });

  it('names account, host and database by its URL, with what is encoded in it', () => {
    const { config } = stateOf('{ url: "postgres://scim%40corp:p%2Fw@db.example.com:6432/scim%20bridge" }');
    expect(config?.state).toEqual({
      host: 'db.example.com',
      port: 6432,
      database: 'scim bridge',
      user: 'scim@corp',
      password: 'p/w',
      schema: 'scimbridge',
      connections: 4,
      graceSeconds: 60,
      tls: {},
    });
  });

  it('takes the password from its own key before that of the URL', () => {
    const { config } = stateOf('{ url: "postgresql://scim@[::1]/scim", password: secret-1, schema: other }');
    expect(config?.state).toMatchObject({ host: '::1', port: 5432, password: 'secret-1', schema: 'other' });
  });

  it.each([
    ['another machine', '{ url: "postgres://scim@db.example.com/scim" }', {}],
    [
      'another machine, if it has to be',
      '{ url: "postgres://scim@db.example.com/scim", allowClearText: true }',
      undefined,
    ],
    ['this machine', '{ url: "postgres://scim@127.0.0.1/scim" }', undefined],
    ['this machine, where asked for', '{ url: "postgres://scim@localhost/scim", tls: {} }', {}],
  ])('is spoken to in TLS or in clear text as is right on %s', (_, section, tls) => {
    expect(stateOf(section).config?.state?.tls).toEqual(tls);
  });

  it('has files beside gateway.yaml', () => {
    const { config, dir } = stateOf(
      '{ url: "postgres://scim@db/scim", tls: { ca: ca.crt, serverName: db.example.com } }',
    );
    expect(config?.state?.tls).toEqual({ ca: join(dir, 'ca.crt'), serverName: 'db.example.com' });
    expect(() => config && statePlace(config, undefined)).toThrow(
      /"state\.tls": the file .*ca\.crt cannot be read \(ENOENT\)/,
    );
  });

  it.each([
    ['{ url: "mysql://scim@db/scim" }', /2:.*url/],
    ['{ url: "postgres://db/scim" }', /2:.*has to name an account, a host and a database/],
    ['{ url: "postgres://scim@db/scim?sslmode=disable" }', /2:.*url/],
    ['{ url: "postgres://scim@db/scim", schema: "x; drop" }', /2:.*schema/],
    ['{ url: "postgres://scim@db/scim", tls: { certificate: a.crt } }', /2:.*go together/],
    ['{ url: "postgres://scim@db/scim", graceSeconds: 99999 }', /2:.*graceSeconds/],
    ['postgres://scim@db/scim', /2:/],
  ])('%s is a problem with its place', (section, message) => {
    const { config, lines } = stateOf(section);
    expect(config).toBeUndefined();
    expect(lines.join('\n')).toMatch(message);
  });

  it('that cannot be read lets no command work on another one by mistake', () => {
    const { draft } = stateOf('{ url: "postgres://db/scim" }');
    expect(draft?.isStateFaulty).toBe(true);
    expect(() => draft && statePlace(draft, '/data')).toThrow(/"state" has to be correct/);
  });

  it('warns of records that replicas would not share, and of a password that is written out', () => {
    const { lines } = stateOf('{ url: "postgres://scim:secret-1@db/scim" }');
    expect(lines).toEqual([
      expect.stringMatching(/warning: The URL in "url" holds a password/),
      expect.stringMatching(/warning: The adapter "store" keeps its records .*replicas/),
    ]);
  });
});
