import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { TestGateway } from '../support/gateway.js';
import { type SpawnedServer, spawnServer } from '../support/spawned-server.js';

const patchOp = 'urn:ietf:params:scim:api:messages:2.0:PatchOp';
const rounds = 20;
const writers = 8;
/** A round's process is killed when so many writes were acknowledged: in the middle of others. */
const acknowledgedBeforeKill = 40;

/** What the server has acknowledged, and what it may or may not have done when it was killed. */
interface Ledger {
  /** userName → the title that was acknowledged last. */
  readonly acknowledged: Map<string, string | undefined>;
  /** userName → a title that was sent and never answered. */
  readonly unanswered: Map<string, string>;
  readonly ids: Map<string, string>;
  count: number;
}

/** Creates users and patches them until the connection breaks. */
async function write(gateway: TestGateway, writer: string, ledger: Ledger, onAcknowledged: () => void): Promise<void> {
  for (let n = 0; ; n++) {
    const userName = `${writer}-${n}`;
    try {
      const created = await gateway.request('POST', '/Users', {
        body: { userName, emails: [{ value: `${userName}@example.com`, type: 'work' }], name: { familyName: 'X' } },
      });
      if (created.status !== 201) throw new Error(created.text);
      ledger.acknowledged.set(userName, undefined);
      ledger.ids.set(userName, created.body.id);
      onAcknowledged();
      const title = `title-${n}`;
      ledger.unanswered.set(userName, title);
      const patched = await gateway.request('PATCH', `/Users/${created.body.id}`, {
        body: {
          schemas: [patchOp],
          Operations: [
            { op: 'replace', path: 'title', value: title },
            { op: 'replace', path: 'nickName', value: title },
          ],
        },
      });
      if (patched.status !== 200) throw new Error(patched.text);
      ledger.unanswered.delete(userName);
      ledger.acknowledged.set(userName, title);
      onAcknowledged();
    } catch (error) {
      if (error instanceof TypeError) return; // fetch: the connection is gone, and with it the process
      throw error;
    }
  }
}

async function runUntilKilled(server: SpawnedServer, token: string, round: number, ledger: Ledger): Promise<void> {
  const gateway = await server.gatewayWith(token);
  let acknowledged = 0;
  let killed: Promise<void> | undefined;
  const onAcknowledged = (): void => {
    acknowledged += 1;
    if (acknowledged === acknowledgedBeforeKill) killed = server.kill();
  };
  await Promise.all(
    Array.from({ length: writers }, (_, writer) => write(gateway, `r${round}-w${writer}`, ledger, onAcknowledged)),
  );
  await killed;
  ledger.count += acknowledged;
}

describe('kill -9 in the middle of a load', () => {
  it(`${rounds} times: everything acknowledged is there, nothing is half-written, the store opens [7644-3.5.2-19]`, async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'scimbridge-crash-'));
    const ledger: Ledger = { acknowledged: new Map(), unanswered: new Map(), ids: new Map(), count: 0 };
    try {
      const first = await spawnServer({ dataDir });
      const token = await first.createToken('default', 'crash test');
      await runUntilKilled(first, token, 0, ledger);
      for (let round = 1; round < rounds; round++) {
        await runUntilKilled(await spawnServer({ dataDir }), token, round, ledger);
      }
      expect(ledger.count).toBeGreaterThanOrEqual(rounds * acknowledgedBeforeKill);
      const server = await spawnServer({ dataDir });
      await checkAll(await server.gatewayWith(token), ledger);
      expect(await server.end()).toBe(0);
    } finally {
      await rm(dataDir, { recursive: true, force: true });
    }
  }, 240_000);
});

async function checkAll(gateway: TestGateway, ledger: Ledger): Promise<void> {
  for (const [userName, title] of ledger.acknowledged) {
    const { status, body, text } = await gateway.request('GET', `/Users/${ledger.ids.get(userName)}`);
    expect(status, `${userName}: ${text}`).toBe(200);
    expect(body).toMatchObject({ userName, emails: [{ value: `${userName}@example.com`, type: 'work' }] });
    // Both attributes of one PATCH are there, or neither.
    expect(body.title, userName).toBe(body.nickName);
    const allowed = title === undefined ? [undefined, ledger.unanswered.get(userName)] : [title];
    expect(allowed, userName).toContain(body.title);
  }
  const walked: string[] = [];
  for (let startIndex = 1; ; startIndex += 100) {
    const { body } = await gateway.request('GET', '/Users', {
      query: { startIndex, count: 100, attributes: 'userName,title,nickName' },
    });
    const page = body.Resources ?? [];
    for (const resource of page) {
      walked.push(String(resource.userName));
      expect(resource.title).toBe(resource.nickName);
    }
    if (page.length === 0) {
      expect(body.totalResults).toBe(walked.length);
      break;
    }
  }
  expect(new Set(walked).size).toBe(walked.length);
  for (const userName of ledger.acknowledged.keys()) expect(walked).toContain(userName);
}
