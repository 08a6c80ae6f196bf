import { isDeepStrictEqual } from 'node:util';
import type { Draft, DraftEntry, DraftValue } from '../backend/draft.js';
import { resolveNamedMapping } from '../mapping/named-mappings.js';
import type { SourcedRule } from '../mapping/rule.js';

export type DraftedResource = Draft['resources'][number];

/** A drafted resource as it is written: what a preset says is not said again. */
export type WrittenResource = Pick<DraftedResource, 'type' | 'entity' | 'idPrefix' | 'mapping'> & {
  readonly use?: string;
};

/**
 * The resource by its preset and what differs from it; in full where it has none, or one that uses a field that the
 * backend has not.
 * @param rules what the preset alone amounts to
 */
export function byPreset(resource: DraftedResource, rules: readonly SourcedRule[] | undefined): WrittenResource {
  const { type, entity, idPrefix, mapping, preset, holds } = resource;
  const place = { type, entity, ...(idPrefix === undefined ? {} : { idPrefix }) };
  if (preset === undefined || rules === undefined || rules.length === 0) return { ...place, mapping };
  const known = new Map(rules.map(({ key, rule }) => [pathOf(key, type), rule]));
  const own = new Set(mapping.filter(({ isOffer }) => isOffer !== true).map(({ key }) => pathOf(key, type)));
  const added = [...known].flatMap(([path, { field }]) => (own.has(path) || field === undefined ? [] : [field]));
  if (holds === undefined || !added.every(holds)) return { ...place, mapping };
  const differing = mapping.filter(({ key, value, isOffer }) => {
    const same = known.get(pathOf(key, type));
    return isOffer === true || same === undefined || !isDeepStrictEqual(ruleOf(value), plain(same));
  });
  return { ...place, mapping: differing, use: preset };
}

/** One text for all names of an attribute. */
function pathOf(key: string, type: string): string {
  return (resolveNamedMapping(key, type) ?? key).toLowerCase();
}

function ruleOf(value: DraftEntry['value']): unknown {
  return plain(typeof value === 'string' ? { field: value } : (value as DraftValue));
}

function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}
