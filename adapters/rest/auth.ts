import type { OperationContext } from '../../src/backend/adapter.js';
import { AdapterError } from '../../src/backend/adapter-error.js';
import type { AuthConfig } from './auth-config.js';
import { AccessTokens, type TokenParts } from './oauth-token.js';

/** What a request carries to say who sends it. */
export interface CredentialSet {
  readonly headers: Readonly<Record<string, string>>;
  /** An encoded query parameter. */
  readonly query?: string;
  /** Another number for other credentials. */
  readonly version: number;
}

export interface Credentials {
  /** @throws AdapterError when there are none to be had */
  get(context: OperationContext): CredentialSet | Promise<CredentialSet>;
  /** The target did not take those of the version. @returns whether there may be others now */
  renew(version: number): boolean;
  /** What no message may repeat: what is configured as secret, and what is sent now. */
  secrets(): readonly string[];
}

/** @throws AdapterError `unsupported` when the configuration contradicts itself */
export function createCredentials(config: AuthConfig | undefined, parts: TokenParts): Credentials {
  switch (config?.kind) {
    case undefined:
      return fixed({}, []);
    case 'bearer':
      return fixed({ authorization: `Bearer ${headerText(config.token, 'auth.token')}` }, [config.token]);
    case 'basic': {
      if (config.username.includes(':')) throw misconfigured('"auth.username" may not hold a colon.');
      const pair = Buffer.from(`${config.username}:${config.password}`).toString('base64');
      return fixed({ authorization: `Basic ${pair}` }, [config.password, pair]);
    }
    case 'apiKey':
      if (config.query !== undefined) {
        if (config.header !== undefined) throw misconfigured('"auth" has a header or a query parameter, not both.');
        return fixed({}, [config.key], `${encodeURIComponent(config.query)}=${encodeURIComponent(config.key)}`);
      }
      return fixed({ [(config.header ?? 'x-api-key').toLowerCase()]: headerText(config.key, 'auth.key') }, [
        config.key,
      ]);
    case 'oauth2ClientCredentials':
      return new AccessTokens(config, parts);
  }
}

function fixed(headers: Readonly<Record<string, string>>, secrets: readonly string[], query?: string): Credentials {
  const set: CredentialSet = { headers, version: 0, ...(query === undefined ? {} : { query }) };
  return { get: () => set, renew: () => false, secrets: () => secrets };
}

/** @throws AdapterError `unsupported` for what would end the header or cannot be in one */
export function headerText(text: string, name: string): string {
  if (/^[\x20-\x7e]*$/.test(text)) return text;
  throw misconfigured(`"${name}" holds characters that no header may have, such as a line break.`);
}

export function misconfigured(message: string): AdapterError {
  return new AdapterError('unsupported', message);
}
