import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TestGateway } from '../support/gateway.js';
import { whyUnavailable } from '../support/sql/available.js';
import { type Backend, type Installation, type Replica, startInstallation, whyNoProxy } from './installation.js';
import { provision } from './provisioning-client.js';

/** Tables of an application in another database of the same server. */
const backend: Backend = {
  schema: `
    CREATE TABLE people (
      id uuid PRIMARY KEY, version bigint NOT NULL, user_name text NOT NULL, user_name_folded text NOT NULL UNIQUE, title text
    );
    CREATE TABLE teams (
      id uuid PRIMARY KEY, version bigint NOT NULL, name text NOT NULL, name_folded text NOT NULL UNIQUE
    );
    CREATE TABLE memberships (
      team_id uuid NOT NULL REFERENCES teams (id), person_id uuid NOT NULL REFERENCES people (id),
      PRIMARY KEY (team_id, person_id)
    );
    CREATE INDEX ON memberships (person_id);
    GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO scim;`,
  adapter: {
    type: 'postgresql',
    entities: {
      people: {
        table: 'people',
        key: 'id',
        version: 'version',
        fields: { login: { column: 'user_name', folded: 'user_name_folded' }, title: 'title' },
      },
      teams: {
        table: 'teams',
        key: 'id',
        version: 'version',
        fields: {
          name: { column: 'name', folded: 'name_folded' },
          members: { table: 'memberships', parent: 'team_id', column: 'person_id' },
        },
      },
    },
  },
  resources: {
    User: {
      adapter: 'shared',
      entity: 'people',
      mapping: { userName: { field: 'login', required: true, unique: true }, title: 'title' },
    },
    Group: {
      adapter: 'shared',
      entity: 'teams',
      mapping: {
        displayName: { field: 'name', required: true, unique: true },
        members: { field: 'members', reference: { to: ['User'] } },
      },
    },
  },
};

const group = (displayName: string) => ({
  body: { schemas: ['urn:ietf:params:scim:schemas:core:2.0:Group'], displayName },
});

const reason = (await whyUnavailable('postgresql')) ?? (await whyNoProxy());
if (reason !== undefined && process.env.CI === 'true') throw new Error(`Replicas cannot be tested: ${reason}`);

