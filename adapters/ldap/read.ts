import type { BackendRecord, FieldValue, Scalar } from '../../src/backend/adapter.js';
import type { Calls } from './calls.js';
import type { Entry } from './directory.js';
import { formatDn, normalizeDn, tryParseDn } from './dn.js';
import { type EntityPlan, type EntityPlans, type FieldPlan, fieldOf, isLarge } from './entity-plan.js';
import { filterField } from './filters.js';
import { both } from './ldap-filter.js';
import { idsOfMembers } from './members.js';
import { hasPrimaryGroup, primaryGroupAttributes, primaryGroupsOf } from './primary-group.js';
import { withAllValues } from './ranges.js';
import { idOfEntry, type References } from './references.js';
import { revisionOf, revisionSource } from './revision.js';
import { decodeValue } from './values.js';

/** What is read of entries for the fields that are asked for, and nothing else. */
export interface ReadPlan {
  readonly plan: EntityPlan;
  readonly fields: readonly FieldPlan[];
  readonly reserved: ReadonlySet<string>;
  readonly attributes: readonly string[];
}

/** What reading may need beside the entries themselves. */
export interface ReadContext {
  readonly plans: EntityPlans;
  readonly references: References;
  readonly calls: Calls;
}

/** @throws AdapterError `unsupported` for a field that the mapping does not declare */
export function planRead(plan: EntityPlan, names: readonly string[]): ReadPlan {
  const wanted = [...new Set(names)].filter((name) => name !== '$id');
  const reserved = new Set<string>(wanted.filter((name) => name === '$revision'));
  const fields = wanted
    .filter((name) => !reserved.has(name))
    .map((name) => (name.startsWith('$') || !plan.fields.has(name) ? filterField(plan, name) : fieldOf(plan, name)))
    .filter((field) => field.password === undefined);
  const source = revisionSource(plan);
  const attributes = new Set([plan.id.attribute]);
  if (reserved.has('$revision') && source !== undefined) attributes.add(source);
  // Parts of many values have to be of one revision.
  if (plan.server.features.ranges && source !== undefined && fields.some(isLarge)) attributes.add(source);
  if (fields.some((field) => hasPrimaryGroup(field, plan)))
    for (const name of primaryGroupAttributes) attributes.add(name);
  for (const field of fields) {
    if (field.key === 'dn') continue;
    const own = field.searchedIn === undefined ? field : plan.fields.get(field.searchedIn.by);
    if (own !== undefined) attributes.add(own.attribute);
  }
  return { plan, fields, reserved, attributes: [...attributes] };
}

/** Entries as records, in their order; those without an id are left out. */
export async function toRecords(
  read: ReadPlan,
  entries: readonly Entry[],
  context: ReadContext,
): Promise<readonly BackendRecord[]> {
  const isWhole = entries.every(({ unfinished }) => unfinished === undefined);
  const whole = isWhole ? entries : await allWhole(read.plan, entries, context.calls);
  const ids = await referencedIds(read, whole, context);
  const inverse = await inverseValues(read, whole, context);
  const primary = await primaryGroups(read, whole, context);
  return whole.flatMap((entry): readonly BackendRecord[] => {
    const $id = idOfEntry(read.plan, entry);
    if ($id === undefined) return [];
    const record: Record<string, FieldValue> = { $id };
    if (read.reserved.has('$revision')) {
      const revision = revisionOf(read.plan, entry);
      if (revision !== undefined) record.$revision = revision;
    }
    for (const field of read.fields) {
      const values =
        field.searchedIn === undefined ? valuesOf(field, entry, ids) : (inverse.get(field)?.get(entry) ?? []);
      const own = primary.get(field)?.get(entry);
      assign(record, field, own === undefined || values.includes(own) ? values : [...values, own]);
    }
    return [record];
  });
}

async function allWhole(plan: EntityPlan, entries: readonly Entry[], calls: Calls): Promise<readonly Entry[]> {
  const whole = await Promise.all(entries.map((entry) => withAllValues(plan, entry, calls)));
  return whole.filter((entry) => entry !== undefined);
}

function assign(record: Record<string, FieldValue>, field: FieldPlan, values: readonly Scalar[]): void {
  const [first] = values;
  if (first === undefined) return;
  record[field.name] = field.use.multiple ? values : first;
}

