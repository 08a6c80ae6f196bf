import { Command, CommanderError } from 'commander';
import type { GatewayConfig } from '../../config/gateway-config.js';
import type { AdapterModule } from '../backend/adapter.js';
import type { Configuration, ConfigurationReader } from '../serving/configuration.js';

export interface Output {
  write(text: string): unknown;
  /** True on a terminal. */
  readonly isTTY?: boolean | undefined;
  /** The descriptor, where there is one: the log then writes to it without waiting. */
  readonly fd?: number;
}

/** What commands get from the process and from the composition root. */
export interface CliEnvironment extends ConfigurationReader {
  readonly version: string;
  /** All adapters that are built in, by type. */
  readonly builtInModules: () => Promise<ReadonlyMap<string, AdapterModule>>;
  readonly stdout: Output;
  readonly stderr: Output;
  /** Settles when the process is asked to end, with the signal's name. */
  readonly stopRequested: () => Promise<string>;
  /** Calls whenever an operator asks for the configuration to be read again: SIGHUP. @returns what ends that */
  readonly onReloadRequest: (listener: () => void) => () => void;
}

/** Adds a command to the program. Its action throws UsageError or any other Error; both are told in one line. */
export type AddCommand = (program: Command, environment: CliEnvironment) => void;

/** The command line or the configuration is wrong: exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

export const exitCodes = { success: 0, failure: 1, usage: 2 } as const;

/**
 * Runs the command line. Every way out is an exit code, so that output is never cut off by `process.exit`.
 * @param args without node and the script
 */
export async function runCli(
  args: readonly string[],
  commands: readonly AddCommand[],
  environment: CliEnvironment,
): Promise<number> {
  const program = new Command('scimbridge')
    .description('A SCIM 2.0 gateway in front of the directories, databases and services that you have.')
    .version(environment.version)
    .showHelpAfterError('Add --help for how it is used.')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => environment.stdout.write(text),
      writeErr: (text) => environment.stderr.write(text),
    });
  for (const add of commands) add(program, environment);
  try {
    await program.parseAsync(args, { from: 'user' });
    return exitCodes.success;
  } catch (error) {
    // Commander has written its own message, or the help that was asked for.
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.success : exitCodes.usage;
    environment.stderr.write(`${describeError(error)}\n`);
    return error instanceof UsageError ? exitCodes.usage : exitCodes.failure;
  }
}

/** Our own errors say what to do; one that nobody foresaw needs its stack to be found. */
function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const isUnforeseen = error instanceof TypeError || error instanceof ReferenceError;
  return isUnforeseen ? (error.stack ?? error.message) : error.message;
}

/**
 * The configuration that a command runs with. Warnings are left to the caller.
 * @throws UsageError with every error, one a line
 */
export async function requireConfig(
  environment: CliEnvironment,
  file: string | undefined,
): Promise<Configuration & { readonly config: GatewayConfig }> {
  const configuration = await environment.configure(file);
  const { config, problems } = configuration;
  const errors = problems.filter(({ severity }) => severity === 'error');
  if (config === undefined || errors.length > 0) {
    const lines = errors.map(environment.formatProblem);
    throw new UsageError([...lines, 'Nothing was started: correct the configuration first.'].join('\n'));
  }
  return { ...configuration, config };
}