describe.skipIf(reason !== undefined)(
  `three replicas behind HAProxy${reason === undefined ? '' : ` (${reason})`}`,
  () => {
    let installation: Installation;
    let token: string;
    beforeAll(async () => {
      installation = await startInstallation(backend);
      token = await installation.createToken('test');
    }, 240_000);
    afterAll(() => installation?.close());

    const alone = (replica: Replica, credential = token): TestGateway => installation.gateway(credential, replica);
    const statusOf = async (gateway: TestGateway, path = '/ServiceProviderConfig'): Promise<number> =>
      (await gateway.request('GET', path)).status;
    /** How long until every replica answers so, at most. */
    const untilAll = async (status: number, credential = token): Promise<number> => {
      const begin = performance.now();
      await Promise.all(
        installation.replicas.map(async (replica) => {
          while ((await statusOf(alone(replica, credential))) !== status) await delay(10);
        }),
      );
      return performance.now() - begin;
    };

    it('take a token made for one of them, and refuse it when it is revoked, all within a second', async () => {
      const made = await installation.createToken('short-lived');
      expect(await untilAll(200, made)).toBeLessThan(1000);
      await installation.command('token', 'revoke', 'corp', '--label', 'short-lived');
      expect(await untilAll(401, made)).toBeLessThan(1000);
    });

    it('take an access token that another of them gave', async () => {
      const output = await installation.command('client', 'create', 'corp', '--label', 'app', '--json');
      const { clientId, clientSecret } = JSON.parse(output) as {
        readonly clientId: string;
        readonly clientSecret: string;
      };
      const response = await fetch(`${installation.replicas[0].origin}/oauth/token`, {
        method: 'POST',
        body: new URLSearchParams({
          grant_type: 'client_credentials',
          client_id: clientId,
          client_secret: clientSecret,
        }),
      });
      const { access_token: access } = (await response.json()) as { readonly access_token: string };
      for (const replica of installation.replicas) expect(await statusOf(alone(replica, access))).toBe(200);
    });

    it('are all switched off and on by one command, at once [capabilities-89]', async () => {
      await installation.command('gateway', 'disable', 'corp');
      // The command itself ended before; what is measured is little more than the requests.
      expect(await untilAll(503)).toBeLessThan(1000);
      await installation.command('gateway', 'enable', 'corp');
      expect(await untilAll(200)).toBeLessThan(1000);
    });

    it('go on where the cursor of another one ended [9865-2-02]', async () => {
      const [first, second, third] = installation.replicas;
      for (let count = 0; count < 5; count++) {
        expect((await alone(first).request('POST', '/Groups', group(`page ${count}`))).status).toBe(201);
      }
      const seen: unknown[] = [];
      let cursor = '';
      for (const replica of [first, second, third, first, second]) {
        const query = { filter: 'displayName sw "page"', sortBy: 'displayName', count: 1, cursor };
        const page = await alone(replica).request('GET', '/Groups', { query });
        expect(page.status).toBe(200);
        seen.push(...(page.body.Resources ?? []).map(({ displayName }) => displayName));
        cursor = page.body.nextCursor ?? '';
      }
      expect(seen).toEqual(['page 0', 'page 1', 'page 2', 'page 3', 'page 4']);
    });

    it('lose no acknowledged change when one is killed and one is restarted under load, and refuse no token', async () => {
      const gateway = installation.gateway(token);
      const groupId = (await gateway.request('POST', '/Groups', group('everybody'))).body.id;
      let isOver = false;
      const clients = ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => provision(gateway, name, groupId, () => isOver));
      const [first, second] = installation.replicas;
      await delay(1500);
      await first.kill('SIGKILL');
      await delay(1500);
      await first.start();
      await delay(500);
      // In order, as when a new version is rolled out.
      await second.kill('SIGTERM');
      await second.start();
      await delay(1000);
      isOver = true;
      const all = await Promise.all(clients);

      expect(all.flatMap(({ wrong }) => wrong)).toEqual([]);
      const written = all.map(({ users }) => users.size);
      expect(Math.min(...written)).toBeGreaterThan(5);
      // Only what was with the killed one at that moment: one request of each client at most, and their attempts.
      expect(all.flatMap(({ retried }) => retried).length).toBeLessThanOrEqual(2 * clients.length);

      for (const { users, deleted } of all) {
        for (const [userName, { id, title }] of users) {
          const found = await gateway.request('GET', '/Users', { query: { filter: `userName eq "${userName}"` } });
          expect(found.body.Resources).toMatchObject([{ id, title }]);
        }
        for (const id of deleted) expect(await statusOf(gateway, `/Users/${id}`)).toBe(404);
      }
      const members = (await gateway.request('GET', `/Groups/${groupId}`)).body.members ?? [];
      expect(members.map(({ value }) => value).toSorted()).toEqual(all.flatMap((one) => [...one.members]).toSorted());

      // Whichever replica served it, it is in the record; the one that was killed may have lost its last half second.
      const output = await installation.command('log', 'corp', '--json', '--limit', '100000');
      const recorded = output
        .trim()
        .split('\n')
        .map((line) => (JSON.parse(line) as { readonly requestId: string }).requestId);
      const served = all.flatMap(({ requestIds }) => [...requestIds]);
      const missing = served.filter((id) => !recorded.includes(id));
      expect(missing.length).toBeLessThan(served.length / 4);
      expect(new Set(missing.map((id) => id.split('-')[0])).size).toBeLessThanOrEqual(1);
      expect(new Set(recorded.filter((id) => id !== '')).size).toBe(recorded.filter((id) => id !== '').length);
      expect(await untilAll(200)).toBeLessThan(1000);
    }, 180_000);

    it('break off no request when all are restarted in turn under load', async () => {
      const gateway = installation.gateway(token);
      const groupId = (await gateway.request('POST', '/Groups', group('restarts'))).body.id;
      let isOver = false;
      const clients = ['r', 's', 't', 'u'].map((name) => provision(gateway, name, groupId, () => isOver));
      await delay(500);
      for (const replica of installation.replicas) {
        await replica.kill('SIGTERM');
        await replica.start();
        await delay(500);
      }
      isOver = true;
      const all = await Promise.all(clients);
      expect(all.flatMap(({ wrong }) => wrong)).toEqual([]);
      expect(all.flatMap(({ retried }) => retried)).toEqual([]);
    }, 120_000);

    it('serve known callers while the database of the state is away, tell others to come again, and go on when it is back', async () => {
      const stranger = await installation.createToken('stranger');
      expect(await untilAll(200)).toBeLessThan(1000);
      await installation.server.stop();
      try {
        for (const replica of installation.replicas) {
          while ((await health(replica)).state !== 'down') await delay(20);
          expect(await health(replica)).toMatchObject({ status: 'ready', state: 'down' });
          // The records are on the same server, so no backend is asked.
          expect(await statusOf(alone(replica))).toBe(200);
          const refused = await alone(replica, stranger).request('GET', '/ServiceProviderConfig');
          expect(refused.status).toBe(503);
          expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
          expect(refused.body.status).toBe('503');
        }
      } finally {
        await installation.server.restart();
      }
      await untilAll(200, stranger);
    }, 60_000);

    async function health(replica: Replica): Promise<{ readonly state: string }> {
      return (await (await fetch(`${replica.origin}/health/ready`)).json()) as { readonly state: string };
    }
  },
);
