import { Argument, type Command, InvalidArgumentError } from 'commander';
import type { Control } from '../state/state.js';
import { type AddCommand, type CliEnvironment, UsageError } from './cli.js';
import { type GatewayState, gatewayArgument, type PlaceOptions, withGatewayState, withPlace } from './gateway-state.js';

const hourMs = 3_600_000;
const maxRecordMs = 30 * 24 * hourMs;

/** What an operator switches while gateways run: it holds within a quarter of a second, and through restarts. */
export const addGatewayCommand: AddCommand = (program, environment) => {
  const parent = program
    .command('gateway')
    .description('Switch a gateway on or off, and what it logs and records, while it runs.');
  const add = (name: string, description: string): Command =>
    withPlace(parent.command(name))
      .description(description)
      .argument(...gatewayArgument);

  add('enable', 'Serve the gateway, from now on.').action((id: string, options: PlaceOptions) =>
    enable(id, options, environment),
  );
  add('disable', 'Answer 503 without a call to a backend, from now on and after a restart too.').action(
    (id: string, options: PlaceOptions) => disable(id, options, environment),
  );
  add('level', 'Change what the gateway logs.')
    .addArgument(
      new Argument('[level]', 'warnings and errors; every change too; every request too').choices([
        'warning',
        'information',
        'debug',
      ]),
    )
    .option('--reset', 'log what the configuration says again')
    .action((id: string, level: Control['level'], options: PlaceOptions & { readonly reset?: true }) =>
      setLevel(id, level, options, environment),
    );
  add('record', 'Record the values of requests too, secrets apart, for a while; or stop that.')
    .addArgument(new Argument('<what>', 'record values, or turn it off').choices(['values', 'off']))
    .option('--for <time>', 'required with values: 30m, 2h or 7d, at most 30d', parseDuration)
    .action((id: string, what: 'values' | 'off', options: PlaceOptions & { readonly for?: number }) =>
      setRecord(id, what, options, environment),
    );
};

async function enable(id: string, options: PlaceOptions, environment: CliEnvironment): Promise<void> {
  await withGatewayState(id, options, environment, async ({ gateway, state, record }) => {
    // Where the configuration says so too, it has the say again.
    await state.controls.set(id, { enabled: gateway.enabled ? null : true });
    await record('gateway enable', []);
    environment.stdout.write(`Gateway "${id}" is enabled.\n`);
  });
}

async function disable(id: string, options: PlaceOptions, environment: CliEnvironment): Promise<void> {
  await withGatewayState(id, options, environment, async ({ state, record }) => {
    await state.controls.set(id, { enabled: false });
    await record('gateway disable', []);
    environment.stdout.write(`Gateway "${id}" is disabled: it answers 503 until it is enabled again.\n`);
  });
}

async function setLevel(
  id: string,
  level: Control['level'],
  options: PlaceOptions & { readonly reset?: true },
  environment: CliEnvironment,
): Promise<void> {
  if ((level === undefined) === (options.reset === undefined)) {
    throw new UsageError('Name a level, debug, information or warning, or say --reset.');
  }
  await withGatewayState(id, options, environment, async ({ gateway, state, record }) => {
    await state.controls.set(id, { level: level ?? null });
    await record('gateway level', [level ?? `reset to ${gateway.level}`]);
    const source = level === undefined ? ', as the configuration says' : '';
    environment.stdout.write(`Gateway "${id}" logs at level ${level ?? gateway.level}${source}.\n`);
  });
}

async function setRecord(
  id: string,
  what: 'values' | 'off',
  { for: durationMs, ...options }: PlaceOptions & { readonly for?: number },
  environment: CliEnvironment,
): Promise<void> {
  if ((what === 'values') !== (durationMs !== undefined)) {
    throw new UsageError(
      what === 'values' ? 'Say for how long, such as --for 2h: recording ends by itself.' : 'Leave --for out with off.',
    );
  }
  await withGatewayState(id, options, environment, async (parts) => {
    if (durationMs === undefined) await stopRecording(parts, environment);
    else await startRecording(parts, Date.now() + durationMs, environment);
  });
}

async function startRecording({ gateway, state, record }: GatewayState, untilMs: number, { stdout }: CliEnvironment) {
  const until = new Date(untilMs).toISOString();
  await state.controls.set(gateway.id, { recordValuesUntilMs: untilMs });
  await record('gateway record', [`values until ${until}`]);
  stdout.write(
    `Gateway "${gateway.id}" records the values of requests until ${until}: the transactions hold personal data then.\n`,
  );
}

async function stopRecording({ gateway, state, record }: GatewayState, { stdout }: CliEnvironment): Promise<void> {
  // A time that is over goes before one that the configuration gives.
  const isConfigured = gateway.recordValuesUntilMs !== undefined;
  await state.controls.set(gateway.id, { recordValuesUntilMs: isConfigured ? 0 : null });
  await record('gateway record', ['off']);
  stdout.write(`Gateway "${gateway.id}" records no values.\n`);
}

const units: Readonly<Record<string, number>> = { m: hourMs / 60, h: hourMs, d: 24 * hourMs };

/** @throws InvalidArgumentError, which commander tells with the option's name */
function parseDuration(text: string): number {
  const match = /^(\d{1,5})([mhd])$/.exec(text);
  const durationMs = Number(match?.[1]) * (units[match?.[2] ?? ''] ?? Number.NaN);
  if (!(durationMs > 0 && durationMs <= maxRecordMs)) {
    throw new InvalidArgumentError('It is a time such as 30m, 2h or 7d, at most 30d.');
  }
  return durationMs;
}
