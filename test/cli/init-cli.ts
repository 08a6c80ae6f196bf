import { loadAdapterModules } from '../../adapters/registry.js';
import { loadConfig } from '../../config/load.js';
import { formatProblem, sortProblems } from '../../config/problem.js';
import { toProblem } from '../../config/source.js';
import { addCheck } from '../../src/cli/check.js';
import { runCli } from '../../src/cli/cli.js';
import { addExplain } from '../../src/cli/explain.js';
import { addInit } from '../../src/cli/init.js';
import { checkDeclared, compileGateway } from '../../src/composition.js';
import type { Configuration } from '../../src/serving/configuration.js';
import type { Finished } from './test-cli.js';

/** `init`, `check` and `explain` as the program runs them, without a process. */
export async function runInitCli(...args: readonly string[]): Promise<Finished> {
  let stdout = '';
  let stderr = '';
  const code = await runCli(args, [addInit, addCheck, addExplain], {
    version: '1.2.3',
    stdout: { write: (text) => (stdout += text) },
    stderr: { write: (text) => (stderr += text) },
    configure,
    builtInModules: loadAdapterModules,
    formatProblem,
    stopRequested: () => new Promise(() => undefined),
    onReloadRequest: () => () => undefined,
  });
  return { code, stdout, stderr };
}

async function configure(file: string | undefined, texts?: Configuration['texts']): Promise<Configuration> {
  const modules = await loadAdapterModules();
  const adapterSchemas = new Map([...modules].map(([type, module]) => [type, module.configSchema]));
  const known = texts === undefined ? {} : { texts };
  const loaded = loadConfig({ ...(file === undefined ? {} : { file }), ...known, adapterSchemas });
  const { draft } = loaded;
  const compiled = (draft?.gateways ?? []).map((gateway) => ({ gateway, ...compileGateway(gateway) }));
  const found = compiled.flatMap(({ gateway, problems }) => [
    ...problems,
    ...(draft === undefined ? [] : checkDeclared(draft, gateway, modules)),
  ]);
  const problems = [...loaded.problems, ...found.map((problem) => toProblem(loaded.sources, problem))];
  const plans = new Map(compiled.map(({ gateway, plans: own }) => [gateway.id, own]));
  return { ...loaded, plans, problems: sortProblems(problems, [...loaded.sources.documents.keys()]), modules };
}
