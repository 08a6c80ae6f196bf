import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Document, isMap, isScalar, parseAllDocuments, visit } from 'yaml';
import { repositoryRoot, type TestServer } from '../support/gateway.js';
import { startServer } from '../support/in-process-server.js';
import { describeOnLdap } from '../support/ldap/available.js';
import { freePorts } from '../support/ldap/ldap-server.js';
import { runTool } from '../support/ldap/run-tool.js';
import { execForm, stagesOf, wordsOf } from './dockerfile.js';
import { provision } from './provisioning.js';

interface Service {
  readonly build: string;
  readonly command?: readonly string[];
  readonly read_only: boolean;
  readonly cap_drop: readonly string[];
  readonly security_opt: readonly string[];
  readonly volumes: readonly string[];
  readonly ports?: readonly string[];
}
interface Compose {
  readonly services: { readonly openldap: Service; readonly gateway: Service };
  readonly volumes: Readonly<Record<string, null>>;
}

const read = (file: string): string => readFileSync(join(repositoryRoot, file), 'utf8');
const compose = (parseAllDocuments(read('compose.yaml'))[0] as Document).toJS() as Compose;
const { openldap, gateway } = compose.services;

describe('compose.yaml and deploy/gateway.yaml', () => {
  it.each(['compose.yaml', 'deploy/gateway.yaml'])('%s is one document of YAML without faults', (file) => {
    const documents = parseAllDocuments(read(file), { strict: true, uniqueKeys: true }) as readonly Document[];
    expect(documents).toHaveLength(1);
    expect(documents.flatMap(({ errors, warnings }) => [...errors, ...warnings])).toEqual([]);
    // Words that YAML 1.1, which some tools still read, takes for true and false.
    visit(documents[0] as Document, {
      Pair: (_, { key, value }) => {
        expect(isScalar(key) && isMap(value) ? key.value : '').not.toMatch(/^(?:on|off|yes|no)$/i);
      },
    });
    expect(read(file)).not.toMatch(/\t|[ ]$/m);
  });

  it('run both without rights, and nothing in them can be written but their volumes', () => {
    for (const service of [openldap, gateway]) {
      expect(service.read_only).toBe(true);
      expect(service.cap_drop).toEqual(['ALL']);
      expect(service.security_opt).toEqual(['no-new-privileges:true']);
      for (const volume of service.volumes.map((one) => one.split(':')[0] ?? '')) {
        expect(volume.startsWith('./') || volume in compose.volumes, volume).toBe(true);
      }
    }
    const [stage = []] = stagesOf('deploy/openldap/Dockerfile');
    expect(wordsOf(stage, 'USER')).toEqual(['1000:1000']);
    expect(gateway.ports).toEqual(['127.0.0.1:8080:8080']);
  });

  it('give each folder that the configuration names to the gateway', () => {
    const mounted = gateway.volumes.map((one) => one.split(':')[1] ?? '');
    const named = read('deploy/gateway.yaml').match(/\/(?:run|config|data)\b[\w/.-]*/g) ?? [];
    expect(named).toEqual(['/data', '/run/directory/password', '/run/directory/ca.crt']);
    for (const name of named)
      expect(
        mounted.some((folder) => name.startsWith(folder)),
        name,
      ).toBe(true);
    for (const word of gateway.command?.filter((one) => one.startsWith('/')) ?? []) expect(mounted).toContain(word);
    expect(openldap.volumes.map((one) => one.split(':')[1])).toEqual(
      execForm(wordsOf(stagesOf('deploy/openldap/Dockerfile')[0] ?? [], 'VOLUME')[0] ?? '[]'),
    );
  });
});

await describeOnLdap('openldap', 'the directory of compose.yaml', () => {
  const folder = mkdtempSync(join(tmpdir(), 'scimbridge-compose-'));
  const data = join(folder, 'data');
  const shared = join(folder, 'shared');
  let slapd: ChildProcess;
  let server: TestServer;
  let port: number;

  /** As the image's entry point does, in folders of its own. */
  const start = async (): Promise<void> => {
    const [stage = []] = stagesOf('deploy/openldap/Dockerfile');
    const [program = '', script = ''] = execForm(wordsOf(stage, 'ENTRYPOINT')[0] ?? '');
    const place = join(repositoryRoot, script.replace('/openldap/', 'deploy/openldap/'));
    const env = { ...process.env, DIRECTORY_DATA: data, DIRECTORY_SHARED: shared, DIRECTORY_PORT: String(port) };
    slapd = spawn(program, [place], { env, stdio: 'inherit' });
    const [check = '', ...words] = execForm(wordsOf(stage, 'HEALTHCHECK')[0] ?? '');
    const own = words.map((word) => word.replace('1636', String(port)));
    for (let tries = 0; ; tries++) {
      const healthy = await runTool(check, own, { env: { LDAPTLS_CACERT: join(shared, 'ca.crt') } }).catch(
        () => undefined,
      );
      if (healthy !== undefined) return;
      expect([slapd.exitCode, tries < 100]).toEqual([null, true]);
      await delay(50);
    }
  };
  const stop = async (): Promise<void> => {
    const ended = once(slapd, 'exit');
    slapd.kill('SIGTERM');
    await ended;
  };

  beforeAll(async () => {
    for (const name of [data, shared]) mkdirSync(name, { mode: 0o700 });
    port = (await freePorts()).ldaps;
    await start();
    const config = read('deploy/gateway.yaml')
      .replaceAll('/run/directory', shared)
      .replace('ldaps://openldap:1636', `ldaps://localhost:${port}`);
    server = await startServer({ config });
  });
  afterAll(async () => {
    await server?.close();
    await stop();
    rmSync(folder, { recursive: true });
  });

  it('makes a password of its own, which only its user can read, and keeps it', async () => {
    const password = join(shared, 'password');
    const before = readFileSync(password, 'utf8');
    expect([before.length, statSync(password).mode & 0o077]).toEqual([48, 0]);
    await stop();
    await start();
    expect(readFileSync(password, 'utf8')).toBe(before);
  });

  it('lets the gateway do all that it has to, with the rights of its account alone', async () => {
    const person = { userName: 'ann', renamed: 'anna', password: 'Correct.Horse-1' };
    const who = ['-x', '-H', `ldaps://127.0.0.1:${port}`, '-D', 'uid=ann,ou=people,dc=example,dc=org'];
    await provision(await server.gateway(), person, () =>
      runTool('ldapwhoami', [...who, '-w', person.password], { env: { LDAPTLS_CACERT: join(shared, 'ca.crt') } }).then(
        () => 'let in',
        () => 'refused',
      ),
    );
  });

  it('gives its account no right outside people and groups, and no password to read', async () => {
    const env = { LDAPTLS_CACERT: join(shared, 'ca.crt') };
    const dn = 'cn=scimbridge,ou=services,dc=example,dc=org';
    const who = ['-x', '-H', `ldaps://127.0.0.1:${port}`, '-D', dn, '-y', join(shared, 'password')];
    const asked = await runTool('ldapsearch', [...who, '-LLL', '-b', 'dc=example,dc=org', 'userPassword'], { env });
    expect(asked).not.toContain('userPassword:');
    const change = 'dn: ou=policies,dc=example,dc=org\nchangetype: modify\nreplace: description\ndescription: x\n';
    await expect(runTool('ldapmodify', who, { env, input: change })).rejects.toThrow('Insufficient access');
  });
});
