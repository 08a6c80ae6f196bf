import { readFileSync } from 'node:fs';
import { Argument, type Command, Option } from 'commander';
import { AdapterError } from '../backend/adapter-error.js';
import type { RunningGateway } from '../composition.js';
import { attributeContract, type ContractRow } from '../mapping/attribute-contract.js';
import { type Explanation, explainFilter, explainPatch, explainResource } from '../provisioning/explain.js';
import type { TypeRuntime } from '../provisioning/type-runtime.js';
import { ScimError } from '../scim/error.js';
import { type CliEnvironment, requireConfig, UsageError } from './cli.js';
import { contractFor, formatTable, type IdentityProvider, identityProviders } from './idp-contract.js';
import { openForTrial, typeOf } from './trial-gateway.js';

interface Options {
  readonly config?: string;
  readonly gateway?: string;
  readonly for?: IdentityProvider;
  readonly type?: string;
  readonly connect?: boolean;
}

/** `explain`: what a filter, a PATCH or a resource becomes, and what may be sent at all. Nothing is carried out. */
export function addExplain(program: Command, environment: CliEnvironment): void {
  const explain = program
    .command('explain')
    .description('Show what a filter, a PATCH or a resource becomes in the backend. Nothing is carried out.');
  const common = (command: Command): Command =>
    command
      .option('--config <file>', 'the configuration (default: the built-in one)')
      .option('--gateway <id>', 'which gateway (default: the only one)');
  const explainText = (
    name: string,
    argument: string,
    description: string,
    run: (runtime: TypeRuntime, text: string) => readonly Explanation[],
  ): void => {
    common(explain.command(name))
      .description(description)
      .option('--connect', 'connect to the backend first, to show the words that are sent to it')
      .argument('<type>', 'the resource type, such as User')
      .argument(
        `<${argument}>`,
        argument === 'filter' ? 'a SCIM filter' : 'a file with the JSON body; "-" reads standard input',
      )
      .action((type: string, text: string, options: Options) =>
        withGateway(environment, options, (running) => {
          environment.stdout.write(formatExplanation(explained(() => run(typeOf(running, type), text))));
        }),
      );
  };
  explainText(
    'filter',
    'filter',
    'What is sent to the backend for a filter, and what is evaluated here.',
    explainFilter,
  );
  explainText(
    'patch',
    'file',
    'The field changes of a PATCH, what is read for it and what is dropped.',
    (runtime, file) => explainPatch(runtime, '<id>', readJson(file)),
  );
  explainText('resource', 'file', 'The record that a new resource becomes, and what is dropped.', (runtime, file) =>
    explainResource(runtime, readJson(file)),
  );
  common(explain.command('mapping'))
    .description('The attributes that may be sent: what to enter in an identity provider.')
    .addArgument(new Argument('[type]', 'only this resource type'))
    .addOption(new Option('--for <provider>', 'in the form that the provider asks for').choices(identityProviders))
    .action((type: string | undefined, options: Options) =>
      withGateway(environment, options, (running) => {
        const types = type === undefined ? running.types : [typeOf(running, type)];
        environment.stdout.write(`${types.map((runtime) => contractText(runtime, options.for)).join('\n\n')}\n`);
      }),
    );
}

async function withGateway(
  environment: CliEnvironment,
  options: Options,
  work: (running: RunningGateway) => void,
): Promise<void> {
  const configuration = await requireConfig(environment, options.config);
  const ids = configuration.config.gateways.map(({ id }) => id);
  const [only] = ids;
  const id = options.gateway ?? (ids.length === 1 ? only : undefined);
  if (id === undefined) throw new UsageError(`Name the gateway with --gateway: ${ids.join(', ')}.`);
  const running = await openForTrial(configuration, id);
  try {
    if (options.connect === true) await connect(running);
    work(running);
  } finally {
    await running.close();
  }
}

async function connect({ adapters }: RunningGateway): Promise<void> {
  for (const [name, adapter] of adapters) {
    try {
      await adapter.check({ signal: AbortSignal.timeout(20_000), requestId: 'explain' });
    } catch (error) {
      if (!(error instanceof AdapterError)) throw error;
      throw new Error(`The backend "${name}" cannot be asked: ${error.reason ?? error.message}`);
    }
  }
}

/** A refusal is an answer too: it is what the caller would be told. */
function explained(run: () => readonly Explanation[]): readonly Explanation[] {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof ScimError)) throw error;
    const scimType = error.scimType === undefined ? '' : ` ${error.scimType}`;
    return [{ topic: 'Refused', lines: [`${error.status}${scimType}`, error.message] }];
  }
}

function formatExplanation(explanations: readonly Explanation[]): string {
  const width = Math.max(...explanations.map(({ topic }) => topic.length));
  return explanations
    .flatMap(({ topic, lines }) => lines.map((line, index) => `${(index === 0 ? topic : '').padEnd(width)}  ${line}\n`))
    .join('');
}

function readJson(file: string): unknown {
  let text: string;
  try {
    text = readFileSync(file === '-' ? 0 : file, 'utf8');
  } catch (error) {
    throw new UsageError(`${file} cannot be read: ${(error as Error).message}.`);
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new UsageError(`${file} is not JSON: ${(error as Error).message}.`);
  }
}

function contractText({ plan, type }: TypeRuntime, provider: IdentityProvider | undefined): string {
  const rows = attributeContract(plan);
  if (provider !== undefined) return contractFor(provider, type.name, rows);
  const cells = rows.map((row) => [
    row.path,
    row.isMultiValued ? `${row.type} list` : row.type,
    row.access,
    marks(row),
    row.field,
  ]);
  return `${type.name}\n\n${formatTable(['attribute', 'type', 'access', 'notes', 'field'], cells)}`;
}

function marks(row: ContractRow): string {
  return [row.isRequired ? 'required' : '', row.isUnique ? 'unique' : '', ...row.notes]
    .filter((mark) => mark !== '')
    .join('; ');
}
