import { hash } from 'node:crypto';
import type { Database, Query } from '../../state/postgresql/database.js';
import type { TransactionRow } from '../transaction-row.js';
import { toJsonText } from './json-text.js';

const maxOperationChars = 4000;
/** Kept once for all rows; adapters that put ids into their operations have more. */
const maxOperations = 5000;

/** Texts of native operations and the numbers that rows name them by. Replicas share the numbers. */
export class NativeOperations {
  readonly #schema: string;
  readonly #numbers: Map<string, number>;
  /** Those of the step that is being written. */
  #new: string[] = [];

  private constructor(schema: string, numbers: Map<string, number>) {
    this.#schema = schema;
    this.#numbers = numbers;
  }

  static async load(database: Database): Promise<NativeOperations> {
    const { rows } = await database.query<{ id: number; text: string }>(
      `SELECT id, text FROM ${database.schema}.native_operations ORDER BY id LIMIT ${maxOperations}`,
    );
    return new NativeOperations(database.schema, new Map(rows.map(({ id, text }) => [text, id])));
  }

  /** Gives numbers to those that have none. */
  async add(query: Query, rows: readonly Pick<TransactionRow, 'backend'>[]): Promise<void> {
    this.#new = [];
    const unknown = new Set<string>();
    for (const { backend } of rows) {
      for (const part of backend ?? []) {
        if (typeof part === 'string' && !this.#numbers.has(clip(part))) unknown.add(clip(part));
      }
    }
    const texts = [...unknown].slice(0, Math.max(0, maxOperations - this.#numbers.size));
    if (texts.length === 0) return;
    const named = texts.map((text) => ({ hash: hash('sha256', text, 'base64url'), text }));
    await query(
      `INSERT INTO ${this.#schema}.native_operations (hash, text)
       SELECT hash, text FROM json_to_recordset($1::json) AS one (hash text, text text) ON CONFLICT DO NOTHING`,
      [toJsonText(named)],
    );
    const found = await query<{ id: number; hash: string }>(
      `SELECT id, hash FROM ${this.#schema}.native_operations WHERE hash = ANY ($1)`,
      [named.map((one) => one.hash)],
    );
    const byHash = new Map(found.rows.map((row) => [row.hash, row.id]));
    for (const { hash: name, text } of named) {
      const number = byHash.get(name);
      if (number === undefined) continue;
      this.#numbers.set(text, number);
      this.#new.push(text);
    }
  }

  /** Operations and microseconds in turn, as JSON: an operation by its number, or its text where there are too many. */
  textOf(backend: readonly (string | number)[]): string {
    return JSON.stringify(
      backend.map((part) => {
        if (typeof part !== 'string') return part;
        const text = clip(part);
        return this.#numbers.get(text) ?? text;
      }),
    );
  }

  committed(): void {
    this.#new = [];
  }

  undone(): void {
    for (const text of this.#new) this.#numbers.delete(text);
    this.#new = [];
  }
}

function clip(text: string): string {
  return text.length > maxOperationChars ? `${text.slice(0, maxOperationChars - 1)}…` : text;
}
