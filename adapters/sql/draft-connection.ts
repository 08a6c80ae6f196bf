import { AdapterError } from '../../src/backend/adapter-error.js';
import type { DraftEntry, DraftRequest } from '../../src/backend/draft.js';
import type { ConnectionConfig } from './connection-config.js';
import { isLocal, partsOfUrl } from './connection-target.js';

/** How `init` connects, and how gateway.yaml says the same. */
export interface DraftConnection {
  readonly config: Partial<ConnectionConfig>;
  readonly entries: readonly DraftEntry[];
}

/** @throws AdapterError `unsupported` when the URL lacks something, or holds a password */
export function draftConnection(request: DraftRequest, type: string): DraftConnection {
  const { url, account, secret, ca } = request;
  const parts = partsOfUrl(url);
  if (parts.password !== undefined) {
    const message = 'The URL holds a password: leave it out, and put it into a file or an environment variable.';
    throw new AdapterError('unsupported', message);
  }
  const user = account ?? parts.user;
  if (user === undefined) {
    throw new AdapterError('unsupported', `Say whose account it is: ${type}://account@host/database.`);
  }
  const tls = ca === undefined ? undefined : { ca: ca.file, minVersion: 'TLSv1.2' as const, verify: true };
  return {
    config: {
      url,
      user,
      ...(secret === undefined ? {} : { password: secret.value }),
      ...(tls === undefined ? {} : { tls }),
    },
    entries: [
      { key: 'type', value: type },
      { key: 'url', value: url },
      ...(parts.user === undefined ? [{ key: 'user', value: user }] : []),
      ...(secret === undefined ? [] : [{ key: 'password', value: secret.reference }]),
      ...tlsEntries(parts.host ?? 'localhost', ca?.written),
      { key: 'pool', value: { connections: 10 }, isOffer: true, note: 'the most connections at the same time' },
    ],
  };
}

function tlsEntries(host: string, ca: string | undefined): readonly DraftEntry[] {
  if (ca !== undefined) return [{ key: 'tls', value: { ca } }];
  if (isLocal(host)) return [];
  const note = "the authority of the server's certificate, where it is none of the well-known ones";
  return [{ key: 'tls', value: { ca: './ca.crt' }, isOffer: true, note }];
}
