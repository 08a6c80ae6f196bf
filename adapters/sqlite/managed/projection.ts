import { LRUCache } from 'lru-cache';
import { type FieldValue, reservedFields, type Scalar } from '../../../src/backend/adapter.js';
import { type Document, decodeValues, needsCoding } from './document.js';
import { isoTime } from './iso-time.js';
import { fieldIn, type InverseField, type LinkField, type ManagedEntity } from './layout.js';
import { toFieldValue } from './values.js';

/** A row of `record`: seq, id, revision, created, modified, doc. */
export type RecordRow = readonly [
  seq: number,
  id: string,
  revision: number,
  created: number,
  modified: number,
  doc: string | null,
];

/** What the fields asked for need to be read. */
export interface Projection {
  /** Fields in the document; `decode` where their JSON is not yet the value. */
  readonly own: readonly {
    readonly name: string;
    readonly decode: ((stored: unknown) => FieldValue | undefined) | undefined;
  }[];
  readonly links: readonly LinkField[];
  readonly inverses: readonly InverseField[];
  /** Whether the row's document is read. */
  readonly doc: boolean;
  readonly idField: boolean;
  readonly revision: boolean;
  readonly created: boolean;
  readonly modified: boolean;
}

const reserved: ReadonlySet<string> = new Set(reservedFields);

/** The projections of one entity by their fields, and the one that was asked for last. */
interface KnownProjections {
  readonly bySelection: LRUCache<string, Projection>;
  lastFields: readonly string[] | undefined;
  last: Projection | undefined;
}

const projections = new WeakMap<ManagedEntity, KnownProjections>();
const maxProjections = 500;

/** Callers ask for the same fields again and again: each selection is looked at once. */
export function projectionOf(entity: ManagedEntity, fields: readonly string[]): Projection {
  let known = projections.get(entity);
  if (known === undefined) {
    known = { bySelection: new LRUCache({ max: maxProjections }), lastFields: undefined, last: undefined };
    projections.set(entity, known);
  }
  if (known.last !== undefined && known.lastFields === fields) return known.last;
  const selection = fields.join('\n');
  let projection = known.bySelection.get(selection);
  if (projection === undefined) {
    projection = compileProjection(entity, fields);
    known.bySelection.set(selection, projection);
  }
  known.lastFields = fields;
  known.last = projection;
  return projection;
}

function compileProjection(entity: ManagedEntity, fields: readonly string[]): Projection {
  const names = [...new Set(fields)];
  const plans = names
    .filter((name) => !reserved.has(name) && name !== entity.idField)
    .map((name) => fieldIn(entity, name));
  const inverses = plans.filter((plan) => plan.kind === 'inverse');
  const own = plans.flatMap(({ kind, use }) => {
    if (kind !== 'value' && kind !== 'records') return [];
    const decode = needsCoding(use)
      ? (stored: unknown): FieldValue | undefined => toFieldValue(use, decodeValues(use, stored))
      : undefined;
    return [{ name: use.name, decode }];
  });
  return {
    own,
    links: plans.filter((plan) => plan.kind === 'link'),
    inverses,
    doc: own.length > 0 || inverses.some(({ link }) => link.by !== '$id'),
    idField: entity.idField !== undefined && names.includes(entity.idField),
    revision: names.includes('$revision'),
    created: names.includes('$created'),
    modified: names.includes('$modified'),
  };
}

/** The record without what comes from links. */
export function projectRow(entity: ManagedEntity, projection: Projection, row: RecordRow): Record<string, FieldValue> {
  const [, id, revision, created, modified, doc] = row;
  const record: Record<string, FieldValue> = { $id: id };
  if (projection.revision) record.$revision = String(revision);
  if (projection.created) record.$created = isoTime(created);
  if (projection.modified) record.$modified = isoTime(modified);
  if (projection.idField && entity.idField !== undefined) record[entity.idField] = id.slice(entity.idPrefix.length);
  if (doc === null || projection.own.length === 0) return record;
  const document: Document = JSON.parse(doc);
  for (const { name, decode } of projection.own) {
    const stored = document[name];
    if (stored === undefined) continue;
    const value = decode === undefined ? (stored as Scalar) : decode(stored);
    if (value !== undefined) record[name] = value;
  }
  return record;
}

/** How the record is asked for: without its document where no field of it is wanted. */
export function columnsFor({ doc }: Pick<Projection, 'doc'>): string {
  return doc
    ? 'r.seq, r.id, r.revision, r.created, r.modified, r.doc'
    : 'r.seq, r.id, r.revision, r.created, r.modified, NULL';
}
