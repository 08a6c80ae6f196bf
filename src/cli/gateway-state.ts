import type { Command } from 'commander';
import type { Gateway, GatewayConfig } from '../../config/gateway-config.js';
import { openState } from '../state/open-state.js';
import type { State } from '../state/state.js';
import { recordAct } from '../transactions/acts.js';
import { type CliEnvironment, UsageError } from './cli.js';
import { readServedAt } from './served-at.js';
import { statePlace } from './state-place.js';

/** Where a command finds the gateway's configuration and state. */
export interface PlaceOptions {
  readonly config?: string;
  readonly data?: string;
}

export function withPlace(command: Command): Command {
  return command
    .option('--config <file>', 'the configuration that the gateway is served with (default: the built-in one)')
    .option('--data <folder>', "the gateway's own state, where it is served with --data");
}

export const gatewayArgument = [
  '<gateway>',
  "the gateway's identifier in the configuration; the built-in one is called default",
] as const;

/** What a command on one gateway works with. */
export interface GatewayState {
  readonly config: GatewayConfig;
  readonly gateway: Gateway;
  readonly state: State;
  /** Notes in the transactions what the operator did. Never rejects. */
  record(operation: string, meant: readonly string[]): Promise<void>;
}

/**
 * Opens the state that running gateways share, so that what a command does there holds for them too.
 * @throws UsageError when the configuration cannot be read or has no such gateway
 */
export async function withGatewayState(
  id: string,
  options: PlaceOptions,
  environment: CliEnvironment,
  action: (parts: GatewayState) => Promise<void>,
): Promise<void> {
  const written = await configFor(options, environment);
  const gateway = findGateway(written, id);
  const place = statePlace(written, options.data);
  const config = { ...written, listen: readServedAt(place.dataDir) ?? written.listen };
  const state = await openState(place);
  const record = async (operation: string, meant: readonly string[]): Promise<void> => {
    const problem = await recordAct(place, { gateway: id, operation, meant });
    if (problem !== undefined) environment.stderr.write(`${problem}\n`);
  };
  try {
    await action({ config, gateway, state, record });
  } finally {
    await state.close();
  }
}

/**
 * What stands in the configuration, also when it has errors: a token has to be revoked, or a gateway switched off, just
 * when somebody has broken the file, or where the secrets of the service are not at hand.
 */
async function configFor({ config: file }: PlaceOptions, environment: CliEnvironment): Promise<GatewayConfig> {
  const { config, draft, problems } = await environment.configure(file);
  if (config !== undefined) return config;
  const errors = problems.filter(({ severity }) => severity === 'error').map(environment.formatProblem);
  if (draft === undefined) throw new UsageError([...errors, 'The configuration cannot be read.'].join('\n'));
  environment.stderr.write(
    `${errors.join('\n')}\nThe configuration has errors. What can be read of it is used here.\n`,
  );
  return draft;
}

function findGateway(config: GatewayConfig, id: string): Gateway {
  const gateway = config.gateways.find((candidate) => candidate.id === id);
  if (gateway !== undefined) return gateway;
  const known = config.gateways.map((candidate) => candidate.id).join(', ');
  const hint = config.file === undefined ? ' Name its file with --config if you have one.' : '';
  throw new UsageError(`The configuration has no gateway "${id}", but ${known}.${hint}`);
}
