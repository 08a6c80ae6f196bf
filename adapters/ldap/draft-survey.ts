import { AdapterError } from '../../src/backend/adapter-error.js';
import type { Calls } from './calls.js';
import type { Entry } from './directory.js';
import { depthBelow, formatDn, isSameDn, normalizeDn, parentOf, parseDn, rdnOf } from './dn.js';
import type { LdapFilter } from './ldap-filter.js';

/** Entries of one kind: where they are, and what they are made of. */
export interface Survey {
  readonly total: number;
  /** By normal form of the DN of the entry right above. */
  readonly parents: ReadonlyMap<string, { readonly dn: string; readonly count: number }>;
  /** Object classes of each entry, in lower case; sets that occur often are held once. */
  readonly classSets: readonly { readonly classes: readonly string[]; readonly count: number }[];
  /** How often each attribute names an entry, in lower case. */
  readonly namedBy: ReadonlyMap<string, number>;
  /** There are more than were looked at. */
  readonly isCut: boolean;
}

/** Enough to tell where people are. */
const atMost = 20_000;

/** @param isLeftOut entries that do not count, e.g. the gateway's own account */
export async function survey(
  calls: Calls,
  base: string,
  filter: LdapFilter,
  isLeftOut: (entry: Entry) => boolean,
): Promise<Survey> {
  const parents = new Map<string, { dn: string; count: number }>();
  const classSets = new Map<string, { classes: readonly string[]; count: number }>();
  const namedBy = new Map<string, number>();
  let total = 0;
  const attributes = ['objectClass', 'userPrincipalName', 'sAMAccountName'];
  const take = (entry: Entry): void => {
    if (isSameDn(entry.dn, base) || isLeftOut(entry)) return;
    total++;
    const dn = parentOf(entry.dn);
    const parent = parents.get(normalizeDn(dn)) ?? { dn, count: 0 };
    parents.set(normalizeDn(dn), { dn, count: parent.count + 1 });
    const classes = (entry.attributes.get('objectclass') ?? []).map((name) => String(name).toLowerCase()).sort();
    const set = classSets.get(classes.join(' ')) ?? { classes, count: 0 };
    classSets.set(classes.join(' '), { classes, count: set.count + 1 });
    const type = rdnOf(entry.dn)[0]?.type.toLowerCase() ?? '';
    namedBy.set(type, (namedBy.get(type) ?? 0) + 1);
  };
  const isCut = await eachEntry(calls, { base, filter, attributes }, take);
  return { total, parents, classSets: [...classSets.values()], namedBy, isCut };
}

/** @returns whether there are more */
async function eachEntry(
  calls: Calls,
  request: { readonly base: string; readonly filter: LdapFilter; readonly attributes: readonly string[] },
  take: (entry: Entry) => void,
): Promise<boolean> {
  const search = { ...request, scope: 'sub' } as const;
  if (calls.directory.server?.features.paging === false) {
    const { entries, limited } = await calls.search('draft', { ...search, sizeLimit: atMost });
    for (const entry of entries) take(entry);
    return limited;
  }
  let seen = 0;
  for await (const { entries } of calls.pages('draft', search)) {
    for (const entry of entries) take(entry);
    seen += entries.length;
    if (seen >= atMost) return true;
  }
  return false;
}

/** Where the entries of an entity are, and where new ones go. */
export interface Place {
  readonly base: string;
  readonly into: string;
  /** Entries of the kind that lie elsewhere. */
  readonly outside: number;
}

/** The deepest entry below which nine tenths lie; new ones go where most are. Undefined where there are none. */
export function placeOf({ parents, total }: Survey, base: string): Place | undefined {
  if (total === 0) return undefined;
  const above = new Map<string, { dn: string; count: number; depth: number }>();
  for (const { dn, count } of parents.values()) {
    const rdns = parseDn(dn);
    const depth = depthBelow(dn, base) ?? 0;
    for (let up = 0; up <= depth; up++) {
      const ancestor = formatDn(rdns.slice(up));
      const key = normalizeDn(ancestor);
      const known = above.get(key) ?? { dn: ancestor, count: 0, depth: depth - up };
      above.set(key, { ...known, count: known.count + count });
    }
  }
  const covering = [...above.values()].filter(({ count }) => count >= total * 0.9);
  const best = covering.reduce((one, other) => (other.depth > one.depth ? other : one));
  const within = [...parents.values()].filter(({ dn }) => depthBelow(dn, best.dn) !== undefined);
  const fullest = within.reduce((one, other) => (other.count > one.count ? other : one));
  return { base: best.dn, into: fullest.dn, outside: total - best.count };
}

/** A survey without what lies in one container. */
export function without(whole: Survey, container: string): Survey {
  const parents = [...whole.parents].filter(([, { dn }]) => depthBelow(dn, container) === undefined);
  return { ...whole, parents: new Map(parents), total: parents.reduce((sum, [, { count }]) => sum + count, 0) };
}

/** The container nearest to the base that has one of the names. */
export async function namedContainer(
  calls: Calls,
  base: string,
  names: readonly string[],
): Promise<string | undefined> {
  const unit = (attribute: string) => names.map((value): LdapFilter => ({ kind: 'equality', attribute, value }));
  const filter: LdapFilter = {
    kind: 'and',
    operands: [
      { kind: 'equality', attribute: 'objectClass', value: 'organizationalUnit' },
      { kind: 'or', operands: unit('ou') },
    ],
  };
  const found = await calls.all('draft', { base, scope: 'sub', filter, attributes: ['1.1'] });
  const ranked = found.map(({ dn }) => ({
    dn,
    depth: depthBelow(dn, base) ?? 0,
    rank: names.indexOf(rdnOf(dn)[0]?.value.toLowerCase() ?? ''),
  }));
  ranked.sort((one, other) => one.depth - other.depth || one.rank - other.rank);
  return ranked[0]?.dn;
}

/** Whether at least one entry meets the filter. */
export async function isThere(calls: Calls, base: string, filter: LdapFilter): Promise<boolean> {
  const { entries } = await calls.firstPage('draft', { base, scope: 'sub', filter, attributes: ['1.1'] }, 1);
  return entries.length > 0;
}

/** The name as the configuration writes it: relative where it lies below the base. */
export function relativeTo(dn: string, base: string): string {
  const depth = depthBelow(dn, base);
  if (depth === undefined || depth === 0) return dn;
  const text = formatDn(parseDn(dn).slice(0, depth));
  if (/[{}]/.test(dn))
    throw new AdapterError('unsupported', 'The name of a container has braces, which templates use.');
  return text;
}
