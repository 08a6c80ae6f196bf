import type { Scalar } from '../../src/backend/adapter.js';
import { isList, isObject, type Json } from './json.js';

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** Values by placeholder. */
export type Values = Readonly<Record<string, Scalar>>;

/** `GET /users/{id}?view=full`, taken apart. */
export interface RequestTemplate {
  readonly method: Method;
  /** As it is configured: what logs and traces show. */
  readonly text: string;
  /** The names in braces. */
  readonly names: readonly string[];
  /** Segments of the path, each of parts. */
  readonly segments: readonly (readonly Part[])[];
  readonly query: readonly Part[];
}

type Part = { readonly literal: string } | { readonly name: string };

/** The path and query with the values in them, or why one of them cannot stand there. */
export type Filled = { readonly path: string } | { readonly unfit: string };

const placeholder = /\{([^{}]*)\}/g;

/** The text has been checked by the configuration's schema. */
export function parseRequest(text: string): RequestTemplate {
  const space = text.indexOf(' ');
  const target = text.slice(space + 1);
  const mark = target.indexOf('?');
  const path = mark < 0 ? target : target.slice(0, mark);
  const query = mark < 0 ? [] : parseParts(target.slice(mark + 1));
  const segments = path.split('/').slice(1).map(parseParts);
  return {
    method: text.slice(0, space) as Method,
    text,
    names: namesIn(text),
    segments,
    query,
  };
}

/** The names in braces of any text. */
export function namesIn(text: string): readonly string[] {
  return [...text.matchAll(placeholder)].map(([, name = '']) => name);
}

function parseParts(text: string): readonly Part[] {
  const parts: Part[] = [];
  let at = 0;
  for (const match of text.matchAll(placeholder)) {
    if (match.index > at) parts.push({ literal: text.slice(at, match.index) });
    parts.push({ name: match[1] ?? '' });
    at = match.index + match[0].length;
  }
  if (at < text.length) parts.push({ literal: text.slice(at) });
  return parts;
}

/**
 * Puts values into a path. Each is encoded as one piece of text, so that none can leave its segment; a segment that would
 * be empty or mean another folder is refused.
 */
export function fillRequest({ segments, query }: RequestTemplate, values: Values): Filled {
  const path: string[] = [];
  for (const parts of segments) {
    const filled = fillParts(parts, values);
    if (typeof filled !== 'string') return filled;
    const takesValue = parts.some((part) => 'name' in part);
    if (takesValue && (filled === '' || isDots(filled))) return { unfit: namesOf(parts) };
    path.push(filled);
  }
  const filledQuery = fillParts(query, values);
  if (typeof filledQuery !== 'string') return filledQuery;
  return { path: `/${path.join('/')}${filledQuery === '' ? '' : `?${filledQuery}`}` };
}

/** What URL parsers take for this folder or the one above. */
function isDots(segment: string): boolean {
  return /^(\.|%2e){1,2}$/i.test(segment);
}

function namesOf(parts: readonly Part[]): string {
  return parts.flatMap((part) => ('name' in part ? [part.name] : [])).join(', ');
}

function fillParts(parts: readonly Part[], values: Values): string | { readonly unfit: string } {
  let text = '';
  for (const part of parts) {
    if ('literal' in part) {
      text += part.literal;
      continue;
    }
    const value = Object.hasOwn(values, part.name) ? values[part.name] : undefined;
    const encoded = value === undefined ? undefined : encode(textOf(value));
    if (encoded === undefined || encoded === '') return { unfit: part.name };
    text += encoded;
  }
  return text;
}

/** @returns undefined for text that is no Unicode: half of a surrogate pair */
export function encode(text: string): string | undefined {
  try {
    return encodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/** Text with values in it, not encoded: for query parameters, which are encoded as a whole. */
export function fillText(template: string, values: Readonly<Record<string, string>>): string {
  return template.replace(placeholder, (whole, name: string) =>
    Object.hasOwn(values, name) ? (values[name] ?? '') : whole,
  );
}

export function textOf(value: Scalar): string {
  return value instanceof Uint8Array ? Buffer.from(value).toString('base64') : String(value);
}

/** JSON values by placeholder. */
export type JsonValues = Readonly<Record<string, Json>>;

/** A text that is nothing but a placeholder becomes the value with its type; in a longer text, its text. */
export function fillJson(template: Json, values: JsonValues): Json {
  if (typeof template === 'string') return fillJsonText(template, values);
  if (isList(template)) return template.map((item) => fillJson(item, values));
  if (!isObject(template)) return template;
  return Object.fromEntries(Object.entries(template).map(([name, value]) => [name, fillJson(value, values)]));
}

function fillJsonText(template: string, values: JsonValues): Json {
  const whole = /^\{([^{}]*)\}$/.exec(template)?.[1];
  if (whole !== undefined && Object.hasOwn(values, whole)) return values[whole] ?? null;
  const texts = Object.entries(values).map(([name, value]) => [name, jsonText(value)] as const);
  return fillText(template, Object.fromEntries(texts));
}

function jsonText(value: Json): string {
  return typeof value === 'string' ? value : value === null ? '' : JSON.stringify(value);
}

/** The names in braces of any JSON. */
export function namesInJson(template: Json | undefined): readonly string[] {
  if (typeof template === 'string') return namesIn(template);
  if (isList(template)) return template.flatMap(namesInJson);
  return isObject(template) ? Object.values(template).flatMap(namesInJson) : [];
}
