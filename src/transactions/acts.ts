import { userInfo } from 'node:os';
import type { StatePlace } from '../state/state-place.js';
import { openTransactionWriter } from './open-transactions.js';

/** What an operator did. `meant` says it in words, with nothing that is secret or about a person. */
export interface Act {
  /** Empty when it concerns the whole. */
  readonly gateway: string;
  /** `token create`, `gateway disable`, `reload` … */
  readonly operation: string;
  readonly meant: readonly string[];
}

/**
 * Records an act of the operator who runs this process. For commands: it is on its way to the disk when this is done.
 * An act that cannot be recorded is not undone for that: what is wrong comes back for the operator to read.
 * @returns undefined when it was recorded, else a sentence
 */
export async function recordAct(place: StatePlace, act: Act): Promise<string | undefined> {
  try {
    const writer = await openTransactionWriter(place);
    try {
      await writer.write({ rows: [], acts: [actRow(act, operator(), Date.now())], activity: [] });
    } finally {
      await writer.close();
    }
    return undefined;
  } catch (error) {
    return `This was done, but could not be recorded: ${error instanceof Error ? error.message : error}`;
  }
}

/** The row of an act. */
export interface ActRow {
  readonly at: number;
  readonly gateway: string;
  readonly operation: string;
  readonly caller: string;
  readonly meant: string;
}

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
