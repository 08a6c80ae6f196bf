import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, isAbsolute, relative, resolve } from 'node:path';
import type { Command } from 'commander';
import type { AdapterModule } from '../backend/adapter.js';
import { AdapterError } from '../backend/adapter-error.js';
import type { Draft, DraftEntry, DraftRequest } from '../backend/draft.js';
import { type CliEnvironment, UsageError } from './cli.js';
import { draftText } from './draft-text.js';

interface InitOptions {
  readonly bindDn?: string;
  readonly passwordFile?: string;
  readonly passwordEnv: string;
  readonly base?: string;
  readonly people?: string;
  readonly groups?: string;
  readonly ca?: string;
  readonly out: string;
  readonly force?: boolean;
}

const timeoutMs = 60_000;

/** `init`: a commented gateway.yaml for a backend as it is found. */
export function addInit(program: Command, environment: CliEnvironment): void {
  program
    .command('init')
    .description('Look at a backend and write a gateway.yaml that works with it. Nothing is changed there.')
    .argument('<type>', 'what kind of backend it is: ldap')
    .argument('<url>', 'where it is: ldaps://dc1.example.com')
    .option('--bind-dn <name>', "the gateway's own account: a DN, in Active Directory also account@domain")
    .option('--password-file <file>', 'a file with its password; gateway.yaml names the file and not what is in it')
    .option('--password-env <name>', 'an environment variable with its password, named likewise', 'LDAP_PASSWORD')
    .option('--base <dn>', 'where to look (default: where the server says that its entries begin)')
    .option('--people <dn>', 'where people are (default: where most are found)')
    .option('--groups <dn>', 'where groups are (default: where most are found)')
    .option('--ca <file>', "the authority of the server's certificate (PEM), where it is none of the well-known ones")
    .option('--out <file>', 'the file to write; "-" for the terminal', 'gateway.yaml')
    .option('--force', 'write over a file that is there')
    .action((type: string, url: string, options: InitOptions) => init(type, url, options, environment));
}

async function init(type: string, url: string, options: InitOptions, environment: CliEnvironment): Promise<void> {
  const draft = drafter(type, await environment.builtInModules());
  const isPrinted = options.out === '-';
  if (!isPrinted && options.force !== true && existsSync(options.out)) {
    throw new UsageError(`${options.out} is there already: --out names another file, --force writes over it.`);
  }
  const request = requestOf(url, options);
  const drafted = await draft(request).catch((error: unknown) => {
    if (!(error instanceof AdapterError)) throw error;
    throw new Error(`No configuration was written: ${error.reason ?? error.message}`);
  });
  const text = fileText(drafted, type, url);
  if (isPrinted) {
    environment.stdout.write(text);
    return;
  }
  writeFileSync(options.out, text, options.force === true ? {} : { flag: 'wx' });
  const { stdout } = environment;
  for (const line of drafted.found) stdout.write(`${line}\n`);
  stdout.write(`\n${options.out} is written. Read it, then:\n`);
  for (const step of nextSteps(options.out)) stdout.write(`  ${step}\n`);
}

function nextSteps(file: string): readonly string[] {
  return [
    `npx scimbridge check --connect ${file}`,
    `npx scimbridge token create default --config ${file} --label "Entra ID"`,
    `npx scimbridge serve --config ${file}`,
  ];
}

function drafter(type: string, modules: ReadonlyMap<string, AdapterModule>): NonNullable<AdapterModule['draft']> {
  const draft = modules.get(type)?.draft;
  if (draft !== undefined) return draft;
  const able = [...modules].filter(([, module]) => module.draft !== undefined).map(([name]) => name);
  throw new UsageError(`Of "${type}" no configuration can be drafted; possible is ${able.join(', ')}.`);
}

function requestOf(url: string, options: InitOptions): DraftRequest {
  const { bindDn, base, people, groups, ca, out } = options;
  if (!/^ldaps?:\/\/[^/?#@\s]+\/?$/i.test(url)) {
    throw new UsageError(
      `"${url}" is not the URL of a server: ldaps://host or ldap://host, with :port where it is another.`,
    );
  }
  if (bindDn === undefined) throw new UsageError("--bind-dn is missing: the name of the gateway's account.");
  const folder = out === '-' ? process.cwd() : dirname(resolve(out));
  return {
    url,
    account: bindDn,
    secret: secretOf(options, folder),
    ...(base === undefined ? {} : { base }),
    places: { ...(people === undefined ? {} : { User: people }), ...(groups === undefined ? {} : { Group: groups }) },
    ...(ca === undefined ? {} : { ca: { file: resolve(ca), written: writtenName(ca, folder) } }),
    log: { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined },
    signal: AbortSignal.timeout(timeoutMs),
  };
}

function secretOf({ passwordFile, passwordEnv }: InitOptions, folder: string): { value: string; reference: string } {
  if (passwordFile === undefined) {
    const value = process.env[passwordEnv] ?? '';
    if (value === '') {
      throw new UsageError(
        `The account's password is missing: put it into a file and name it with --password-file, or into the environment variable ${passwordEnv}.`,
      );
    }
    return { value, reference: `\${env:${passwordEnv}}` };
  }
  const value = readSecret(passwordFile);
  if (value === '') throw new UsageError(`${passwordFile} is empty.`);
  return { value, reference: `\${file:${writtenName(passwordFile, folder)}}` };
}

function readSecret(file: string): string {
  try {
    return readFileSync(file, 'utf8').replace(/\r?\n$/, '');
  } catch (error) {
    throw new UsageError(`${file} cannot be read (${(error as NodeJS.ErrnoException).code}).`);
  }
}

/** As gateway.yaml names a file: relative when it lies beside it or below. */
function writtenName(file: string, folder: string): string {
  const near = relative(folder, resolve(file));
  return near.startsWith('..') || isAbsolute(near) ? resolve(file) : `./${near}`;
}

function usualRules(preset: string): DraftEntry {
  const note = 'brings the usual rules: then those below may go that say the same';
  return { key: 'use', value: [preset], isOffer: true, note };
}

function fileText({ adapter, resources, found }: Draft, type: string, url: string): string {
  const directory: DraftEntry = { key: 'directory', value: { entries: adapter } };
  const types = resources.map(
    ({ type: name, entity, mapping, preset }): DraftEntry => ({
      key: name,
      value: {
        entries: [
          { key: 'adapter', value: 'directory' },
          { key: 'entity', value: entity },
          ...(preset === undefined ? [] : [usualRules(preset)]),
          { key: 'mapping', value: { entries: mapping } },
        ],
      },
    }),
  );
  const head = [`Made by "scimbridge init ${type} ${url}".`, ...found].map((line) => `# ${line}\n`).join('');
  const entries: readonly DraftEntry[] = [
    { key: 'version', value: 1 },
    { key: 'listen', value: '127.0.0.1:8080', note: '0.0.0.0:8080 in a container' },
    {
      key: 'publicUrl',
      value: 'https://scim.example.com',
      note: 'where the identity provider reaches it through your proxy',
      isOffer: true,
    },
    { key: 'adapters', value: { entries: [directory] } },
    {
      key: 'gateways',
      value: {
        entries: [
          {
            key: 'default',
            value: {
              entries: [
                { key: 'address', value: '/scim', note: 'the Tenant URL is publicUrl + address' },
                { key: 'resources', value: { entries: types } },
              ],
            },
          },
        ],
      },
    },
  ];
  return `${head}\n${draftText(entries)}`;
}
