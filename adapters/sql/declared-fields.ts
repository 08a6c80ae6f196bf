import type { TablesConfig } from './config.js';

/** What a section names itself: entities, and the fields that the mapping may use. */
export function declaredFields(entities: TablesConfig): ReadonlyMap<string, ReadonlySet<string>> {
  return new Map(Object.entries(entities).map(([name, { fields }]) => [name, new Set(Object.keys(fields))]));
}
