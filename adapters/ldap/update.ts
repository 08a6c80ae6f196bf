import type { Change } from '../../src/backend/adapter.js';
import { AdapterError } from '../../src/backend/adapter-error.js';
import type { Calls } from './calls.js';
import {
  type AttributeChange,
  attributeChanges,
  type BlindChange,
  type EncodedChange,
  encodeChanges,
  modificationsFor,
  serverKey,
  splitChanges,
} from './changes.js';
import type { AttributeValue, Entry, Modification, RequestControl, WriteAnswer } from './directory.js';
import { childDn, formatRdn, normalizeDn, parentOf, type Rdn, rdnOf } from './dn.js';
import { renderDn } from './dn-template.js';
import type { EntityPlan, FieldPlan } from './entity-plan.js';
import { assertionControl, postReadControl } from './entry-controls.js';
import { both } from './filters.js';
import { findEntry } from './identity.js';
import type { LdapFilter } from './ldap-filter.js';
import { lockAgain, lockAttribute, type PasswordChange, setPassword, splitPassword } from './passwords.js';
import { withAllValues } from './ranges.js';
import type { ReadContext } from './read.js';
import { isReferredTo, mendChanged, mendRenamed, renameEntry } from './rename.js';
import { revisionOf, revisionSource } from './revision.js';
import { oid } from './server-kind.js';
import { tellsEntity, withoutReading } from './unread.js';
import { hasResultCode, resultCode } from './wire-errors.js';

/** So often an update is computed anew when somebody else was faster. */
const maxTries = 5;
/** So many values are asked for one by one whether they are there; beyond, all of them are read. */
const comparedOneByOne = 20;
/** Values in one modification: requests have an upper size. */
const valuesAtOnce = 5_000;

export interface UpdateRequest {
  readonly id: string;
  readonly changes: readonly Change[];
  readonly ifRevision?: string;
  /** Attributes that are wanted of the entry afterwards. */
  readonly attributes: readonly string[];
}

export interface Updated {
  readonly changed: boolean;
  /** As it is now, where the server said so with the write. */
  readonly entry?: Entry;
}

/**
 * Carries changes out as one modify, and one rename before it when they concern the entry's name. Values are added and
 * taken out one by one, so that what others do at the same time stays; where somebody was faster, the rest is computed anew.
 */
export async function updateEntry(plan: EntityPlan, request: UpdateRequest, context: ReadContext): Promise<Updated> {
  const changes = encodeChanges(plan, request.changes, await referencesIn(plan, request.changes, context));
  const { password, rest } = splitPassword(changes);
  for (let tries = 1; ; tries++) {
    try {
      return await new Update(plan, request, context).run(rest, password);
    } catch (error) {
      if (tries >= maxTries || !isOvertaken(error, request)) throw error;
    }
  }
}

/** Somebody else was faster: the entry is read again, and its revision with it. */
function isOvertaken(error: unknown, { ifRevision }: UpdateRequest): boolean {
  if (hasResultCode(error, resultCode.noSuchAttribute, resultCode.attributeOrValueExists)) return true;
  if (hasResultCode(error, resultCode.noSuchObject)) return true;
  return ifRevision === undefined && hasResultCode(error, resultCode.assertionFailed);
}

/** The DNs of all ids that the changes name. */
export async function referencesIn(plan: EntityPlan, changes: readonly Change[], context: ReadContext) {
  const dns = new Map<string, ReadonlyMap<string, string>>();
  const ids = new Map<FieldPlan, string[]>();
  for (const change of changes) {
    const field = plan.fields.get(change.field);
    if (field?.form !== 'reference' || !('values' in change)) continue;
    ids.set(field, [...(ids.get(field) ?? []), ...change.values.map(String)]);
  }
  for (const [field, wanted] of ids) {
    dns.set(field.name, await context.references.dnsOf(context.plans, field.targets, wanted, context.calls));
  }
  return (field: FieldPlan, id: string): string | undefined => dns.get(field.name)?.get(id);
}

class Update {
  private readonly plan: EntityPlan;
  private readonly request: UpdateRequest;
  private readonly context: ReadContext;
  private readonly calls: Calls;

  constructor(plan: EntityPlan, request: UpdateRequest, context: ReadContext) {
    this.plan = plan;
    this.request = request;
    this.context = context;
    this.calls = context.calls;
  }

