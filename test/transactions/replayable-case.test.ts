import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { toReplayableCase } from '../../src/transactions/replayable-case.js';
import type { Transaction } from '../../src/transactions/transaction.js';
import type { TestGateway, TestServer } from '../support/gateway.js';
import { startServer } from '../support/in-process-server.js';
import { runExchange, startTranscript, type TranscriptCase } from '../transcripts/transcript-runner.js';
import { Recording, someId } from './recording.js';

const recording = new Recording();
let server: TestServer;
let gateway: TestGateway;
beforeAll(async () => {
  server = await startServer();
  gateway = await server.gateway();
});
afterAll(async () => {
  await server.close();
  await recording.end();
});

const user = {
  schemas: ['urn:ietf:params:scim:schemas:core:2.0:User', 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User'],
  userName: 'canary@example.com',
  externalId: 'canary',
  name: { givenName: 'Canary' },
  active: 'True',
  emails: [
    { value: 'canary@example.com', type: 'work', primary: true },
    { value: 'canary.home@example.com', type: 'home' },
  ],
  profileUrl: 'https://canary.example.com/me',
  password: 'canary-password',
};
const patch = {
  schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
  Operations: [
    { op: 'Replace', path: 'emails[type eq "work"].value', value: 'canary.new@example.com' },
    { op: 'add', value: { 'name.familyName': 'Canary', active: false } },
  ],
};
const badPatch = {
  ...patch,
  Operations: [{ op: 'replace', path: 'userName[value eq "canary"]', value: 'x' }],
};
const bulk = {
  schemas: ['urn:ietf:params:scim:api:messages:2.0:BulkRequest'],
  Operations: [
    { method: 'POST', path: '/Users', bulkId: 'canary', data: user },
    { method: 'POST', path: '/Groups', data: { displayName: 'Canaries', members: [{ value: 'bulkId:canary' }] } },
  ],
};
const filter = 'userName eq "canary" and meta.lastModified gt "2020-01-01T00:00:00Z"';
const searchRequest = {
  schemas: ['urn:ietf:params:scim:api:messages:2.0:SearchRequest'],
  attributes: ['userName', 'emails.value'],
  filter,
  sortBy: 'meta.created',
  count: 3,
};

async function exported(
  noted: Parameters<Recording['noted']>[0],
  method: string,
  route: string,
  status: number,
): Promise<TranscriptCase | string> {
  const recorder = recording.start();
  recorder.finished(recording.noted(noted, method, route), status);
  await recorder.close();
  return toReplayableCase(recording.search({ limit: 1 })[0] as Transaction, (type) => `/${type}s`) as TranscriptCase;
}

describe('a case made of a transaction', () => {
  it.each([
    ['create', { body: JSON.stringify(user) }, 'POST', 'collection', 201],
    ['create that conflicts', { body: JSON.stringify(user) }, 'POST', 'collection', 409],
    ['create without what is required', { body: '{"displayName":"Canary"}' }, 'POST', 'collection', 400],
    ['read', { resourceId: someId }, 'GET', 'resource', 200],
    ['read of what is not there', { resourceId: 'canary' }, 'GET', 'resource', 404],
    ['replace', { resourceId: someId, body: JSON.stringify(user) }, 'PUT', 'resource', 200],
    ['patch', { resourceId: someId, body: JSON.stringify(patch) }, 'PATCH', 'resource', 200],
    ['patch that is wrong', { resourceId: someId, body: JSON.stringify(badPatch) }, 'PATCH', 'resource', 400],
    ['delete', { resourceId: someId }, 'DELETE', 'resource', 204],
    ['search', { filter }, 'GET', 'collection', 200],
    ['search over all types', { resourceType: undefined, filter: 'id pr' }, 'GET', 'root', 200],
    ['posted search', { filter, body: JSON.stringify(searchRequest) }, 'POST', 'collectionSearch', 200],
    ['bulk request', { resourceType: undefined, body: JSON.stringify(bulk) }, 'POST', 'bulk', 200],
    ['refused request', { caller: undefined, reason: 'expired' }, 'GET', 'collection', 401],
    ['request for another version', { resourceId: someId, body: JSON.stringify(patch) }, 'PATCH', 'resource', 412],
  ])('replays a %s, without its values', async (_, noted, method, route, status) => {
    const made = await exported(noted, method, route, status);
    if (typeof made === 'string') throw new Error(made);
    expect(JSON.stringify(made)).not.toMatch(/canary/i);
    expect(made.steps.at(-1)?.expect).toMatchObject({ status: expect.arrayContaining([status]) });
    const scope = startTranscript(gateway);
    for (const step of made.steps) await runExchange(step, gateway, scope);
  });

  it.each([
    ['a discovery document', { resourceType: undefined }, 'GET', 'schemas', 200, /nothing to send again/],
    ['a body that was no JSON', { body: '{"userName"' }, 'POST', 'collection', 400, /not kept.*no JSON/],
    [
      'a body that was too large',
      { body: `"${'x'.repeat(70_000)}"` },
      'POST',
      'collection',
      201,
      /not kept.*70002 char/,
    ],
    ['a body that was not read', {}, 'POST', 'collection', 415, /no body that could be read/],
    ['an unknown type', { resourceType: undefined, body: '{}' }, 'POST', 'collection', 400, /resource type/],
  ])('is not made of %s', async (_, noted, method, route, status, sentence) => {
    expect(await exported(noted, method, route, status)).toMatch(sentence);
  });

  it('is not made of an act', async () => {
    const recorder = recording.start();
    recorder.act({ gateway: 'corp', operation: 'reload', meant: [] });
    await recorder.close();
    const [act] = recording.search({ outcome: ['act'] });
    expect(toReplayableCase(act as Transaction, () => '')).toMatch(/Only a request/);
  });
});
