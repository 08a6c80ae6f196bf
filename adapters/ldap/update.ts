import type { Change } from '../../src/backend/adapter.js';
import { AdapterError } from '../../src/backend/adapter-error.js';
import { afterWrite } from './after-write.js';
import type { Calls } from './calls.js';
import {
  type AttributeChange,
  attributeChanges,
  type BlindChange,
  type DnOfReference,
  type EncodedChange,
  encodeChanges,
  modificationsFor,
  splitChanges,
} from './changes.js';
import type { Entry, Modification, RequestControl } from './directory.js';
import { childDn, formatRdn, parentOf, rdnOf } from './dn.js';
import { type EntityPlan, type FieldPlan, isLarge } from './entity-plan.js';
import { assertionControl, postReadControl } from './entry-controls.js';
import { findEntry } from './identity.js';
import { both, type LdapFilter } from './ldap-filter.js';
import { isInName, type NewName, newNameOf, renameError, withoutName } from './new-name.js';
import { lockAgain, lockAttribute, type PasswordChange, setPassword, splitPassword } from './passwords.js';
import { withAllValues } from './ranges.js';
import type { ReadContext } from './read.js';
import { isReferredTo, mendChanged, mendRenamed, renameEntry } from './rename.js';
import { revisionOf, revisionSource } from './revision.js';
import { asserted, ChangeSender, inBatches, isMembership } from './send-changes.js';
import { referencesIn, settleReferences } from './settle-references.js';
import { tellsEntity, withoutReading } from './unread.js';
import { hasResultCode, resultCode } from './wire-errors.js';

/** So often an update is computed anew when somebody else was faster. */
const maxTries = 5;

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
  let entry = readAhead(plan, request, context);
  for (let tries = 1; ; tries++) {
    try {
      // Side by side, so that as little time as can be lies between the look at the names and the write.
      const [dnOf, found] = await Promise.all([referencesIn(plan, request.changes, context), entry]);
      const { password, rest } = splitPassword(encodeChanges(plan, request.changes, dnOf));
      const updated = await new Update(plan, request, context).run(rest, password, found);
      const isMended = await settle(plan, request, dnOf, context);
      return isMended ? { changed: true } : updated;
    } catch (error) {
      if (tries >= maxTries || !isOvertaken(error, request)) throw error;
      entry = undefined;
    }
  }
}

async function settle(plan: EntityPlan, { id, changes }: UpdateRequest, dnOf: DnOfReference, context: ReadContext) {
  const dn = context.references.known(plan, id);
  return dn === undefined ? false : afterWrite(() => settleReferences(plan, dn, changes, dnOf, context));
}

/** The entry, where it is sure that it has to be read and what of it: when names have to be looked up at the same time. */
function readAhead(plan: EntityPlan, request: UpdateRequest, context: ReadContext): Promise<Entry> | undefined {
  const fields = request.changes.flatMap(({ field }) => plan.fields.get(field) ?? []);
  if (fields.some(({ password }) => password !== undefined)) return undefined;
  if (!fields.some(({ form }) => form === 'reference')) return undefined;
  const local = request.changes.flatMap(({ field: name, op }) => {
    const field = plan.fields.get(name);
    return field === undefined || (op !== 'set' && isLarge(field)) ? [] : [field];
  });
  return new Update(plan, request, context).current(local, undefined);
}

/** Somebody else was faster: the entry is read again, and its revision with it. */
function isOvertaken(error: unknown, { ifRevision }: UpdateRequest): boolean {
  if (hasResultCode(error, resultCode.noSuchAttribute, resultCode.attributeOrValueExists)) return true;
  if (hasResultCode(error, resultCode.noSuchObject)) return true;
  return ifRevision === undefined && hasResultCode(error, resultCode.assertionFailed);
}

class Update {
  private readonly plan: EntityPlan;
  private readonly request: UpdateRequest;
  private readonly context: ReadContext;
  private readonly calls: Calls;
  private readonly sender: ChangeSender;

  constructor(plan: EntityPlan, request: UpdateRequest, context: ReadContext) {
    this.plan = plan;
    this.request = request;
    this.context = context;
    this.calls = context.calls;
    this.sender = new ChangeSender(plan, context.calls);
  }

  /** @param found the entry with all that the changes depend on, where it was read already */
  async run(
    changes: readonly EncodedChange[],
    password: PasswordChange | undefined,
    found: Entry | undefined,
  ): Promise<Updated> {
    const { plan } = this;
    const { local, blind } = splitChanges(changes);
    const isAlone = password === undefined && blind.length === 0 && found === undefined;
    const unread = isAlone ? await this.runUnread(local) : undefined;
    if (unread !== undefined) return unread;
    const fields = local.map(({ field }) => field);
    const entry = found ?? (await this.current(fields, password));
    const revision = this.checkRevision(entry);
    const different = attributeChanges(local, entry, plan.placeholder);
    const renamed = newNameOf(plan, entry, different);
    const remaining = renamed === undefined ? different : withoutName(different, renamed.attributes);
    const dn = renamed === undefined ? entry.dn : await this.rename(entry, renamed, revision);
    try {
      const guard = renamed === undefined ? revision : undefined;
      const own = remaining.flatMap((change) => withPlaceholder(plan, change)).flatMap(modificationsFor);
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
  async current(fields: readonly FieldPlan[], password: PasswordChange | undefined): Promise<Entry> {
    const { plan, request } = this;
    const names = new Set(fields.map(({ attribute }) => attribute));
    if (plan.create !== undefined && fields.some((field) => isInName(plan, field))) {
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

  private async rename(entry: Entry, name: NewName, revision: LdapFilter | undefined): Promise<string> {
    const { plan } = this;
    const newRdn = formatRdn(name.parts);
    const move = name.parent === undefined ? {} : { newSuperior: name.parent };
    try {
      await asserted(this.guards(revision), (controls) =>
        renameEntry(plan, entry.dn, { newRdn, ...move }, controls, this.calls),
      );
    } catch (error) {
      throw renameError(plan, error, name);
    }
    const dn = childDn(name.parts, name.parent ?? parentOf(entry.dn));
    this.context.references.clear();
    this.context.references.remember(plan, { id: this.request.id, dn });
    await mendRenamed(entry.dn, dn, this.context);
    return dn;
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
    let answer = await this.sender.send(dn, own, first, [...guards, ...readBack], isAsserted);
    for (const batch of more) answer = (await this.sender.send(dn, [], batch, readBack, isAsserted)) ?? answer;
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
}

interface ModifyOptions {
  readonly guards: readonly RequestControl[];
  /** Nothing follows that changes the entry. */
  readonly isLast: boolean;
  /** Without its assertion the write is not to be made. */
  readonly isAsserted?: boolean;
}

/** A group that has to have a member gets one that stands for nobody. */
function withPlaceholder({ placeholder }: EntityPlan, change: AttributeChange): readonly AttributeChange[] {
  const isEmptied = change.after.length === 0 && !change.holdsNobody && isMembership(change.field);
  if (placeholder === undefined || !isEmptied) return [change];
  return [{ ...change, after: [placeholder] }];
}
