#!/usr/bin/env node
import { createRequire } from 'node:module';
import { builtInAdapters, loadAdapterModules } from '../adapters/registry.js';
import { suggestion } from '../config/nearest.js';
import { formatProblem } from '../config/problem.js';
import { addAdapter } from './cli/adapter.js';
import { addCheck } from './cli/check.js';
import { type AddCommand, runCli } from './cli/cli.js';
import { addClient } from './cli/client.js';
import { addDoctor } from './cli/doctor.js';
import { addExplain } from './cli/explain.js';
import { addGatewayCommand } from './cli/gateway-command.js';
import { addInit } from './cli/init.js';
import { addLog } from './cli/log-command.js';
import { addSchema } from './cli/schema.js';
import { addServe } from './cli/serve.js';
import { addStatus } from './cli/status.js';
import { addToken } from './cli/token.js';
import { AdapterRegistry } from './plug-in/adapter-registry.js';
import { hasOpenedPlugIn } from './plug-in/contained-module.js';
import { readConfiguration } from './serving/read-configuration.js';

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
  addAdapter,
  addSchema,
];

/** Long enough for what was printed to be read by whoever is at the other end. */
const leftBehindMs = 2_000;

const adapters = new AdapterRegistry(builtInAdapters, (type) => suggestion(type, [...builtInAdapters.keys()]));

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

/** As the shell says it of programs that SIGPIPE ended. */
const nobodyReads = 141;

// Whoever reads may have seen enough, as `head` has: that is no failure to be told, and nothing is left to print.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit(nobodyReads);
  });
}

const { version } = createRequire(import.meta.url)('scimbridge/package.json') as { version: string };
process.exitCode = await runCli(process.argv.slice(2), commands, {
  version,
  stdout: process.stdout,
  stderr: process.stderr,
  configure: (file, texts) => readConfiguration(adapters, file, texts),
  builtInModules: loadAdapterModules,
  formatProblem,
  stopRequested,
  onReloadRequest,
});
// What an adapter of others has left behind, a timer or a connection, keeps the process no longer than this.
if (hasOpenedPlugIn()) setTimeout(() => process.exit(), leftBehindMs).unref();
