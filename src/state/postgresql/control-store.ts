import type { Control, ControlStore } from '../state.js';
import type { Database, Query } from './database.js';

type ControlRow = {
  readonly gateway: string;
  readonly enabled: boolean | null;
  readonly level: NonNullable<Control['level']> | null;
  readonly record_values_until: number | null;
};

export type Controls = ReadonlyMap<string, Control>;

const none: Control = {};

/** All controls in memory, exchanged as a whole when the database has others. */
export class StoredControls implements ControlStore {
  readonly #database: Database;
  #known: Controls = new Map();

  constructor(database: Database) {
    this.#database = database;
  }

  get(gateway: string): Control {
    return this.#known.get(gateway) ?? none;
  }

  async set(
    gateway: string,
    { enabled, level, recordValuesUntilMs }: { readonly [K in keyof Control]: Control[K] | null },
  ): Promise<void> {
    const changes = Object.entries({ enabled, level, record_values_until: recordValuesUntilMs }).filter(
      ([, value]) => value !== undefined,
    );
    if (changes.length === 0) return;
    const names = changes.map(([name]) => name);
    const text = `INSERT INTO ${this.#database.schema}.controls (gateway, ${names.join(', ')})
      VALUES ($1, ${names.map((_, index) => `$${index + 2}`).join(', ')})
      ON CONFLICT (gateway) DO UPDATE SET ${names.map((name) => `${name} = excluded.${name}`).join(', ')}`;
    await this.#database.transaction(async (query) => {
      await query(text, [gateway, ...changes.map(([, value]) => value)]);
      await query('SELECT pg_notify($1, $2)', [channelOf(this.#database.schema), gateway]);
    });
    await this.read();
  }

  async read(): Promise<void> {
    this.take(await readControls((text, values) => this.#database.query(text, values), this.#database.schema));
  }

  take(controls: Controls): void {
    this.#known = controls;
  }
}

/** Where replicas tell each other that controls have changed. */
export function channelOf(schema: string): string {
  return `${schema}_controls`;
}

export async function readControls(query: Query, schema: string): Promise<Controls> {
  const { rows } = await query<ControlRow>(
    `SELECT gateway, enabled, level, record_values_until FROM ${schema}.controls`,
  );
  return new Map(rows.map((row) => [row.gateway, toControl(row)]));
}

function toControl({ enabled, level, record_values_until }: ControlRow): Control {
  return {
    ...(enabled === null ? {} : { enabled }),
    ...(level === null ? {} : { level }),
    ...(record_values_until === null ? {} : { recordValuesUntilMs: record_values_until }),
  };
}
