import { LRUCache } from 'lru-cache';
import type { Calls } from './calls.js';
import type { Entry } from './directory.js';
import { normalizeDn } from './dn.js';
import { type EntityPlan, type EntityPlans, isInside } from './entity-plan.js';
import { storedId } from './filters.js';
import { both, either, type LdapFilter } from './ldap-filter.js';
import { decodeValue } from './values.js';

const cacheSize = 50_000;
/** Where an entry was: good for a guess that is checked. */
const cacheMs = 60_000;
/** Others rename entries too and give names to others: what is shown may be old for so long, and nothing is written by it. */
const shownMs = 10_000;
const batchSize = 200;
/** Active Directory is quicker with one search for more names than these; others have an index by name only. */
const directReads = 40;
/** Of more unknown names or ids than these, all of the entity are read instead. */
const sweptFrom = 1_000;

export interface Known {
  readonly id: string;
  readonly dn: string;
}

/** Translates ids to the names of entries and back, in batches, within the entities that a reference may lead to. */
export class References {
  private readonly byId = new LRUCache<string, Known>({ max: cacheSize, ttl: cacheMs });
  private readonly byDn = new LRUCache<string, Known>({ max: cacheSize, ttl: shownMs });
  /** The last SID's group, or that there is none. */
  private readonly bySid = new LRUCache<string, { readonly id: string | undefined }>({ max: 1_000, ttl: cacheMs });

  /**
   * The DNs of ids, as they are now: what was seen before may be the name of somebody else by now. Those that name no entry
   * of the targets are absent.
   */
  async dnsOf(
    plans: EntityPlans,
    targets: readonly string[],
    ids: readonly string[],
    calls: Calls,
  ): Promise<ReadonlyMap<string, string>> {
    const found = new Map<string, string>();
    let missing = [...new Set(ids)];
    for (const plan of plansOf(plans, targets)) {
      if (missing.length === 0) break;
      for (const known of await searchIds(plan, missing, calls)) {
        this.remember(plan, known);
        found.set(known.id, known.dn);
      }
      missing = missing.filter((id) => !found.has(id));
    }
    return found;
  }

  /** The ids of names, by normalised name; those that name no entry of the targets are absent. */
  async idsOf(
    plans: EntityPlans,
    targets: readonly string[],
    dns: readonly string[],
    calls: Calls,
  ): Promise<ReadonlyMap<string, string>> {
    const found = new Map<string, string>();
    let missing = new Map(dns.map((dn) => [normalizeDn(dn), dn]));
    missing.delete('');
    for (const plan of plansOf(plans, targets)) {
      const left = new Map<string, string>();
      const unknown: string[] = [];
      for (const [normal, dn] of missing) {
        const known = this.byDn.get(key(plan, normal));
        if (known !== undefined) found.set(normal, known.id);
        else if (isInside(plan, dn)) unknown.push(dn);
        else left.set(normal, dn);
      }
      for (const known of await searchDns(plan, unknown, calls)) {
        this.remember(plan, known);
        found.set(normalizeDn(known.dn), known.id);
      }
      for (const dn of unknown) if (!found.has(normalizeDn(dn))) left.set(normalizeDn(dn), dn);
      missing = left;
      if (missing.size === 0) break;
    }
    return found;
  }

  /** The ids of entries by their SIDs (hexadecimal, Active Directory); those that are none of the targets' are absent. */
  async idsOfSids(
    plans: EntityPlans,
    targets: readonly string[],
    sids: readonly string[],
    calls: Calls,
  ): Promise<ReadonlyMap<string, string>> {
    const found = new Map<string, string>();
    for (const plan of plansOf(plans, targets)) {
      for (const sid of sids) {
        if (found.has(sid)) continue;
        const id = this.bySid.get(key(plan, sid)) ?? { id: await searchSid(plan, sid, calls) };
        this.bySid.set(key(plan, sid), id);
        if (id.id !== undefined) found.set(sid, id.id);
      }
    }
    return found;
  }

  /** How many of the names that may be of the targets are to be looked up. */
  unknownOf(plans: readonly EntityPlan[], dns: readonly string[]): number {
    const isUnknown = (dn: string): boolean => {
      const own = plans.filter((plan) => isInside(plan, dn));
      return own.length > 0 && own.every((plan) => !this.byDn.has(key(plan, normalizeDn(dn))));
    };
    return dns.filter(isUnknown).length;
  }

  /** The name of an entry when it was last seen: whoever writes by it has to check that it is still this one. */
  known(plan: EntityPlan, id: string): string | undefined {
    return this.byId.get(key(plan, id))?.dn;
  }

  remember(plan: EntityPlan, known: Known): void {
    const old = this.byId.get(key(plan, known.id));
    if (old !== undefined && old.dn !== known.dn) this.byDn.delete(key(plan, normalizeDn(old.dn)));
    this.byId.set(key(plan, known.id), known);
    this.byDn.set(key(plan, normalizeDn(known.dn)), known);
  }

