import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SignJWT, UnsecuredJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TestGateway } from '../support/gateway.js';
import { type SpawnedServer, spawnServer } from '../support/spawned-server.js';

/**
 * Known secrets and personal values go through every route, in every place where a request has room for one, with
 * success and without. Then everything that the gateway leaves behind is searched for them.
 */
const personal = {
  userName: 'canaryusername',
  externalId: 'canaryexternal-4711',
  given: 'Canarygiven',
  family: 'Canaryfamily',
  display: 'Canary Display',
  nick: 'canarynick',
  mail: 'canarymail@example.com',
  phone: '+49-555-0100-7788',
  street: 'Canarystreet 12',
  title: 'Canarytitle',
  photo: 'https://photos.example.com/canaryphoto',
  employee: 'canaryemployee',
  group: 'Canarygroup',
  unknown: 'canaryunknownvalue',
  typed: 'canarytyped@example.com',
};
const secrets = { password: 'canary-t1meMa$heen', invented: 'canary-bearer-secret', query: 'canary-query-secret' };

const { publicKey: made, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const publicKey = { ...made.export({ format: 'jwk' }), kid: 'k1', alg: 'ES256' };

/** Tokens of an issuer with personal claims: one that is valid, one of a stranger's key, one that is not signed. */
async function jwts(): Promise<readonly string[]> {
  const claims = { upn: personal.mail, email: personal.mail, name: personal.display, family_name: personal.family };
  const sign = (key: KeyObject) =>
    new SignJWT(claims)
      .setProtectedHeader({ alg: 'ES256', kid: 'k1', typ: 'JWT' })
      .setIssuer('https://issuer.example.com')
      .setSubject('provisioner')
      .setExpirationTime('1h')
      .sign(key);
  const stranger = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
  return [await sign(privateKey), await sign(stranger), new UnsecuredJWT(claims).encode()];
}

const enterpriseUri = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';
const patchUri = 'urn:ietf:params:scim:api:messages:2.0:PatchOp';
const bulkUri = 'urn:ietf:params:scim:api:messages:2.0:BulkRequest';
const searchUri = 'urn:ietf:params:scim:api:messages:2.0:SearchRequest';

const user = {
  userName: personal.userName,
  externalId: personal.externalId,
  name: { givenName: personal.given, familyName: personal.family, formatted: personal.display },
  displayName: personal.display,
  nickName: personal.nick,
  title: personal.title,
  password: secrets.password,
  emails: [{ value: personal.mail, type: 'work', primary: true }],
  phoneNumbers: [{ value: personal.phone, type: 'work' }],
  addresses: [{ streetAddress: personal.street, type: 'work' }],
  photos: [{ value: personal.photo, type: 'photo' }],
  [enterpriseUri]: { employeeNumber: personal.employee, department: personal.title },
  undeclared: personal.unknown,
};

const configOf = (level: string): string => `version: 1
log: { level: ${level === 'debug' ? 'trace' : 'info'} }
metrics: { listen: 127.0.0.1:0 }
adapters:
  store: { type: sqlite }
  lab: { type: memory }
gateways:
  managed:
    level: ${level}
    auth:
      basic: {}
      oauth: {}
      jwt: { issuer: 'https://issuer.example.com', keys: ${JSON.stringify({ keys: [publicKey] })} }
    resources:
      User: { adapter: store, use: [scim] }
      Group: { adapter: store, use: [scim] }
  strict:
    level: ${level}
    strict: true
    requireIfMatch: true
    sensitiveFilters: [emails]
    resources:
      User: { adapter: lab, use: [scim] }
      Group: { adapter: lab, use: [scim] }
`;

interface Sent {
  readonly what: string;
  readonly status: number;
  readonly text: string;
  readonly headers: string;
}

/** Everything that a caller can do with a value in its hand. */
async function sendEverything(gateway: TestGateway): Promise<readonly Sent[]> {
  const sent: Sent[] = [];
  const send = async (method: string, path: string, options: Parameters<TestGateway['request']>[2] = {}) => {
    const answer = await gateway.request(method, path, options);
    const headers = JSON.stringify([...answer.headers]);
    sent.push({ what: `${method} ${path}`, status: answer.status, text: answer.text, headers });
    return answer;
  };
  const filter = (text: string): string => `filter=${encodeURIComponent(text)}`;
  const { body } = await send('POST', '/Users', { body: user });
  await send('POST', '/Users', { body: user });
  const id = body.id ?? 'none';
  const group = await send('POST', '/Groups', {
    body: { displayName: personal.group, members: [{ value: id, display: personal.display }] },
  });
  const [path, groupPath] = [`/Users/${id}`, `/Groups/${group.body.id}`];
  const any = { headers: { 'if-match': '*' } };

  for (const target of [path, groupPath, '/Users/none', '/Me']) {
    await send('GET', target);
    await send('GET', `${target}?attributes=${encodeURIComponent(personal.display)}`);
  }
  for (const typed of [personal.typed, encodeURIComponent(personal.display), secrets.query]) {
    for (const method of ['GET', 'PUT', 'PATCH', 'DELETE']) {
      const body = method === 'GET' || method === 'DELETE' ? undefined : user;
      await send(method, `/Users/${typed}`, { ...any, ...(body === undefined ? {} : { body }) });
    }
    await send('GET', `/${typed}`);
    await send('GET', `/Schemas/${typed}`);
    await send('GET', `/ResourceTypes/${typed}`);
    await send('POST', `/Users/${typed}`, { body: user });
  }

  const filters = [
    `userName eq "${personal.userName}"`,
    `externalId eq "${personal.externalId}" and emails.value eq "${personal.mail}"`,
    `emails[type eq "work" and value co "${personal.mail}"]`,
    `name.familyName sw "${personal.family}" or not (title eq "${personal.title}")`,
    `userName eq "${personal.userName}`,
    `userName like "${personal.userName}"`,
    `password eq "${secrets.password}"`,
    `${enterpriseUri}:employeeNumber eq "${personal.employee}"`,
    `emails[value eq "${personal.mail}"].nowhere eq "${personal.mail}"`,
  ];
  for (const text of filters) {
    await send('GET', `/Users?${filter(text)}`);
    await send('GET', `/?${filter(text)}&sortBy=userName`);
    await send('POST', '/Users/.search', { body: { schemas: [searchUri], filter: text } });
    await send('POST', '/.search', { body: { schemas: [searchUri], filter: text, cursor: personal.unknown } });
  }
  await send('GET', `/Users?sortBy=${encodeURIComponent(personal.display)}`);
  await send('GET', `/Users?count=${personal.unknown}`);
  await send('GET', `/Users?cursor=${personal.unknown}`);
  await send('GET', `/Users?access_token=${secrets.query}`);
  await send('GET', `/Users?${personal.unknown}=${secrets.query}`);

  const changes = [
    { op: 'replace', path: 'displayName', value: personal.display },
    { op: 'replace', path: 'password', value: secrets.password },
    { op: 'add', path: `emails[value eq "${personal.mail}"].display`, value: personal.display },
    { op: 'add', path: `emails[value eq "${personal.typed}"].type`, value: personal.unknown },
    { op: 'remove', path: `emails[value eq "${personal.mail}"].nowhere` },
    { op: 'remove', path: `emails[value like "${personal.mail}"]` },
    { op: 'replace', value: { nickName: personal.nick, undeclared: personal.unknown } },
    { op: 'replace', path: 'active', value: personal.unknown },
    { op: 'replace', path: 'manager', value: personal.unknown },
    { op: personal.unknown, path: 'title', value: personal.title },
    { op: 'add', path: 'members', value: [{ value: personal.unknown, display: personal.display }] },
    { op: 'remove', path: `members[value eq "${personal.unknown}"]` },
  ];
  for (const change of changes) {
    for (const target of [path, groupPath]) {
      await send('PATCH', target, { ...any, body: { schemas: [patchUri], Operations: [change] } });
    }
  }
  await send('PUT', path, { ...any, body: user });
  await send('PUT', path, { body: { ...user, emails: personal.mail, active: personal.unknown } });
  await send('PUT', path, { ...any, body: { ...user, name: [personal.given], addresses: personal.street } });
  await send('PUT', path, { headers: { 'if-match': `"${personal.unknown}"` }, body: user });
  await send('POST', '/Bulk', {
    body: {
      schemas: [bulkUri],
      Operations: [
        { method: 'POST', path: '/Users', bulkId: 'b1', data: { ...user, userName: `${personal.userName}2` } },
        { method: 'POST', path: '/Users', bulkId: 'b2', data: user },
        { method: 'PATCH', path: `/Users/${personal.typed}`, data: { schemas: [patchUri], Operations: changes } },
        { method: 'DELETE', path: `/Nowhere/${personal.typed}` },
        { method: 'POST', path: '/Groups', bulkId: 'b3', data: { displayName: [personal.group] } },
      ],
    },
  });
  for (const rawBody of [
    `{"userName": "${personal.userName}", "password": "${secrets.password}"`,
    `"${personal.display}"`,
    `[{"value": "${personal.mail}"}]`,
    `{"userName": "${personal.userName}", "userName": {"a": "${personal.given}"}}`,
    `{"emails": [{"value": "${personal.mail}", "primary": "${personal.unknown}"}]}`,
    `${personal.display}\u0000`,
  ]) {
    for (const [method, target] of [
      ['POST', '/Users'],
      ['PUT', path],
      ['PATCH', path],
      ['POST', '/Bulk'],
      ['POST', '/.search'],
    ] as const) {
      await send(method, target, { rawBody, ...any });
    }
  }
  await send('POST', '/Users', { body: user, headers: { 'content-type': 'text/plain' } });
  await send('POST', '/Users', { body: user, headers: { 'content-encoding': 'gzip' } });
  // Side by side, since refusals are answered later and later.
  const refused: Promise<unknown>[] = [];
  for (const authorization of [
    `Bearer ${secrets.invented}`,
    `Bearer scimb_${secrets.invented}`,
    `Basic ${Buffer.from(`scim:${secrets.invented}`).toString('base64')}`,
    `Basic ${Buffer.from(`${personal.mail}:${secrets.password}`).toString('base64')}`,
    secrets.invented,
    `Negotiate ${secrets.invented}`,
  ]) {
    refused.push(send('GET', path, { headers: { authorization } }));
    refused.push(send('GET', '/Users', { headers: { authorization, cookie: secrets.invented } }));
  }
  for (const jwt of await jwts()) {
    refused.push(send('GET', path, { headers: { authorization: `Bearer ${jwt}` } }));
    refused.push(send('PATCH', '/Me', { headers: { authorization: `Bearer ${jwt}` }, body: {} }));
  }
  const { origin } = new URL(gateway.base);
  for (const body of [
    `grant_type=client_credentials&client_id=${personal.typed}&client_secret=${secrets.invented}`,
    `grant_type=password&username=${personal.userName}&password=${secrets.password}`,
    `grant_type=client_credentials&scope=${personal.unknown}`,
  ]) {
    for (const authorization of [null, `Basic ${Buffer.from(`c:${secrets.invented}`).toString('base64')}`]) {
      const headers = { authorization, 'content-type': 'application/x-www-form-urlencoded' };
      refused.push(send('POST', `${origin}/oauth/token`, { rawBody: body, headers }));
    }
  }
  await Promise.all(refused);
  await send('DELETE', groupPath, any);
  await send('DELETE', path, any);
  return sent;
}

/** The texts of the files below a folder, but for the records of the managed store, whose purpose is to hold them. */
function filesBelow(folder: string): readonly { readonly name: string; readonly text: string }[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name !== 'gateway.yaml')
    .map((entry) => ({ name: entry.name, text: readFileSync(join(entry.parentPath, entry.name), 'latin1') }));
}

