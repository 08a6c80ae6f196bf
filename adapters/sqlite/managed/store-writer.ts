import { randomUUID } from 'node:crypto';
import type { BackendRecord, Change, UpdateOptions, UpdateResult } from '../../../src/backend/adapter.js';
import { AdapterError } from '../../../src/backend/adapter-error.js';
import { valuesOf } from '../../../src/backend/record.js';
import type { Statements } from '../database.js';
import { countIn } from './buckets.js';
import { type Document, decodeValues, encodeValues, type IndexRow, indexRows } from './document.js';
import {
  fieldIn,
  type LinkField,
  type ManagedEntity,
  type ManagedField,
  type RecordsField,
  type ValueField,
} from './layout.js';
import type { LinkWriter } from './link-writer.js';
import { projectionOf, type RecordRow } from './projection.js';
import type { Reader } from './reader.js';
import { acceptValues, applyChange, checkValue, conflict, rejected, sameValues, type Values } from './values.js';

type OwnField = ValueField | RecordsField;

/** A field of a record's document before and after an update. */
interface OwnChange {
  readonly field: OwnField;
  readonly before: Values;
  readonly after: Values;
}

/** Carries out writes, inside the transaction that the caller has begun. */
export class StoreWriter {
  private readonly statements: Statements;
  private readonly reader: Reader;
  private readonly links: LinkWriter;
  private readonly isAsDeclared: () => boolean;
  /** By scope: those that others made without touching a field of ours. */
  private readonly acceptedGenerations = new Map<number, number>();

  /** @param isAsDeclared whether every declared field is still kept in the store as it is declared */
  constructor(statements: Statements, reader: Reader, links: LinkWriter, isAsDeclared: () => boolean) {
    this.statements = statements;
    this.reader = reader;
    this.links = links;
    this.isAsDeclared = isAsDeclared;
  }

  create(entity: ManagedEntity, record: BackendRecord, fields: readonly string[]): BackendRecord {
    this.checkGeneration(entity);
    const projection = projectionOf(entity, fields);
    const document: Document = {};
    const rows: IndexRow[] = [];
    const linked: { readonly field: LinkField; readonly values: Values }[] = [];
    let rawId: string | undefined;
    for (const [name, value] of Object.entries(record)) {
      const field = writableField(entity, name);
      const values = acceptValues(field.use, valuesOf(value));
      if (name === entity.idField) rawId = values.length === 0 ? undefined : String(values[0]);
      else if (field.kind === 'link') linked.push({ field, values });
      else if (field.kind === 'value' || field.kind === 'records') {
        document[name] = encodeValues(field.use, values);
        const own = indexRows(field, values);
        this.checkUnique(field, own, undefined);
        // One by one: there may be more than a call takes arguments.
        for (const row of own) rows.push(row);
      }
    }
    const id = entity.idPrefix + (rawId ?? randomUUID());
    if (rawId !== undefined) this.checkId(entity, id);
    const doc = JSON.stringify(document);
    const now = Date.now();
    const seq = Number(
      this.statements
        .get('INSERT INTO record (scope, id, revision, created, modified, doc) VALUES (?, ?, 1, ?, ?, ?)')
        .run(entity.scope, id, now, now, doc).lastInsertRowid,
    );
    this.insertRows(seq, rows);
    for (const { field, values } of linked) this.links.add(field, seq, values);
    countIn(this.statements, entity.scope, seq, 1);
    return this.reader.complete(entity, projection, [seq, id, 1, now, now, doc]);
  }

  update(
    entity: ManagedEntity,
    id: string,
    changes: readonly Change[],
    { ifRevision, fields }: UpdateOptions,
  ): UpdateResult {
    this.checkGeneration(entity);
    const projection = projectionOf(entity, fields);
    const before = this.existing(entity, id, ifRevision);
    const [seq, , revision, created, modifiedBefore, docBefore] = before;
    const document: Document = JSON.parse(docBefore ?? '{}');
    const own = new Map<string, OwnChange>();
    let areLinksChanged = false;
    for (const change of changes) {
      const field = writableField(entity, change.field);
      if (change.field === entity.idField) throw rejected(field.use, "It is the record's identity and stays as it is.");
      if (field.kind === 'link') areLinksChanged = this.links.apply(field, seq, change) || areLinksChanged;
      else if (field.kind === 'value' || field.kind === 'records') applyOwn(own, document, field, change);
      else if ('values' in change) for (const value of change.values) checkValue(field.use, value);
    }
    const isDocumentChanged = this.writeOwn(seq, own.values(), document);
    if (!isDocumentChanged && !areLinksChanged) {
      return { changed: false, record: this.reader.complete(entity, projection, before) };
    }
    const modified = Math.max(Date.now(), modifiedBefore + 1);
    const doc = isDocumentChanged ? JSON.stringify(document) : docBefore;
    if (isDocumentChanged) {
      const text = 'UPDATE record SET revision = ?, modified = ?, doc = ? WHERE seq = ?';
      this.statements.get(text).run(revision + 1, modified, doc, seq);
    } else {
      const text = 'UPDATE record SET revision = ?, modified = ? WHERE seq = ?';
      this.statements.get(text).run(revision + 1, modified, seq);
    }
    const after: RecordRow = [seq, id, revision + 1, created, modified, doc];
    const isFollowed = isDocumentChanged && this.links.followRenamed(entity, before, after);
    const row = isFollowed ? this.existing(entity, id, undefined) : after; // it may refer to itself
    return { changed: true, record: this.reader.complete(entity, projection, row) };
  }