  async run(changes: readonly EncodedChange[], password: PasswordChange | undefined): Promise<Updated> {
    const { plan } = this;
    const { local, blind } = splitChanges(changes);
    const isAlone = password === undefined && blind.length === 0;
    const unread = isAlone ? await this.runUnread(local) : undefined;
    if (unread !== undefined) return unread;
    const entry = await this.current(local, password);
    const revision = this.checkRevision(entry);
    const different = attributeChanges(local, entry, plan.placeholder);
    const renamed = this.newName(entry, different);
    const remaining = renamed === undefined ? different : withoutName(different, renamed.attributes);
    const dn = renamed === undefined ? entry.dn : await this.rename(entry, renamed, revision);
    try {
      const guard = renamed === undefined ? revision : undefined;
      const own = remaining.flatMap((change) => this.withPlaceholder(change)).flatMap(modificationsFor);
      const isLast = password === undefined && renamed === undefined;
      const isReferring = blind.length > 0 || remaining.some(({ field }) => field.form === 'reference');
      const guards = isReferring ? this.guardsOfReferences(guard) : this.guards(guard);
      const modified = await this.modify(dn, own, blind, { guards, isLast });
      if (password !== undefined) {
        const lock = lockAttribute(plan)?.toLowerCase() ?? '';
        const locked = different.find(({ field }) => field.key === lock)?.after ?? entry.attributes.get(lock);
        await setPassword(plan, dn, password, this.calls);
        await lockAgain(plan, dn, locked, this.calls);
      }
      for (const change of different) await mendChanged(plan, change, this.context);
      return modified ?? { changed: renamed !== undefined || password !== undefined };
    } catch (error) {
      if (renamed !== undefined) await this.undoRename(entry, dn);
      throw error;
    }
  }

  /** In one round trip; undefined where the entry has to be read, or turns out to be another than it was. */
  private async runUnread(changes: readonly EncodedChange[]): Promise<Updated | undefined> {
    const { plan, request, context } = this;
    const dn = request.ifRevision === undefined ? context.references.known(plan, request.id) : undefined;
    const isReferred = changes.some(({ field }) => isReferredTo(context.plans, plan, field.name));
    if (dn === undefined || changes.length === 0 || isReferred) return undefined;
    const unread = withoutReading(plan, { id: request.id, dn }, changes);
    if (unread === undefined) return undefined;
    const guards = { guards: this.guards(unread.condition), isLast: true, isAsserted: true };
    try {
      return (await this.modify(dn, unread.modifications, [], guards)) ?? { changed: false };
    } catch (error) {
      if (!hasResultCode(error, resultCode.assertionFailed, resultCode.noSuchObject)) throw error;
      return undefined;
    }
  }

  /** The entry with the attributes that changes depend on. Large groups of values are not among them. */
  private async current(local: readonly EncodedChange[], password: PasswordChange | undefined): Promise<Entry> {
    const { plan, request } = this;
    const names = new Set(local.map(({ field }) => field.attribute));
    if (plan.create !== undefined && local.some(({ field }) => this.isInName(field))) {
      for (const name of plan.create.dn.fields) names.add(plan.fields.get(name)?.attribute ?? name);
    }
    const source = revisionSource(plan);
    if (request.ifRevision !== undefined && source !== undefined) names.add(source);
    const lock = password === undefined ? undefined : lockAttribute(plan);
    if (lock !== undefined) names.add(lock);
    const found = await findEntry(plan, request.id, [...names], this.context);
    const entry = found?.unfinished === undefined ? found : await withAllValues(plan, found, this.calls);
    if (entry !== undefined) return entry;
    throw new AdapterError('notFound', `There is no such entry in "${plan.entity}".`);
  }

  private isInName(field: FieldPlan): boolean {
    return this.plan.create?.dn.fields.has(field.name) === true;
  }

  private checkRevision(entry: Entry): LdapFilter | undefined {
    const { ifRevision } = this.request;
    if (ifRevision === undefined) return undefined;
    const seen = revisionOf(this.plan, entry);
    if (seen === undefined || seen !== ifRevision) {
      throw new AdapterError('revisionMismatch', 'The entry changed since it was read.');
    }
    const source = revisionSource(this.plan);
    const value = source === undefined ? undefined : entry.attributes.get(source.toLowerCase())?.[0];
    if (source === undefined || value === undefined) return undefined;
    return { kind: 'equality', attribute: source, value };
  }

