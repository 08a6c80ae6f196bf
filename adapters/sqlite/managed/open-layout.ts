import type { Database } from 'better-sqlite3';
import type { EntityUse, FieldUse } from '../../../src/backend/adapter.js';
import { AdapterError } from '../../../src/backend/adapter-error.js';
import { isWritable } from '../database.js';
import type { StoreDefinition } from '../store.js';
import {
  type FieldLayout,
  fieldLayoutOf,
  type InverseField,
  type Layout,
  type LinkField,
  type ManagedEntity,
  type ManagedField,
  mergedEntities,
  type Referrer,
} from './layout.js';
import { rearrange } from './rearrange.js';

interface StoredField {
  readonly id: number;
  readonly layout: FieldLayout;
  readonly children: Map<string, number>;
}

interface StoredScope {
  readonly id: number;
  readonly generation: number;
  readonly fields: Map<string, StoredField>;
}

type StoredLayout = ReadonlyMap<string, StoredScope>;

/**
 * The numbers that stand for this gateway's entities and fields in the store. What is new is entered, and what is
 * declared otherwise than before is arranged anew, when the connection may write.
 */
export function openLayout(db: Database, definition: StoreDefinition): Layout {
  const { gateway } = definition;
  const uses = mergedEntities(definition.entities);
  let stored = readLayout(db, gateway);
  if (!isUpToDate(stored, uses)) {
    if (!isWritable(db)) {
      throw new AdapterError('unavailable', 'The managed store is set up for another mapping. Restart the gateway.');
    }
    const enter = db.transaction(() => enterLayout(db, gateway, readLayout(db, gateway), uses));
    enter.immediate();
    stored = readLayout(db, gateway);
  }
  return buildLayout(stored, uses);
}

/** Whether the store keeps every declared field in the way that is declared, whatever became of others. */
export function isArrangedAsDeclared(db: Database, { gateway, entities }: StoreDefinition): boolean {
  return isUpToDate(readLayout(db, gateway), mergedEntities(entities));
}

/** A field that two declarations have in common and would keep differently, as `entity.field`. */
export function keptDifferently(one: readonly EntityUse[], other: readonly EntityUse[]): string | undefined {
  const others = new Map(mergedEntities(other).map(({ entity, fields }) => [entity, fields]));
  for (const { entity, fields } of mergedEntities(one)) {
    for (const use of fields) {
      const otherUse = others.get(entity)?.find(({ name }) => name === use.name);
      const [layout, otherLayout] = [fieldLayoutOf(use), otherUse && fieldLayoutOf(otherUse)];
      if (layout !== undefined && otherLayout !== undefined && !isSame(layout, otherLayout))
        return `${entity}.${use.name}`;
    }
  }
  return undefined;
}

function readLayout(db: Database, gateway: string): StoredLayout {
  const scopes = db
    .prepare<[string], { id: number; entity: string; generation: number }>(
      'SELECT id, entity, generation FROM scope WHERE gateway = ?',
    )
    .all(gateway);
  const fieldsOf = db.prepare<[number], { id: number; name: string; child: string; layout: string }>(
    'SELECT id, name, child, layout FROM field WHERE scope = ? ORDER BY id',
  );
  const layout = new Map<string, StoredScope>();
  for (const { id, entity, generation } of scopes) {
    const rows = fieldsOf.all(id);
    const fields = new Map<string, StoredField>();
    for (const row of rows) {
      if (row.child === '') fields.set(row.name, { id: row.id, layout: JSON.parse(row.layout), children: new Map() });
    }
    for (const row of rows) {
      if (row.child !== '') fields.get(row.name)?.children.set(row.child, row.id);
    }
    layout.set(entity, { id, generation, fields });
  }
  return layout;
}

function isUpToDate(stored: StoredLayout, uses: readonly EntityUse[]): boolean {
  return uses.every(({ entity, fields }) => {
    const scope = stored.get(entity);
    return scope !== undefined && fields.every((use) => isFieldUpToDate(scope.fields.get(use.name), use));
  });
}

function isFieldUpToDate(field: StoredField | undefined, use: FieldUse): boolean {
  const layout = fieldLayoutOf(use);
  return layout === undefined || (field !== undefined && isSame(field.layout, layout));
}

function isSame(a: FieldLayout, b: FieldLayout): boolean {
  return printLayout(a) === printLayout(b);
}