function canariesIn(text: string, canaries: readonly string[]): readonly string[] {
  const lower = text.toLowerCase();
  const forms = canaries.flatMap((canary) => [
    canary,
    encodeURIComponent(canary),
    Buffer.from(canary).toString('base64'),
  ]);
  return forms.filter((form) => lower.includes(form.toLowerCase()));
}

describe.each(['debug', 'information', 'warning'])('at level %s', (level) => {
  let server: SpawnedServer;
  const sent: Sent[] = [];
  const tokens: string[] = [];
  let metrics = '';

  beforeAll(async () => {
    server = await spawnServer({ config: configOf(level) });
    for (const id of ['managed', 'strict']) {
      const gateway = await server.gateway(id);
      tokens.push(gateway.token);
      sent.push(...(await sendEverything(gateway)));
    }
    const port = /"port":(\d+)[^\n]*metrics/i.exec(server.log())?.[1];
    if (port !== undefined) metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    await server.end();
  });
  afterAll(() => server.close());

  const everything = () => [...Object.values(personal), ...Object.values(secrets), ...tokens];
  it('has tried success and failure in many ways', () => {
    const statuses = new Set(sent.map(({ status }) => status));
    for (const status of [200, 201, 204, 400, 401, 403, 404, 405, 409, 412, 415]) expect(statuses).toContain(status);
    expect(sent.length).toBeGreaterThan(300);
  });

  it('the log holds none [7644-7.5.2-02 7644-7.5.1-01 capabilities-106]', () => {
    expect(server.log().length).toBeGreaterThan(100);
    expect(canariesIn(server.log(), everything())).toEqual([]);
  });

  it('the metrics hold none', () => {
    expect(metrics).toContain('scimbridge_requests_total');
    expect(canariesIn(metrics, everything())).toEqual([]);
  });

  it("the gateway's own state and its transactions hold none [7643-9.2-01 7644-7.7-02]", () => {
    const files = filesBelow(server.dataDir);
    expect(files.map(({ name }) => name)).toContain('transactions.db');
    const transactions = files.filter(({ name }) => name.startsWith('transactions.db'));
    for (const caller of ['jwt:provisioner', 'token:test-']) {
      expect(transactions.some(({ text }) => text.includes(caller))).toBe(true);
    }
    const own = files.filter(({ name }) => !name.startsWith('store'));
    for (const { name, text } of own) expect([name, canariesIn(text, everything())]).toEqual([name, []]);
    const kept = files.filter(({ name }) => name.startsWith('store'));
    expect(kept.length).toBeGreaterThan(0);
    const hidden = [...Object.values(secrets), ...tokens];
    for (const { name, text } of kept) expect([name, canariesIn(text, hidden)]).toEqual([name, []]);
  });

  it('errors hold none, and no answer holds a secret [7643-9.2-01]', () => {
    const leaks = sent.flatMap(({ what, status, text, headers }) => {
      const found = canariesIn(text + headers, status < 400 ? Object.values(secrets) : everything());
      return found.length === 0 ? [] : [{ what, status, found, text: status < 400 ? '' : text }];
    });
    expect(leaks).toEqual([]);
  });
});
