import type { OperationContext } from '../../src/backend/adapter.js';
import type { LdapFilter } from './ldap-filter.js';
import type { ServerProfile } from './server-kind.js';

/** Text, or bytes where the schema says that the attribute holds bytes. Which of the two depends on the schema alone. */
export type AttributeValue = string | Uint8Array;

/** A control sent with an operation. `value` is the encoded content: see `search-controls.ts` and `entry-controls.ts`. */
export interface RequestControl {
  readonly oid: string;
  readonly value?: Uint8Array;
  /** A server that doesn't know a critical control refuses the operation with code 12. */
  readonly critical: boolean;
}

export interface ResponseControl {
  readonly oid: string;
  readonly value?: Uint8Array;
}

export interface Entry {
  readonly dn: string;
  /**
   * By attribute name in lower case, without options that say how it was sent (`;range=…`, `;binary`). Attributes
   * without a value (asked with `typesOnly`, or an empty range) are there with an empty list.
   */
  readonly attributes: ReadonlyMap<string, readonly AttributeValue[]>;
  /** Attributes of which only a part came (Active Directory): ask for `name;range=<next>-*` to go on. */
  readonly unfinished?: ReadonlyMap<string, { readonly next: number }>;
  /** What controls say about this entry (deref). */
  readonly controls: readonly ResponseControl[];
}

export interface SearchRequest {
  readonly base: string;
  readonly scope: 'base' | 'one' | 'sub';
  readonly filter: LdapFilter;
  /** In any case of letters. `['1.1']` asks for none; an empty list means the same here, not "all" as on the wire. */
  readonly attributes: readonly string[];
  readonly controls?: readonly RequestControl[];
  /** At most so many entries; beyond, the answer is `limited` and holds those that came. Samba ignores it: use `page`. */
  readonly sizeLimit?: number;
  /**
   * One page by RFC 2696. A cookie is only good on the connection that gave it: pass one only on a lease. On a shared
   * connection the first page may be asked for, and never another.
   */
  readonly page?: { readonly size: number; readonly cookie?: Uint8Array };
}

export interface SearchAnswer {
  readonly entries: readonly Entry[];
  /** Where the next page goes on; absent after the last one. */
  readonly cookie?: Uint8Array;
  /** The server cut the answer at a size limit (code 4): the entries that came before are in it. */
  readonly limited: boolean;
  /** Search references to other servers, which are not followed. */
  readonly references: number;
  readonly controls: readonly ResponseControl[];
}

export interface Attribute {
  readonly name: string;
  readonly values: readonly AttributeValue[];
}

export interface Modification extends Attribute {
  /** `replace` without values removes the attribute, also where it is absent. `delete` without values removes it whole. */
  readonly op: 'add' | 'delete' | 'replace';
}

export interface WriteAnswer {
  /** From the controls of RFC 4527, where they were sent and the server knows them. */
  readonly preRead?: Entry;
  readonly postRead?: Entry;
  readonly controls: readonly ResponseControl[];
}

export interface Rename {
  /** From `formatRdn`: escaped. */
  readonly newRdn: string;
  readonly newSuperior?: string;
  /** Default true: values of the old name are removed. */
  readonly deleteOldRdn?: boolean;
}

/** Part of a context that an operation needs. */
export type WireContext = Pick<OperationContext, 'signal' | 'hasEnded' | 'deadlineMs'>;

/**
 * Operations reject with `LdapResultError` when the server answers with an error code (`adapterErrorOf` turns it into
 * words), and with `AdapterError` `unavailable` or `timeout` when there is no answer; `applied` says whether a write may
 * have been carried out. Every one ends at the latest at the context's deadline or the configured `timeoutMs`.
 */
export interface Operations {
  search(request: SearchRequest, context: WireContext): Promise<SearchAnswer>;
  add(
    dn: string,
    attributes: readonly Attribute[],
    controls: readonly RequestControl[],
    context: WireContext,
  ): Promise<WriteAnswer>;
  modify(
    dn: string,
    modifications: readonly Modification[],
    controls: readonly RequestControl[],
    context: WireContext,
  ): Promise<WriteAnswer>;
  modifyDn(dn: string, rename: Rename, controls: readonly RequestControl[], context: WireContext): Promise<WriteAnswer>;
  delete(dn: string, controls: readonly RequestControl[], context: WireContext): Promise<WriteAnswer>;
  compare(dn: string, attribute: string, value: AttributeValue, context: WireContext): Promise<boolean>;
  /** RFC 3062. Refused with `unsupported` on a connection in clear text. */
  passwordModify(dn: string, newPassword: string, context: WireContext): Promise<void>;
  /** Any other extended operation. @returns the value of the response, where there is one */
  extended(
    oid: string,
    value: Uint8Array | undefined,
    controls: readonly RequestControl[],
    context: WireContext,
  ): Promise<Uint8Array | undefined>;
}

/** A connection for one user alone: for cookies, transactions and slow searches. Give it back, whatever happens. */
export interface Lease extends Operations {
  readonly isOpen: boolean;
  /** The connection may be used by others again. */
  release(): void;
  /** The connection is closed: a search that still runs on the server ends. Does nothing after `release`. */
  cut(): void;
}

/** The directory behind one configuration: several servers that hold the same data, a pool of bound connections. */
export interface Directory extends Operations {
  /** Undefined while no server has been reached yet. May become another object after a failover. */
  readonly server: ServerProfile | undefined;
  /** Whether passwords may be sent: every connection is encrypted, or stays on this machine. */
  readonly isConfidential: boolean;
  /** Reaches a server when none was reached before: root DSE and schema are read then. */
  connect(context: WireContext): Promise<ServerProfile>;
  /** A connection to the server that is in use, for one user alone. Waits when too many are out. */
  lease(context: WireContext): Promise<Lease>;
  /** All pages of a search, one after another on a leased connection that is given back at the end or when left early. */
  searchPages(
    request: Omit<SearchRequest, 'page'>,
    pageSize: number,
    context: WireContext,
  ): AsyncIterable<SearchAnswer>;
  /** A question to the server over a connection that exists or is made now: rejects when it cannot be asked. */
  check(context: WireContext): Promise<void>;
  /** Running operations are rejected with `unavailable`. Safe to call twice. */
  close(): Promise<void>;
}
