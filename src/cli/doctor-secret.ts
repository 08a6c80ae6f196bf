import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Gateway } from '../../config/gateway-config.js';
import { hashSecret, isIntact, prefixes } from '../auth/generated-secret.js';
import { createAccessTokens } from '../auth/oauth-access-token.js';
import { judgeToken } from '../auth/token-check.js';
import { openState } from '../state/open-state.js';
import type { State } from '../state/state.js';
import type { StatePlace } from '../state/state-place.js';
import type { Diagnosis } from './doctor-jwt.js';
import { describeToken } from './token-list.js';

export interface SecretDiagnosisOptions {
  readonly gateways: readonly Gateway[];
  readonly place: StatePlace;
  readonly nowMs: number;
  /** The user name, when it came as the password of HTTP Basic. */
  readonly basicUser?: string;
}

/** What the gateway itself has issued: a token, a client's secret, an access token. */
export function isGenerated(value: string): boolean {
  return Object.values(prefixes).some((prefix) => value.startsWith(prefix));
}

/** Whether the state knows the secret, whose it is, and which gateways take it. */
export async function diagnoseSecret(value: string, options: SecretDiagnosisOptions): Promise<Diagnosis> {
  const isAccessToken = value.startsWith(prefixes.accessToken);
  const kind = value.startsWith(prefixes.clientSecret) ? 'clientSecret' : isAccessToken ? 'accessToken' : 'token';
  if (!isAccessToken && !isIntact(value, prefixes[kind])) {
    return refused(`It is ${names[kind]}, but cut or mistyped: its checksum is wrong. Copy it again, or make another.`);
  }
  const { dataDir, database } = options.place;
  if (database === undefined && !existsSync(join(dataDir, 'state.db'))) {
    return refused(`It has the form of ${names[kind]}; to look it up, name where the state is (--config or --data).`);
  }
  const state = await openState(options.place);
  try {
    return isAccessToken ? await diagnoseAccessToken(value, state, options) : await look(value, state, options);
  } finally {
    await state.close();
  }
}

const names = {
  token: 'a generated token',
  clientSecret: "a client's secret",
  accessToken: 'an access token of /oauth/token',
} as const;

function refused(line: string): Diagnosis {
  return { lines: [line], isTaken: false };
}

async function look(
  value: string,
  state: State,
  { gateways, nowMs, basicUser }: SecretDiagnosisOptions,
): Promise<Diagnosis> {
  const record = await state.tokens.find(hashSecret(value));
  if (record === undefined) {
    return refused('It is whole, but unknown here: it was made with another state, or for another installation.');
  }
  const kind = record.clientId === undefined ? 'token' : 'client';
  const name = kind === 'token' ? names.token : names.clientSecret;
  const lines = [`It is ${name} of gateway "${record.gateway}".`, `  ${describeToken(record, nowMs)}`, ''];
  let isTaken = false;
  for (const gateway of gateways) {
    const verdict = judgeToken(record, kind, gateway.id, nowMs);
    const reason = verdict.caller === undefined ? verdict.reason : refusedByGateway(gateway, kind, basicUser);
    isTaken ||= reason === undefined;
    lines.push(`Gateway "${gateway.id}" would ${reason === undefined ? 'take it.' : `refuse it: ${reason}.`}`);
  }
  return { lines, isTaken };
}

/** What the configuration has against a good token. */
function refusedByGateway({ auth }: Gateway, kind: 'token' | 'client', basicUser?: string): string | undefined {
  if (kind === 'client') {
    return auth.oauth === undefined
      ? 'it has no "auth.oauth"'
      : "a client's secret is exchanged at /oauth/token, and is no token itself";
  }
  if (basicUser === undefined) return auth.tokens.enabled ? undefined : '"auth.tokens.enabled" is false';
  if (auth.basic === undefined) return 'HTTP Basic came, and it has no "auth.basic"';
  return auth.basic.user === basicUser ? undefined : `the user name of HTTP Basic has to be "${auth.basic.user}"`;
}

async function diagnoseAccessToken(
  value: string,
  state: State,
  { gateways, nowMs }: SecretDiagnosisOptions,
): Promise<Diagnosis> {
  const key = await state.key('oauth');
  for (const gateway of gateways) {
    const token = createAccessTokens(key, gateway.id).open(value);
    if (token === undefined) continue;
    const record = await state.tokens.find(token.secretHash);
    const verdict = judgeToken(record, 'client', gateway.id, nowMs);
    const reason =
      gateway.auth.oauth === undefined
        ? 'it has no "auth.oauth"'
        : nowMs >= token.expiresAtMs
          ? 'it expired'
          : verdict.caller === undefined
            ? verdict.reason
            : undefined;
    const until = new Date(token.expiresAtMs).toISOString();
    const lines = [
      `It is an access token of /oauth/token, of client "${record?.label ?? 'unknown'}" of gateway "${gateway.id}", valid until ${until}.`,
      '',
      `Gateway "${gateway.id}" would ${reason === undefined ? 'take it.' : `refuse it: ${reason}.`}`,
    ];
    return { lines, isTaken: reason === undefined };
  }
  return refused(`It is ${names.accessToken}, but of no gateway here: made with another state, or cut.`);
}
