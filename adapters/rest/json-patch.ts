import { isList, isObject, type Json, type JsonObject, sameJson } from './json.js';
import { type Pointer, printPointer } from './pointer.js';

/** What guards a patch against changes that were made since the document was read. */
export type PatchGuard =
  /** Something else does: If-Match. */
  | { readonly kind: 'none' }
  /** The revision, which is in the document. */
  | { readonly kind: 'revision'; readonly at: Pointer; readonly value: Json }
  /** What stood in the places that change. */
  | { readonly kind: 'values' };

/**
 * The operations that make the one document the other. Of a list, elements are taken out and put at the end, so that the
 * patch is as long as the change.
 * @see RFC 6902
 */
export function jsonPatch(before: Json, after: Json, guard: PatchGuard): readonly JsonObject[] {
  const operations = changesAt([], before, after, guard.kind === 'values');
  if (operations.length === 0 || guard.kind !== 'revision') return operations;
  return [{ op: 'test', path: printPointer(guard.at), value: guard.value }, ...operations];
}

function changesAt(at: Pointer, before: Json, after: Json, tests: boolean): readonly JsonObject[] {
  if (sameJson(before, after)) return [];
  const path = printPointer(at);
  const test: readonly JsonObject[] = tests ? [{ op: 'test', path, value: before }] : [];
  if (isList(before) && isList(after)) return [...test, ...listChanges(at, before, after)];
  if (!isObject(before) || !isObject(after)) return [...test, { op: 'replace', path, value: after }];
  return [...new Set([...Object.keys(before), ...Object.keys(after)])].flatMap((name): readonly JsonObject[] => {
    const [old, now] = [own(before, name), own(after, name)];
    const place = [...at, name];
    if (old !== undefined && now !== undefined) return changesAt(place, old, now, tests);
    if (now !== undefined) return [{ op: 'add', path: printPointer(place), value: now }];
    if (old === undefined) return [];
    const ownPath = printPointer(place);
    return [
      ...(tests ? [{ op: 'test', path: ownPath, value: old } satisfies JsonObject] : []),
      { op: 'remove', path: ownPath },
    ];
  });
}

/** Elements that go from the last to the first, so that the places of the others hold; then those that come. */
function listChanges(at: Pointer, before: readonly Json[], after: readonly Json[]): readonly JsonObject[] {
  const wanted = new Map<string, number>();
  for (const element of after) wanted.set(keyOf(element), (wanted.get(keyOf(element)) ?? 0) + 1);
  const gone: number[] = [];
  before.forEach((element, index) => {
    const left = wanted.get(keyOf(element)) ?? 0;
    if (left > 0) wanted.set(keyOf(element), left - 1);
    else gone.push(index);
  });
  const added = after.filter((element) => {
    const left = wanted.get(keyOf(element)) ?? 0;
    if (left > 0) wanted.set(keyOf(element), left - 1);
    return left > 0;
  });
  return [
    ...gone.reverse().map((index): JsonObject => ({ op: 'remove', path: printPointer([...at, String(index)]) })),
    ...added.map((value): JsonObject => ({ op: 'add', path: printPointer([...at, '-']), value })),
  ];
}

/** Text that is equal for equal JSON. */
function keyOf(json: Json): string {
  if (isList(json)) return `[${json.map(keyOf).join(',')}]`;
  if (!isObject(json)) return JSON.stringify(json);
  const names = Object.keys(json).sort();
  return `{${names.map((name) => `${JSON.stringify(name)}:${keyOf(json[name] ?? null)}`).join(',')}}`;
}

function own(object: JsonObject, name: string): Json | undefined {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}