  private guards(condition: LdapFilter | undefined): readonly RequestControl[] {
    if (condition === undefined || !this.plan.server.features.assertion) return [];
    return [assertionControl(both([this.plan.filter, condition]))];
  }

  /**
   * OpenLDAP's overlay "memberof" hands the assertion on to its own changes of the members, where it is false: these would
   * lose what they know of their groups.
   */
  private guardsOfReferences(condition: LdapFilter | undefined): readonly RequestControl[] {
    return this.plan.server.kind === 'openldap' ? [] : this.guards(condition);
  }

  /** The name that the entry has after the changes, where that is another one. */
  private newName(entry: Entry, changes: readonly AttributeChange[]): NewName | undefined {
    const rdn = rdnOf(entry.dn);
    const concerned = changes.filter(
      ({ field, after }) =>
        this.isInName(field) ||
        rdn.some(({ type, value }) => type.toLowerCase() === field.key && !after.includes(value)),
    );
    if (concerned.length === 0) return undefined;
    const after = (attribute: string): readonly AttributeValue[] => {
      const key = attribute.toLowerCase();
      return changes.find(({ field }) => field.key === key)?.after ?? entry.attributes.get(key) ?? [];
    };
    for (const { field, after: values } of concerned) if (values.length === 0) throw nameless(field);
    const template = this.plan.create?.dn;
    const isMade = template?.rdns[0]?.some(({ type }) =>
      rdn.some((own) => own.type.toLowerCase() === type.toLowerCase()),
    );
    if (template === undefined || isMade !== true) {
      const [first] = concerned;
      if (first === undefined || !rdn.some(({ type }) => type.toLowerCase() === first.field.key)) return undefined;
      const parts = rdn.map((part) => ({ type: part.type, value: String(after(part.type)[0] ?? part.value) }));
      return { parts, parent: undefined, attributes: new Set(parts.map(({ type }) => type.toLowerCase())) };
    }
    const rendered = renderDn(template, (name) => {
      const value = after(this.plan.fields.get(name)?.attribute ?? name)[0];
      return value === undefined ? undefined : String(value);
    });
    const isSame = rendered.parts.every(({ type, value }) =>
      rdn.some((own) => own.type.toLowerCase() === type.toLowerCase() && own.value === value),
    );
    const movesWith = template.rdns
      .slice(1)
      .some((level) => level.some(({ value }) => value.parts.some((part) => typeof part !== 'string')));
    const parent =
      movesWith && normalizeDn(rendered.parent) !== normalizeDn(parentOf(entry.dn)) ? rendered.parent : undefined;
    if (isSame && parent === undefined) return undefined;
    return { parts: rendered.parts, parent, attributes: new Set(rendered.parts.map(({ type }) => type.toLowerCase())) };
  }

  private async rename(entry: Entry, name: NewName, revision: LdapFilter | undefined): Promise<string> {
    const { plan } = this;
    const newRdn = formatRdn(name.parts);
    const move = name.parent === undefined ? {} : { newSuperior: name.parent };
    try {
      await asserted(this.guards(revision), (controls) =>
        renameEntry(plan, entry.dn, { newRdn, ...move }, controls, this.calls),
      );
    } catch (error) {
      throw this.renameError(error, name);
    }
    const dn = childDn(name.parts, name.parent ?? parentOf(entry.dn));
    this.context.references.clear();
    this.context.references.remember(plan, { id: this.request.id, dn });
    await mendRenamed(entry.dn, dn, this.context);
    return dn;
  }

  private renameError(error: unknown, name: NewName): unknown {
    if (!hasResultCode(error, resultCode.entryAlreadyExists)) return error;
    const { fields, create } = this.plan;
    const field =
      fields.get(create?.dn.onlyField ?? '') ?? [...fields.values()].find(({ key }) => name.attributes.has(key));
    return new AdapterError('conflict', 'The directory has an entry of this name already.', {
      ...(field === undefined ? {} : { field: field.name }),
      cause: error,
    });
  }

  /** Back to the old name, since an update is carried out whole or not at all. */
  private async undoRename(entry: Entry, dn: string): Promise<void> {
    const { plan } = this;
    try {
      const back = { newRdn: formatRdn(rdnOf(entry.dn)), newSuperior: parentOf(entry.dn) };
      await renameEntry(plan, dn, back, [], this.calls);
      this.context.references.clear();
      await mendRenamed(dn, entry.dn, this.context);
    } catch {
      // The first failure is the answer; the entry keeps its new name, which its record shows.
    }
  }