const noValues: readonly Scalar[] = [];

function valuesOf(
  field: FieldPlan,
  entry: Entry,
  ids: ReadonlyMap<string, ReadonlyMap<string, string>>,
): readonly Scalar[] {
  if (field.key === 'dn') return [canonicalDn(entry.dn)];
  const values = entry.attributes.get(field.key) ?? [];
  const [first] = values;
  if (first === undefined) return noValues;
  switch (field.form) {
    case 'reference': {
      const known = ids.get(field.name);
      return [...new Set(values.flatMap((value) => known?.get(normalizeDn(String(value))) ?? []))];
    }
    case 'dn':
      return values.flatMap((value) => (value === '' ? [] : [canonicalDn(String(value))]));
    default: {
      if (values.length === 1) {
        const value = decodeValue(field, first);
        return value === undefined || value === '' ? noValues : [value];
      }
      const decoded = values.flatMap((value) => decodeValue(field, value) ?? []).filter((value) => value !== '');
      return decoded.length > 1 && !field.use.multiple
        ? [ownName(field, entry, decoded) ?? (decoded[0] as Scalar)]
        : decoded;
    }
  }
}

/** Of several values where one is shown, that in the entry's name comes first. */
function ownName(field: FieldPlan, entry: Entry, values: readonly Scalar[]): Scalar | undefined {
  const part = tryParseDn(entry.dn)?.[0]?.find(({ type }) => type.toLowerCase() === field.key);
  return values.find((value) => value === part?.value);
}

/** One spelling for all servers' escapes; letters stay as they are. */
function canonicalDn(dn: string): string {
  const parsed = tryParseDn(dn);
  return parsed === undefined ? dn : formatDn(parsed);
}

/** By field: the ids of the DNs in it, by normalised DN. */
async function referencedIds(read: ReadPlan, entries: readonly Entry[], context: ReadContext) {
  const { plans, references, calls } = context;
  const found = new Map<string, ReadonlyMap<string, string>>();
  for (const field of read.fields) {
    if (field.form !== 'reference' || field.searchedIn !== undefined) continue;
    const members = await idsOfMembers(read.plan, field, entries, context);
    const dns = entries.flatMap((entry) => (entry.attributes.get(field.key) ?? []).map(String));
    const rest = members.size === 0 ? dns : dns.filter((dn) => !members.has(normalizeDn(dn)));
    const ids = rest.length === 0 ? new Map() : await references.idsOf(plans, field.targets, rest, calls);
    found.set(field.name, members.size === 0 ? ids : new Map([...members, ...ids]));
  }
  return found;
}

async function primaryGroups(read: ReadPlan, entries: readonly Entry[], context: ReadContext) {
  const found = new Map<FieldPlan, ReadonlyMap<Entry, string>>();
  for (const field of read.fields) {
    if (hasPrimaryGroup(field, read.plan)) found.set(field, await primaryGroupsOf(field, entries, context));
  }
  return found;
}

/** The other end of references, by a search for each entry, side by side. */
async function inverseValues(read: ReadPlan, entries: readonly Entry[], { plans, calls }: ReadContext) {
  const found = new Map<FieldPlan, ReadonlyMap<Entry, readonly string[]>>();
  for (const field of read.fields) {
    const { searchedIn } = field;
    const other = searchedIn === undefined ? undefined : plans.get(searchedIn.entity);
    const attribute = searchedIn === undefined ? undefined : other?.fields.get(searchedIn.field)?.attribute;
    if (other === undefined || attribute === undefined) continue;
    const by = read.plan.fields.get(searchedIn?.by ?? '$id');
    const pairs = entries.map(async (entry): Promise<readonly [Entry, readonly string[]]> => {
      const value = by === undefined ? entry.dn : entry.attributes.get(by.key)?.[0];
      if (value === undefined) return [entry, []];
      const filter = both([other.filter, { kind: 'equality', attribute, value }]);
      const request = { base: other.base, scope: other.scope, filter, attributes: [other.id.attribute] } as const;
      const holders = await calls.all(other.entity, request);
      return [entry, holders.flatMap((holder) => idOfEntry(other, holder) ?? [])];
    });
    found.set(field, new Map(await Promise.all(pairs)));
  }
  return found;
}
