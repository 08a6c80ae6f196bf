import { setTimeout as pause } from 'node:timers/promises';
import type { Change, UpdateOptions, UpdateResult } from '../../src/backend/adapter.js';
import { AdapterError } from '../../src/backend/adapter-error.js';
import { type FieldEdit, holdsAll, jsonOfEdit, updateBody } from './body.js';
import { changeByCalls } from './calls.js';
import type { HttpAnswer } from './client.js';
import { type Document, idIn, itemsIn, revisionIn, storedId } from './document.js';
import type { EntityPlan, FieldRequestPlan, UpdatePlan } from './entity-plan.js';
import { afterWrite, isInDoubt, sendTemplate } from './exchange.js';
import type { FieldPlan } from './field-plan.js';
import type { Json, JsonObject } from './json.js';
import { valueAt } from './pointer.js';
import { completeRecord, documentIn, judgeMissing, readDocument, selection, type Work } from './read.js';
import { refusalContext } from './refusal-context.js';
import { tagOfRevision } from './revision.js';
import { exactKey } from './scalar.js';
import { blindOperations, editOperations, isChangedBlindly, scimPatch } from './scim-patch.js';
import { fillJson } from './template.js';
import { applyChange } from './value-changes.js';
import { rejected, sameItems, type Value } from './values.js';

/** Others may write the same record: the change is worked out anew so often. */
const maxRaces = 12;
/** A write of which no answer came is looked into so often. */
const maxDoubts = 3;
const pauseMs = 30;

/**
 * Changes a record. What the target can guard (If-Match, tests of a patch) is guarded, and worked out anew when another
 * writer was first; a write without an answer is looked into by reading the record again.
 */
export async function updateRecord(
  plan: EntityPlan,
  id: string,
  changes: readonly Change[],
  options: UpdateOptions,
  work: Work,
): Promise<UpdateResult> {
  const update = new RecordUpdate(plan, id, changes, options, work);
  return update.run();
}

class RecordUpdate {
  private readonly plan: EntityPlan;
  private readonly id: string;
  private readonly changes: readonly Change[];
  private readonly options: UpdateOptions;
  private readonly work: Work;
  /** A write got no answer: it may have been carried out. */
  private inDoubt = false;
  /** Requests for single fields that were carried out. */
  private readonly sent = new Set<FieldRequestPlan>();
  /** References are read before they are changed, since the target refuses to take out what is not there. */
  private readsAll = false;

  constructor(plan: EntityPlan, id: string, changes: readonly Change[], options: UpdateOptions, work: Work) {
    this.plan = plan;
    this.id = id;
    this.changes = changes;
    this.options = options;
    this.work = work;
  }

  async run(): Promise<UpdateResult> {
    const fields = new Map(this.changes.map((change) => [change.field, writableField(this.plan, change.field)]));
    const inDocument = [...fields.values()].filter(({ pointer }) => pointer !== undefined);
    const apart = [...fields.values()].filter(({ calls }) => calls !== undefined);
    const { changed, document } = await this.changeDocument(inDocument);
    let changedApart = false;
    for (const field of apart) {
      const own = this.changes.filter((change) => change.field === field.name);
      changedApart = (await this.apart(field, own, changed || changedApart)) || changedApart;
    }
    const isStale = changedApart || document === undefined;
    const isWritten = changed || changedApart;
    try {
      return { changed: isWritten, record: await this.result(isStale ? undefined : document) };
    } catch (error) {
      throw isWritten ? afterWrite(error) : error;
    }
  }

  private async apart(field: FieldPlan, changes: readonly Change[], changedBefore: boolean): Promise<boolean> {
    try {
      return await changeByCalls(this.plan, field, this.id, changes, this.work);
    } catch (error) {
      throw changedBefore ? afterPart(error) : error;
    }
  }

  private async result(document: Document | undefined) {
    const { fields } = this.options;
    if (fields.length === 0) return { $id: this.id };
    const read = document ?? (await readDocument(this.plan, this.id, fields, this.work));
    if (read === undefined) throw notFound(this.plan);
    return completeRecord(this.plan, this.id, read, fields, this.work);
  }