  /** @returns undefined when nothing was sent that changed the entry */
  private async modify(
    dn: string,
    own: readonly Modification[],
    blind: readonly BlindChange[],
    { guards, isLast, isAsserted = false }: ModifyOptions,
  ): Promise<Updated | undefined> {
    const batches = inBatches(blind);
    const [first = [], ...more] = batches.length === 0 ? [[]] : batches;
    const readBack = isLast ? this.readBack(own.map(({ name }) => name.toLowerCase())) : [];
    let answer = await this.send(dn, own, first, [...guards, ...readBack], isAsserted);
    for (const batch of more) answer = (await this.send(dn, [], batch, readBack, isAsserted)) ?? answer;
    if (answer === undefined) return undefined;
    return { changed: true, ...(answer.postRead === undefined ? {} : { entry: answer.postRead }) };
  }

  /** The entry is asked for with the write, where that leaves it in its entity. */
  private readBack(changed: readonly string[]): readonly RequestControl[] {
    const { plan, request } = this;
    const isLeft = changed.some((key) => tellsEntity(plan, key));
    if (!plan.server.features.readEntry || request.attributes.length === 0 || isLeft) return [];
    return [postReadControl(request.attributes)];
  }

  /** A group that has to have a member gets one that stands for nobody. */
  private withPlaceholder(change: AttributeChange): readonly AttributeChange[] {
    const { placeholder } = this.plan;
    const isEmptied = change.after.length === 0 && !change.holdsNobody && this.isMembership(change.field);
    if (placeholder === undefined || !isEmptied) return [change];
    return [{ ...change, after: [placeholder] }];
  }

  private isMembership(field: FieldPlan): boolean {
    return ['member', 'uniquemember', 'roleoccupant'].includes(field.key);
  }

  private async send(
    dn: string,
    own: readonly Modification[],
    blind: readonly BlindChange[],
    controls: readonly RequestControl[],
    isAsserted: boolean,
  ): Promise<WriteAnswer | undefined> {
    const { entity } = this.plan;
    const write = (sent: readonly RequestControl[], modifications: readonly Modification[]): Promise<WriteAnswer> =>
      this.calls.modify(entity, dn, modifications, sent);
    let wanted = blind;
    for (let tries = 1; ; tries++) {
      const modifications = [...own, ...wanted.flatMap(blindModifications)];
      if (modifications.length === 0) return undefined;
      try {
        if (isAsserted) return await write(controls, modifications);
        return await asserted(controls, (sent) => write(sent, modifications));
      } catch (error) {
        if (tries >= maxTries || wanted.length === 0) throw error;
        if (isThereOrNot(error, wanted)) wanted = await this.narrowed(dn, wanted);
        else if (hasResultCode(error, resultCode.objectClassViolation)) wanted = this.withNobody(wanted, error);
        else throw error;
      }
    }
  }

  /** Only those to add that are not there, and those to remove that are. */
  private async narrowed(dn: string, blind: readonly BlindChange[]): Promise<readonly BlindChange[]> {
    const narrowed = await Promise.all(
      blind.map(async ({ field, add, remove }) => {
        const isThere = await this.presence(dn, field, [...add, ...remove]);
        return { field, add: add.filter((value) => !isThere(value)), remove: remove.filter(isThere) };
      }),
    );
    return narrowed.filter(({ add, remove }) => add.length + remove.length > 0);
  }

  private async presence(
    dn: string,
    field: FieldPlan,
    values: readonly AttributeValue[],
  ): Promise<(value: AttributeValue) => boolean> {
    const { entity, filter } = this.plan;
    const there = new Set<string>();
    if (values.length <= comparedOneByOne) {
      const found = await Promise.all(values.map((value) => this.compare(dn, field, value)));
      values.forEach((value, index) => {
        if (found[index] === true) there.add(serverKey(field, value));
      });
    } else {
      const entry = await this.calls.base(entity, dn, filter, [field.attribute]);
      const whole = entry === undefined ? undefined : await withAllValues(this.plan, entry, this.calls);
      for (const value of whole?.attributes.get(field.key) ?? []) there.add(serverKey(field, value));
    }
    return (value) => there.has(serverKey(field, value));
  }

