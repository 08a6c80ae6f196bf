/** What arrived at a test target, as it came over the wire. */
export interface TargetRequest {
  readonly method: string;
  /** The path with its escapes, without the query. */
  readonly rawPath: string;
  /** The query with its escapes, without "?"; empty when there is none. */
  readonly rawQuery: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

export interface TargetAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
}

/** A request that the target does not carry out. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly status: number;
  readonly code: string;
  /** The member of the document that is concerned. */
  readonly field: string | undefined;

  constructor(status: number, code: string, message: string, field?: string) {
    super(message);
    this.status = status;
    this.code = code;
    this.field = field;
  }
}

export function jsonAnswer(
  status: number,
  value: unknown,
  headers: Readonly<Record<string, string>> = {},
  type = 'application/json',
): TargetAnswer {
  return { status, headers: { 'content-type': type, ...headers }, body: JSON.stringify(value) };
}

const uriCharacters = /^(?:[A-Za-z0-9\-._~!$&'()*+,;=:@/?]|%[0-9A-Fa-f]{2})*$/;

/**
 * The segments of the path, decoded.
 * @throws Refusal 400 for characters that no URI has (RFC 3986 section 2), broken UTF-8, empty and dot segments
 */
export function segmentsOf({ rawPath }: TargetRequest): readonly string[] {
  const segments = rawPath.split('/').slice(1).map(decoded);
  if (segments.some((segment) => segment === '' || segment === '.' || segment === '..')) {
    throw new Refusal(400, 'bad_path', 'The path has an empty or a dot segment.');
  }
  return segments;
}

/**
 * The parameters of the query, decoded as a form is.
 * @throws Refusal 400 for a parameter that is not known, comes twice, has no "=" or is not escaped
 */
export function queryOf({ rawQuery }: TargetRequest, known: readonly string[]): ReadonlyMap<string, string> {
  const query = new Map<string, string>();
  if (rawQuery === '') return query;
  for (const pair of rawQuery.split('&')) {
    const at = pair.indexOf('=');
    if (at < 1) throw new Refusal(400, 'bad_query', 'A parameter has no name or no "=".');
    const name = decoded(pair.slice(0, at).replaceAll('+', ' '));
    if (!known.includes(name)) throw new Refusal(400, 'unknown_parameter', `There is no parameter "${name}".`);
    if (query.has(name)) throw new Refusal(400, 'bad_query', `"${name}" comes twice.`);
    query.set(name, decoded(pair.slice(at + 1).replaceAll('+', ' ')));
  }
  return query;
}

function decoded(text: string): string {
  if (!uriCharacters.test(text)) throw new Refusal(400, 'bad_uri', 'The address has characters that need escapes.');
  try {
    return decodeURIComponent(text);
  } catch {
    throw new Refusal(400, 'bad_uri', 'The address is no UTF-8.');
  }
}

/** A whole number of the query within its bounds. */
export function numberOf(
  query: ReadonlyMap<string, string>,
  name: string,
  { least, most, otherwise }: { readonly least: number; readonly most: number; readonly otherwise: number },
): number {
  const text = query.get(name);
  if (text === undefined) return otherwise;
  const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= least && value <= most)) {
    throw new Refusal(400, 'bad_query', `"${name}" is a number from ${least} to ${most}.`);
  }
  return value;
}

/**
 * The JSON of a body.
 * @throws Refusal 415 for another content type, 400 for what is no JSON in UTF-8
 */
export function jsonOf({ headers, body }: TargetRequest, type: string): unknown {
  const [given = '', ...parameters] = (headers['content-type'] ?? '')
    .split(';')
    .map((part) => part.trim().toLowerCase());
  if (given !== type || parameters.some((parameter) => parameter !== 'charset=utf-8')) {
    throw new Refusal(415, 'media_type', `The body must be ${type}.`);
  }
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body));
  } catch {
    throw new Refusal(400, 'bad_json', 'The body is no JSON in UTF-8.');
  }
}

/** @throws Refusal 400 when there is a body, 406 when JSON would not be welcome */
export function checkReading({ headers, body }: TargetRequest): void {
  if (body.length > 0) throw new Refusal(400, 'body', 'This request has no body.');
  const { accept = '*/*' } = headers;
  if (!/\bapplication\/(?:[a-z.]+\+)?json\b|\*\/\*/.test(accept)) throw new Refusal(406, 'accept', 'This is JSON.');
}
