import type { AttributeValue } from './directory.js';
import type { DirectorySchema } from './schema.js';

export type ServerKind = 'openldap' | 'active-directory' | '389-ds' | 'generic';

/** OIDs of controls, extended operations and features, by the name that they have here. */
export const oid = {
  assertion: '1.3.6.1.1.12',
  preRead: '1.3.6.1.1.13.1',
  postRead: '1.3.6.1.1.13.2',
  permissiveModify: '1.2.840.113556.1.4.1413',
  pagedResults: '1.2.840.113556.1.4.319',
  sortRequest: '1.2.840.113556.1.4.473',
  sortResponse: '1.2.840.113556.1.4.474',
  vlvRequest: '2.16.840.1.113730.3.4.9',
  vlvResponse: '2.16.840.1.113730.3.4.10',
  deref: '1.3.6.1.4.1.4203.666.5.16',
  extendedDn: '1.2.840.113556.1.4.529',
  matchedValues: '1.2.826.0.1.3344810.2.3',
  treeDelete: '1.2.840.113556.1.4.805',
  showDeleted: '1.2.840.113556.1.4.417',
  domainScope: '1.2.840.113556.1.4.1339',
  relax: '1.3.6.1.4.1.4203.666.5.12',
  startTls: '1.3.6.1.4.1.1466.20037',
  passwordModify: '1.3.6.1.4.1.4203.1.11.1',
  transactionStart: '1.3.6.1.1.21.1',
  transactionControl: '1.3.6.1.1.21.2',
  transactionEnd: '1.3.6.1.1.21.3',
  activeDirectory: '1.2.840.113556.1.4.800',
} as const;

/** What a server does, as the root DSE and what is known of its kind tell. Each can be overridden in the configuration. */
export interface ServerFeatures {
  /** A condition that is checked with the write as one step (RFC 4528). */
  readonly assertion: boolean;
  /** The entry before and after a write, in the same round trip (RFC 4527). */
  readonly readEntry: boolean;
  /** Adding a value that is there is a success. Only adding: removing an absent one is still refused. */
  readonly permissiveModify: boolean;
  readonly paging: boolean;
  /** Two paged searches at once on one connection. Without, the second ends the first. */
  readonly concurrentPaging: boolean;
  readonly sort: boolean;
  /** A sort key needs `orderingRule` (OpenLDAP answers 18 without). */
  readonly sortNeedsRule: boolean;
  readonly vlv: boolean;
  /** DNs in an attribute come with attributes of the entries they name. */
  readonly deref: boolean;
  /** DNs come as `<GUID=…>;<SID=…>;CN=…`. */
  readonly extendedDn: boolean;
  /** Only those values of an attribute come that match. */
  readonly matchedValues: boolean;
  readonly treeDelete: boolean;
  readonly passwordModify: boolean;
  readonly transactions: boolean;
  /** `attribute:1.2.840.113556.1.4.803:=n` */
  readonly bitRules: boolean;
  /** Values of large attributes come in ranges. */
  readonly ranges: boolean;
  /** Groups may be without members. */
  readonly emptyGroups: boolean;
  /** `<GUID=…>` is understood as a DN. */
  readonly guidDn: boolean;
}

export interface ServerProfile {
  readonly kind: ServerKind;
  /** Active Directory as Samba makes it, which differs in details. */
  readonly isSamba: boolean;
  /** As the server names itself: for people. */
  readonly product: string;
  readonly controls: ReadonlySet<string>;
  readonly extensions: ReadonlySet<string>;
  readonly capabilities: ReadonlySet<string>;
  readonly namingContexts: readonly string[];
  /** `defaultNamingContext`, else the only naming context that holds data. */
  readonly defaultBase: string | undefined;
  /** Active Directory: where revisions are counted (`dsServiceName`); they mean nothing on another server. */
  readonly serverName: string | undefined;
  readonly features: ServerFeatures;
  readonly schema: DirectorySchema;
  /** Everything the root DSE holds, by lower-case name. */
  readonly rootDse: ReadonlyMap<string, readonly AttributeValue[]>;
}
