import { existsSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { AdapterModule } from '../backend/adapter.js';
import { AdapterError } from '../backend/adapter-error.js';
import type { Draft, DraftEntry } from '../backend/draft.js';
import { type CliEnvironment, UsageError } from './cli.js';
import { byPreset, type WrittenResource } from './draft-preset.js';
import { draftText } from './draft-text.js';
import { adapterTypeOf, draftRequestOf, type InitOptions } from './init-request.js';

/** `init`: a commented gateway.yaml for a backend as it is found. */
export function addInit(program: Command, environment: CliEnvironment): void {
  program
    .command('init')
    .description('Look at a backend and write a gateway.yaml that works with it. Nothing is changed there.')
    .argument('<type>', 'what kind of backend it is: ldap or sql')
    .argument(
      '<url>',
      'where it is: ldaps://dc1.example.com, postgresql://account@host/database, mysql://account@host/database, ./people.db',
    )
    .option(
      '--bind-dn <name>',
      "of a directory, the gateway's own account: a DN, in Active Directory also account@domain",
    )
    .option('--password-file <file>', 'a file with its password; gateway.yaml names the file and not what is in it')
    .option(
      '--password-env <name>',
      'an environment variable with its password, named likewise (default: LDAP_PASSWORD, DB_PASSWORD)',
    )
    .option('--base <dn>', 'where to look in a directory (default: where the server says that its entries begin)')
    .option('--people <place>', 'the DN or the table where people are (default: where most are found)')
    .option('--groups <place>', 'the DN or the table where groups are (default: where most are found)')
    .option('--ca <file>', "the authority of the server's certificate (PEM), where it is none of the well-known ones")
    .option('--out <file>', 'the file to write; "-" for the terminal', 'gateway.yaml')
    .option('--force', 'write over a file that is there')
    .action((type: string, url: string, options: InitOptions) => init(type, url, options, environment));
}

async function init(type: string, url: string, options: InitOptions, environment: CliEnvironment): Promise<void> {
  const adapterType = adapterTypeOf(type, url);
  const draft = drafter(adapterType, await environment.builtInModules());
  const isPrinted = options.out === '-';
  if (!isPrinted && options.force !== true && existsSync(options.out)) {
    throw new UsageError(`${options.out} is there already: --out names another file, --force writes over it.`);
  }
  const request = draftRequestOf(adapterType, url, options);
  const drafted = await draft(request).catch((error: unknown) => {
    if (!(error instanceof AdapterError)) throw error;
    throw new Error(`No configuration was written: ${error.reason ?? error.message}`);
  });
  const file = resolve(isPrinted ? 'gateway.yaml' : options.out);
  const name = adapterType === 'ldap' ? 'directory' : 'database';
  const text = fileText(drafted, await withPresets(drafted, file, name, environment), name, `${type} ${url}`);
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
  throw new UsageError(`Of "${type}" no configuration can be drafted; possible is ldap, sql.`);
}

/** The resources by the presets that go with the backend. What these say is asked of the configuration itself. */
async function withPresets(
  draft: Draft,
  file: string,
  name: string,
  { configure }: CliEnvironment,
): Promise<readonly WrittenResource[]> {
  const alone = draft.resources.map(
    ({ type, entity, idPrefix, preset }): WrittenResource => ({
      type,
      entity,
      ...(idPrefix === undefined ? {} : { idPrefix }),
      mapping: [],
      ...(preset === undefined ? {} : { use: preset }),
    }),
  );
  const { draft: configured } = await configure(file, new Map([[file, fileText(draft, alone, name, '')]]));
  const [gateway] = configured?.gateways ?? [];
  return draft.resources.map((resource) =>
    byPreset(resource, gateway?.resources.find(({ type }) => type.name === resource.type)?.rules),
  );
}

function usualRules(preset: string): DraftEntry {
  return { key: 'use', value: [preset], note: 'the usual rules: "explain mapping" shows them; here is what differs' };
}

function fileText(
  { adapter, found }: Draft,
  resources: readonly WrittenResource[],
  name: string,
  command: string,
): string {
  const section: DraftEntry = { key: name, value: { entries: adapter } };
  const types = resources.map(
    ({ type, entity, idPrefix, mapping, use }): DraftEntry => ({
      key: type,
      value: {
        entries: [
          { key: 'adapter', value: name },
          { key: 'entity', value: entity },
          ...(idPrefix === undefined ? [] : [{ key: 'idPrefix', value: idPrefix, note: 'both tables count from 1' }]),
          ...(use === undefined ? [] : [usualRules(use)]),
          ...(mapping.length === 0 ? [] : [{ key: 'mapping', value: { entries: mapping } }]),
        ],
      },
    }),
  );
  const head = [`Made by "scimbridge init ${command}".`, ...found].map((line) => `# ${line}\n`).join('');
  const entries: readonly DraftEntry[] = [
    { key: 'version', value: 1 },
    { key: 'listen', value: '127.0.0.1:8080', note: '0.0.0.0:8080 in a container' },
    {
      key: 'publicUrl',
      value: 'https://scim.example.com',
      note: 'where the identity provider reaches it through your proxy',
      isOffer: true,
    },
    { key: 'adapters', value: { entries: [section] } },
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
