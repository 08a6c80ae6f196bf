import type { BackendRecord, FieldValue, LookupQuery, Scalar } from '../../../src/backend/adapter.js';
import { keyOf } from '../../../src/scim/comparison.js';
import type { Statements } from '../database.js';
import { type Document, decodeValues, indexKey } from './document.js';
import { fieldIn, type InverseField, type LinkField, type ManagedEntity } from './layout.js';
import { linkKeyOf, valueOfLink } from './links.js';
import { columnsFor, type Projection, projectionOf, projectRow, type RecordRow } from './projection.js';
import { toFieldValue, type Value, type Values } from './values.js';

/** Made once: a statement is found by its text, and a new text is gone through to its end for that. */
const selects = { whole: selectsOf({ doc: true }), bare: selectsOf({ doc: false }) };

function selectsOf(projection: Pick<Projection, 'doc'>) {
  const select = `SELECT ${columnsFor(projection)}`;
  return {
    byId: `${select} FROM record r WHERE r.id = ? AND r.scope = ?`,
    byValue: `${select} FROM value v CROSS JOIN record r ON r.seq = v.seq WHERE v.field = ? AND v.key = ?`,
    byLink: `${select} FROM link l CROSS JOIN record r ON r.seq = l.owner WHERE l.field = ? AND l.key = ?`,
  } as const;
}

function selectsFor({ doc }: Projection): ReturnType<typeof selectsOf> {
  return doc ? selects.whole : selects.bare;
}

type LinkColumns = readonly [key: string, rest: string];

/** Reads records by their id or by a value, and adds what comes from links. */
export class Reader {
  private readonly statements: Statements;

  constructor(statements: Statements) {
    this.statements = statements;
  }

  /** Whether a record is read at once, so that it needs no snapshot. */
  isOneStatement(entity: ManagedEntity, fields: readonly string[]): boolean {
    const { links, inverses } = projectionOf(entity, fields);
    return links.length === 0 && inverses.length === 0;
  }

  get(entity: ManagedEntity, id: string, fields: readonly string[]): BackendRecord | undefined {
    const projection = projectionOf(entity, fields);
    const row = this.rowById(entity, id, projection);
    return row === undefined ? undefined : this.complete(entity, projection, row);
  }

  /** Each value is one look-up in an index: in one process that is as quick as a statement over all of them. */
  lookup(entity: ManagedEntity, { by, values, fields }: LookupQuery): readonly BackendRecord[] {
    const projection = projectionOf(entity, fields);
    const rows = new Map<number, RecordRow>();
    for (const value of new Set(values)) {
      for (const row of this.rowsWith(entity, by, value, projection)) rows.set(row[0], row);
    }
    return [...rows.values()].map((row) => this.complete(entity, projection, row));
  }

  /** The record as it was asked for. */
  complete(entity: ManagedEntity, projection: Projection, row: RecordRow): BackendRecord {
    const record = projectRow(entity, projection, row);
    for (const field of projection.links) assign(record, field, this.linked(field, row[0]));
    for (const field of projection.inverses) assign(record, field, this.holders(entity, field, row));
    return record;
  }

  /** The values of a field that refers to others. As two JSON texts: rows one by one take four times as long. */
  linked(field: LinkField, seq: number): Values {
    const [keys, rests] = this.statements
      .rows('SELECT json_group_array(key), json_group_array(rest) FROM link WHERE owner = ? AND field = ?')
      .get(seq, field.id) as readonly [keys: string, rests: string];
    const others: readonly string[] = JSON.parse(rests);
    const values: readonly string[] = JSON.parse(keys);
    return values.map((key, index) => valueOfLink(field, key, others[index] ?? ''));
  }

  private holders(entity: ManagedEntity, { link, child }: InverseField, row: RecordRow): Values {
    const select = this.statements.rows(
      'SELECT o.id FROM link l CROSS JOIN record o ON o.seq = l.owner WHERE l.field = ? AND l.key = ?',
    );
    return heldValues(entity, link.by, row).flatMap((value) => {
      const key = keyOf(link.comparison, value);
      const rows = (key === undefined ? [] : select.all(link.id, key)) as readonly (readonly [id: string])[];
      return rows.map(([id]): Value => (child === undefined ? id : { [child]: id }));
    });
  }

  private rowById(entity: ManagedEntity, id: string, projection: Projection): RecordRow | undefined {
    return this.statements.rows(selectsFor(projection).byId).get(id, entity.scope) as RecordRow | undefined;
  }

  private rowsWith(entity: ManagedEntity, by: string, value: Scalar, projection: Projection): readonly RecordRow[] {
    if (by === '$id' || by === entity.idField) {
      const id = by === '$id' ? value : `${entity.idPrefix}${value}`;
      const row = typeof value === 'string' ? this.rowById(entity, String(id), projection) : undefined;
      return row === undefined ? [] : [row];
    }
    const field = fieldIn(entity, by);
    const { byValue, byLink } = selectsFor(projection);
    switch (field.kind) {
      case 'value': {
        const key = indexKey(field.use, value);
        if (key === null) return [];
        return this.statements.rows(byValue).all(field.id, key) as readonly RecordRow[];
      }
      case 'link': {
        const key = linkKeyOf(field, value);
        if (key === undefined || field.child !== undefined) return [];
        return this.statements.rows(byLink).all(field.id, key) as readonly RecordRow[];
      }
      case 'inverse':
        return this.heldBy(field, value).flatMap((held) => this.rowsWith(entity, field.link.by, held, projection));
      case 'records':
      case 'absent':
        return [];
    }
  }

  /** What the record of that id refers to. */
  private heldBy({ link }: InverseField, id: Scalar): readonly Scalar[] {
    const rows = this.statements
      .rows('SELECT l.key, l.rest FROM record o CROSS JOIN link l ON l.owner = o.seq WHERE o.id = ? AND l.field = ?')
      .all(String(id), link.id) as readonly LinkColumns[];
    return rows.map(([key, rest]) => valueOfLink({ ...link, child: undefined }, key, rest) as Scalar);
  }
}

/** By which values other records refer to this one. */
export function heldValues(entity: ManagedEntity, by: string, row: RecordRow): readonly Scalar[] {
  const [, id, , , , doc] = row;
  if (by === '$id') return [id];
  if (by === entity.idField) return [id.slice(entity.idPrefix.length)];
  const field = entity.fields.get(by);
  if (field?.kind !== 'value' || doc === null) return [];
  const document: Document = JSON.parse(doc);
  return decodeValues(field.use, document[by]) as readonly Scalar[];
}

function assign(record: Record<string, FieldValue>, field: LinkField | InverseField, values: Values): void {
  const value = toFieldValue(field.use, values);
  if (value !== undefined) record[field.use.name] = value;
}
