import type { Change, ChildRecord, Condition, Scalar } from '../../../src/backend/adapter.js';
import { AdapterError } from '../../../src/backend/adapter-error.js';
import { keyOf } from '../../../src/scim/comparison.js';
import { toNegationNormalForm } from '../../../src/scim/filter.js';
import type { Statements } from '../database.js';
import type { Layout, LinkField, ManagedEntity, Referrer } from './layout.js';
import { compileLinkRow } from './link-condition.js';
import { type LinkRow, linkRowOf, valueOfLink } from './links.js';
import type { RecordRow } from './projection.js';
import { heldValues } from './reader.js';
import { type Sql, sql } from './sql.js';
import { checkValue, conflict, rejected, type Values, withFields } from './values.js';

type LinkColumns = readonly [key: string, rest: string];

/**
 * Writes the rows of fields that refer to other records. One reference is one row: what is done for it does not depend
 * on how many others there are.
 */
export class LinkWriter {
  private readonly statements: Statements;
  private readonly layout: Layout;

  constructor(statements: Statements, layout: Layout) {
    this.statements = statements;
    this.layout = layout;
  }

  /** @returns whether anything changed */
  apply(field: LinkField, seq: number, change: Change): boolean {
    switch (change.op) {
      case 'set':
        return this.replace(field, seq, acceptRows(field, change.values));
      case 'add':
        return this.add(field, seq, change.values);
      case 'remove':
        return this.remove(field, seq, rowsOf(field, change.values).keys());
      case 'removeWhere':
        return this.removeWhere(field, seq, change.where);
      case 'updateWhere':
        return this.updateWhere(field, seq, change.where, change.set);
    }
  }

  add(field: LinkField, seq: number, values: Values): boolean {
    const rows = acceptRows(field, values);
    if (!field.use.multiple && rows.size > 0) this.checkSingle(field, seq, rows);
    return this.insert(field, seq, rows.values());
  }

  /** Takes the deleted record out of every field of this gateway that refers to it. */
  dropReferences(entity: ManagedEntity, row: RecordRow): void {
    const touched = new Set<number>();
    for (const referrer of this.referrersOf(entity)) {
      for (const value of heldValues(entity, referrer.by, row)) this.mend(referrer, value, undefined, touched);
    }
    this.touch(touched);
  }

  /** Lets the fields that hold a changed value of this record follow it. @returns whether there were any */
  followRenamed(entity: ManagedEntity, before: RecordRow, after: RecordRow): boolean {
    const touched = new Set<number>();
    for (const referrer of this.referrersOf(entity)) {
      if (referrer.by === '$id') continue;
      const old = heldValues(entity, referrer.by, before);
      const now = heldValues(entity, referrer.by, after);
      const gone = old.filter((value) => !now.includes(value));
      const added = now.filter((value) => !old.includes(value));
      const successor = gone.length === 1 && added.length === 1 ? added[0] : undefined;
      for (const value of gone) this.mend(referrer, value, successor, touched);
    }
    this.touch(touched);
    return touched.size > 0;
  }

  private replace(field: LinkField, seq: number, wanted: ReadonlyMap<string, LinkRow>): boolean {
    if (wanted.size === 0) {
      return this.statements.get('DELETE FROM link WHERE owner = ? AND field = ?').run(seq, field.id).changes > 0;
    }
    const missing = new Map(wanted);
    const gone: string[] = [];
    for (const [key, rest] of this.rows(field, seq, sql`TRUE`)) {
      if (missing.get(key)?.rest === rest) missing.delete(key);
      else gone.push(key);
    }
    const isRemoved = this.remove(field, seq, gone);
    return this.insert(field, seq, missing.values()) || isRemoved;
  }

  private insert(field: LinkField, seq: number, rows: Iterable<LinkRow>): boolean {
    const insert = this.statements.get(
      'INSERT INTO link (owner, field, key, rest) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING',
    );
    let isChanged = false;
    for (const { key, rest } of rows) {
      if (isUnique(field)) this.checkUnique(field, seq, key);
      isChanged = insert.run(seq, field.id, key, rest).changes > 0 || isChanged;
    }
    return isChanged;
  }

  private remove(field: LinkField, seq: number, keys: Iterable<string>): boolean {
    const remove = this.statements.get('DELETE FROM link WHERE owner = ? AND field = ? AND key = ?');
    let isChanged = false;
    for (const key of keys) isChanged = remove.run(seq, field.id, key).changes > 0 || isChanged;
    return isChanged;
  }

  private removeWhere(field: LinkField, seq: number, where: Condition): boolean {
    const test = matching(field, where);
    if (test === undefined) return false;
    const { text, params } = sql`DELETE FROM link AS l WHERE l.owner = ${seq} AND l.field = ${field.id} AND ${test}`;
    return this.statements.get(text).run(...params).changes > 0;
  }

