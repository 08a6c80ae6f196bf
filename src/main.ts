#!/usr/bin/env node
import { createRequire } from 'node:module';
import { loadAdapterModules } from '../adapters/registry.js';
import { loadConfig } from '../config/load.js';
import { formatProblem, sortProblems } from '../config/problem.js';
import { toProblem } from '../config/source.js';
import { addCheck } from './cli/check.js';
import { type AddCommand, runCli } from './cli/cli.js';
import { addClient } from './cli/client.js';
import { addDoctor } from './cli/doctor.js';
import { addExplain } from './cli/explain.js';
import { addGatewayCommand } from './cli/gateway-command.js';
import { addInit } from './cli/init.js';
import { addLog } from './cli/log-command.js';
import { addServe } from './cli/serve.js';
import { addStatus } from './cli/status.js';
import { addToken } from './cli/token.js';
import { checkDeclared, compileGateway } from './composition.js';
import type { Configuration } from './serving/configuration.js';

/** The commands. A new one is a file in src/cli and a line here. */
const commands: readonly AddCommand[] = [
  addInit,
  addServe,
  addToken,
  addClient,
  addGatewayCommand,
  addStatus,
  addLog,
  addCheck,
  addExplain,
  addDoctor,
];

/** Reads gateway.yaml, or the built-in configuration, and compiles its mappings. */
async function configure(file: string | undefined, texts?: Configuration['texts']): Promise<Configuration> {
  const modules = await loadAdapterModules();
  const adapterSchemas = new Map([...modules].map(([type, module]) => [type, module.configSchema]));
  const loaded = loadConfig({
    ...(file === undefined ? {} : { file }),
    ...(texts === undefined ? {} : { texts }),
    adapterSchemas,
  });
  const compiled = (loaded.draft?.gateways ?? []).map((gateway) => ({ gateway, ...compileGateway(gateway) }));
  const { draft } = loaded;
  const mappingProblems = compiled.flatMap(({ gateway, problems }) =>
    [...problems, ...(draft === undefined ? [] : checkDeclared(draft, gateway, modules))].map((problem) =>
      toProblem(loaded.sources, problem),
    ),
  );
  return {
    ...loaded,
    plans: new Map(compiled.map(({ gateway, plans }) => [gateway.id, plans])),
    problems: sortProblems([...loaded.problems, ...mappingProblems], [...loaded.sources.documents.keys()]),
    modules,
  };
}

/** The first signal ends the process in order; a second one does at once, as its default is back. */
function stopRequested(): Promise<string> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT']) process.once(signal, resolve);
  });
}

/** Without a listener the signal would end the process. */
function onReloadRequest(listener: () => void): () => void {
  process.on('SIGHUP', listener);
  return () => process.off('SIGHUP', listener);
}

const { version } = createRequire(import.meta.url)('scimbridge/package.json') as { version: string };
process.exitCode = await runCli(process.argv.slice(2), commands, {
  version,
  stdout: process.stdout,
  stderr: process.stderr,
  configure,
  formatProblem,
  stopRequested,
  onReloadRequest,
});
