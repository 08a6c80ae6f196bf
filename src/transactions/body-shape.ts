import { attributeNamePattern } from '../scim/schema.js';
import {
  filterWithoutSecrets,
  isHarmlessText,
  leftOut,
  maskFilter,
  maskPath,
  pathWithoutSecrets,
  readFilter,
  unparsableFilter,
} from './filter-mask.js';
import type { Placeholders } from './placeholders.js';
import { isSecretName, isSecretText } from './secrets.js';

/** In UTF-16 code units. */
export const maxShapedChars = 65_536;
const maxDepth = 100;
const maxNameChars = 300;

/** How the parts of a body are written. */
interface Manner {
  readonly text: (name: string, text: string) => string;
  readonly number: (name: string, number: number) => number | string;
  readonly name: (name: string) => string;
  readonly path: (path: string) => string;
  readonly filter: (filter: string) => string;
  readonly secret: () => string;
}

/**
 * The body with every value replaced. What stays: schemas, operations, names, paths, booleans, `type` and how many there
 * are of everything.
 * @param json a body of at most `maxShapedChars`
 */
export function shapeOf(json: unknown, placeholders: Placeholders): string {
  return JSON.stringify(write(json, '', shapeManner(placeholders), 0));
}

/** The body as it came, without secrets. */
export function valuesOf(json: unknown): string {
  return JSON.stringify(write(json, '', valuesManner, 0));
}

/** What a body is that is too large to be shaped: its names, and how many values each has. */
export function summaryOf(json: unknown, chars: number): string {
  const names =
    typeof json === 'object' && json !== null && !Array.isArray(json)
      ? Object.entries(json)
          .slice(0, 100)
          .map(([name, value]) => `${maskName(name)}${Array.isArray(value) ? ` (${value.length})` : ''}`)
      : [];
  return JSON.stringify(`${chars} characters${names.length === 0 ? '' : `: ${names.join(', ')}`}`);
}

function shapeManner(placeholders: Placeholders): Manner {
  const text = (name: string, value: string): string =>
    isKept(name, value) ? value : maskReference(name, value, placeholders);
  return {
    text,
    number: (name, number) => (countNames.has(name.toLowerCase()) ? number : placeholders.of(number)),
    name: (name) => maskName(name, placeholders),
    path: (path) => (path.startsWith('/') ? maskLocation(path, placeholders) : maskPath(path, placeholders)),
    filter: (filter) => {
      const read = readFilter(filter);
      return read === undefined ? unparsableFilter : maskFilter(read, placeholders);
    },
    secret: () => placeholders.secret(),
  };
}

const valuesManner: Manner = {
  text: (_, value) => value,
  number: (_, number) => number,
  name: (name) => (name.includes('[') ? pathWithoutSecrets(name) : name),
  path: (path) => (path.startsWith('/') ? path : pathWithoutSecrets(path)),
  filter: (filter) => {
    const read = readFilter(filter);
    return read === undefined ? unparsableFilter : filterWithoutSecrets(read);
  },
  secret: () => leftOut,
};

/** Numbers of the protocol's messages. */
const countNames: ReadonlySet<string> = new Set(['count', 'startindex', 'failonerrors']);
const operationWords = /^(add|remove|replace|post|put|patch|delete|ascending|descending)$/i;
const urn = /^(urn:[\w:.-]{1,200}|https?:\/\/schemas\.[\w./-]{1,200})$/i;

function isKept(name: string, value: string): boolean {
  switch (name.toLowerCase()) {
    case 'schemas':
      return urn.test(value);
    case 'op':
    case 'method':
    case 'sortorder':
      return operationWords.test(value);
    default:
      return isHarmlessText(name, value);
  }
}

/** References inside a bulk request go on referring to each other (RFC 7644 §3.7.2). */
function maskReference(name: string, value: string, placeholders: Placeholders): string {
  const reference = /^bulkId:(.+)$/s.exec(value)?.[1];
  if (reference !== undefined) return `bulkId:${placeholders.of(reference)}`;
  return pathListNames.has(name.toLowerCase()) ? maskPathList(value, placeholders) : placeholders.of(value);
}

const pathListNames: ReadonlySet<string> = new Set(['attributes', 'excludedattributes', 'sortby']);

function maskPathList(value: string, placeholders: Placeholders): string {
  return value
    .split(',')
    .map((path) => maskPath(path.trim(), placeholders))
    .join(',');
}

/** `/Users/<id>` of a bulk operation. */
function maskLocation(path: string, placeholders: Placeholders): string {
  const [, endpoint, id] = /^\/([A-Za-z][\w-]{0,60})(?:\/(.*))?$/s.exec(path) ?? [];
  if (endpoint === undefined) return placeholders.of(path);
  if (id === undefined || id === '') return path;
  return `/${endpoint}/${maskReference('', id, placeholders)}`;
}

/** Names are kept when they can be those of attributes, schemas or paths; anything else may be a value. */
function maskName(name: string, placeholders?: Placeholders): string {
  if (name.length <= maxNameChars && (attributeNamePattern.test(name) || urn.test(name))) return name;
  const path = placeholders === undefined || name.length > maxNameChars ? '' : maskPath(name, placeholders);
  return path === '' || path.includes(' path') ? (placeholders?.of(name) ?? 'a name') : path;
}

function write(value: unknown, name: string, manner: Manner, depth: number): unknown {
  if (typeof value === 'boolean' || value === null) return value;
  if (isSecretName(name)) return isCount(value) ? value : manner.secret();
  if (typeof value === 'string') return writeText(value, name, manner);
  if (typeof value === 'number') return manner.number(name, value);
  if (depth >= maxDepth) return leftOut;
  if (Array.isArray(value)) return value.map((item) => write(item, name, manner, depth + 1));
  return writeObject(value as Record<string, unknown>, name, manner, depth);
}

/** `[]` and `{}` tell nothing and mean something: "no value". */
function isCount(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0;
}

function writeText(text: string, name: string, manner: Manner): string {
  if (isSecretText(text)) return manner.secret();
  const lower = name.toLowerCase();
  if (lower === 'path') return manner.path(text);
  return lower === 'filter' ? manner.filter(text) : manner.text(name, text);
}

function writeObject(object: Record<string, unknown>, name: string, manner: Manner, depth: number): unknown {
  const entries = Object.entries(object);
  const path = entries.find(([key, value]) => key.toLowerCase() === 'path' && typeof value === 'string')?.[1] as
    | string
    | undefined;
  const isOperation = name.toLowerCase() === 'operations';
  // Nothing is inherited, so that a key called `__proto__` is a key.
  const written: Record<string, unknown> = Object.create(null);
  for (const [key, value] of entries) {
    const isPatchValue = isOperation && key.toLowerCase() === 'value' && path !== undefined && !path.startsWith('/');
    const attribute = isPatchValue ? leafOfPath(path) : key;
    written[manner.name(key)] = write(value, attribute, manner, depth + 1);
  }
  return written;
}

/** The attribute that the value of a PATCH operation is of: `value` of `emails[type eq "work"].value`. */
function leafOfPath(path: string): string {
  const bracket = path.indexOf('[');
  if (bracket < 0) return path;
  const end = path.lastIndexOf(']');
  const sub = path.slice(end + 1).replace(/^\./, '');
  return sub === '' ? path.slice(0, bracket) : `${path.slice(0, bracket)}.${sub}`;
}
