import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TestGateway, TestServer } from '../support/gateway.js';
import { startServer } from '../support/in-process-server.js';

const config = `version: 1
publicUrl: https://scim.example.com/outside
adapters:
  hr:
    type: sqlite
    file: ./hr.db
    entities:
      people:
        table: users
        key: id
        version: row_version
        fields: { login: user_name, enabled: enabled, mail: mail }
gateways:
  default:
    address: /tenant/scim
    resources:
      User:
        adapter: hr
        entity: people
        mapping:
          userName: { field: login, required: true, unique: true }
          emails[type eq "work"].value: mail
          active: { field: enabled, default: true }
`;
const schema = `CREATE TABLE users (id INTEGER PRIMARY KEY AUTOINCREMENT, row_version INTEGER NOT NULL DEFAULT 1,
  user_name TEXT NOT NULL UNIQUE, mail TEXT, enabled INTEGER NOT NULL)`;
const patchUri = 'urn:ietf:params:scim:api:messages:2.0:PatchOp';
const disable = { schemas: [patchUri], Operations: [{ op: 'replace', path: 'active', value: false }] };

describe('a backend that is not there', () => {
  const folder = mkdtempSync(join(tmpdir(), 'scimbridge-down-'));
  let server: TestServer;
  let gateway: TestGateway;

  beforeAll(async () => {
    server = await startServer({ config, baseDir: folder });
    gateway = await server.gateway();
  });
  afterAll(async () => {
    await server.close();
    rmSync(folder, { recursive: true });
  });

  it.each([
    ['GET', '/Users/1', undefined],
    ['GET', '/Users?filter=userName+eq+%22a%22', undefined],
    ['GET', '/Users', undefined],
    ['POST', '/Users', { userName: 'bjensen' }],
    ['PUT', '/Users/1', { userName: 'bjensen' }],
    ['PATCH', '/Users/1', disable],
    ['DELETE', '/Users/1', undefined],
  ])('makes %s %s a 503 to be tried again, never a 404 or a success [capabilities-108]', async (method, path, body) => {
    const answer = await gateway.request(method, path, body === undefined ? {} : { body });
    expect(answer.status, answer.text).toBe(503);
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
  });

  it('leaves discovery and health as they are', async () => {
    expect((await gateway.request('GET', '/ServiceProviderConfig')).status).toBe(200);
  });

  it('is used again once it is back, with nothing half-written, and what was asked again happens once [capabilities-108 capabilities-5]', async () => {
    const db = new Database(join(folder, 'hr.db'));
    db.exec(schema);
    let answer = await gateway.request('POST', '/Users', { body: { userName: 'bjensen' } });
    // The gateway spares a backend that failed for a moment, and says for how long.
    for (let tries = 0; answer.status === 503 && tries < 20; tries++) {
      await new Promise((resolve) => setTimeout(resolve, 500));
      answer = await gateway.request('POST', '/Users', { body: { userName: 'bjensen' } });
    }
    expect(answer.status, answer.text).toBe(201);
    expect(answer.body.meta.location).toBe(`https://scim.example.com/outside/tenant/scim/Users/${answer.body.id}`);
    expect((await gateway.request('PATCH', `/Users/${answer.body.id}`, { body: disable })).body.active).toBe(false);
    expect(db.prepare('SELECT user_name, enabled FROM users').all()).toEqual([{ user_name: 'bjensen', enabled: 0 }]);
    db.close();
  });
});
