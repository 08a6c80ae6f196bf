/** What was thrown, for a log line: read once, with care, as it may be anything. */
export interface Thrown {
  readonly type: string;
  readonly message: string;
  readonly stack?: string;
  /** Of an AdapterError: tells one of a kind that there is not. */
  readonly kind?: string;
}

const maxLength = 4_000;

export function readThrown(thrown: unknown): Thrown {
  if (!isObject(thrown)) return { type: thrown === null ? 'null' : typeof thrown, message: textOf(() => thrown) };
  const fields = thrown as { readonly [name: string]: unknown };
  const stack = textOf(() => fields.stack);
  const type = textOf(() => fields.name) || 'object';
  const kind = type === 'AdapterError' ? textOf(() => fields.kind) : '';
  return {
    type,
    ...(kind === '' ? {} : { kind }),
    message: textOf(() => fields.message),
    ...(stack === '' ? {} : { stack }),
  };
}

/** One sentence about it. */
export function messageOf(thrown: unknown): string {
  const { type, message } = readThrown(thrown);
  if (!isObject(thrown)) return message;
  const reason = textOf(() => (thrown as { readonly reason?: unknown }).reason);
  if (reason !== '') return reason;
  return type === 'Error' || type === 'AdapterError'
    ? message || type
    : `${type}${message === '' ? '' : `: ${message}`}`;
}

function isObject(value: unknown): boolean {
  return (typeof value === 'object' && value !== null) || typeof value === 'function';
}

function textOf(read: () => unknown): string {
  try {
    const value = read();
    return value === undefined ? '' : String(value).slice(0, maxLength);
  } catch {
    return '';
  }
}
