import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { repositoryRoot, type TestServer } from '../gateway.js';
import { startServer } from '../in-process-server.js';
import type { LdapServer } from './ldap-server.js';

export interface DirectoryGatewayOptions {
  /** Where the gateway finds the directory. Default: its ldaps URL. */
  readonly url?: string;
  /** Further lines of the adapter's section: `timeoutMs: 1000`. */
  readonly adapterLines?: readonly string[];
}

/** A gateway over a test directory, with the mapping that transcripts are tested with. */
export async function startDirectoryGateway(
  directory: LdapServer,
  { url = directory.urls.ldaps, adapterLines = [] }: DirectoryGatewayOptions = {},
): Promise<TestServer> {
  const folder = mkdtempSync(join(tmpdir(), 'scimbridge-directory-'));
  copyFileSync(directory.caFile, join(folder, 'ca.crt'));
  process.env.TEST_LDAP_PASSWORD = directory.password;
  const text = readFileSync(join(repositoryRoot, 'test/transcripts/ldap', `${directory.kind}.yaml`), 'utf8');
  const lines = adapterLines.map((line) => `    ${line}\n`).join('');
  const config = text.replace('LDAP_URL', url).replace(/^ {4}type: ldap\n/m, (type) => type + lines);
  const server = await startServer({ config, baseDir: folder }).catch((error: unknown) => {
    rmSync(folder, { recursive: true });
    throw error;
  });
  return {
    ...server,
    close: async () => {
      await server.close();
      rmSync(folder, { recursive: true });
    },
  };
}