function printLayout(layout: FieldLayout): string {
  if (layout.kind !== 'link') return JSON.stringify(layout);
  const { kind, child, comparison, by, targets } = layout;
  return JSON.stringify({ kind, ...(child === undefined ? {} : { child }), comparison, by, targets });
}

function enterLayout(db: Database, gateway: string, stored: StoredLayout, uses: readonly EntityUse[]): void {
  const insertScope = db.prepare('INSERT INTO scope (gateway, entity) VALUES (?, ?)');
  const insertField = db.prepare('INSERT INTO field (scope, name, child, layout) VALUES (?, ?, ?, ?)');
  const updateField = db.prepare('UPDATE field SET layout = ? WHERE id = ?');
  const nextGeneration = db.prepare('UPDATE scope SET generation = generation + 1 WHERE id = ?');
  for (const { entity, fields } of uses) {
    const scope = stored.get(entity);
    const scopeId = scope?.id ?? Number(insertScope.run(gateway, entity).lastInsertRowid);
    for (const use of fields) {
      const present = scope?.fields.get(use.name);
      const layout = fieldLayoutOf(use);
      if (layout === undefined || isFieldUpToDate(present, use)) continue;
      const id = present?.id ?? Number(insertField.run(scopeId, use.name, '', printLayout(layout)).lastInsertRowid);
      const children = new Map(present?.children);
      for (const child of layout.kind === 'records' ? Object.keys(layout.children) : []) {
        if (children.has(child)) continue;
        children.set(child, Number(insertField.run(scopeId, use.name, child, '').lastInsertRowid));
      }
      if (present === undefined) continue;
      updateField.run(printLayout(layout), id);
      const after = managedField(use, { id, layout, children });
      rearrange(db, { scope: scopeId, before: present.layout, after, ids: [id, ...children.values()] });
      nextGeneration.run(scopeId);
    }
  }
}

function buildLayout(stored: StoredLayout, uses: readonly EntityUse[]): Layout {
  const entities = new Map<string, ManagedEntity>();
  for (const use of uses) {
    const scope = stored.get(use.entity);
    if (scope === undefined) continue;
    const fields = new Map(use.fields.map((field) => [field.name, managedField(field, scope.fields.get(field.name))]));
    entities.set(use.entity, {
      name: use.entity,
      scope: scope.id,
      generation: scope.generation,
      idField: use.id === undefined || use.id.startsWith('$') ? undefined : use.id,
      idPrefix: use.idPrefix ?? '',
      fields,
    });
  }
  for (const [name, entity] of entities) {
    const fields = [...entity.fields].map(([field, plan]) => [field, withOtherEnd(plan, entities)] as const);
    entities.set(name, { ...entity, fields: new Map(fields) });
  }
  return { entities, referrers: referrersIn(stored) };
}

function managedField(use: FieldUse, stored: StoredField | undefined): ManagedField {
  const layout = fieldLayoutOf(use);
  if (layout === undefined || stored === undefined) return { kind: 'absent', use };
  const { id } = stored;
  switch (layout.kind) {
    case 'value':
      return { kind: 'value', use, id };
    case 'link':
      return { use, id, ...layout, child: layout.child };
    case 'records': {
      const children = (use.children ?? []).map(
        (child) => [child.name, { id: stored.children.get(child.name) ?? 0, use: child }] as const,
      );
      return { kind: 'records', use, id, children: new Map(children) };
    }
  }
}

function withOtherEnd(field: ManagedField, entities: ReadonlyMap<string, ManagedEntity>): ManagedField {
  const { inverseOf } = field.use;
  if (inverseOf === undefined) return field;
  const link: ManagedField | LinkField | undefined = entities.get(inverseOf.entity)?.fields.get(inverseOf.field);
  if (link?.kind !== 'link') return field;
  const children = field.use.children ?? [];
  const referring = children.find(({ reference }) => reference !== undefined);
  const by = (field.use.reference ?? referring?.reference)?.by ?? '$id';
  if (by !== '$id') {
    const message = `"${field.use.name}" is the other end of "${inverseOf.field}" and can only give ids, not "${by}".`;
    throw new AdapterError('unsupported', message, { field: field.use.name });
  }
  const child = (referring ?? children[0])?.name;
  return { kind: 'inverse', use: field.use, child, link } satisfies InverseField;
}

function referrersIn(stored: StoredLayout): readonly Referrer[] {
  return [...stored.values()].flatMap(({ fields }) =>
    [...fields.values()].flatMap(({ id, layout }) => (layout.kind === 'link' ? [{ id, ...layout }] : [])),
  );
}