  /** @returns the document as it is then, where that is known as a whole */
  private async changeDocument(
    fields: readonly FieldPlan[],
  ): Promise<{ readonly changed: boolean; readonly document: Document | undefined }> {
    let [races, doubts] = [0, 0];
    for (;;) {
      const document = await this.read(fields).catch((error: unknown) => {
        throw this.inDoubt || this.sent.size > 0 ? afterWrite(error) : error;
      });
      const edits = this.edits(fields, document);
      const blind = fields.filter((field) => this.isBlind(field));
      const isDone = edits.length === 0 && blind.length === 0;
      this.checkRevision(document, isDone);
      if (isDone) return { changed: this.inDoubt || this.sent.size > 0, document };
      try {
        const isWritten = await this.write(document, edits, blind);
        if (isWritten !== undefined) return isWritten;
      } catch (error) {
        if (this.isRace(error) && ++races <= maxRaces) {
          await pause(Math.random() * pauseMs * Math.min(races, 4));
        } else if (isInDoubt(error) && ++doubts < maxDoubts && !this.work.context.signal.aborted) {
          this.inDoubt = true;
          await pause(Math.random() * pauseMs * 2 ** doubts);
        } else if (blind.length > 0 && !this.readsAll && isAboutValues(error)) {
          this.readsAll = true;
        } else if (await this.wasOvertaken(error, document, fields, races++)) {
          await pause(Math.random() * pauseMs);
        } else {
          const told = await judgeMissing(this.plan, this.id, error, this.work);
          throw this.sent.size > 0 ? afterPart(told) : told;
        }
      }
    }
  }

  private async read(fields: readonly FieldPlan[]): Promise<Document> {
    const { plan, work } = this;
    const isWhole = plan.update?.body === 'full' || plan.update?.body === 'record';
    const names = fields.filter((field) => !this.isBlind(field)).map(({ name }) => name);
    const asked = isWhole ? undefined : [...new Set([...names, ...this.fieldsOfResult()])];
    const document = await readDocument(isWhole ? { ...plan, select: undefined } : plan, this.id, asked ?? [], work);
    if (document === undefined) throw notFound(plan);
    return document;
  }

  /** What is asked for of the record afterwards, but for what may be long and is not needed for the change. */
  private fieldsOfResult(): readonly string[] {
    return this.options.fields.filter((name) => {
      const field = this.plan.fields.get(name);
      return field === undefined || !this.isBlind(field);
    });
  }

  private isBlind(field: FieldPlan): boolean {
    return this.plan.update?.body === 'scim-patch' && !this.readsAll && isChangedBlindly(field, this.changes);
  }

  private checkRevision(document: Document, isDone: boolean): void {
    const { ifRevision } = this.options;
    if (ifRevision === undefined || this.sent.size > 0 || revisionIn(this.plan, document) === ifRevision) return;
    // Our own write, of which no answer came, made the new revision.
    if (this.inDoubt && isDone) return;
    throw new AdapterError('revisionMismatch', 'The record was changed since it was read.');
  }

  private edits(fields: readonly FieldPlan[], { json }: Document): readonly FieldEdit[] {
    return fields.flatMap((field): readonly FieldEdit[] => {
      if (this.isBlind(field)) return [];
      const before = itemsIn(field, json);
      const own = this.changes.filter((change) => change.field === field.name);
      const after = own.reduce((items, change) => applyChange(field, items, change), before);
      // What cannot be read is written whenever it is set.
      const isSame = field.use.read && sameItems(field, before, after);
      const isSent = [...this.sent].some((request) => request.fields.includes(field.name));
      return isSame || (isSent && !field.use.read) ? [] : [{ field, before, after }];
    });
  }

