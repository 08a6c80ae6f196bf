import { BerReader, berBoolean, berElement, berInteger, berSequence, berTag, berText } from './ber.js';
import { encodeFilter } from './codec.js';
import type { Entry, RequestControl, SearchAnswer } from './directory.js';
import type { LdapFilter } from './ldap-filter.js';
import { oid } from './server-kind.js';

export interface SortKey {
  readonly attribute: string;
  /** OpenLDAP needs it (`features.sortNeedsRule`): `caseIgnoreOrderingMatch`. */
  readonly rule?: string;
  readonly descending?: boolean;
}

/** RFC 2891. Critical: an answer in another order would be taken for one in this. */
export function sortControl(...keys: readonly SortKey[]): RequestControl {
  const encoded = keys.map(({ attribute, rule, descending = false }) => {
    const ruleParts = rule === undefined ? [] : [berText(rule, 0x80)];
    return berSequence(berText(attribute), ...ruleParts, ...(descending ? [berBoolean(true, 0x81)] : []));
  });
  return { oid: oid.sortRequest, value: berSequence(...encoded), critical: true };
}

export interface ListView {
  /** From 1. */
  readonly offset: number;
  /** How many entries after the first. */
  readonly after: number;
  /** From the last answer, where it was asked over the same connection. */
  readonly contextId?: Uint8Array;
}

/** A virtual list view (draft-ietf-ldapext-ldapv3-vlv-09), always together with `sortControl`. */
export function listViewControl({ offset, after, contextId }: ListView): RequestControl {
  const target = berElement(0xa0, berInteger(offset), berInteger(0));
  const context = contextId === undefined ? [] : [berElement(berTag.octetString, contextId)];
  const value = berSequence(berInteger(0), berInteger(after), target, ...context);
  return { oid: oid.vlvRequest, value, critical: true };
}

export interface ListViewAnswer {
  /** Where the first entry stands, from 1. Some servers answer with the last entry when the offset lies beyond it. */
  readonly position: number;
  readonly total: number;
  readonly contextId?: Uint8Array;
}

/** @returns undefined when the server told nothing about the list */
export function listViewIn(controls: SearchAnswer['controls']): ListViewAnswer | undefined {
  const value = controls.find((control) => control.oid === oid.vlvResponse)?.value;
  if (value === undefined) return undefined;
  const content = sequenceIn(value);
  const position = content.integer();
  const total = content.integer();
  content.skip();
  return content.isAtEnd ? { position, total } : { position, total, contextId: content.octets() };
}

/** With each DN in the attribute come attributes of the entry that it names (draft-masarati-ldap-deref-00). */
export function derefControl(attribute: string, wanted: readonly string[]): RequestControl {
  const spec = berSequence(berText(attribute), berSequence(...wanted.map((name) => berText(name))));
  return { oid: oid.deref, value: berSequence(spec), critical: true };
}

export interface DerefEntry {
  readonly dn: string;
  /** By lower-case name; empty when the DN names no entry that may be read. */
  readonly attributes: ReadonlyMap<string, readonly string[]>;
}

/** What `derefControl` brought along with an entry, in the order of the values. */
export function derefIn(entry: Pick<Entry, 'controls'>): readonly DerefEntry[] {
  const value = entry.controls.find((control) => control.oid === oid.deref)?.value;
  if (value === undefined) return [];
  const found: DerefEntry[] = [];
  const list = sequenceIn(value);
  while (!list.isAtEnd) {
    const one = list.enter(berTag.sequence);
    one.skip();
    found.push({ dn: one.text(), attributes: one.isAtEnd ? new Map() : textAttributes(one.enter()) });
  }
  return found;
}

function textAttributes(list: BerReader): ReadonlyMap<string, readonly string[]> {
  const attributes = new Map<string, readonly string[]>();
  while (!list.isAtEnd) {
    const attribute = list.enter(berTag.sequence);
    const name = attribute.text().toLowerCase();
    const values: string[] = [];
    const set = attribute.enter(berTag.set);
    while (!set.isAtEnd) values.push(set.text());
    attributes.set(name, values);
  }
  return attributes;
}

/** Of the attributes asked for, only values that match one of the filters come (RFC 3876). */
export function matchedValuesControl(...filters: readonly LdapFilter[]): RequestControl {
  return { oid: oid.matchedValues, value: berSequence(...filters.map(encodeFilter)), critical: true };
}

/** Active Directory: names in the answer are written as `parseExtendedDn` reads them (MS-ADTS 3.1.1.3.4.1.5). */
export const extendedDnControl: RequestControl = {
  oid: oid.extendedDn,
  value: berSequence(berInteger(1)),
  critical: true,
};

/** A value that is added and is there already is no error. Not critical: a server that doesn't know it says 20 as ever. */
export const permissiveModifyControl: RequestControl = { oid: oid.permissiveModify, critical: false };

export interface ExtendedDn {
  /** Dashed, as Microsoft's tools show it, in lower case. */
  readonly guid: string;
  readonly sid: string | undefined;
  readonly dn: string;
}

/** @returns undefined when the text is an ordinary name */
export function parseExtendedDn(text: string): ExtendedDn | undefined {
  const match = /^<GUID=([0-9A-Fa-f-]{36})>;(?:<SID=([^>]*)>;)?(.*)$/s.exec(text);
  const [, guid, sid, dn] = match ?? [];
  return guid === undefined || dn === undefined ? undefined : { guid: guid.toLowerCase(), sid, dn };
}

function sequenceIn(value: Uint8Array): BerReader {
  return new BerReader(Buffer.from(value)).enter(berTag.sequence);
}
