import type { BackendRecord, Change } from '../../../src/backend/adapter.js';
import { valuesOf } from '../../../src/backend/record.js';
import { toNegationNormalForm } from '../../../src/scim/filter.js';
import { type Document, encodeValues, indexRows } from './document.js';
import { column } from './key-test.js';
import { fieldIn, type LinkField, type ManagedEntity } from './layout.js';
import { compileLinkRow } from './link-condition.js';
import { type LinkRow, linkRowOf } from './links.js';
import { type Sql, spelledOut, sql } from './sql.js';
import type { Values } from './values.js';

/** Stands for the number of the record that is written. */
const seq = column('@seq');
/** Stands for the time of the write. */
const now = column('@now');

/** The statements of a create, but for the checks of unique fields. */
export function describeCreate(entity: ManagedEntity, record: BackendRecord): string {
  const document: Document = {};
  const rows: Sql[] = [];
  for (const [name, value] of Object.entries(record)) {
    const field = fieldIn(entity, name);
    const values = valuesOf(value);
    if (field.kind === 'link') for (const row of insertLinks(field, values)) rows.push(row);
    if (field.kind !== 'value' && field.kind !== 'records') continue;
    document[name] = encodeValues(field.use, values);
    for (const { field: id, ord, key } of indexRows(field, values)) {
      rows.push(sql`INSERT INTO value (seq, field, ord, key) VALUES (${seq}, ${id}, ${ord}, ${key})`);
    }
  }
  const values = sql`${entity.scope}, ${column('@id')}, 1, ${now}, ${now}, ${JSON.stringify(document)}`;
  return print([sql`INSERT INTO record (scope, id, revision, created, modified, doc) VALUES (${values})`, ...rows]);
}

/** The statements of an update. What changes in the document depends on what is in it. */
export function describeUpdate(entity: ManagedEntity, id: string, changes: readonly Change[]): string {
  const links = changes.flatMap((change): readonly Sql[] => {
    const field = fieldIn(entity, change.field);
    return field.kind === 'link' ? describeLinkChange(field, change) : [];
  });
  const own = changes.filter((change) => {
    const { kind } = fieldIn(entity, change.field);
    return kind === 'value' || kind === 'records';
  });
  const names = [...new Set(own.map(({ field }) => field))].join(', ');
  const document = own.length > 0 ? sql`, doc = ${column(`@doc /* with another ${names} */`)}` : sql``;
  return print([
    sql`SELECT seq, revision, modified, doc FROM record WHERE id = ${id} AND scope = ${entity.scope}`,
    ...links,
    sql`UPDATE record SET revision = revision + 1, modified = ${now}${document} WHERE seq = ${seq}`,
  ]);
}

function describeLinkChange(field: LinkField, change: Change): readonly Sql[] {
  const own = sql`owner = ${seq} AND field = ${field.id}`;
  switch (change.op) {
    case 'set':
      return [sql`DELETE FROM link WHERE ${own}`, ...insertLinks(field, change.values)];
    case 'add':
      return insertLinks(field, change.values);
    case 'remove':
      return rowsOf(field, change.values).map(({ key }) => sql`DELETE FROM link WHERE ${own} AND key = ${key}`);
    case 'removeWhere':
    case 'updateWhere': {
      const row = compileLinkRow(field, toNegationNormalForm(change.where));
      if (row.kind === 'never') return [];
      const test = row.kind === 'test' ? sql` AND ${row.test}` : sql``;
      const rows = sql`WHERE l.owner = ${seq} AND l.field = ${field.id}${test}`;
      return change.op === 'removeWhere'
        ? [sql`DELETE FROM link AS l ${rows}`]
        : [sql`UPDATE link AS l SET key = ${column('@key')}, rest = ${column('@rest')} ${rows}`];
    }
  }
}

function insertLinks(field: LinkField, values: Values): readonly Sql[] {
  return rowsOf(field, values).map(
    ({ key, rest }) =>
      sql`INSERT INTO link (owner, field, key, rest) VALUES (${seq}, ${field.id}, ${key}, ${rest}) ON CONFLICT DO NOTHING`,
  );
}

function rowsOf(field: LinkField, values: Values): readonly LinkRow[] {
  return values.flatMap((value) => linkRowOf(field, value) ?? []);
}

function print(lines: readonly Sql[]): string {
  return lines.map((line) => `${spelledOut(line)};`).join('\n');
}