  /** @returns undefined when the record has to be read again for what is left to do */
  private async write(
    document: Document,
    edits: readonly FieldEdit[],
    blind: readonly FieldPlan[],
  ): Promise<{ readonly changed: boolean; readonly document: Document | undefined } | undefined> {
    const update = this.plan.update;
    if (update === undefined) throw new AdapterError('unsupported', `"${this.plan.entity}" cannot be changed.`);
    const apart = new Set<FieldPlan>();
    for (const request of update.requests) {
      const own = edits.filter((edit) => request.fields.includes(edit.field.name) && !apart.has(edit.field));
      if (own.length === 0 || this.sent.has(request) || !appliesTo(request, own)) continue;
      await this.sendFieldRequest(request, own);
      for (const { field } of own) apart.add(field);
    }
    const rest = edits.filter(({ field }) => !apart.has(field));
    if (apart.size > 0) {
      if (rest.length > 0 || blind.length > 0) return undefined;
      return { changed: true, document: undefined };
    }
    return this.sendMain(update, document, rest, blind);
  }

  private async sendFieldRequest(request: FieldRequestPlan, edits: readonly FieldEdit[]): Promise<void> {
    const stored = storedId(this.plan, this.id) ?? '';
    const json: Record<string, Json> = { id: stored };
    for (const edit of edits) json[edit.field.name] = jsonOfEdit(edit);
    json.value ??= edits[0] === undefined ? null : jsonOfEdit(edits[0]);
    const { body } = request;
    const texts = Object.entries(json).flatMap(([name, value]) => (typeof value === 'object' ? [] : [[name, value]]));
    await sendTemplate(
      request.request,
      {
        values: Object.fromEntries(texts),
        isRepeatable: true,
        ...refusalContext(this.plan, valuesOf(edits)),
        ...(body === undefined
          ? {}
          : { body: { text: JSON.stringify(fillJson(body, json)), contentType: this.work.mediaType } }),
      },
      this.work,
    );
    this.sent.add(request);
  }

  private async sendMain(
    update: UpdatePlan,
    document: Document,
    edits: readonly FieldEdit[],
    blind: readonly FieldPlan[],
  ): Promise<{ readonly changed: boolean; readonly document: Document | undefined }> {
    const { plan, work } = this;
    const [unsent] = edits;
    if (update.request === undefined) {
      throw unsent === undefined ? notFound(plan) : rejected(unsent.field, 'No request writes this value.');
    }
    const revision = revisionIn(plan, document);
    const isGuarded = update.ifMatch && revision !== undefined && this.needsGuard(edits);
    const body =
      update.body === 'scim-patch'
        ? this.scimBody(update, edits, blind)
        : updateBody(plan, update, document, edits, isGuarded, work.mediaType);
    if (body === undefined) return { changed: this.inDoubt, document };
    const answer = await sendTemplate(
      update.request,
      {
        values: { id: storedId(plan, this.id) ?? '' },
        // So that an answer does not bring all members back.
        parameters: update.body === 'scim-patch' ? selection(plan, this.fieldsOfResult()) : [],
        body,
        isRepeatable: isGuarded || update.request.method === 'PUT',
        isTested: update.body === 'json-patch',
        ...(isGuarded ? { headers: { 'if-match': tagOfRevision(revision) } } : {}),
        ...refusalContext(plan, valuesOf(edits)),
      },
      work,
    );
    const after = this.documentAfter(answer, document);
    // Servers that speak SCIM may take for the same what is told apart here.
    const isTold = update.body !== 'scim-patch' || this.inDoubt;
    const changed = isTold || (await this.isChanged(revision, answer, after));
    return { changed, document: after };
  }

  /** Members that are added and taken out by value need no guard, unless a revision is asked for. */
  private needsGuard(edits: readonly FieldEdit[]): boolean {
    return edits.length > 0 || this.options.ifRevision !== undefined;
  }

  private scimBody(update: UpdatePlan, edits: readonly FieldEdit[], blind: readonly FieldPlan[]) {
    const operations: JsonObject[] = edits.flatMap(editOperations);
    for (const change of this.changes) {
      const field = blind.find(({ name }) => name === change.field);
      if (field !== undefined) operations.push(...blindOperations(field, change));
    }
    if (operations.length === 0) return undefined;
    const contentType = update.contentType ?? this.work.mediaType;
    return { text: JSON.stringify(scimPatch(operations)), contentType };
  }

