import { afterAll, describe, expect, it } from 'vitest';
import { describeOnLdap, startLdap } from '../support/ldap/available.js';
import { startDirectoryGateway } from '../support/ldap/directory-gateway.js';
import type { LdapKind, LdapServer } from '../support/ldap/ldap-server.js';
import { type NotKept, withoutNotKept } from './not-kept.js';
import { loadTranscript, stepsOf } from './transcript-runner.js';
import { describeTranscripts, transcriptFiles } from './transcript-suite.js';
import { basicOf } from './with-basic.js';

function ofUser(reason: string, ...paths: readonly string[]): readonly NotKept[] {
  return paths.map((path) => ({ type: 'User', path, reason }));
}

const anywhere = [
  ...ofUser('No class has an attribute for application roles with type, display and primary.', 'roles'),
  ...ofUser('No class has an attribute for it.', 'locale', 'timezone', 'nickName'),
];

/** What inetOrgPerson (RFC 2798) leaves out. */
const inetOrgPerson = [
  ...anywhere,
  ...ofUser(
    'Of the parts of a name, only givenName and sn.',
    ...['middleName', 'honorificPrefix', 'honorificSuffix'].map((part) => `name.${part}`),
  ),
  ...ofUser('c belongs to other classes, and holds two letters.', 'addresses.country'),
  ...ofUser('No attribute for it.', 'costCenter'),
];

const notKept: Readonly<Record<LdapKind, readonly NotKept[]>> = {
  openldap: inetOrgPerson,
  '389-ds': inetOrgPerson,
  samba: anywhere,
};

for (const kind of ['openldap', 'samba', '389-ds'] as const) {
  await describeOnLdap(kind, 'every recorded conversation', (name) => {
    let directory: LdapServer;
    afterAll(() => directory?.close());
    describeTranscripts(name, {
      start: async () => {
        directory = await startLdap(kind);
        return startDirectoryGateway(directory);
      },
      basic: basicOf,
      notKept: notKept[kind],
    });
    describe('not kept, and so not expected', () => {
      const asked = transcriptFiles.flatMap((file) => loadTranscript(file).flatMap(stepsOf));
      const taken = new Set(asked.flatMap((exchange) => withoutNotKept(exchange, notKept[kind]).taken));
      it.each(notKept[kind])('$type $path: $reason', ({ path }) => {
        expect(taken).toContain(path);
      });
    });
  });
}
