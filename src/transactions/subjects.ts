import { hash } from 'node:crypto';
import type { AttributePath } from '../scim/attribute-path.js';
import { fold } from '../scim/comparison.js';
import { tolerantDialect } from '../scim/dialect.js';
import type { Filter } from '../scim/filter.js';
import { type PatchPath, parsePatchPath } from '../scim/filter-parser.js';
import { readFilter } from './filter-mask.js';

/**
 * Whom a request is about: the values of userName, externalId and e-mail addresses in its filter and its body. They are
 * kept as keyed hashes, so that who knows one finds it, and nobody else learns it.
 */

const maxSubjects = 5000;
const subjectNames: ReadonlySet<string> = new Set(['username', 'externalid', 'emails', 'emails.value']);

/** Of a userName, externalId or e-mail address: without regard to case, as userName is compared (RFC 7643 §4.1.1). */
export function hashSubject(key: Uint8Array, text: string): number {
  return keyedHash(key, `user ${fold(text)}`);
}

/** Of an id that is not kept itself. Ids are exact. */
export function hashResourceId(key: Uint8Array, id: string): number {
  return keyedHash(key, `resource ${id}`);
}

/**
 * 52 bits of SHA-256 over the secret key and the text, as a number. So few bits cannot be lengthened to the hash of another
 * text, which is what HMAC is for; it costs five times as much, and there is one of these for every look-up of a user.
 */
function keyedHash(key: Uint8Array, text: string): number {
  return Number.parseInt(hash('sha256', `${hexOf(key)} ${text}`, 'hex').slice(0, 13), 16);
}

let last: { readonly key: Uint8Array; readonly hex: string } | undefined;

function hexOf(key: Uint8Array): string {
  if (last?.key !== key) last = { key, hex: Buffer.from(key).toString('hex') };
  return last.hex;
}

/** Values that a filter compares for equality. */
export function subjectsOfFilter(filter: Filter<AttributePath>): ReadonlySet<string> {
  const found = new Set<string>();
  addFilter(found, filter, '');
  return found;
}

/** Whether it is a value that says whom a request is about, under this attribute. */
export function isSubjectName(path: string): boolean {
  return subjectNames.has(bareName(path));
}

/** Values in the body of a create, replace, patch, search or bulk request. */
export function subjectsOfBody(json: unknown): ReadonlySet<string> {
  const found = new Set<string>();
  addBody(found, json);
  return found;
}

function addFilter(found: Set<string>, filter: Filter<AttributePath>, parent: string): void {
  switch (filter.kind) {
    case 'compare':
      if (filter.op === 'eq') addValue(found, parent + bareName(filter.path.text), filter.value);
      return;
    case 'and':
    case 'or':
      for (const operand of filter.operands) addFilter(found, operand, parent);
      return;
    case 'not':
      addFilter(found, filter.operand, parent);
      return;
    case 'valuePath':
      addFilter(found, filter.filter, `${bareName(filter.path.text)}.`);
      return;
    case 'present':
      return;
  }
}

/** In lower case and without the schema's URN. */
function bareName(path: string): string {
  return path.slice(path.lastIndexOf(':') + 1).toLowerCase();
}

function addValue(found: Set<string>, attribute: string, value: unknown): void {
  if (subjectNames.has(attribute) && typeof value === 'string' && value !== '' && found.size < maxSubjects)
    found.add(value);
}

function addBody(found: Set<string>, json: unknown): void {
  if (!isRecord(json)) return;
  for (const [key, value] of Object.entries(json)) {
    const name = key.toLowerCase();
    if (name === 'operations' && Array.isArray(value)) for (const operation of value) addOperation(found, operation);
    else if (name === 'filter' && typeof value === 'string') addFilterText(found, value);
    else addAttribute(found, key, value);
  }
}

function addFilterText(found: Set<string>, text: string): void {
  const filter = readFilter(text);
  if (filter !== undefined) addFilter(found, filter, '');
}

/** One of a PATCH, or one of a bulk request with a body of its own. */
function addOperation(found: Set<string>, operation: unknown): void {
  if (!isRecord(operation)) return;
  const part = new Map(Object.entries(operation).map(([key, value]) => [key.toLowerCase(), value]));
  const path = part.get('path');
  if (part.has('method')) addBody(found, part.get('data'));
  else if (typeof path === 'string' && path.trim() !== '') addPath(found, path, part.get('value'));
  else addBody(found, part.get('value'));
}

/** @param path an attribute, or the path of a PATCH operation */
function addPath(found: Set<string>, path: string, value: unknown): void {
  const read = readPath(path);
  if (read === undefined) return;
  const attribute = bareName(read.attribute);
  if (read.filter !== undefined) addFilter(found, read.filter, `${attribute}.`);
  addValues(found, read.sub === undefined ? attribute : `${attribute}.${read.sub.toLowerCase()}`, value);
}

function readPath(text: string): PatchPath | undefined {
  try {
    return parsePatchPath(text, tolerantDialect);
  } catch {
    return undefined;
  }
}

function addAttribute(found: Set<string>, key: string, value: unknown): void {
  if (key.includes('[')) {
    addPath(found, key, value);
    return;
  }
  // An extension, or the core schema by its URN: its attributes are inside.
  if (key.includes(':') && isRecord(value))
    for (const [name, inner] of Object.entries(value)) addValues(found, bareName(name), inner);
  else addValues(found, bareName(key), value);
}

/** One value or many, plain or as elements with `value`. */
function addValues(found: Set<string>, attribute: string, value: unknown): void {
  if (Array.isArray(value)) {
    for (const item of value) if (!Array.isArray(item)) addValues(found, attribute, item);
  } else if (isRecord(value)) {
    for (const [name, inner] of Object.entries(value)) {
      if (name.toLowerCase() === 'value') addValue(found, attribute, inner);
    }
  } else {
    addValue(found, attribute, value);
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
