import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { hashSecret } from '../../src/auth/generated-secret.js';
import { openState } from '../../src/state/sqlite/sqlite-state.js';
import { recordedActs, TestCli } from './test-cli.js';

let cli: TestCli;
let place: readonly string[];
beforeEach(() => {
  cli = new TestCli();
  place = ['--config', cli.write('gateway.yaml', config), '--data', cli.dataDir];
});
afterEach(() => cli.end());

const config = `version: 1
publicUrl: https://scim.example.com
adapters: { store: { type: memory } }
gateways:
  corp: { auth: { oauth: {} }, resources: { User: { adapter: store, use: [scim] } } }
  lab: { resources: { User: { adapter: store, use: [scim] } } }
`;

interface Made {
  readonly clientId: string;
  readonly clientSecret: string;
  readonly tokenUrl: string;
  readonly label: string;
}

const client = (...args: string[]) => cli.run('client', ...args, ...place);
const make = async (...args: string[]) => JSON.parse((await client(...args, '--json')).stdout) as Made;

describe('client create', () => {
  it('shows client id, secret and token URL once, and keeps a hash of the secret', async () => {
    const made = await make('create', 'corp', '--label', 'Okta', '--read-only');
    expect(made).toMatchObject({
      clientId: expect.stringMatching(/^[0-9a-f-]{36}$/),
      clientSecret: expect.stringMatching(/^scimbs_/),
      tokenUrl: 'https://scim.example.com/oauth/token',
      label: 'Okta',
      gateway: 'corp',
    });
    const state = openState(cli.dataDir);
    expect(await state.tokens.find(hashSecret(made.clientSecret))).toMatchObject({
      clientId: made.clientId,
      label: 'Okta',
      readOnly: true,
    });
    await state.close();
  });

  it('prints the secret alone on the first line without --json', async () => {
    const { stdout } = await client('create', 'corp', '--label', 'Okta');
    expect(stdout).toMatch(
      /^scimbs_[\w-]+\n\n.*shown only now.*\nClient id: [0-9a-f-]{36}\nToken URL: https:\/\/scim\.example\.com\/oauth\/token\n$/,
    );
  });

  it('warns when the gateway would refuse the client', async () => {
    expect(await client('create', 'lab', '--label', 'Okta')).toMatchObject({
      code: 0,
      stderr: expect.stringContaining('no section auth.oauth'),
    });
  });
});

describe('client list, rotate and revoke', () => {
  it('tell clients from tokens, and leave a transaction each', async () => {
    const made = await make('create', 'corp', '--label', 'Okta');
    await cli.run('token', 'create', 'corp', '--label', 'Entra', ...place);
    const rotated = await make('rotate', 'corp', '--label', 'Okta', '--until-proven');
    expect(rotated).toMatchObject({ clientId: made.clientId, former: { awaitsProof: true } });
    expect(rotated.clientSecret).not.toBe(made.clientSecret);

    expect((await client('list', 'corp')).stdout).toMatch(/^Okta: client id .*replaced.*\nOkta: client id [^\n]*\n$/);
    expect((await cli.run('token', 'list', 'corp', ...place)).stdout).toMatch(/^Entra: [^\n]*\n$/);
    expect(await client('revoke', 'corp', '--label', 'Entra')).toMatchObject({ code: 2 });
    expect(await cli.run('token', 'revoke', 'corp', '--label', 'Okta', ...place)).toMatchObject({ code: 2 });
    expect(await client('revoke', 'corp', '--label', 'Okta')).toMatchObject({ code: 0 });
    const { stdout } = await client('list', 'corp', '--json');
    expect(JSON.parse(stdout)).toMatchObject([{ state: 'revoked' }, { state: 'revoked', clientId: made.clientId }]);

    const acts = recordedActs(cli.dataDir);
    expect(acts).toMatchObject(
      ['client create', 'token create', 'client rotate', 'client revoke'].map((operation) => ({ operation })),
    );
    for (const { clientSecret } of [made, rotated]) {
      expect(JSON.stringify(acts)).not.toContain(clientSecret.slice(7, 30));
    }
  });
});
