import type { Logger } from 'pino';
import type { Gateway, GatewayConfig } from '../../config/gateway-config.js';
import { isLoopback } from '../backend/loopback.js';
import type { ConfigChanges } from '../serving/config-changes.js';
import type { TokenStore } from '../state/state.js';
import { baseUrl } from './base-url.js';
import type { Output } from './cli.js';
import { offerFirstToken, showTenantUrl } from './first-token.js';

export interface AnnounceOptions {
  /** Where the process really listens. */
  readonly port: number;
  readonly tokens: TokenStore;
  readonly log: Logger;
  readonly stdout: Output;
  /** Print a token also when stdout is not a terminal. */
  readonly printToken: boolean;
  /** `--config` and `--data` as they were given, for commands to repeat. */
  readonly place: string;
}

/** Says where the gateways are, what endangers their tokens, and how to get a first one. */
export async function announce(config: GatewayConfig, options: AnnounceOptions): Promise<void> {
  const { host } = config.listen;
  const { port, log } = options;
  log.info({ host, port }, 'Listening.');
  warnIfUnencrypted(config, options);
  for (const gateway of config.gateways) await announceGateway(config, gateway, options);
}

/** After a change: gateways that are new, or are somewhere else now. */
export async function announceChanges(
  config: GatewayConfig,
  { gateways, settings }: ConfigChanges,
  options: AnnounceOptions,
): Promise<void> {
  const isElsewhere = settings.includes('publicUrl');
  if (isElsewhere) warnIfUnencrypted(config, options);
  for (const gateway of config.gateways) {
    const changes = gateways.get(gateway.id) ?? [];
    if (isElsewhere || changes.includes('added') || changes.includes('address')) {
      await announceGateway(config, gateway, options);
    }
  }
}

function warnIfUnencrypted(config: GatewayConfig, { port, log }: AnnounceOptions): void {
  const { host } = config.listen;
  if (isLoopback(host) || baseUrl(config, port).startsWith('https:')) return;
  log.warn(
    { host },
    'Tokens travel unencrypted: switch on "tls", or put a proxy with TLS before the gateway and give its URL as "publicUrl".',
  );
}

async function announceGateway(config: GatewayConfig, gateway: Gateway, options: AnnounceOptions): Promise<void> {
  const { port, tokens, log, stdout, place, printToken } = options;
  const { id, auth } = gateway;
  const tenantUrl = baseUrl(config, port) + gateway.address;
  log.info({ gateway: id, tenantUrl }, 'Serving.');
  const hasTokens = (await tokens.list(id)).length > 0;
  if (config.file === undefined) {
    const { dataDir } = config;
    const { validityDays } = auth.tokens;
    const shown = { gateway: id, tenantUrl, stdout, print: printToken, log };
    if (hasTokens) showTenantUrl({ ...shown, place });
    else await offerFirstToken({ ...shown, validityDays, store: tokens, dataDir });
    return;
  }
  const kind =
    auth.tokens.enabled || auth.basic !== undefined ? 'token' : auth.oauth === undefined ? undefined : 'client';
  if (hasTokens || kind === undefined || auth.jwt !== undefined) return;
  log.warn(
    { gateway: id },
    `Nobody can call this gateway yet: run "scimbridge ${kind} create ${id}${place} --label …".`,
  );
}
