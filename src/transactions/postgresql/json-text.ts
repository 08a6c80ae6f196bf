const unstorable = /\\u(?:0000|d[89a-f])/i;
const zero = /\0/g;

/** JSON of which PostgreSQL takes every text: it has no character zero, and no half of a surrogate pair. */
export function toJsonText(value: unknown): string {
  const text = JSON.stringify(value);
  // An escaped backslash before "u0000" looks alike, and costs no more than the time.
  if (!unstorable.test(text)) return text;
  return JSON.stringify(value, (_, part: unknown) => (typeof part === 'string' ? storable(part) : part));
}

function storable(text: string): string {
  return Buffer.from(text.replace(zero, '\uFFFD')).toString();
}
