import { AdapterError } from '../../src/backend/adapter-error.js';
import type { Draft, DraftEntry, DraftRequest } from '../../src/backend/draft.js';
import { Calls } from './calls.js';
import type { LdapConfig } from './config.js';
import type { Directory } from './directory.js';
import { tryParseDn } from './dn.js';
import { draftGroups } from './draft-groups.js';
import { draftPeople } from './draft-people.js';
import { type DirectoryConfig, openDirectory } from './open-directory.js';
import type { ServerProfile } from './server-kind.js';
import { adapterErrorOf, hasResultCode, resultCode } from './wire-errors.js';

/** What looking around needs. */
export interface Surroundings {
  readonly calls: Calls;
  readonly server: ServerProfile;
  readonly base: string;
  readonly request: DraftRequest;
  readonly found: string[];
}

/** A configuration for the directory as it is found: recognised, with its schema, people and groups. */
export async function draftDirectory(request: DraftRequest): Promise<Draft> {
  const { account, secret } = request;
  if (account === undefined || secret === undefined) {
    throw new AdapterError(
      'unsupported',
      "Say which account of the directory is the gateway's: its name and password.",
    );
  }
  const config: DirectoryConfig = {
    url: request.url,
    bind: { dn: account, password: secret.value },
    ...(request.ca === undefined ? {} : { tls: { ca: request.ca.file, minVersion: 'TLSv1.2', verify: true } }),
  };
  try {
    return await draftOver(config, request);
  } catch (error) {
    // A server on this machine that takes no password in clear text: Active Directory is so.
    if (config.url.toString().startsWith('ldaps') || !wantsEncryption(error)) throw error;
    return await draftOver({ ...config, startTls: true }, request);
  }
}

function wantsEncryption(error: unknown): boolean {
  return (
    error instanceof AdapterError &&
    hasResultCode(error.cause, resultCode.strongerAuthRequired, resultCode.confidentialityRequired)
  );
}

async function draftOver(config: DirectoryConfig, request: DraftRequest): Promise<Draft> {
  const directory = await openDirectory(config, '/', request.log);
  try {
    return await lookAround(directory, config, request);
  } catch (error) {
    throw adapterErrorOf(error);
  } finally {
    await directory.close();
  }
}

async function lookAround(directory: Directory, config: DirectoryConfig, request: DraftRequest): Promise<Draft> {
  const context = { signal: request.signal, requestId: 'init' };
  const server = await directory.connect(context);
  const base = baseOf(server, request.base);
  const found = [`${server.product}, entries below ${base}.`];
  const around: Surroundings = { calls: new Calls(directory, context, 500), server, base, request, found };
  const groups = await draftGroups(around);
  const people = await draftPeople(around, groups);
  if (people === undefined && groups === undefined) {
    throw new AdapterError(
      'unsupported',
      'Neither people nor groups nor a place for them were found; say where they are.',
    );
  }
  const drafted = [people, groups].filter((one) => one !== undefined);
  return {
    found,
    adapter: [...connectionEntries(config, request, base), entitiesEntry(drafted)],
    resources: drafted.map(({ type, entity, mapping, holds }) => ({
      type,
      entity,
      mapping,
      holds,
      ...(server.kind === 'generic' ? {} : { preset: server.kind }),
    })),
  };
}

function entitiesEntry(drafted: readonly { readonly entity: string; readonly section: readonly DraftEntry[] }[]) {
  const entries = drafted.map(({ entity, section }): DraftEntry => ({ key: entity, value: { entries: section } }));
  return { key: 'entities', value: { entries } };
}

function baseOf(server: ServerProfile, wanted: string | undefined): string {
  if (wanted !== undefined) {
    if (tryParseDn(wanted) === undefined)
      throw new AdapterError('unsupported', `"${wanted}" is no distinguished name.`);
    return wanted;
  }
  if (server.defaultBase !== undefined) return server.defaultBase;
  const known = server.namingContexts.join('; ');
  throw new AdapterError(
    'unsupported',
    `The server does not say where its entries begin. It has: ${known || 'nothing'}.`,
  );
}

function connectionEntries(config: DirectoryConfig, request: DraftRequest, base: string): readonly DraftEntry[] {
  const { account = '', secret, ca } = request;
  const isLdaps = request.url.toLowerCase().startsWith('ldaps:');
  const url: DraftEntry = {
    key: 'url',
    value: request.url,
    note: 'several servers with the same data: a list, of which the first that answers is used',
  };
  const bind: LdapConfig['bind'] = { dn: account, password: secret?.reference ?? '' };
  return [
    { key: 'type', value: 'ldap' },
    url,
    { key: 'bind', value: bind },
    ...(config.startTls === true ? [{ key: 'startTls', value: true }] : []),
    ca === undefined
      ? {
          key: 'tls',
          value: { ca: './ca.crt' },
          isOffer: true,
          note: isLdaps
            ? "the authority of the server's certificate, where it is none of the well-known ones"
            : 'as above, for StartTLS',
        }
      : { key: 'tls', value: { ca: ca.written } },
    { key: 'base', value: base, note: 'where relative names below start' },
  ];
}