  private async compare(dn: string, field: FieldPlan, value: AttributeValue): Promise<boolean> {
    try {
      return await this.calls.compare(this.plan.entity, dn, field.attribute, value);
    } catch (error) {
      if (hasResultCode(error, resultCode.noSuchAttribute)) return false;
      throw error;
    }
  }

  /** The last member of a group that has to have one was to be taken out. */
  private withNobody(blind: readonly BlindChange[], error: unknown): readonly BlindChange[] {
    const { placeholder } = this.plan;
    const isEmptied = (change: BlindChange): boolean => this.isMembership(change.field) && change.remove.length > 0;
    if (placeholder === undefined || !blind.some(isEmptied)) throw error;
    return blind.map((change) => (isEmptied(change) ? { ...change, add: [...change.add, placeholder] } : change));
  }
}

/**
 * OpenLDAP's overlay "unique" hands the assertion on to its own search, where it is false for all others: then the write
 * goes without, guarded by the revision just read, and by the old values and the old name in it.
 */
async function asserted<T>(
  controls: readonly RequestControl[],
  write: (controls: readonly RequestControl[]) => Promise<T>,
): Promise<T> {
  try {
    return await write(controls);
  } catch (error) {
    const isOverlay = hasResultCode(error, resultCode.assertionFailed) && /unique_search/.test(error.diagnostic);
    if (!isOverlay) throw error;
    return write(controls.filter((control) => control.oid !== oid.assertion));
  }
}

interface ModifyOptions {
  readonly guards: readonly RequestControl[];
  /** Nothing follows that changes the entry. */
  readonly isLast: boolean;
  /** Without its assertion the write is not to be made. */
  readonly isAsserted?: boolean;
}

interface NewName {
  readonly parts: Rdn;
  /** Where the entry moves to; undefined when it stays. */
  readonly parent: string | undefined;
  /** Lower-case attributes of the name, which the rename itself changes. */
  readonly attributes: ReadonlySet<string>;
}

/** The rename puts the new value in and takes the old one out; other values of the attribute are changed as usual. */
function withoutName(changes: readonly AttributeChange[], attributes: ReadonlySet<string>): readonly AttributeChange[] {
  return changes.filter(
    ({ field, before, after }) => !(attributes.has(field.key) && before.length <= 1 && after.length <= 1),
  );
}

function nameless(field: FieldPlan): AdapterError {
  return new AdapterError('rejected', `"${field.name}" is the name of the entry.`, {
    field: field.name,
    reason: 'It is part of the name of the entry in the directory and cannot be without a value.',
  });
}

function blindModifications({ field, add, remove }: BlindChange): readonly Modification[] {
  const name = field.attribute;
  return [
    ...(remove.length === 0 ? [] : [{ op: 'delete', name, values: remove } as const]),
    ...(add.length === 0 ? [] : [{ op: 'add', name, values: add } as const]),
  ];
}

/** Servers say in their own ways that a value to add is there already, or one to remove is not. */
function isThereOrNot(error: unknown, blind: readonly BlindChange[]): boolean {
  if (hasResultCode(error, resultCode.attributeOrValueExists, resultCode.noSuchAttribute)) return true;
  const isRemoved = blind.some(({ remove }) => remove.length > 0);
  // Active Directory: 68 for a member that is there, 53 for one that is not.
  if (hasResultCode(error, resultCode.entryAlreadyExists)) return true;
  return isRemoved && hasResultCode(error, resultCode.unwillingToPerform);
}

function inBatches(blind: readonly BlindChange[]): readonly (readonly BlindChange[])[] {
  const count = blind.reduce((sum, { add, remove }) => sum + add.length + remove.length, 0);
  if (count === 0) return [];
  if (count <= valuesAtOnce) return [blind];
  return blind.flatMap(({ field, add, remove }) => [
    ...chunks(remove).map((values) => [{ field, add: [], remove: values }]),
    ...chunks(add).map((values) => [{ field, add: values, remove: [] }]),
  ]);
}

function chunks(values: readonly AttributeValue[]): readonly (readonly AttributeValue[])[] {
  const list: (readonly AttributeValue[])[] = [];
  for (let at = 0; at < values.length; at += valuesAtOnce) list.push(values.slice(at, at + valuesAtOnce));
  return list;
}