  /** The record in the answer, where it is all of it. */
  private documentAfter(answer: HttpAnswer, before: Document): Document | undefined {
    const { plan } = this;
    const json = valueAt(answer.body, plan.get.record);
    const document = documentIn(plan, answer, json);
    if (document === undefined || idIn(plan, document.json) !== this.id || !holdsAll(document.json, before.json)) {
      return undefined;
    }
    const knowsRevision = revisionIn(plan, document) !== undefined || !this.options.fields.includes('$revision');
    const needsBlind = this.options.fields.some((name) => {
      const field = plan.fields.get(name);
      return field !== undefined && this.isBlind(field);
    });
    return knowsRevision && !needsBlind ? document : undefined;
  }

  /** Whether a change did anything, where that was not looked at before: the revision tells. */
  private async isChanged(before: string | undefined, answer: HttpAnswer, after: Document | undefined) {
    const { plan, work } = this;
    if (before === undefined) return true;
    const told = after ?? documentIn(plan, answer, {});
    const revision = told === undefined ? undefined : revisionIn(plan, told);
    if (revision !== undefined) return revision !== before;
    const read = await readDocument(plan, this.id, [], work);
    return read === undefined || revisionIn(plan, read) !== before;
  }

  private isRace(error: unknown): boolean {
    const isMismatch = error instanceof AdapterError && error.kind === 'revisionMismatch';
    return isMismatch && (this.options.ifRevision === undefined || this.inDoubt);
  }

  /** A test of a patch failed, which many answer like a value that is taken: the record itself tells. */
  private async wasOvertaken(
    error: unknown,
    before: Document,
    fields: readonly FieldPlan[],
    races: number,
  ): Promise<boolean> {
    const { plan, options } = this;
    const isDoubtful = error instanceof AdapterError && ['conflict', 'rejected', 'notFound'].includes(error.kind);
    if (!isDoubtful || plan.update?.body !== 'json-patch' || races > maxRaces) return false;
    const now = await this.read(fields);
    const isSame =
      revisionIn(plan, before) === undefined
        ? fields.every((field) => sameItems(field, itemsIn(field, before.json), itemsIn(field, now.json)))
        : revisionIn(plan, now) === revisionIn(plan, before);
    if (isSame) return false;
    if (options.ifRevision !== undefined && !this.inDoubt) {
      throw new AdapterError('revisionMismatch', 'The record was changed since it was read.', { cause: error });
    }
    return true;
  }
}

function valuesOf(edits: readonly FieldEdit[]): readonly Value[] {
  return edits.flatMap(({ after }) => after.map(({ value }) => value));
}

function appliesTo({ equals }: FieldRequestPlan, [edit]: readonly FieldEdit[]): boolean {
  if (equals === undefined) return true;
  const value = edit?.after[0]?.value;
  return value !== undefined && typeof value !== 'object' && exactKey(value) === exactKey(equals);
}

function isAboutValues(error: unknown): boolean {
  return error instanceof AdapterError && (error.kind === 'rejected' || error.kind === 'notFound');
}

export function writableField(plan: EntityPlan, name: string): FieldPlan {
  const field = plan.fields.get(name);
  if (field === undefined) {
    throw new AdapterError('unsupported', `There is no field "${name}" in "${plan.entity}".`, { field: name });
  }
  if (!field.isWritable) throw rejected(field, 'It cannot be written.');
  return field;
}

export function notFound({ entity }: EntityPlan): AdapterError {
  return new AdapterError('notFound', `There is no such record in "${entity}".`);
}

/** The target has carried out a part of the change before the rest failed. */
function afterPart(error: unknown): unknown {
  if (!(error instanceof AdapterError)) return error;
  const { kind, message, field, reason, retryAfterSeconds, cause } = error;
  return new AdapterError(kind, `${message} A part of the change was carried out before.`, {
    ...(field === undefined ? {} : { field }),
    reason: `${reason ?? 'The backend refuses a part of the change.'} Other parts were carried out before.`,
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
    applied: 'unknown',
    cause,
  });
}
