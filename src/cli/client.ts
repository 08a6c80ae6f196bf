import { randomUUID } from 'node:crypto';
import { baseUrl } from './base-url.js';
import type { AddCommand } from './cli.js';
import { addTokenCommands } from './token-commands.js';

export const addClient: AddCommand = (program, environment) => {
  const parent = program
    .command('client')
    .description('OAuth 2 clients: identity providers that want a client id and a secret (auth.oauth).');
  addTokenCommands(
    parent,
    {
      name: 'client',
      createDescription: 'Make a client and show its id and its secret: this once, as only a hash is kept.',
      newPart: () => ({ clientId: randomUUID() }),
      extras: (config, clientId) => ({
        ...(clientId === undefined ? {} : { clientId }),
        tokenUrl: `${baseUrl(config)}/oauth/token`,
      }),
      warning: ({ id, auth }) =>
        auth.oauth === undefined
          ? `Gateway "${id}" refuses clients as it is configured: it has no section auth.oauth.`
          : undefined,
    },
    environment,
  );
};
