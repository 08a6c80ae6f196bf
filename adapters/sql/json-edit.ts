import type { JsonDialect } from './dialects/dialect.js';
import type { JsonPlace } from './field-plan.js';
import type { SqlValue } from './pool.js';
import type { Sql } from './sql-text.js';
import { rejected } from './stored-scalar.js';

type JsonObject = Record<string, unknown>;

/**
 * Members of one column's JSON object being set and removed. The database edits the document, so that everything else in it stays
 * as it is, numbers with many digits included; a copy in memory tells which enclosing objects are missing.
 */
export class JsonEdit {
  private readonly model: JsonObject;
  private readonly dialect: JsonDialect;
  private expression: Sql;

  /**
   * @param stored the column's document as text
   * @param current the document itself
   * @param field for errors
   * @throws AdapterError rejected when it is no object
   */
  constructor(dialect: JsonDialect, stored: SqlValue, current: Sql, field: string) {
    const parsed = parseObject(stored, field);
    this.dialect = dialect;
    this.model = parsed ?? {};
    this.expression = parsed === undefined ? dialect.empty : current;
  }

  /** The column's new value. */
  get value(): Sql {
    return this.expression;
  }

  /** @param json undefined removes the member */
  put({ members }: JsonPlace, json: unknown): void {
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
      this.set(members.slice(0, depth + 1), missing);
      return;
    }
    const last = members.at(-1) ?? '';
    if (json === undefined) {
      if (!Object.hasOwn(parent, last)) return;
      delete parent[last];
      this.expression = this.dialect.remove(this.expression, members);
      return;
    }
    parent[last] = json;
    this.set(members, json);
  }

  private set(members: readonly string[], json: unknown): void {
    this.expression = this.dialect.set(this.expression, members, JSON.stringify(json));
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
