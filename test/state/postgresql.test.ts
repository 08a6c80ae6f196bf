import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { openState } from '../../src/state/open-state.js';
import { Database } from '../../src/state/postgresql/database.js';
import { type Migration, migrate } from '../../src/state/postgresql/migrations.js';
import type { ServingOptions } from '../../src/state/postgresql/postgresql-state.js';
import { StateUnavailableError } from '../../src/state/state.js';
import { describeOnPostgresql } from './state-places.js';

const token = { gateway: 'corp', label: 'Entra', hash: 'h1', createdAtMs: 1000, expiresAtMs: 2000 };

/** What a process that serves is given, and what it logs. */
function serving(waitMs?: number): ServingOptions & { readonly said: string[]; readonly abort: () => void } {
  const said: string[] = [];
  const controller = new AbortController();
  const say = (_: object, message: string): void => void said.push(message);
  return {
    said,
    abort: () => controller.abort(),
    signal: controller.signal,
    log: { info: say, warn: say },
    ...(waitMs === undefined ? {} : { waitMs }),
  };
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await delay(10);
}

await describeOnPostgresql('state of replicas', (fixture) => {
  it('is made once when they start together, with equal keys in all of them', async () => {
    const states = await Promise.all(Array.from({ length: 6 }, () => fixture.open()));
    for (const name of ['cursor', 'oauth', 'transactions']) {
      const keys = await Promise.all(states.map((state) => state.key(name)));
      expect(new Set(keys.map((key) => Buffer.from(key).toString('hex'))).size).toBe(1);
      expect(keys[0]).toHaveLength(32);
    }
  });

  it('gives a label to one of those that ask for it at the same time', async () => {
    const states = await Promise.all([fixture.open(), fixture.open(), fixture.open()]);
    const made = await Promise.allSettled(
      states.flatMap(({ tokens }, replica) =>
        [0, 1, 2].map((count) => tokens.create({ ...token, hash: `h${replica}-${count}` })),
      ),
    );
    expect(made.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  it('leaves one valid token where each new one is to be the single one', async () => {
    const states = await Promise.all([fixture.open(), fixture.open(), fixture.open()]);
    await Promise.all(
      states.map(({ tokens }, count) =>
        tokens.create({ ...token, label: `l${count}`, hash: `h${count}` }, { single: true }),
      ),
    );
    const all = (await states[0]?.tokens.list('corp')) ?? [];
    expect(all.filter(({ revokedAtMs }) => revokedAtMs === undefined)).toHaveLength(1);
  });
});

await describeOnPostgresql('migrations of the state', (fixture) => {
  const steps = (oldest: number): readonly Migration[] => [
    { sql: 'CREATE TABLE $schema.one (id integer)', oldest: 1 },
    { sql: 'ALTER TABLE $schema.one ADD COLUMN two integer', oldest },
  ];
  const migrated = async (part: readonly Migration[]): Promise<void> => {
    const database = new Database(fixture.place.database);
    try {
      await migrate(database, 'state', part);
    } finally {
      await database.close();
    }
  };

  it('are carried out once by processes that start together', async () => {
    await Promise.all(Array.from({ length: 5 }, () => migrated(steps(1))));
    expect(await fixture.database.run('SELECT version, oldest FROM scimbridge.versions')).toEqual([[2, 1]]);
  });

  it('bring an older schema up to date, and leave it whole when a step fails', async () => {
    await migrated(steps(1).slice(0, 1));
    await expect(
      migrated([...steps(1).slice(0, 1), { sql: 'ALTER TABLE $schema.none ADD x int', oldest: 1 }]),
    ).rejects.toThrow();
    expect(await fixture.database.run('SELECT version FROM scimbridge.versions')).toEqual([[1]]);
    await migrated(steps(1));
    expect(await fixture.database.run('SELECT version FROM scimbridge.versions')).toEqual([[2]]);
  });

  it('of a newer version leave an older one at work where it still can be, and are refused in words where not', async () => {
    await migrated(steps(1));
    await migrated(steps(1).slice(0, 1));
    await fixture.database.run('UPDATE scimbridge.versions SET oldest = 2');
    await expect(migrated(steps(1).slice(0, 1))).rejects.toThrow(/newer version of scimbridge/);
  });

  it('of a newer version end the start of an older one at once', async () => {
    await (await fixture.open()).close();
    await fixture.database.run('UPDATE scimbridge.versions SET version = 99, oldest = 98');
    const parts = serving();
    await expect(fixture.open(parts)).rejects.toThrow(/"test_\d+" on .* cannot be used: a newer version of scimbridge/);
    expect(parts.said).toEqual([]);
  });

  it('need no right to create anything once they are done', async () => {
    await (await fixture.open()).tokens.create(token);
    await fixture.database.run(
      "CREATE ROLE least LOGIN PASSWORD 'least'; GRANT USAGE ON SCHEMA scimbridge TO least; GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA scimbridge TO least;",
    );
    // Nor does an older version beside a newer one.
    await fixture.database.run('UPDATE scimbridge.versions SET version = version + 1');
    const place = { ...fixture.place.database, user: 'least', password: 'least' };
    const state = await openState({ dataDir: '/nowhere', database: place });
    await state.tokens.create({ ...token, label: 'other', hash: 'h2' });
    await state.controls.set('corp', { enabled: false });
    expect(await state.key('cursor')).toHaveLength(32);
    await state.close();
  });
});

await describeOnPostgresql('a state that is away', (fixture) => {
  it('is refused at once by a command, in words and without the password', async () => {
    const { place } = fixture;
    await fixture.server.stop();
    try {
      const error: unknown = await openState(place).catch((reason: unknown) => reason);
      expect(String(error)).toMatch(/state database "test_1" on 127\.0\.0\.1:\d+ cannot be used: .*ECONNREFUSED/);
      expect(String(error)).not.toContain(fixture.server.password);
    } finally {
      await fixture.server.restart();
    }
  });

  it('is waited for by a process that serves, and not when the signal ends it', async () => {
    await fixture.server.stop();
    const parts = serving();
    const opening = fixture.open(parts);
    await until(() => parts.said.length > 0);
    expect(parts.said[0]).toMatch(/Waiting for the state database/);
    const other = serving();
    const refused = fixture.open(other);
    await until(() => other.said.length > 0);
    other.abort();
    await expect(refused).rejects.toThrow(/broken off/);
    await fixture.server.restart();
    await (await opening).tokens.create(token);
    await expect(openState(fixture.place, serving(0)).then((state) => state.close())).resolves.toBeUndefined();
  });

  it.each([
    ['a wrong password', { password: 'wrong' }, /password authentication failed/],
    ['no password', { password: '' }, /password/],
    ['a database that is not there', { database: 'none' }, /does not exist/],
    ['an authority that did not sign its certificate', { tls: {} }, /certificate/],
  ])('by %s is told at once, since waiting would not help', async (_, change, message) => {
    const database = { ...fixture.place.database, ...change };
    await expect(openState({ dataDir: '/nowhere', database }, serving())).rejects.toThrow(message);
  });

  it('is spoken to in TLS where its certificate is verified, by name too', async () => {
    const ca = readFileSync(fixture.server.caFile, 'utf8');
    const place = { dataDir: '/nowhere', database: { ...fixture.place.database, tls: { ca } } };
    const state = await openState(place);
    await state.tokens.create(token);
    await state.close();
    const misnamed = { ...place, database: { ...place.database, tls: { ca, serverName: 'db.example.org' } } };
    await expect(openState(misnamed)).rejects.toThrow(/altnames|Hostname/i);
  });

  it('is noticed before a request waits for it, keeps what was known of controls, and is noticed when it is back', async () => {
    const parts = serving();
    const state = await fixture.open(parts);
    await state.tokens.create(token);
    await state.controls.set('corp', { enabled: false });
    expect(state.isUp()).toBe(true);
    await fixture.server.kill();
    await until(() => !state.isUp());
    const begin = performance.now();
    await expect(state.tokens.find('h1')).rejects.toThrow(StateUnavailableError);
    await expect(state.tokens.prove('h1', 1500)).rejects.toThrow(StateUnavailableError);
    await state.tokens.recordUse('h1', 1500);
    expect(performance.now() - begin).toBeLessThan(100);
    expect(state.controls.get('corp')).toEqual({ enabled: false });
    await fixture.server.restart();
    await until(() => state.isUp());
    expect(await state.tokens.find('h1')).toMatchObject({ label: 'Entra' });
    expect(parts.said).toEqual([expect.stringMatching(/does not answer/), expect.stringMatching(/is there again/)]);
  });

  it('that hangs is noticed within some seconds, and a look-up waits no longer', async () => {
    const state = await fixture.open(serving());
    await state.tokens.create(token);
    fixture.server.pause();
    try {
      const begin = performance.now();
      await expect(state.tokens.find('h1')).rejects.toThrow(StateUnavailableError);
      expect(performance.now() - begin).toBeLessThan(6000);
      await until(() => !state.isUp());
    } finally {
      fixture.server.resume();
    }
    await until(() => state.isUp());
    expect(await state.tokens.find('h1')).toMatchObject({ label: 'Entra' });
  });

  it('that hangs keeps no process from ending', async () => {
    const state = await openState(fixture.place, serving());
    await Promise.all([state.tokens.create(token), state.key('cursor'), state.key('oauth')]);
    fixture.server.pause();
    try {
      const begin = performance.now();
      await state.close();
      expect(performance.now() - begin).toBeLessThan(5000);
    } finally {
      fixture.server.resume();
    }
  });

  it('for a moment loses its connections and nothing else', async () => {
    const state = await fixture.open(serving());
    await state.tokens.create(token);
    await fixture.server.administer("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'scim'");
    await delay(50);
    await until(() => state.isUp());
    expect(await state.tokens.find('h1')).toMatchObject({ label: 'Entra' });
  });
});
