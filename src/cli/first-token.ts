import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { defaultTokenPolicy, issueToken } from '../auth/tokens.js';
import { TokenLabelTakenError, type TokenStore } from '../state/state.js';
import type { Output } from './cli.js';

interface ShownGateway {
  readonly gateway: string;
  readonly tenantUrl: string;
  readonly stdout: Output;
  /** Write for people although stdout is no terminal. */
  readonly print: boolean;
  readonly log: Logger;
}

export interface FirstTokenOptions extends ShownGateway {
  readonly validityDays: number;
  readonly store: TokenStore;
  readonly dataDir: string;
}

const label = 'first-start';

/**
 * Makes the token that lets somebody try the gateway at once, if there was none before. It is shown a single time: on a
 * terminal, else in a file for its owner only, since what is written to stdout may end in a log.
 */
export async function offerFirstToken(options: FirstTokenOptions): Promise<void> {
  const { gateway, store, stdout, validityDays } = options;
  if ((await store.list(gateway)).length > 0) return;
  // The configuration's checks have compared the validity with its bounds.
  const policy = { ...defaultTokenPolicy, minimumDays: validityDays, maximumDays: validityDays };
  const issued = await issueToken(store, { gateway, label, validityDays, policy }).catch(ignoreTaken);
  if (issued === undefined) return;
  const text = describe(options.tenantUrl, issued.token, issued.expiresAtMs);
  if (stdout.isTTY === true || options.print) {
    stdout.write(text);
    return;
  }
  const file = join(options.dataDir, 'first-token.txt');
  try {
    // Not into a file that others may have open.
    rmSync(file, { force: true });
    writeFileSync(file, text, { mode: 0o600, flag: 'wx' });
  } catch (error) {
    await store.revoke(gateway, label, Date.now());
    throw new Error(`The first token cannot be written to "${file}": ${(error as Error).message}`, { cause: error });
  }
  options.log.info({ file, tenantUrl: options.tenantUrl }, 'The tenant URL and the first token are in this file.');
}

/** For those who start again and have forgotten how to go on: the token that they have cannot be shown. */
export function showTenantUrl(options: ShownGateway & { readonly place: string }): void {
  const { gateway, tenantUrl, stdout, print, place, log } = options;
  const create = `npx scimbridge token create ${gateway}${place} --label …`;
  const list = `npx scimbridge token list ${gateway}${place}`;
  if (stdout.isTTY !== true && !print) {
    log.info({ gateway }, `Another token: "${create}". Those that there are: "${list}".`);
    return;
  }
  stdout.write(`
  Tenant URL    ${tenantUrl}

  Its tokens were shown when they were made, and only then. To make another one, or to see which there are:

    ${create}
    ${list}

`);
}

/** Another process on the same state was quicker, and shows its token. */
function ignoreTaken(error: unknown): undefined {
  if (!(error instanceof TokenLabelTakenError)) throw error;
}

function describe(tenantUrl: string, token: string, expiresAtMs: number): string {
  const expires = new Date(expiresAtMs).toISOString().slice(0, 10);
  return `
  Tenant URL    ${tenantUrl}
  Secret token  ${token}

  Enter both at the identity provider. The token is shown only now, and is valid until ${expires}.

`;
}
