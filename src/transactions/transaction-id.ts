/**
 * A transaction's id is its time and its number in the file, both in base 36, the number with its length before it: short,
 * unique, and as a text it sorts by time.
 */
const timeLength = 9;

export function toTransactionId(atMs: number, seq: number): string {
  const number = seq.toString(36);
  return atMs.toString(36).padStart(timeLength, '0') + number.length.toString(36) + number;
}

/** @returns undefined for what is no transaction's id */
export function fromTransactionId(id: string): { readonly atMs: number; readonly seq: number } | undefined {
  const match = /^([0-9a-z]{9})([1-9a-b])([0-9a-z]{1,11})$/.exec(id);
  if (match === null) return undefined;
  const [, time = '', length = '', number = ''] = match;
  if (Number.parseInt(length, 36) !== number.length) return undefined;
  return { atMs: Number.parseInt(time, 36), seq: Number.parseInt(number, 36) };
}
