import type { AddCommand } from './cli.js';
import { addTokenCommands } from './token-commands.js';

export const addToken: AddCommand = (program, environment) => {
  const parent = program.command('token').description('Tokens that identity providers authenticate with.');
  addTokenCommands(
    parent,
    {
      name: 'token',
      createDescription: 'Make a token and show it: this once, as only its hash is kept.',
      newPart: () => ({}),
      extras: () => ({}),
      warning: ({ id, auth }) =>
        auth.tokens.enabled || auth.basic !== undefined
          ? undefined
          : `Gateway "${id}" refuses generated tokens as it is configured: auth.tokens.enabled is false.`,
    },
    environment,
  );
};
