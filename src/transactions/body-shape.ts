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
  unparsablePath,
} from './filter-mask.js';
import type { OperationName } from './operation-name.js';
import type { Placeholders } from './placeholders.js';
import { isSecretName, isSecretText } from './secrets.js';

/** In UTF-16 code units. */
export const maxShapedChars = 65_536;
const maxDepth = 100;
const maxNameChars = 300;

/**
 * The body with every value replaced. What stays: schemas, operations, names, paths, booleans, `type` and how many there
 * are of everything.
 * @param json a body of at most `maxShapedChars`
 */
export function shapeOf(json: unknown, operation: OperationName, placeholders: Placeholders): string {
  return JSON.stringify(writeBody(json, operation, shapeManner(placeholders)));
}

/** The body as it came, without secrets. */
export function valuesOf(json: unknown, operation: OperationName): string {
  return JSON.stringify(writeBody(json, operation, valuesManner));
}

/** What a body is that is too large to be shaped: its names, and how many values each has. */
export function summaryOf(json: unknown, chars: number): string {
  const names = isMembers(json) ? Object.entries(json).slice(0, 100).map(summaryOfMember) : [];
  return JSON.stringify(`${chars} characters${names.length === 0 ? '' : `: ${names.join(', ')}`}`);
}

function summaryOfMember([name, value]: readonly [string, unknown]): string {
  return `${isName(name) ? name : 'a name'}${Array.isArray(value) ? ` (${value.length})` : ''}`;
}

type Members = Readonly<Record<string, unknown>>;

/** How the parts of a body are written. */
interface Manner {
  readonly text: (name: string, text: string) => string;
  readonly number: (number: number) => number | string;
  readonly name: (name: string) => string;
  readonly path: (path: string) => string;
  readonly filter: (filter: string) => string;
  /** `/Users/<id>` of a bulk operation. */
  readonly location: (path: string) => string;
  readonly secret: () => string;
}

function shapeManner(placeholders: Placeholders): Manner {
  const masked = (text: string): string => {
    // References inside a bulk request go on referring to each other (RFC 7644 §3.7.2).
    const reference = /^bulkId:(.+)$/s.exec(text)?.[1];
    return reference === undefined ? placeholders.of(text) : `bulkId:${placeholders.of(reference)}`;
  };
  return {
    text: (name, text) => (isKept(name, text) ? text : masked(text)),
    number: (number) => placeholders.of(number),
    name: (name) => {
      if (isName(name)) return name;
      const path = name.length > maxNameChars ? unparsablePath : maskPath(name, placeholders);
      return path === unparsablePath ? placeholders.of(name) : path;
    },
    path: (path) => maskPath(path, placeholders),
    filter: (filter) => {
      const read = readFilter(filter);
      return read === undefined ? unparsableFilter : maskFilter(read, placeholders);
    },
    location: (path) => {
      const [, endpoint, id = ''] = /^(\/[A-Za-z][\w-]{0,60})(?:\/(.*))?$/s.exec(path) ?? [];
      if (endpoint === undefined) return placeholders.of(path);
      return id === '' ? endpoint : `${endpoint}/${masked(id)}`;
    },
    secret: () => placeholders.secret(),
  };
}

const valuesManner: Manner = {
  text: (_, text) => text,
  number: (number) => number,
  name: (name) => (isName(name) ? name : pathWithoutSecrets(name)),
  path: pathWithoutSecrets,
  filter: (filter) => {
    const read = readFilter(filter);
    return read === undefined ? unparsableFilter : filterWithoutSecrets(read);
  },
  location: (path) => path,
  secret: () => leftOut,
};

const urn = /^(urn:[\w:.-]{1,200}|https?:\/\/schemas\.[\w./-]{1,200})$/i;

function isKept(name: string, text: string): boolean {
  return name.toLowerCase() === 'schemas' ? urn.test(text) : isHarmlessText(name, text);
}

/** What can be the name of an attribute, or of a schema. Anything else may be a value. */
function isName(name: string): boolean {
  return name.length <= maxNameChars && (attributeNamePattern.test(name) || urn.test(name));
}

