import { isDeepStrictEqual } from 'node:util';
import { Refusal } from './http-exchange.js';
import { isObject, type Json, type JsonObject } from './shape.js';

const operations = ['add', 'remove', 'replace', 'test'];

/**
 * The document after a JSON patch (RFC 6902): all operations or none.
 * @throws Refusal 400 for what is no patch, 409 when a `test` does not hold, 422 for a path that names nothing
 */
export function jsonPatched(document: JsonObject, patch: unknown): JsonObject {
  if (!Array.isArray(patch)) throw new Refusal(400, 'BAD_PATCH', 'A patch is a list.');
  let patched: Json = document;
  for (const operation of patch as readonly unknown[]) patched = applied(patched, operation);
  return patched as JsonObject;
}

function applied(document: Json, operation: unknown): Json {
  if (!isObject(operation) || !operations.includes(String(operation.op)) || typeof operation.path !== 'string') {
    throw new Refusal(400, 'BAD_PATCH', 'An operation has an op and a path.');
  }
  if (operation.op !== 'remove' && !('value' in operation)) {
    throw new Refusal(400, 'BAD_PATCH', 'The operation needs a value.');
  }
  const unknown = Object.keys(operation).find((name) => !['op', 'path', 'value'].includes(name));
  if (unknown !== undefined) throw new Refusal(400, 'BAD_PATCH', `An operation has no "${unknown}".`);
  const tokens = tokensOf(operation.path);
  return changedAt(document, tokens, operation);
}

/** @throws Refusal 400 unless it is a JSON Pointer (RFC 6901) to a member */
function tokensOf(pointer: string): readonly string[] {
  if (!/^(?:\/(?:[^~/]|~[01])*)+$/.test(pointer)) throw new Refusal(400, 'BAD_PATCH', 'The path is no JSON Pointer.');
  const unescaped = (token: string): string => token.replaceAll('~1', '/').replaceAll('~0', '~');
  return pointer.split('/').slice(1).map(unescaped);
}

function changedAt(value: Json, tokens: readonly string[], operation: JsonObject): Json {
  const [token = '', ...rest] = tokens;
  if (Array.isArray(value)) return changedList(value as readonly Json[], token, rest, operation);
  if (!isObject(value)) throw noSuchPath(operation);
  const isThere = Object.hasOwn(value, token);
  if (rest.length > 0) {
    if (!isThere) throw noSuchPath(operation);
    return { ...value, [token]: changedAt(value[token] as Json, rest, operation) };
  }
  if (operation.op !== 'add' && !isThere) {
    throw operation.op === 'test' ? testFailed() : noSuchPath(operation);
  }
  if (operation.op === 'test') return tested(value, value[token] as Json, operation);
  const { [token]: _, ...others } = value;
  return operation.op === 'remove' ? others : { ...value, [token]: operation.value as Json };
}

function changedList(list: readonly Json[], token: string, rest: readonly string[], operation: JsonObject): Json {
  const isAdding = operation.op === 'add' && rest.length === 0;
  if (token === '-' && isAdding) return [...list, operation.value as Json];
  const index = /^(?:0|[1-9]\d*)$/.test(token) ? Number(token) : Number.NaN;
  if (!(index < list.length + Number(isAdding))) {
    throw operation.op === 'test' ? testFailed() : noSuchPath(operation);
  }
  const item = list[index] as Json;
  if (rest.length > 0) return list.with(index, changedAt(item, rest, operation));
  if (operation.op === 'test') return tested(list, item, operation);
  if (isAdding) return list.toSpliced(index, 0, operation.value as Json);
  return operation.op === 'remove' ? list.toSpliced(index, 1) : list.with(index, operation.value as Json);
}

function tested(whole: Json, value: Json, operation: JsonObject): Json {
  if (!isDeepStrictEqual(value, operation.value)) throw testFailed();
  return whole;
}

function testFailed(): Refusal {
  return new Refusal(409, 'TEST_FAILED', 'A test of the patch does not hold.');
}

function noSuchPath({ path }: JsonObject): Refusal {
  return new Refusal(422, 'NO_SUCH_PATH', 'A path of the patch names nothing.', String(path));
}
