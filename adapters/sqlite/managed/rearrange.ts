import type { Database } from 'better-sqlite3';
import { isChildRecord } from '../../../src/backend/record.js';
import { type Document, decodeValues, encodeValues, indexRows } from './document.js';
import type { FieldLayout, LinkField, ManagedField } from './layout.js';
import { linkRowOf, valueOfLink } from './links.js';
import type { Value, Values } from './values.js';

interface Rearrangement {
  readonly scope: number;
  readonly before: FieldLayout;
  readonly after: ManagedField;
  /** The field's number and those of its children, of now and of before. */
  readonly ids: readonly number[];
}

const pageSize = 500;

/**
 * Brings a field's values from the layout that they were written in into the one that is declared now: another
 * comparison, references that were plain values. Inside a transaction that the caller began. Revisions stay, since the
 * values do.
 */
export function rearrange(db: Database, { scope, before, after, ids }: Rearrangement): void {
  const { name } = after.use;
  const page = db.prepare<[number, number, number], { seq: number; doc: string }>(
    'SELECT seq, doc FROM record WHERE scope = ? AND seq > ? ORDER BY seq LIMIT ? + 0',
  );
  const links = db.prepare<[number, number], { key: string; rest: string }>(
    'SELECT key, rest FROM link WHERE owner = ? AND field = ?',
  );
  const deleteLinks = db.prepare('DELETE FROM link WHERE owner = ? AND field = ?');
  const deleteRow = db.prepare('DELETE FROM value WHERE seq = ? AND field = ?');
  const insertLink = db.prepare('INSERT OR IGNORE INTO link (owner, field, key, rest) VALUES (?, ?, ?, ?)');
  const insertRow = db.prepare('INSERT INTO value (seq, field, ord, key) VALUES (?, ?, ?, ?)');
  const updateDoc = db.prepare('UPDATE record SET doc = ? WHERE seq = ?');
  const [id = 0] = ids;

  const moveOne = (seq: number, doc: string): void => {
    const { [name]: stored, ...others }: Document = JSON.parse(doc);
    const values: Values =
      before.kind === 'link'
        ? links.all(seq, id).map(({ key, rest }) => valueOfLink(before, key, rest))
        : decodeValues(after.use, stored);
    if (values.length === 0) return;
    deleteLinks.run(seq, id);
    for (const field of ids) deleteRow.run(seq, field);
    if (after.kind === 'link') {
      for (const value of values) {
        const reference = asReference(after, value);
        const row = reference === undefined ? undefined : linkRowOf(after, reference);
        if (row !== undefined) insertLink.run(seq, id, row.key, row.rest);
      }
      updateDoc.run(JSON.stringify(others), seq);
    } else if (after.kind === 'value' || after.kind === 'records') {
      for (const row of indexRows(after, values)) insertRow.run(seq, row.field, row.ord, row.key);
      updateDoc.run(JSON.stringify({ ...others, [name]: encodeValues(after.use, values) }), seq);
    }
  };
  let last = 0;
  for (let rows = page.all(scope, last, pageSize); rows.length > 0; rows = page.all(scope, last, pageSize)) {
    for (const { seq, doc } of rows) moveOne(seq, doc);
    last = rows.at(-1)?.seq ?? last;
  }
}

/** Scalars become child records and the other way round. */
function asReference(field: LinkField, value: Value): Value | undefined {
  if (field.child === undefined) return isChildRecord(value) ? Object.values(value)[0] : value;
  return isChildRecord(value) ? value : { [field.child]: value };
}
