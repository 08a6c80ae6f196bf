import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Answer, TestGateway } from '../support/gateway.js';
import { startServer } from '../support/in-process-server.js';
import type { LdapServer } from '../support/ldap/ldap-server.js';
import { runTool } from '../support/ldap/run-tool.js';

export interface PresetGateway {
  readonly gateway: TestGateway;
  request(method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE', path: string, body?: unknown): Promise<Answer>;
  /** Whether the directory lets the user in with the password. */
  canSignIn(userName: string, password: string): Promise<boolean>;
  close(): Promise<void>;
}

export function patchOf(...operations: readonly object[]): object {
  return { schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'], Operations: operations };
}

/** People as the directory's own tools make them, in the unit of the preset's people. */
export function peopleLdif({ kind, peopleDn }: LdapServer, names: readonly string[]): string {
  return names
    .map((name) =>
      kind === 'samba'
        ? `dn: CN=${name},${peopleDn}\nobjectClass: user\nuserPrincipalName: ${name}@samdom.test\n`
        : `dn: uid=${name},${peopleDn}\nobjectClass: inetOrgPerson\nuid: ${name}\ncn: ${name}\nsn: ${name}\n`,
    )
    .join('\n');
}

const presets = { openldap: 'openldap', samba: 'active-directory', '389-ds': '389-ds' } as const;

const entities = {
  openldap: `
      people: { base: ou=people, create: { dn: "uid={uid},ou=people", objectClasses: [inetOrgPerson] } }
      groups: { base: ou=groups, create: { dn: "cn={cn},ou=groups", objectClasses: [groupOfNames] } }`,
  '389-ds': `
      people: { base: ou=people, create: { dn: "uid={uid},ou=people", objectClasses: [inetOrgPerson] } }
      groups: { base: ou=groups, create: { dn: "cn={cn},ou=groups", objectClasses: [groupOfNames] } }`,
  samba: `
      people:
        base: OU=people
        filter: (&(objectCategory=person)(objectClass=user))
        create: { dn: "CN={userPrincipalName},OU=people", objectClasses: [user] }
      groups:
        base: OU=groups
        create: { dn: "CN={cn},OU=groups", objectClasses: [group] }`,
} as const;

export interface PresetGatewayOptions {
  /** Where the gateway finds the directory. Default: its ldaps URL. */
  readonly url?: string;
  /** Further lines of the adapter's section: `timeoutMs: 1000`. */
  readonly adapterLines?: readonly string[];
  /** Instead of the usual places and names of people and groups. */
  readonly entities?: string;
  /** Rules beside the preset's: `{ department: … }`. */
  readonly userMapping?: string;
}

/** A gateway that has nothing but the preset of its directory. */
export async function startPresetGateway(
  directory: LdapServer,
  options: PresetGatewayOptions = {},
): Promise<PresetGateway> {
  const { url = directory.urls.ldaps, adapterLines = [], userMapping = '{}' } = options;
  const folder = await mkdtemp(join(tmpdir(), 'scimbridge-preset-'));
  process.env.TEST_LDAP_PASSWORD = directory.password;
  const config = `version: 1
adapters:
  directory:
    type: ldap
    url: ${url}
    bind: { dn: "${directory.bindDn}", password: "\${env:TEST_LDAP_PASSWORD}" }
    tls: { ca: ${directory.caFile} }
    base: ${directory.baseDn}
${adapterLines.map((line) => `    ${line}\n`).join('')}    entities:${options.entities ?? entities[directory.kind]}
gateways:
  default:
    address: /scim
    resources:
      User: { adapter: directory, entity: people, use: ${presets[directory.kind]}, mapping: ${userMapping} }
      Group: { adapter: directory, entity: groups, use: ${presets[directory.kind]} }
`;
  const server = await startServer({ config, baseDir: folder }).catch(async (error: unknown) => {
    await rm(folder, { recursive: true });
    throw error;
  });
  const gateway = await server.gateway();
  return {
    gateway,
    request: (method, path, body) => gateway.request(method, path, body === undefined ? {} : { body }),
    canSignIn: (userName, password) => canSignIn(directory, userName, password),
    close: async () => {
      await server.close();
      await rm(folder, { recursive: true });
    },
  };
}

async function canSignIn(directory: LdapServer, userName: string, password: string): Promise<boolean> {
  const found = directory.kind === 'samba' ? [] : await directory.search({ filter: `(uid=${userName})` });
  const name = directory.kind === 'samba' ? userName : (found[0]?.dn ?? '');
  try {
    const args = ['-x', '-H', directory.urls.ldaps, '-D', name, '-w', password, '-b', '', '-s', 'base', '1.1'];
    await runTool('ldapsearch', args, { env: { LDAPTLS_CACERT: directory.caFile } });
    return true;
  } catch {
    return false;
  }
}
