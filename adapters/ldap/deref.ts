import { BerReader, berSequence, berTag, berText } from './ber.js';
import type { Entry, RequestControl } from './directory.js';
import { oid } from './server-kind.js';

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
  const list = new BerReader(Buffer.from(value)).enter(berTag.sequence);
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