/** A message of the protocol by its own rules, where they say what a member is; anything else is a resource. */
function writeBody(json: unknown, operation: OperationName, manner: Manner): unknown {
  if (!isMembers(json)) return writeValue(json, '', manner, 0);
  switch (operation) {
    case 'search':
      return writeMembers(json, manner, 0, searchMember);
    case 'patch':
      return writeMembers(json, manner, 0, patchMember);
    case 'bulk':
      return writeMembers(json, manner, 0, bulkMember);
    default:
      return writeMembers(json, manner, 0);
  }
}

/** How a member of a message is written; undefined when it is like any other. */
type MemberWriter = (name: string, value: unknown, manner: Manner, message: Members) => unknown;

const searchMember: MemberWriter = (name, value, manner) => {
  switch (name) {
    case 'filter':
      return typeof value === 'string' ? manner.filter(value) : undefined;
    case 'attributes':
    case 'excludedattributes':
    case 'sortby':
      return eachText(value, manner.path);
    case 'sortorder':
      return keptWord(value, /^(ascending|descending)$/i);
    case 'count':
    case 'startindex':
      return keptCount(value);
    default:
      return undefined;
  }
};

const patchMember: MemberWriter = (name, value, manner) =>
  name === 'operations' ? eachMessage(value, manner, patchOperationMember) : undefined;

const patchOperationMember: MemberWriter = (name, value, manner, operation) => {
  switch (name) {
    case 'op':
      return keptWord(value, /^(add|remove|replace)$/i);
    case 'path':
      return typeof value === 'string' ? manner.path(value) : undefined;
    case 'value':
      return writeValue(value, pathOf(operation), manner, 1);
    default:
      return undefined;
  }
};

const bulkMember: MemberWriter = (name, value, manner) => {
  if (name === 'operations') return eachMessage(value, manner, bulkOperationMember);
  return name === 'failonerrors' ? keptCount(value) : undefined;
};

const bulkOperationMember: MemberWriter = (name, value, manner) => {
  switch (name) {
    case 'method':
      return keptWord(value, /^(post|put|patch|delete)$/i);
    case 'path':
      return typeof value === 'string' ? manner.location(value) : undefined;
    case 'data':
      // A PATCH is known by its operations.
      return isMembers(value) ? writeMembers(value, manner, 1, patchMember) : undefined;
    default:
      return undefined;
  }
};

function eachMessage(value: unknown, manner: Manner, member: MemberWriter): unknown {
  if (!Array.isArray(value)) return undefined;
  return value.map((item) =>
    isMembers(item) ? writeMembers(item, manner, 1, member) : writeValue(item, '', manner, 1),
  );
}

function eachText(value: unknown, write: (text: string) => string): unknown {
  if (typeof value === 'string') return value.split(',').map(write).join(',');
  if (!Array.isArray(value) || !value.every((item) => typeof item === 'string')) return undefined;
  return value.map(write);
}

/** A number that is too large to count anything may be anybody's. */
function keptCount(value: unknown): unknown {
  return typeof value === 'number' && Math.abs(value) <= 1_000_000 ? value : undefined;
}

function keptWord(value: unknown, words: RegExp): unknown {
  return typeof value === 'string' && words.test(value) ? value : undefined;
}

function pathOf(operation: Members): string {
  const path = Object.entries(operation).find(([key]) => key.toLowerCase() === 'path')?.[1];
  return typeof path === 'string' ? path : '';
}

function writeMembers(members: Members, manner: Manner, depth: number, special?: MemberWriter): unknown {
  // Nothing is inherited, so that a key called `__proto__` is a key.
  const written: Record<string, unknown> = Object.create(null);
  for (const [name, value] of Object.entries(members)) {
    written[manner.name(name)] =
      special?.(name.toLowerCase(), value, manner, members) ?? writeValue(value, name, manner, depth + 1);
  }
  return written;
}

/** @param name the attribute that it is a value of: a name, or a path */
function writeValue(value: unknown, name: string, manner: Manner, depth: number): unknown {
  if (typeof value === 'boolean' || value === null) return value;
  if (isSecretName(name)) return isEmpty(value) ? value : manner.secret();
  if (typeof value === 'string') return isSecretText(value) ? manner.secret() : manner.text(name, value);
  if (typeof value === 'number') return manner.number(value);
  if (depth >= maxDepth) return leftOut;
  if (Array.isArray(value)) return value.map((item) => writeValue(item, name, manner, depth + 1));
  return writeMembers(value as Members, manner, depth);
}

/** `[]` and `{}` tell nothing, and mean something: "no value". */
function isEmpty(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0;
}

function isMembers(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
