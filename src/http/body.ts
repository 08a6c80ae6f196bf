import { isUtf8 } from 'node:buffer';
import { ScimError } from '../scim/error.js';
import { BodyBudget } from './body-budget.js';
import type { Exchange } from './exchange.js';
import { findJsonFault } from './json-position.js';
import { isJsonContent } from './negotiation.js';

export interface BodyLimit {
  readonly maxBytes: number;
  /** What the answer calls the limit: bulk's is `maxPayloadSize` (RFC 7644 §3.7.4). */
  readonly name: string;
  /** Deeper bodies are refused: no SCIM message needs a tenth of the usual bound. */
  readonly depth: number;
}

/** A body that was understood. */
export interface JsonBody {
  readonly json: unknown;
  /** As it came. */
  readonly text: string;
}

const usualDepth = 64;

/**
 * The request's body as JSON. The limit is enforced while reading, so that no more is ever held in memory.
 * @throws ScimError 400 invalidSyntax, 413, 415
 */
export async function readJson(exchange: Exchange, limit: BodyLimit): Promise<JsonBody> {
  const contentType = exchange.header('content-type');
  if (!isJsonContent(contentType)) {
    throw ScimError.unsupportedMediaType(
      `The body's type is "${contentType}"; send "application/scim+json" or "application/json", in UTF-8.`,
    );
  }
  const encoding = exchange.header('content-encoding');
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity') {
    throw ScimError.unsupportedMediaType(`The body is encoded as "${encoding}"; send it without Content-Encoding.`);
  }
  const text = toText(await readBytes(exchange, limit));
  return { json: parseJson(text, limit.depth), text };
}

/** Of the whole process, as its memory is. */
const budget = new BodyBudget();
const budgetRetrySeconds = 5;

/** The request is over: its body takes no more room. */
export function releaseBody(exchange: Exchange): void {
  if (exchange.heldBytes > 0) budget.release(exchange);
}

function tooManyLarge(): ScimError {
  return ScimError.tooManyRequests(
    'Too many large requests are worked on at the same time. Send this one again in some seconds.',
    budgetRetrySeconds,
  );
}

/** @throws ScimError 413; 429 when many large bodies are worked on; 400 invalidSyntax when the rest never comes */
export async function readBytes(exchange: Exchange, limit: Omit<BodyLimit, 'depth'>): Promise<Buffer> {
  exchange.isReceiving = true;
  try {
    const bytes = await readAll(exchange, limit);
    exchange.isReceiving = false;
    return bytes;
  } catch (error) {
    if (error instanceof ScimError) throw error;
    // The client left, or went on with what is no HTTP: nobody hears this answer, but it is no fault of ours.
    throw ScimError.badRequest('invalidSyntax', 'The body broke off.', error);
  }
}

async function readAll(exchange: Exchange, limit: Omit<BodyLimit, 'depth'>): Promise<Buffer> {
  const { request } = exchange;
  const announced = exchange.header('content-length');
  if (announced !== undefined) {
    // Node's parser lets no more through than was announced, so that its quick path needs no counting.
    const bytes = Number(announced);
    if (bytes > limit.maxBytes) throw tooLarge(limit);
    if (!budget.hold(exchange, bytes)) throw tooManyLarge();
    return Buffer.from(await request.arrayBuffer());
  }
  if (request.body === null) return Buffer.alloc(0);
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  const reader: ReadableStreamDefaultReader<Uint8Array> = request.body.getReader();
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    bytes += part.value.byteLength;
    if (bytes > limit.maxBytes) {
      await reader.cancel();
      throw tooLarge(limit);
    }
    if (!budget.hold(exchange, bytes)) {
      await reader.cancel();
      throw tooManyLarge();
    }
    chunks.push(part.value);
  }
  return Buffer.concat(chunks, bytes);
}

function tooLarge(limit: Omit<BodyLimit, 'depth'>): ScimError {
  return ScimError.tooLarge(`The body is larger than ${limit.name}, which is ${limit.maxBytes} bytes.`);
}

/** @throws ScimError 400 invalidSyntax when there is none, or it is not UTF-8 */
export function toText(bytes: Buffer): string {
  if (bytes.length === 0) throw ScimError.badRequest('invalidSyntax', 'The request has no body; JSON is expected.');
  if (!isUtf8(bytes)) throw ScimError.badRequest('invalidSyntax', 'The body is not in UTF-8.');
  const text = bytes.toString('utf8');
  return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
}

/**
 * JSON no deeper than so many levels, without keys called `__proto__`, which name no attribute.
 * @throws ScimError 400 invalidSyntax, with the place of the fault
 */
export function parseJson(text: string, depth: number = usualDepth): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // Not passed on: its message quotes the body.
    const fault = findJsonFault(text);
    const place = fault && ` at line ${fault.line}, column ${fault.column}: expected ${fault.expected}`;
    throw ScimError.badRequest('invalidSyntax', `The body is not valid JSON${place ?? ''}.`);
  }
  if (typeof value === 'object' && value !== null && !isWithin(value, depth)) {
    throw ScimError.badRequest('invalidSyntax', `The body is nested deeper than ${depth} levels.`);
  }
  if (mayHoldExponent.test(text)) checkNumbers(text);
  return value;
}

/** Most bodies hold no such text at all; ids like "2e7…" do, within quotes. */
const mayHoldExponent = /\d[eE]/;
const stringOrExponent = /"(?:[^"\\]|\\.)*"|\d[eE][+-]?\d/g;

/**
 * SCIM's integers and decimals have no exponent (RFC 7643 §2.3.3, §2.3.4), which only the text still shows: `1e3` has
 * become 1000 by now.
 * @throws ScimError 400 invalidValue
 */
function checkNumbers(text: string): void {
  stringOrExponent.lastIndex = 0;
  for (let match = stringOrExponent.exec(text); match !== null; match = stringOrExponent.exec(text)) {
    if (match[0].startsWith('"')) continue;
    throw ScimError.badRequest(
      'invalidValue',
      'The body has a number with an exponent; write its digits out: 1000, not 1e3.',
    );
  }
}

/** Takes `__proto__` keys out on its way. @returns false when the value is nested deeper */
function isWithin(value: object, levelsLeft: number): boolean {
  if (levelsLeft === 0) return false;
  if (Array.isArray(value)) {
    for (const item of value) {
      if (typeof item === 'object' && item !== null && !isWithin(item, levelsLeft - 1)) return false;
    }
    return true;
  }
  const members = value as Record<string, unknown>;
  for (const key in members) {
    const member = members[key];
    if (key === '__proto__') delete members[key];
    else if (typeof member === 'object' && member !== null && !isWithin(member, levelsLeft - 1)) return false;
  }
  return true;
}
