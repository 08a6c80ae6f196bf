import type {
  BackendRecord,
  ChildRecord,
  FieldValue,
  Inspection,
  Scalar,
  SearchResult,
  UpdateResult,
} from '../backend/adapter.js';

/**
 * What an adapter of others answers, as plain data of our own: read once, so that a getter that throws does so here, and
 * checked value by value. Each throws Error with what is wrong, for an operator; none repeats a value.
 */
export function plainRecord(answer: unknown): BackendRecord {
  if (!isObject(answer)) throw nonsense('a record that is no object');
  const record: Record<string, FieldValue> = {};
  for (const [name, value] of Object.entries(answer)) {
    const plain = plainValue(name, value);
    if (plain !== undefined) record[name] = plain;
  }
  if (typeof record.$id !== 'string' || record.$id === '') throw nonsense('a record without a text in "$id"');
  return record;
}

/** @param id that was asked for: the data of somebody else must not be given out under it */
export function plainFound(answer: unknown, id: string): BackendRecord | undefined {
  if (answer === undefined) return undefined;
  const record = plainRecord(answer);
  if (record.$id !== id) throw nonsense('a record whose "$id" is not the one asked for');
  return record;
}

export function plainRecords(answer: unknown): readonly BackendRecord[] {
  if (!Array.isArray(answer)) throw nonsense('no list of records');
  return Array.from(answer, plainRecord);
}

export function plainSearchResult(answer: unknown): SearchResult {
  if (!isObject(answer)) throw nonsense('no search result');
  const { records, total, next } = answer;
  if (total !== undefined && !(Number.isSafeInteger(total) && Number(total) >= 0)) {
    throw nonsense('a total that is no whole number');
  }
  if (next !== undefined && !(typeof next === 'string' && next.length <= 1_000)) {
    throw nonsense('a position that is no text of at most 1,000 characters');
  }
  return {
    records: plainRecords(records),
    ...(total === undefined ? {} : { total: Number(total) }),
    ...(next === undefined ? {} : { next }),
  };
}

export function plainUpdateResult(answer: unknown): UpdateResult {
  if (!isObject(answer)) throw nonsense('no update result');
  const { changed, record } = answer;
  if (typeof changed !== 'boolean') throw nonsense('an update result without "changed"');
  return { changed, record: plainRecord(record) };
}

export function plainInspection(answer: unknown): Inspection {
  if (!isObject(answer)) throw nonsense('no inspection');
  const { entities, problems } = structuredClone({ entities: answer.entities, problems: answer.problems });
  if (!Array.isArray(entities) || !Array.isArray(problems)) {
    throw nonsense('an inspection without lists of "entities" and "problems"');
  }
  const areEntities = entities.every(
    (one) => isObject(one) && typeof one.entity === 'string' && isFieldList(one.fields),
  );
  if (!areEntities) throw nonsense('an inspection whose entities have not "entity" and "fields"');
  if (!problems.every(isProblem)) throw nonsense('a problem without "severity", "configPath" and "message"');
  return { entities, problems };
}

export function nothing(): void {}

function isFieldList(fields: unknown): boolean {
  return Array.isArray(fields) && fields.every((field) => isObject(field) && typeof field.name === 'string');
}

function isProblem(problem: unknown): boolean {
  if (!isObject(problem)) return false;
  const { severity, configPath, message } = problem;
  const isPath = Array.isArray(configPath) && configPath.every((part) => ['string', 'number'].includes(typeof part));
  return (severity === 'error' || severity === 'warning') && isPath && typeof message === 'string';
}

/** @returns undefined for no value, which null and an empty list mean too */
function plainValue(name: string, value: unknown): FieldValue | undefined {
  if (value === undefined || value === null) return undefined;
  if (!Array.isArray(value)) return plainScalar(name, value);
  if (value.length === 0) return undefined;
  const values = Array.from(value, (one: unknown) => (isChild(one) ? plainChild(name, one) : plainScalar(name, one)));
  if (new Set(values.map(isChild)).size > 1) throw nonsense(`both values and child records in "${name}"`);
  return values as readonly Scalar[] | readonly ChildRecord[];
}

function isChild(value: unknown): value is Readonly<Record<string, unknown>> {
  if (!isObject(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function plainChild(name: string, value: Readonly<Record<string, unknown>>): ChildRecord {
  const child: Record<string, Scalar> = {};
  for (const [key, part] of Object.entries(value)) {
    if (part !== undefined && part !== null) child[key] = plainScalar(`${name}.${key}`, part);
  }
  return child;
}

function plainScalar(name: string, value: unknown): Scalar {
  switch (typeof value) {
    case 'string':
    case 'boolean':
    case 'bigint':
      return value;
    case 'number':
      if (Number.isFinite(value)) return value;
      break;
    default:
      if (value instanceof Uint8Array) return Uint8Array.from(value);
  }
  throw nonsense(`a value in "${name}" that is no text, number, boolean or bytes`);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function nonsense(what: string): Error {
  return new Error(`It answered with ${what}.`);
}
