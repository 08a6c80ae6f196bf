import type { EntityUse, FieldUse } from '../../../src/backend/adapter.js';
import { AdapterError } from '../../../src/backend/adapter-error.js';
import type { Comparison } from '../../../src/scim/comparison.js';

/** One value or many, in the document, with a row of `value` for each. */
export interface ValueField {
  readonly kind: 'value';
  readonly use: FieldUse;
  readonly id: number;
}

/** Child records in the document. `id` is the field of the rows that say which child records there are. */
export interface RecordsField {
  readonly kind: 'records';
  readonly use: FieldUse;
  readonly id: number;
  readonly children: ReadonlyMap<string, { readonly id: number; readonly use: FieldUse }>;
}

/** Values that refer to other records, in rows of `link`. */
export interface LinkField {
  readonly kind: 'link';
  readonly use: FieldUse;
  readonly id: number;
  /** For child records: the child's field that refers. */
  readonly child: string | undefined;
  readonly comparison: Comparison;
  /** Which field of the named records the values hold. */
  readonly by: string;
  readonly targets: readonly string[];
}

/** Which records refer to this one: read from the other end's links. */
export interface InverseField {
  readonly kind: 'inverse';
  readonly use: FieldUse;
  readonly child: string | undefined;
  readonly link: LinkField;
}

/** Never has a value: what is only written (a password) is not kept. */
export interface AbsentField {
  readonly kind: 'absent';
  readonly use: FieldUse;
}

export type ManagedField = ValueField | RecordsField | LinkField | InverseField | AbsentField;

/** An entity of this gateway as it lies in the store. */
export interface ManagedEntity {
  readonly name: string;
  readonly scope: number;
  /** Another number in the store means that another process has changed how fields are indexed. */
  readonly generation: number;
  /** A field that holds the id without its prefix, where the mapping names one. */
  readonly idField: string | undefined;
  readonly idPrefix: string;
  readonly fields: ReadonlyMap<string, ManagedField>;
}

/** A link field of this gateway, declared now or earlier: what is to be mended when the record that it names goes. */
export interface Referrer {
  readonly id: number;
  readonly child?: string | undefined;
  readonly comparison: Comparison;
  readonly by: string;
  readonly targets: readonly string[];
}

export interface Layout {
  readonly entities: ReadonlyMap<string, ManagedEntity>;
  readonly referrers: readonly Referrer[];
}

/** How a field lies in the store, as it is written down there: data written under another one is arranged anew. */
export type FieldLayout =
  | { readonly kind: 'value'; readonly comparison: Comparison }
  | { readonly kind: 'records'; readonly children: Readonly<Record<string, Comparison>> }
  | {
      readonly kind: 'link';
      readonly child?: string;
      readonly comparison: Comparison;
      readonly by: string;
      readonly targets: readonly string[];
    };

/** @returns undefined for fields of which nothing is stored */
export function fieldLayoutOf(use: FieldUse): FieldLayout | undefined {
  if (use.inverseOf !== undefined || !use.read) return undefined;
  if (use.type !== 'records') {
    const { comparison, reference } = use;
    return reference === undefined ? { kind: 'value', comparison } : { kind: 'link', comparison, ...reference };
  }
  const children = use.children ?? [];
  const referring = children.find(({ reference }) => reference !== undefined);
  if (referring?.reference !== undefined) {
    return { kind: 'link', child: referring.name, comparison: referring.comparison, ...referring.reference };
  }
  const byName = [...children].sort((a, b) => (a.name < b.name ? -1 : 1));
  return { kind: 'records', children: Object.fromEntries(byName.map(({ name, comparison }) => [name, comparison])) };
}

/** Several types may use one entity: then its fields are those of all. */
export function mergedEntities(uses: readonly EntityUse[]): readonly EntityUse[] {
  const merged = new Map<string, EntityUse>();
  for (const use of uses) {
    const present = merged.get(use.entity);
    const others = use.fields.filter(({ name }) => !present?.fields.some((field) => field.name === name));
    merged.set(use.entity, { ...use, ...present, fields: [...(present?.fields ?? []), ...others] });
  }
  return [...merged.values()];
}

export function entityIn(layout: Layout, name: string): ManagedEntity {
  const entity = layout.entities.get(name);
  if (entity === undefined) throw new AdapterError('unsupported', `The mapping uses no entity "${name}".`);
  return entity;
}

export function fieldIn(entity: ManagedEntity, name: string): ManagedField {
  const field = entity.fields.get(name);
  if (field === undefined) throw unknownField(entity, name);
  return field;
}

export function unknownField(entity: ManagedEntity, name: string): AdapterError {
  const message = `The mapping declares no field "${name}" in "${entity.name}".`;
  return new AdapterError('unsupported', message, { field: name });
}
