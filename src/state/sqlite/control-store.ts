import { type Database as Connection, SqliteError } from 'better-sqlite3';
import type { Control, ControlStore } from '../state.js';

interface ControlRow {
  readonly gateway: string;
  readonly enabled: number | null;
  readonly level: Control['level'] | null;
  readonly record_values_until: number | null;
}

type Columns = Omit<ControlRow, 'gateway'>;

const recheckMs = 200;
const none: Control = {};

/**
 * All controls in memory. A look-up asks SQLite a few times a second whether another process has written, and reads
 * again only then.
 * @param now milliseconds that only go forward
 */
export function createControlStore(db: Connection, now: () => number = () => performance.now()): ControlStore {
  const dataVersion = db.prepare<[], number>('PRAGMA data_version').pluck();
  const readAll = db.prepare<[], ControlRow>('SELECT gateway, enabled, level, record_values_until FROM controls');
  const write = db.prepare<ControlRow>(
    `INSERT INTO controls (gateway, enabled, level, record_values_until)
     VALUES (@gateway, @enabled, @level, @record_values_until)
     ON CONFLICT (gateway) DO UPDATE
     SET enabled = excluded.enabled, level = excluded.level, record_values_until = excluded.record_values_until`,
  );
  let controls = new Map<string, Control>();
  let knownVersion: number | undefined;
  let checkedAtMs = Number.NEGATIVE_INFINITY;

  const read = (): void => {
    // Asked for first: what is written in between is then read twice rather than never.
    knownVersion = dataVersion.get();
    controls = new Map(readAll.all().map((row) => [row.gateway, toControl(row)]));
  };
  const check = (): void => {
    try {
      if (dataVersion.get() !== knownVersion) read();
    } catch (error) {
      // What was known holds on while the file is busy.
      if (!(error instanceof SqliteError)) throw error;
    }
  };
  const change = db.transaction((gateway: string, columns: Partial<Columns>): void => {
    const row = readAll.all().find((candidate) => candidate.gateway === gateway);
    write.run({ enabled: null, level: null, record_values_until: null, ...row, ...columns, gateway });
  });
  read();
  return {
    get(gateway) {
      const nowMs = now();
      if (nowMs - checkedAtMs >= recheckMs && db.open) {
        checkedAtMs = nowMs;
        check();
      }
      return controls.get(gateway) ?? none;
    },
    async set(gateway, { enabled, level, recordValuesUntilMs }) {
      change.immediate(gateway, {
        ...(enabled === undefined ? {} : { enabled: enabled === null ? null : Number(enabled) }),
        ...(level === undefined ? {} : { level }),
        ...(recordValuesUntilMs === undefined ? {} : { record_values_until: recordValuesUntilMs }),
      });
      read();
    },
  };
}

function toControl(row: ControlRow): Control {
  return {
    ...(row.enabled === null ? {} : { enabled: row.enabled === 1 }),
    ...(row.level === null || row.level === undefined ? {} : { level: row.level }),
    ...(row.record_values_until === null ? {} : { recordValuesUntilMs: row.record_values_until }),
  };
}
