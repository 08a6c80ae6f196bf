import { isObject, type Json, sameJson } from './json.js';

/**
 * What makes the one document the other: changed members alone, null for those that go.
 * @returns undefined when they are the same
 * @see RFC 7396
 */
export function mergePatch(before: Json | undefined, after: Json | undefined): Json | undefined {
  if (sameJson(before, after)) return undefined;
  if (after === undefined) return null;
  if (!isObject(before) || !isObject(after)) return after;
  const patch: Record<string, Json> = {};
  for (const name of new Set([...Object.keys(before), ...Object.keys(after)])) {
    const part = mergePatch(own(before, name), own(after, name));
    if (part !== undefined) patch[name] = part;
  }
  return patch;
}

function own(object: { readonly [name: string]: Json }, name: string): Json | undefined {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}
