import type { JsonPlace } from './field-plan.js';
import { printPath } from './field-plan.js';
import { literal, type Sql, type SqlValue, sql } from './sql-text.js';
import { rejected } from './stored-scalar.js';

type JsonObject = Record<string, unknown>;

/**
 * Members of one column's JSON object being set and removed. SQLite edits the text, so that everything else in it stays
 * as it is, numbers with many digits included; a copy in memory tells which enclosing objects are missing.
 */
export class JsonEdit {
  private readonly model: JsonObject;
  private expression: Sql;

  /** @param stored what the column holds @param field for errors @throws AdapterError rejected when it is no object */
  constructor(stored: SqlValue, current: Sql, field: string) {
    const parsed = parseObject(stored, field);
    this.model = parsed ?? {};
    this.expression = parsed === undefined ? literal('{}') : current;
  }

  /** The column's new value. */
  get value(): Sql {
    return this.expression;
  }

  /** @param json undefined removes the member */
  put({ members, path }: JsonPlace, json: unknown): void {
    let parent = this.model;
    for (const [depth, member] of members.slice(0, -1).entries()) {
      const next = parent[member];
      if (isObject(next)) {
        parent = next;
        continue;
      }
      if (json === undefined) return;
      const missing = members.slice(depth + 1).reduceRight<unknown>((value, name) => ({ [name]: value }), json);
      parent[member] = missing;
      this.set(printPath(members.slice(0, depth + 1)), missing);
      return;
    }
    const last = members.at(-1) ?? '';
    if (json === undefined) {
      if (!Object.hasOwn(parent, last)) return;
      delete parent[last];
      this.expression = sql`json_remove(${this.expression}, ${literal(path)})`;
      return;
    }
    parent[last] = json;
    this.set(path, json);
  }

  private set(path: string, json: unknown): void {
    this.expression = sql`json_set(${this.expression}, ${literal(path)}, json(${JSON.stringify(json)}))`;
  }
}

function parseObject(stored: SqlValue, field: string): JsonObject | undefined {
  if (stored === null || stored === '') return undefined;
  let parsed: unknown;
  try {
    parsed = typeof stored === 'string' ? JSON.parse(stored) : false;
  } catch {
    parsed = false;
  }
  if (parsed === null) return undefined;
  if (!isObject(parsed)) throw rejected(field, 'The place where it is kept holds something else than a JSON object.');
  return parsed;
}

function isObject(json: unknown): json is JsonObject {
  return typeof json === 'object' && json !== null && !Array.isArray(json);
}