  delete(entity: ManagedEntity, id: string, ifRevision: string | undefined): void {
    this.checkGeneration(entity);
    const row = this.existing(entity, id, ifRevision);
    const [seq] = row;
    this.statements.get('DELETE FROM value WHERE seq = ?').run(seq);
    this.statements.get('DELETE FROM link WHERE owner = ?').run(seq);
    this.statements.get('DELETE FROM record WHERE seq = ?').run(seq);
    countIn(this.statements, entity.scope, seq, -1);
    this.links.dropReferences(entity, row);
  }

  /** Another process may have changed how fields are indexed: what is written here would not be found there. */
  private checkGeneration({ scope, generation }: ManagedEntity): void {
    const row = this.statements.rows('SELECT generation FROM scope WHERE id = ?').get(scope) as [number] | undefined;
    if (row?.[0] === (this.acceptedGenerations.get(scope) ?? generation)) return;
    if (row !== undefined && this.isAsDeclared()) {
      this.acceptedGenerations.set(scope, row[0]);
      return;
    }
    throw new AdapterError('unavailable', 'The managed store was set up for another mapping. Restart the gateway.');
  }

  private existing(entity: ManagedEntity, id: string, ifRevision: string | undefined): RecordRow {
    const row = this.statements
      .rows('SELECT seq, id, revision, created, modified, doc FROM record WHERE id = ? AND scope = ?')
      .get(id, entity.scope) as RecordRow | undefined;
    if (row === undefined) throw new AdapterError('notFound', `No such record in "${entity.name}".`);
    if (ifRevision !== undefined && ifRevision !== String(row[2])) {
      throw new AdapterError('revisionMismatch', 'The record was changed in the meantime.');
    }
    return row;
  }

  /** Brings the changed fields into the document and their index rows into the table. @returns false for no change */
  private writeOwn(seq: number, changes: Iterable<OwnChange>, document: Document): boolean {
    let isChanged = false;
    for (const { field, before, after } of changes) {
      if (sameValues(before, after)) continue;
      isChanged = true;
      if (after.length === 0) delete document[field.use.name];
      else document[field.use.name] = encodeValues(field.use, after);
      this.replaceRows(seq, field, before, after);
    }
    return isChanged;
  }

  private replaceRows(seq: number, field: OwnField, before: Values, after: Values): void {
    const old = new Map(indexRows(field, before).map((row) => [`${row.field} ${row.ord}`, row]));
    const added: IndexRow[] = [];
    for (const row of indexRows(field, after)) {
      const place = `${row.field} ${row.ord}`;
      if (old.get(place)?.key === row.key) old.delete(place);
      else added.push(row);
    }
    const remove = this.statements.get('DELETE FROM value WHERE seq = ? AND field = ? AND ord = ?');
    for (const row of old.values()) remove.run(seq, row.field, row.ord);
    this.checkUnique(field, added, seq);
    this.insertRows(seq, added);
  }

  private insertRows(seq: number, rows: readonly IndexRow[]): void {
    const insert = this.statements.get('INSERT INTO value (seq, field, ord, key) VALUES (?, ?, ?, ?)');
    for (const { field, ord, key } of rows) insert.run(seq, field, ord, key);
  }

  /** Nobody else writes during the transaction, so that what is free now is still free at its end. */
  private checkUnique(field: OwnField, rows: readonly IndexRow[], seq: number | undefined): void {
    const unique = uniqueFields(field);
    if (unique.size === 0) return;
    const other = this.statements.rows('SELECT seq FROM value WHERE field = ? AND key = ? AND seq <> ? LIMIT 1');
    for (const row of rows) {
      const name = unique.get(row.field);
      if (name !== undefined && row.key !== null && other.get(row.field, row.key, seq ?? 0) !== undefined) {
        throw conflict(name);
      }
    }
  }

  private checkId(entity: ManagedEntity, id: string): void {
    const other = this.statements.rows('SELECT seq FROM record WHERE id = ? AND scope = ?').get(id, entity.scope);
    if (other !== undefined) throw conflict(entity.idField ?? '$id');
  }
}

/** Numbers and names of the fields, it and its children, whose values no two records share. */
function uniqueFields(field: OwnField): ReadonlyMap<number, string> {
  const { name, unique } = field.use;
  if (field.kind === 'value') return new Map(unique ? [[field.id, name]] : []);
  const children = [...field.children.values()].filter((child) => child.use.unique);
  return new Map(children.map((child) => [child.id, name]));
}

function writableField(entity: ManagedEntity, name: string): ManagedField {
  const field = fieldIn(entity, name);
  if (!field.use.written || field.use.inverseOf !== undefined) throw rejected(field.use, 'It cannot be written.');
  return field;
}

function applyOwn(own: Map<string, OwnChange>, document: Document, field: OwnField, change: Change): void {
  const known = own.get(change.field);
  const before = known?.after ?? decodeValues(field.use, document[change.field]);
  const after = applyChange(field.use, before, change);
  if (after !== before) own.set(change.field, { field, before: known?.before ?? before, after });
}