  private updateWhere(
    field: LinkField,
    seq: number,
    where: Condition,
    set: Readonly<Record<string, Scalar | null>>,
  ): boolean {
    const test = matching(field, where);
    if (test === undefined) return false;
    let isChanged = false;
    for (const [key, rest] of this.rows(field, seq, test)) {
      const after = withFields(valueOfLink(field, key, rest) as ChildRecord, set);
      const [row] = acceptRows(field, after).values();
      if (row?.key === key && row.rest === rest) continue;
      this.remove(field, seq, [key]);
      if (row !== undefined) this.insert(field, seq, [row]);
      isChanged = true;
    }
    return isChanged;
  }

  private rows(field: LinkField, seq: number, test: Sql): readonly LinkColumns[] {
    const rows = sql`FROM link l WHERE l.owner = ${seq} AND l.field = ${field.id} AND ${test}`;
    const { text, params } = sql`SELECT l.key, l.rest ${rows}`;
    return this.statements.rows(text).all(...params) as readonly LinkColumns[];
  }

  private checkSingle(field: LinkField, seq: number, rows: ReadonlyMap<string, LinkRow>): void {
    const present = this.rows(field, seq, sql`TRUE`);
    if (present.some(([key]) => !rows.has(key))) throw rejected(field.use, 'It can hold one value only.');
  }

  private checkUnique(field: LinkField, seq: number, key: string): void {
    const text = 'SELECT owner FROM link WHERE field = ? AND key = ? AND owner <> ? LIMIT 1';
    if (this.statements.rows(text).get(field.id, key, seq) !== undefined) throw conflict(field.use.name);
  }

  private referrersOf(entity: ManagedEntity): readonly Referrer[] {
    return this.layout.referrers.filter(({ targets }) => targets.includes(entity.name));
  }

  /** Takes one value out of a referring field everywhere, or puts its successor in its place. */
  private mend(referrer: Referrer, value: Scalar, successor: Scalar | undefined, touched: Set<number>): void {
    const key = keyOf(referrer.comparison, value);
    if (key === undefined) return;
    const rows = this.statements
      .rows('SELECT owner, rest FROM link WHERE field = ? AND key = ?')
      .all(referrer.id, key) as readonly (readonly [owner: number, rest: string])[];
    const remove = this.statements.get('DELETE FROM link WHERE owner = ? AND field = ? AND key = ?');
    const insert = this.statements.get(
      'INSERT INTO link (owner, field, key, rest) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING',
    );
    for (const [owner, rest] of rows) {
      touched.add(owner);
      remove.run(owner, referrer.id, key);
      if (successor === undefined) continue;
      const old = valueOfLink(referrer, String(key), rest);
      const { child } = referrer;
      const row = linkRowOf(
        referrer,
        child === undefined ? successor : { ...(old as ChildRecord), [child]: successor },
      );
      if (row !== undefined) insert.run(owner, referrer.id, row.key, row.rest);
    }
  }

  /** Gives records a new revision because a reference in them was mended. */
  private touch(owners: ReadonlySet<number>): void {
    const now = Date.now();
    const update = this.statements.get(
      'UPDATE record SET revision = revision + 1, modified = max(?, modified + 1) WHERE seq = ?',
    );
    for (const owner of owners) update.run(now, owner);
  }
}

/** The values as rows, by their keys: of two that refer to the same, the first counts. */
function rowsOf(field: LinkField, values: Values): ReadonlyMap<string, LinkRow> {
  const rows = new Map<string, LinkRow>();
  for (const value of values) {
    const row = linkRowOf(field, value);
    if (row !== undefined && !rows.has(row.key)) rows.set(row.key, row);
  }
  return rows;
}

function acceptRows(field: LinkField, values: Values): ReadonlyMap<string, LinkRow> {
  for (const value of values) {
    checkValue(field.use, value);
    if (linkRowOf(field, value) === undefined) throw rejected(field.use, `It needs "${field.child}".`);
  }
  const rows = rowsOf(field, values);
  if (!field.use.multiple && rows.size > 1) throw rejected(field.use, 'It can hold one value only.');
  return rows;
}

function matching(field: LinkField, where: Condition): Sql | undefined {
  if (field.child === undefined) throw new AdapterError('unsupported', `"${field.use.name}" holds no child records.`);
  const row = compileLinkRow(field, toNegationNormalForm(where));
  if (row.kind === 'never') return undefined;
  return row.kind === 'always' ? sql`TRUE` : row.test;
}

function isUnique({ use, child }: LinkField): boolean {
  if (child === undefined) return use.unique;
  return use.children?.find(({ name }) => name === child)?.unique ?? false;
}