  forget(plan: EntityPlan, id: string): void {
    const known = this.byId.get(key(plan, id));
    this.byId.delete(key(plan, id));
    for (const [sid, { id: own }] of this.bySid.entries()) if (own === id) this.bySid.delete(sid);
    if (known !== undefined) this.byDn.delete(key(plan, normalizeDn(known.dn)));
  }

  /** After a rename of an entry that others may lie below. */
  clear(): void {
    this.byId.clear();
    this.byDn.clear();
    this.bySid.clear();
  }
}

/** The id of an entry as the gateway gives it. */
export function idOfEntry(plan: EntityPlan, entry: Entry): string | undefined {
  const value = entry.attributes.get(plan.id.key)?.[0];
  const id = value === undefined ? undefined : decodeValue(plan.id, value);
  return id === undefined ? undefined : `${plan.idPrefix}${String(id)}`;
}

function key(plan: EntityPlan, text: string): string {
  return `${plan.entity}\0${text}`;
}

function plansOf(plans: EntityPlans, targets: readonly string[]): readonly EntityPlan[] {
  return targets.flatMap((target) => plans.get(target) ?? []);
}

async function searchIds(plan: EntityPlan, ids: readonly string[], calls: Calls): Promise<readonly Known[]> {
  const wanted = new Set(ids);
  if (ids.length > sweptFrom) return sweep(plan, ({ id }) => wanted.has(id), calls);
  if (plan.server.features.guidDn && plan.id.key === 'objectguid' && ids.length <= directReads) {
    const guids = ids.filter((id) => storedId(plan, id) !== undefined).map((id) => id.slice(plan.idPrefix.length));
    const names = guids.map((guid) => `<GUID=${guid}>`);
    const entries = await calls.bases(plan.entity, names, plan.filter, [plan.id.attribute]);
    return entries.filter(({ dn }) => isInside(plan, dn)).flatMap((entry) => known(plan, entry));
  }
  const filters = ids.flatMap((id): readonly LdapFilter[] => {
    const value = storedId(plan, id);
    return value === undefined ? [] : [{ kind: 'equality', attribute: plan.id.attribute, value }];
  });
  const entries = await searchAny(plan, filters, calls);
  return entries.filter(({ id }) => wanted.has(id));
}

async function searchDns(plan: EntityPlan, dns: readonly string[], calls: Calls): Promise<readonly Known[]> {
  if (dns.length === 0) return [];
  if (dns.length > sweptFrom) {
    const wanted = new Set(dns.map(normalizeDn));
    return sweep(plan, ({ dn }) => wanted.has(normalizeDn(dn)), calls);
  }
  if (plan.server.kind === 'active-directory' && dns.length > directReads) {
    const attribute = 'distinguishedName';
    return searchAny(
      plan,
      dns.map((value): LdapFilter => ({ kind: 'equality', attribute, value })),
      calls,
    );
  }
  const entries = await calls.bases(plan.entity, dns, plan.filter, [plan.id.attribute]);
  return entries.flatMap((entry) => known(plan, entry));
}

async function searchSid(plan: EntityPlan, sid: string, calls: Calls): Promise<string | undefined> {
  const value = Buffer.from(sid, 'hex');
  const filter = both([plan.filter, { kind: 'equality', attribute: 'objectSid', value }]);
  const request = {
    base: plan.base,
    scope: plan.scope,
    filter,
    attributes: [plan.id.attribute],
    sizeLimit: 2,
  } as const;
  const [entry] = (await calls.search(plan.entity, request)).entries;
  return entry === undefined ? undefined : idOfEntry(plan, entry);
}

/** All entries of the entity, which is quicker than asking for very many one by one. */
async function sweep(plan: EntityPlan, isWanted: (known: Known) => boolean, calls: Calls): Promise<readonly Known[]> {
  const found: Known[] = [];
  const request = { base: plan.base, scope: plan.scope, filter: plan.filter, attributes: [plan.id.attribute] };
  for await (const page of calls.pages(plan.entity, request)) {
    found.push(...page.entries.flatMap((entry) => known(plan, entry)).filter(isWanted));
  }
  return found;
}

async function searchAny(plan: EntityPlan, filters: readonly LdapFilter[], calls: Calls): Promise<readonly Known[]> {
  const batches: Promise<readonly Entry[]>[] = [];
  for (let at = 0; at < filters.length; at += batchSize) {
    const filter = both([plan.filter, either(filters.slice(at, at + batchSize))]);
    const request = { base: plan.base, scope: plan.scope, filter, attributes: [plan.id.attribute] } as const;
    batches.push(calls.all(plan.entity, request));
  }
  return (await Promise.all(batches)).flat().flatMap((entry) => known(plan, entry));
}

/** The id and the name of an entry, where it has an id. */
export function known(plan: EntityPlan, entry: Entry): readonly Known[] {
  const id = idOfEntry(plan, entry);
  return id === undefined ? [] : [{ id, dn: entry.dn }];
}
