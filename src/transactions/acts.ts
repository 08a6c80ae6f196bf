import { userInfo } from 'node:os';
import { openTransactionsFile } from './transactions-file.js';

/** What an operator did. `meant` says it in words, with nothing that is secret or about a person. */
export interface Act {
  /** Empty when it concerns the whole. */
  readonly gateway: string;
  /** `token create`, `gateway disable`, `reload` … */
  readonly operation: string;
  readonly meant: readonly string[];
}

/**
 * Records an act of the operator who runs this process. For commands: it is on its way to the disk when this returns.
 * An act that cannot be recorded is not undone for that: what is wrong comes back for the operator to read.
 * @returns undefined when it was recorded, else a sentence
 */
export function recordAct(dataDir: string, act: Act): string | undefined {
  try {
    const db = openTransactionsFile(dataDir);
    try {
      db.prepare(insertAct).run(actRow(act, operator(), Date.now()));
    } finally {
      db.close();
    }
    return undefined;
  } catch (error) {
    return `This was done, but could not be recorded: ${error instanceof Error ? error.message : error}`;
  }
}

/** The row of an act, for `insertAct`. */
export interface ActRow {
  readonly at: number;
  readonly gateway: string;
  readonly operation: string;
  readonly caller: string;
  readonly meant: string;
}

export const insertAct = `INSERT INTO transactions
  (at, duration_us, gateway, operation, outcome, status, request_id, caller, meant)
  VALUES (@at, 0, @gateway, @operation, 'act', 0, '', @caller, @meant)`;

export function actRow({ gateway, operation, meant }: Act, caller: string, at: number): ActRow {
  return { at: Math.round(at), gateway, operation, caller, meant: JSON.stringify(meant) };
}

/** `os:<user>`: who runs this process. In a container the user may have a number and no name. */
export function operator(): string {
  try {
    return `os:${userInfo().username}`;
  } catch {
    return `os:${process.getuid?.() ?? 'unknown'}`;
  }
}
