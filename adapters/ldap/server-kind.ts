import type { AttributeValue } from './directory.js';
import type { DirectorySchema } from './schema.js';

export type ServerKind = 'openldap' | 'active-directory' | '389-ds' | 'generic';

/** OIDs of controls, extended operations and features, by the name that they have here. */
export const oid = {
  assertion: '1.3.6.1.1.12',
  preRead: '1.3.6.1.1.13.1',
  postRead: '1.3.6.1.1.13.2',
  pagedResults: '1.2.840.113556.1.4.319',
  deref: '1.3.6.1.4.1.4203.666.5.16',
  treeDelete: '1.2.840.113556.1.4.805',
  startTls: '1.3.6.1.4.1.1466.20037',
  passwordModify: '1.3.6.1.4.1.4203.1.11.1',
  activeDirectory: '1.2.840.113556.1.4.800',
} as const;

/** What a server does, as the root DSE and what is known of its kind tell. Each can be overridden in the configuration. */
export interface ServerFeatures {
  /** A condition that is checked with the write as one step (RFC 4528). */
  readonly assertion: boolean;
  /** The entry before and after a write, in the same round trip (RFC 4527). */
  readonly readEntry: boolean;
  readonly paging: boolean;
  /** DNs in an attribute come with attributes of the entries they name. */
  readonly deref: boolean;
  readonly treeDelete: boolean;
  readonly passwordModify: boolean;
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
  /** Larger requests make the server end the connection: its usual setting, unless the configuration says another. */
  readonly maxRequestBytes: number;
  readonly schema: DirectorySchema;
  /** Everything the root DSE holds, by lower-case name. */
  readonly rootDse: ReadonlyMap<string, readonly AttributeValue[]>;
}

/** What the configuration says against what was detected. */
export interface ProfileOverrides {
  readonly kind?: ServerKind | undefined;
  readonly maxRequestBytes?: number | undefined;
  readonly features?: { readonly [Name in keyof ServerFeatures]?: boolean | undefined } | undefined;
}

/** The attributes of the root DSE to ask for: some servers give these only when they are named. */
export const rootDseAttributes = ['*', '+'] as const;

/** @param rootDse attributes by lower-case name */
export function profileServer(
  rootDse: ReadonlyMap<string, readonly AttributeValue[]>,
  schema: DirectorySchema,
  overrides: ProfileOverrides = {},
): ServerProfile {
  const texts = (name: string): readonly string[] => (rootDse.get(name.toLowerCase()) ?? []).map(String);
  const capabilities = new Set(texts('supportedCapabilities'));
  const vendor = `${texts('vendorName').join(' ')} ${texts('vendorVersion').join(' ')}`.trim();
  const kind = overrides.kind ?? detectKind(texts('objectClass'), vendor, capabilities);
  const isSamba = kind === 'active-directory' && /samba/i.test(vendor);
  const namingContexts = texts('namingContexts').filter((context) => context !== '');
  const controls = new Set(texts('supportedControl'));
  const extensions = new Set(texts('supportedExtension'));
  return {
    kind,
    isSamba,
    product: productOf(kind, vendor),
    controls,
    extensions,
    capabilities,
    namingContexts,
    defaultBase: texts('defaultNamingContext')[0] ?? onlyDataContext(namingContexts),
    serverName: texts('dsServiceName')[0],
    features: featuresOf(kind, controls, extensions, overrides.features),
    maxRequestBytes: Math.min(overrides.maxRequestBytes ?? usualRequestBytes[kind], mostRequestBytes),
    schema,
    rootDse,
  };
}

/** sockbuf_max_incoming_auth, MaxReceiveBuffer, nsslapd-maxbersize. */
const usualRequestBytes: Readonly<Record<ServerKind, number>> = {
  openldap: 4_194_303,
  'active-directory': 10_485_760,
  '389-ds': 2_097_152,
  generic: 2_097_152,
};
/** What can be encoded. */
const mostRequestBytes = 16_777_215;

function detectKind(classes: readonly string[], vendor: string, capabilities: ReadonlySet<string>): ServerKind {
  if (capabilities.has(oid.activeDirectory)) return 'active-directory';
  if (classes.some((name) => name.toLowerCase() === 'openldaprootdse')) return 'openldap';
  if (/389 Project|389-Directory|Red ?Hat Directory|Fedora/i.test(vendor)) return '389-ds';
  return 'generic';
}

function productOf(kind: ServerKind, vendor: string): string {
  if (vendor !== '') return vendor;
  return kind === 'openldap' ? 'OpenLDAP' : kind === 'active-directory' ? 'Active Directory' : 'LDAP server';
}

/** Servers also list where they keep logs, changes and their own configuration. */
function onlyDataContext(namingContexts: readonly string[]): string | undefined {
  const data = namingContexts.filter(
    (context) => !/^(?:cn|o)=(?:accesslog|config|monitor|changelog|schema|netscaperoot)\b/i.test(context),
  );
  return data.length === 1 ? data[0] : undefined;
}

function featuresOf(
  kind: ServerKind,
  controls: ReadonlySet<string>,
  extensions: ReadonlySet<string>,
  overrides: ProfileOverrides['features'] = {},
): ServerFeatures {
  const isAd = kind === 'active-directory';
  const isOpenLdap = kind === 'openldap';
  const detected: ServerFeatures = {
    assertion: controls.has(oid.assertion),
    readEntry: controls.has(oid.preRead) && controls.has(oid.postRead),
    paging: controls.has(oid.pagedResults),
    deref: controls.has(oid.deref),
    treeDelete: controls.has(oid.treeDelete),
    passwordModify: extensions.has(oid.passwordModify) && !isAd,
    bitRules: isAd || isOpenLdap,
    ranges: isAd,
    emptyGroups: isAd || kind === '389-ds',
    guidDn: isAd,
  };
  const said = Object.entries(overrides).filter(([, value]) => value !== undefined);
  return { ...detected, ...Object.fromEntries(said) };
}
