import { isObject, type Json, type JsonObject } from './shape.js';

/** The document after a merge patch: null takes a member out, objects are merged, all else replaces (RFC 7396). */
export function mergePatched(document: Json | undefined, patch: unknown): Json {
  if (!isObject(patch)) return patch as Json;
  const merged: Record<string, Json> = isObject(document) ? { ...document } : {};
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete merged[name];
    else merged[name] = mergePatched(merged[name], value);
  }
  return merged satisfies JsonObject;
}
