import type { Command } from 'commander';
import type { GatewayConfig } from '../../config/gateway-config.js';
import type { Problem } from '../../config/problem.js';
import { sortProblems } from '../../config/problem.js';
import { toAdapterProblem, toProblem } from '../../config/source.js';
import { AdapterError } from '../backend/adapter-error.js';
import { adviseOn } from '../mapping/advice.js';
import type { Configuration } from '../serving/configuration.js';
import { type CliEnvironment, UsageError } from './cli.js';
import { statePlace } from './state-place.js';
import { openForTrial } from './trial-gateway.js';

/** `check`: every problem of a gateway.yaml at once. */
export function addCheck(program: Command, environment: CliEnvironment): void {
  program
    .command('check')
    .description('Check a gateway.yaml: every problem with file, line and column. Exit code 2 when one is an error.')
    .argument('[file]', 'the file to check', 'gateway.yaml')
    .option('--connect', 'also connect to the backends and compare the mapping with what is really there')
    .option('--json', 'print the problems as JSON')
    .action(async (file: string, options: { connect?: boolean; json?: boolean }) => {
      const configuration = await environment.configure(file);
      const problems = await allProblems(configuration, options.connect === true);
      const { stdout } = environment;
      if (options.json === true) stdout.write(`${JSON.stringify(problems, null, 2)}\n`);
      else for (const problem of problems) stdout.write(`${environment.formatProblem(problem)}\n`);
      const errors = problems.filter(({ severity }) => severity === 'error').length;
      const warnings = problems.length - errors;
      if (errors > 0) throw new UsageError(`${file}: ${count(errors, 'error')}, ${count(warnings, 'warning')}.`);
      if (options.json !== true) stdout.write(`${file}: no errors, ${count(warnings, 'warning')}.\n`);
    });
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}

async function allProblems(configuration: Configuration, connect: boolean): Promise<readonly Problem[]> {
  const { draft, plans, sources, problems } = configuration;
  // A rule that is wrong is missing from the plan; what follows from that would only confuse.
  const hasErrors = problems.some(({ severity }) => severity === 'error');
  const advice = (hasErrors ? [] : (draft?.gateways ?? [])).flatMap((gateway) =>
    gateway.resources.flatMap((resource) => {
      const plan = plans.get(gateway.id)?.get(resource.type.name);
      return plan === undefined ? [] : adviseOn(plan, resource.origin).map((problem) => toProblem(sources, problem));
    }),
  );
  const found =
    connect && configuration.config !== undefined
      ? [...(await stateProblems(configuration.config, sources)), ...(await connectedProblems(configuration))]
      : [];
  return sortProblems([...problems, ...advice, ...found], [...sources.documents.keys()]);
}

/** Whether a gateway could be served with the database of the state. */
async function stateProblems(config: GatewayConfig, sources: Configuration['sources']): Promise<readonly Problem[]> {
  const { database } = statePlace(config, undefined);
  if (database === undefined) return [];
  const { examineDatabase } = await import('../state/postgresql/examine.js');
  const message = await examineDatabase(database);
  const main = sources.documents.get(sources.main ?? '');
  return message === undefined || main === undefined ? [] : [main.problem('error', ['state'], message)];
}

/** What the backends say of the mapping. */
async function connectedProblems(configuration: Configuration): Promise<readonly Problem[]> {
  const { sources } = configuration;
  const problems: Problem[] = [];
  for (const gateway of configuration.config?.gateways ?? []) {
    const trial = await openForTrial(configuration, gateway.id);
    try {
      for (const [name, adapter] of trial.adapters) {
        try {
          const { problems: inspected } = await adapter.inspect({
            signal: AbortSignal.timeout(20_000),
            requestId: 'check',
          });
          problems.push(...inspected.map((problem) => toAdapterProblem(sources, name, problem)));
        } catch (error) {
          if (!(error instanceof AdapterError)) throw error;
          const message = `The backend cannot be examined: ${error.reason ?? error.message}`;
          problems.push(toAdapterProblem(sources, name, { severity: 'error', configPath: [], message }));
        }
      }
    } finally {
      await trial.close();
    }
  }
  return problems;
}
