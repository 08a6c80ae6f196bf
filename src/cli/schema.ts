import { editorSchema } from '../../config/editor-schema.js';
import type { AddCommand, CliEnvironment } from './cli.js';

/** `schema`: what editors check and complete gateway.yaml with. */
export const addSchema: AddCommand = (program, environment) => {
  program
    .command('schema')
    .description('Print the JSON Schema of gateway.yaml, for editors: with the adapters of your own that a file names.')
    .option('--config <file>', 'also know the adapters that this gateway.yaml names')
    .action((options: { config?: string }) => printSchema(options.config, environment));
};

async function printSchema(file: string | undefined, environment: CliEnvironment): Promise<void> {
  const builtIn = await environment.builtInModules();
  // A file with problems still names its adapters.
  const named = file === undefined ? [] : (await environment.configure(file)).modules;
  const schemas = new Map([...builtIn, ...named].map(([type, { configSchema }]) => [type, configSchema]));
  environment.stdout.write(`${JSON.stringify(editorSchema(schemas), null, 2)}\n`);
}
