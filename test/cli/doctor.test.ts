import { writeFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { loadConfig } from '../../config/load.js';
import { AuthorizationServer, assemble, sign, tenantId } from '../support/authorization-server.js';
import { type Finished, TestCli } from './test-cli.js';

let server: AuthorizationServer;
let cli: TestCli;
beforeAll(async () => {
  server = await AuthorizationServer.start();
});
afterAll(() => server.stop());
beforeEach(() => {
  cli = new TestCli();
  server.requests.length = 0;
});
afterEach(() => cli.end());

const audience = '8adf8e6e-67b2-4cf2-a259-e3dc5476c621';
const personal = { upn: 'jane@example.com', name: 'Jane Doe', unique_name: 'jane@example.com', given_name: 'Jane' };

function config(auth: object, more = ''): string {
  return cli.write(
    'gateway.yaml',
    `version: 1
data: ./data
adapters: { store: { type: memory } }
gateways:
  corp:
    address: /corp
    auth: ${JSON.stringify(auth)}
    resources: { User: { adapter: store, use: [scim] } }
${more}`,
  );
}

/** The token goes through a file, as standard input is the test runner's. */
function doctor(token: string, ...more: readonly string[]): Promise<Finished> {
  writeFileSync(`${cli.folder}/token.txt`, `${token}\n`);
  return cli.run('doctor', 'token', `${cli.folder}/token.txt`, ...more);
}

/** Neither stream holds the signature, or the token as a whole. */
function expectNoToken({ stdout, stderr }: Finished, token: string): void {
  for (const part of token.split('.').slice(1)) {
    for (let at = 0; at + 20 < part.length; at += 10) expect(stdout + stderr).not.toContain(part.slice(at, at + 20));
  }
}

describe('doctor token, of a JWT', () => {
  it('shows header and claims, personal ones hidden, the signature never [capabilities-24 7644-7.5.1-01]', async () => {
    const token = await server.token({ ...personal, oid: tenantId, deep: { email: 'jane@example.com' } });
    const hidden = await doctor(token);
    expect(hidden.code).toBe(1);
    expect(hidden.stdout).toContain(`iss        "${server.issuer()}"`);
    expect(hidden.stdout).toContain(`aud        "${audience}"`);
    expect(hidden.stdout).toMatch(/exp {8}\d+ \(\d{4}-.*Z, in 60 min\)/);
    expect(hidden.stdout).toContain('upn        hidden, a text of 16 characters; --show-claims shows it');
    expect(hidden.stdout).toContain(`oid        "${tenantId}"`);
    expect((hidden.stdout + hidden.stderr).toLowerCase()).not.toContain('jane');
    expectNoToken(hidden, token);
    const whole = await doctor(token, '--show-claims');
    expect(whole.stdout).toContain('upn        "jane@example.com"');
    expectNoToken(whole, token);
  });

  it('proposes issuer, audience and tenant as settings, which then take it [capabilities-24]', async () => {
    const token = await server.token();
    const { stdout, stderr, code } = await doctor(token);
    expect({ stderr, code }).toEqual({ stderr: 'No gateway would take it.\n', code: 1 });
    expect(stdout).toContain('Gateway "default" takes no JWT');
    const proposed = /^ {4}auth:\n(?: {6,}.*\n)+/m.exec(stdout)?.[0] ?? '';
    const { auth } = parse(proposed) as { auth: object };
    expect(auth).toEqual({ jwt: { issuer: server.issuer(), audience, tenant: tenantId } });
    const taken = await doctor(token, '--config', config(auth), '--connect');
    expect(taken).toMatchObject({ code: 0, stderr: '' });
    expect(taken.stdout).toContain(`Gateway "corp", issuer ${server.issuer()}: would take it`);
    expect(taken.stdout).toMatch(/ok {4}signature\n.*ok {4}kind\n/);
    expect(taken.stdout).not.toContain('FAILS');
  });

  it('proposes for Entra ID what check takes [capabilities-24 capabilities-20]', async () => {
    const iss = `https://sts.windows.net/${tenantId}/`;
    const { stdout } = await doctor(await server.token({ iss }));
    const { auth } = parse(/^ {4}auth:\n(?: {6,}.*\n)+/m.exec(stdout)?.[0] ?? '') as { auth: object };
    expect(auth).toEqual({ jwt: { issuer: iss, audience, tenant: tenantId } });
    const { problems } = loadConfig({ file: config(auth), adapterSchemas: new Map([['memory', {}]]), env: {} });
    expect(problems).toEqual([]);
    expect(stdout).toContain('Entra ID gives to every custom application in every tenant, so it proves nothing');
    expect(stdout).toContain(tenantId);
  });

  it('says for each gateway which check fails, all of them at once [capabilities-24]', async () => {
    const second = `  other:
    address: /other
    auth: { jwt: { issuer: "https://idp.example.com/", audience: x } }
    resources: { User: { adapter: store, use: [scim] } }
`;
    const jwt = [{ issuer: server.issuer(), audience: 'api://gateway', tenant: 'acme', scopes: { write: 'scim' } }];
    const file = config({ jwt }, second);
    const token = await server.token({ exp: Math.floor(Date.now() / 1000) - 7200 });
    const { stdout, code } = await doctor(token, '--config', file);
    expect(code).toBe(1);
    const [corp = '', other = ''] = stdout.split(/^Gateway "/m).slice(1);
    expect(corp).toMatch(/^corp", issuer .*: would refuse it\n {2}ok {4}issuer\n {2}ok {4}algorithm\n/);
    expect(corp).toContain("-     signature: not checked; --connect fetches the issuer's keys");
    expect(corp).toMatch(/FAILS expiry: the token expired at .*Z/);
    expect(corp).toContain(`FAILS audience: the token is for "${audience}"; this gateway takes "api://gateway"`);
    expect(corp).toContain(`FAILS tenant: the claim "tid" is "${tenantId}"; it must name the tenant "acme"`);
    expect(corp).toContain('FAILS scope: ');
    expect(corp).toContain('ok    subject');
    expect(other).toContain(`FAILS issuer: the token is of "${server.issuer()}"`);
    expect((await doctor(token, '--config', file, '--gateway', 'other')).stdout).not.toContain('Gateway "corp"');
    expect(await doctor(token, '--config', file, '--gateway', 'none')).toMatchObject({ code: 2 });
    expect(server.requests).toEqual([]);
  });

  it('checks the signature with --connect, or where the keys are here [capabilities-24]', async () => {
    const file = config({ jwt: { issuer: server.issuer(), audience, tenant: tenantId } });
    const token = await server.token();
    const unsure = await doctor(token, '--config', file);
    expect(unsure.code).toBe(0);
    expect(unsure.stdout).toContain('might take it');
    const forged = token.replace(/[^.]{40}$/, 'A'.repeat(40));
    const wrong = await doctor(forged, '--config', file, '--connect');
    expect(wrong.code).toBe(1);
    expect(wrong.stdout).toContain("FAILS signature: it is not that of the issuer's key");
    expect(wrong.stdout).not.toContain('settings');
    const old = await doctor(await server.token({ exp: 1 }), '--config', file);
    expect(old.stdout).toContain('FAILS expiry');
    expect(old.stdout).not.toContain('settings');
    server.mood = 'down';
    const down = await doctor(token, '--config', file, '--connect');
    server.mood = 'well';
    expect(down.stdout).toMatch(/FAILS signature: The keys of .* cannot be fetched: http:.*openid-configuration/);
    const local = config({
      jwt: { issuer: server.issuer(), audience, tenant: tenantId, keys: { keys: [server.key.publicJwk] } },
    });
    expect((await doctor(token, '--config', local)).stdout).toContain('ok    signature');
  });

  it('proposes nothing for a token that no settings could take', async () => {
    const claims = { iss: server.issuer(), sub: 'a', exp: 4_102_444_800 };
    for (const [token, why] of [
      [assemble({ alg: 'none' }, claims), 'it is not signed'],
      [await server.token({ exp: undefined }), 'the token has no "exp"'],
      [await server.token({ nonce: 'x' }), 'it is an ID token (claim "nonce")'],
      [await server.token({ sub: undefined }), 'the token has no "sub"'],
      [await server.token({ iss: undefined }), 'it has no "iss"'],
      [await server.token({ iss: 'a: b\n  evil: true' }), 'it has no "iss" that could be named'],
    ] as const) {
      const { stdout, code } = await doctor(token);
      expect(code).toBe(1);
      expect(stdout).toContain(`No settings would take it: ${why}`);
      expect(stdout).not.toContain('auth:');
    }
    const shared = await sign(claims, { alg: 'HS512', secret: Buffer.alloc(64, 'x') });
    expect((await doctor(shared)).stdout).toMatch(/secret: \$\{env:JWT_SECRET\}.*\n +algorithms: \[HS512\]/);
  });

  it('shows nothing that a terminal would obey', async () => {
    const claims = {
      iss: '\u001b[2J\u202ehttps://x',
      'a\u001b[31m\nb': 1,
      roles: ['\u009b31m', '\u200b'],
      x: '\u0007',
    };
    const token = assemble({ alg: 'RS256', kid: '\u001b]0;x\u0007', jku: 'https://evil/', jwk: {} }, claims, 'AAAA');
    const { stdout } = await doctor(token, '--show-claims');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: those are what must not be there
    expect(stdout).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200b\u202e]/);
    expect(stdout).toContain('jku        "https://evil/" (never followed)');
    expect(stdout).toContain('jwk        a key that is not used');
  });

  it('takes the whole header as it was captured, and says what is no token', async () => {
    const token = await server.token();
    expect((await doctor(`Authorization: Bearer ${token}`)).stdout).toContain('A signed JWT');
    expect((await doctor('not one word')).code).toBe(2);
    const opaque = await doctor(
      'Zm9vYmFyYmF6cXV4',
      '--config',
      config({ jwt: { issuer: server.issuer(), audience, tenant: tenantId } }),
    );
    expect(opaque.stdout).toContain('An opaque token of 16 characters');
    expect(opaque.stdout).toContain('"Secret Token" is left empty');
    expect((await doctor('eyJ9.AAAA.AAAA')).stdout).toContain('Almost a JWT, but the header');
    expect((await doctor('eyJ9.AAAA.AAAA.AAAA.AAAA')).stdout).toContain('An encrypted token');
    const inline = await cli.run('doctor', 'token', token);
    expect(inline.stderr).toContain('is seen by others');
    expectNoToken(inline, token);
    expect(await cli.run('doctor', 'token', 'nowhere')).toMatchObject({ code: 2, stdout: '' });
  });
});

describe('doctor token, of a generated one', () => {
  async function create(command: 'token' | 'client' = 'token'): Promise<string> {
    const place = ['--config', `${cli.folder}/gateway.yaml`];
    const label = command === 'token' ? 'Entra' : 'Okta';
    const { stdout } = await cli.run(command, 'create', 'corp', '--label', label, '--json', ...place);
    const printed = JSON.parse(stdout) as Readonly<Record<string, string>>;
    return Object.values(printed).find((value) => /^scimbs?_/.test(value)) ?? '';
  }

  it('says whose it is and until when, or that it was revoked [capabilities-24]', async () => {
    const file = config({ basic: {} });
    const token = await create();
    const good = await doctor(token, '--config', file);
    expect(good.code).toBe(0);
    expect(good.stdout).toMatch(
      /a generated token of gateway "corp"\.\n {2}Entra: created .*valid until .*\(36\d days\)/,
    );
    expect(good.stdout).toContain('Gateway "corp" would take it.');
    expect(good.stdout + good.stderr).not.toContain(token.slice(6, 20));
    await cli.run('token', 'revoke', 'corp', '--label', 'Entra', '--config', file);
    const revoked = await doctor(token, '--config', file);
    expect(revoked.code).toBe(1);
    expect(revoked.stdout).toContain('would refuse it: token "Entra" was revoked.');
  });

  it('tells a cut one, an unknown one, and one that the gateway does not want', async () => {
    const file = config({ tokens: { enabled: false }, oauth: {} });
    const token = await create();
    expect((await doctor(token, '--config', file)).stdout).toContain('"auth.tokens.enabled" is false');
    expect((await doctor(token.slice(0, -1), '--config', file)).stdout).toContain('cut or mistyped');
    const elsewhere = ['--config', file, '--data', `${cli.folder}/nowhere`];
    expect((await doctor(token, ...elsewhere)).stdout).toContain('name where the state is');
    await cli.run('token', 'list', 'default', '--data', `${cli.folder}/other`);
    expect((await doctor(token, '--config', file, '--data', `${cli.folder}/other`)).stdout).toContain('unknown here');
    const client = await create('client');
    expect((await doctor(client, '--config', file)).stdout).toContain('is exchanged at /oauth/token');
  });

  it('reads HTTP Basic, and looks at the user name too [capabilities-19 capabilities-24]', async () => {
    const file = config({ basic: { user: 'ping' } });
    const token = await create();
    const basic = (user: string, password = token) =>
      doctor(`Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`, '--config', file);
    expect((await basic('ping')).code).toBe(0);
    expect((await basic('scim')).stdout).toContain('the user name of HTTP Basic has to be "ping"');
    expect((await basic('scim', 'secret')).stdout).toBe('HTTP Basic whose password is no generated token.\n');
  });
});
