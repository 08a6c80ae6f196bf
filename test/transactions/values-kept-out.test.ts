import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Recording, someId } from './recording.js';

let recording: Recording;
beforeEach(() => {
  recording = new Recording();
});
afterEach(() => recording.end());

/** What stands for a value. */
function placeholder(name: string): string {
  return `\${${name}}`;
}

const userName = 'canary.user@example.com';
const secret = 'c4nary-pa55word';
const user = {
  schemas: ['urn:ietf:params:scim:schemas:core:2.0:User', 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User'],
  userName,
  externalId: 'canary-external',
  name: { givenName: 'CanaryGiven', familyName: 'CanaryFamily' },
  emails: [
    { value: 'canary.mail@example.com', type: 'work', primary: true },
    { value: userName, type: 'CanaryType', primary: 'False' },
  ],
  active: true,
  password: secret,
  'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User': { employeeNumber: 'canary-4711', salary: 98765.5 },
};

/** Creates, searches, changes and reads with canaries at every place, with success and without. */
async function sendCanaries(): Promise<void> {
  const recorder = recording.start();
  for (const status of [201, 400, 409, 500]) {
    recorder.finished(recording.noted({ body: JSON.stringify(user) }, 'POST', 'collection'), status);
    recorder.finished(recording.noted({ body: `${JSON.stringify(user)} canary-broken` }, 'POST', 'collection'), status);
  }
  const filters = [
    `userName eq "${userName}"`,
    'emails[type eq "work" and value co "canary.mail"] or externalId eq "canary-external"',
    `userName eq "canary-unclosed`,
    `password eq "${secret}"`,
    'employeeNumber eq 98765.5',
  ];
  for (const filter of filters) {
    recorder.finished(recording.noted({ filter }, 'GET', 'collection'), 200);
    recorder.finished(recording.noted({ body: JSON.stringify({ filter }) }, 'POST', 'collectionSearch'), 200);
  }
  const patch = {
    schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
    Operations: [
      { op: 'replace', path: `emails[value eq "canary.mail@example.com"].value`, value: 'canary.new@example.com' },
      {
        op: 'Add',
        value: { 'name.givenName': 'CanaryPatched', 'emails[value eq "canary.key"].value': 'canary.inner' },
      },
      { op: 'replace', path: 'password', value: secret },
      { op: 'canary-op', path: 'canary path', value: ['canary-list'] },
    ],
  };
  recorder.finished(recording.noted({ body: JSON.stringify(patch), resourceId: someId }, 'PATCH'), 200);
  const bulk = {
    failOnErrors: 1,
    Operations: [
      { method: 'POST', path: '/Users', bulkId: 'canary-bulk', data: user },
      { method: 'PATCH', path: '/Users/canary-id', data: patch },
      {
        method: 'POST',
        path: '/Groups',
        data: { displayName: 'Canary Group', members: [{ value: 'bulkId:canary-bulk' }] },
      },
    ],
  };
  recorder.finished(recording.noted({ body: JSON.stringify(bulk) }, 'POST', 'bulk'), 200);
  const large = { ...user, title: 'canary '.repeat(20_000) };
  recorder.finished(recording.noted({ body: JSON.stringify(large) }, 'POST', 'collection'), 201);
  for (const status of [400, 401, 403, 404, 429, 500]) {
    recorder.finished(recording.noted({ resourceId: 'canary.person@example.com' }, 'GET'), status);
  }
  recorder.finished(
    recording.noted({ meant: ['remove emails[value eq "canary"]'], dropped: [['x[y eq "canary"]', 'z']] }),
    200,
  );
  await recorder.flush();
}

describe('personal values', () => {
  it('are nowhere in the files [capabilities-106 7644-7.5.2-02 7643-4.1.1-pw-01]', async () => {
    await sendCanaries();
    const bytes = recording.bytes();
    expect(bytes).toContain('replace');
    for (const canary of ['canary', 'Canary', secret, '98765']) expect(bytes).not.toContain(canary);
    expect(JSON.stringify(recording.search())).not.toMatch(/canary|98765/i);
  });

  it('are there while the gateway records them, and secrets are not even then', async () => {
    recording.recordsValues.add('corp');
    await sendCanaries();
    const bytes = recording.bytes();
    expect(bytes).toContain(userName);
    expect(bytes).not.toContain(secret);
    const recorder = recording.start();
    recorder.finished(recording.noted({ body: '{"userName":"other-canary"}' }, 'POST', 'collection', 'lab'), 201);
    recorder.finished(recording.noted({ filter: 'userName eq "x" and password eq "y"' }, 'GET', 'collection'), 200);
    await recorder.flush();
    expect(recording.search({ gateway: 'lab' })[0]).not.toHaveProperty('values');
    expect(recording.search({ limit: 1 })).toMatchObject([
      { values: '{"filter":"userName eq \\"x\\" and password eq \\"(left out)\\""}' },
    ]);
    recording.recordsValues.clear();
    recorder.finished(recording.noted({ body: '{"userName":"third-canary"}' }, 'POST', 'collection'), 201);
    await recorder.flush();
    expect(recording.bytes()).not.toMatch(/(other|third)-canary/);
  });

  it('are still found by who knows them, in any case of letters', async () => {
    await sendCanaries();
    for (const known of [userName, 'CANARY.USER@EXAMPLE.COM', 'canary-external', 'canary.mail@example.com']) {
      expect(recording.search({ user: known }).map(({ operation }) => operation)).toContain('create');
    }
    expect(recording.search({ user: 'canary.new@example.com' }).map(({ operation }) => operation)).toContain('patch');
    expect(recording.search({ user: userName }).map(({ operation }) => operation)).toContain('search');
    expect(recording.search({ user: 'somebody else' })).toEqual([]);
    expect(recording.search({ resourceId: 'canary.person@example.com' }).length).toBeGreaterThan(3);
    expect(recording.search({ resourceId: 'Canary.Person@example.com' })).toEqual([]);
  });

  it('leave a shape behind: names, operations, booleans and how many, the same placeholder for the same value', async () => {
    await sendCanaries();
    const [created] = recording
      .search({ outcome: ['ok'], user: userName })
      .filter(({ shape }) => shape?.startsWith('{"s'));
    const shape: unknown = JSON.parse(
      recording.search().findLast(({ operation, status }) => operation === 'create' && status === 201)?.shape ?? '',
    );
    expect(created).toBeDefined();
    expect(shape).toEqual({
      schemas: user.schemas,
      userName: placeholder('mail1'),
      externalId: placeholder('value1'),
      name: { givenName: placeholder('value2'), familyName: placeholder('value3') },
      emails: [
        { value: placeholder('mail2'), type: 'work', primary: true },
        { value: placeholder('mail1'), type: placeholder('value4'), primary: 'False' },
      ],
      active: true,
      password: placeholder('secret1'),
      'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User': {
        employeeNumber: placeholder('value5'),
        salary: placeholder('decimal1'),
      },
    });
    const bulk: unknown = JSON.parse(recording.search().find(({ operation }) => operation === 'bulk')?.shape ?? '');
    expect(bulk).toMatchObject({
      failOnErrors: 1,
      Operations: [
        { method: 'POST', path: '/Users', bulkId: placeholder('value1') },
        {
          method: 'PATCH',
          path: expect.stringMatching(/^\/Users\/\$\{value\d+\}$/),
          data: {
            Operations: [
              { op: 'replace', path: `emails[value eq "${placeholder('mail2')}"].value` },
              { op: 'Add' },
              { op: 'replace', path: 'password', value: placeholder('secret2') },
              { op: expect.stringMatching(/^\$\{value/), path: 'unparsable path' },
            ],
          },
        },
        { method: 'POST', path: '/Groups', data: { members: [{ value: `bulkId:${placeholder('value1')}` }] } },
      ],
    });
  });

  it('summarises a body that is too large', async () => {
    await sendCanaries();
    const shapes = recording.search().map(({ shape }) => shape ?? '');
    expect(shapes).toContainEqual(expect.stringMatching(/^"14\d{4} characters: schemas \(2\), userName, .*password/));
  });

  it('keeps the id of what there is, and no other', async () => {
    await sendCanaries();
    const ids = new Set(recording.search().map(({ resourceId }) => resourceId));
    expect([...ids]).toEqual([undefined, someId]);
  });
});
