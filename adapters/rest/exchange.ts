import type { OperationContext } from '../../src/backend/adapter.js';
import { AdapterError } from '../../src/backend/adapter-error.js';
import type { Client, HttpAnswer, HttpRequest } from './client.js';
import type { Refused } from './refusal.js';
import { fillRequest, type RequestTemplate, type Values } from './template.js';

/** The client and the operation that it works for. */
export interface Call {
  readonly client: Client;
  readonly context: OperationContext;
  /** What bodies are that have no media type of their own. */
  readonly mediaType: string;
}

/** A query parameter: name and value, not encoded. */
export type Parameter = readonly [name: string, value: string];

export interface Sent extends Partial<Omit<HttpRequest, 'method' | 'path' | 'operation'>> {
  readonly values?: Values;
  readonly parameters?: readonly Parameter[];
}

/** Sends the request of a template. @throws AdapterError `rejected` when a value cannot stand in its path */
export function sendTemplate(template: RequestTemplate, sent: Sent, { client, context }: Call): Promise<HttpAnswer> {
  const { values = {}, parameters = [], ...rest } = sent;
  const path = pathOf(template, values, parameters);
  if (path === undefined) throw unfit(template);
  return client.send({ method: template.method, path, operation: template.text, ...rest }, context);
}

/** The path and query of a template; undefined when a value cannot stand in it, so that there is no such address. */
export function pathOf(
  template: RequestTemplate,
  values: Values,
  parameters: readonly Parameter[] = [],
): string | undefined {
  const filled = fillRequest(template, values);
  if ('unfit' in filled) return undefined;
  const query = parameters.map(([name, value]) => `${encode(name)}=${encode(value)}`).join('&');
  if (query === '') return filled.path;
  return `${filled.path}${filled.path.includes('?') ? '&' : '?'}${query}`;
}

/** Half of a surrogate pair is no text: what takes its place is found nowhere. */
function encode(text: string): string {
  return encodeURIComponent(text.replace(/\p{Surrogate}/gu, '\ufffd'));
}

function unfit({ text }: RequestTemplate): AdapterError {
  const reason = 'A value cannot stand in the address of the record.';
  return new AdapterError('rejected', `A value cannot stand in ${text}.`, { reason });
}

/** Whether what was sent may have been carried out, though no answer told so. */
export function isInDoubt(error: unknown): error is AdapterError {
  return error instanceof AdapterError && error.applied === 'unknown';
}

export type RefusalContext = Pick<Refused, 'uniqueFields' | 'sent' | 'fieldAt'>;

/**
 * What went wrong after a write was carried out, such as reading the record back: nobody is to send the write again.
 */
export function afterWrite(error: unknown): unknown {
  if (!(error instanceof AdapterError) || error.applied === 'unknown') return error;
  const { kind, message, field, reason, retryAfterSeconds } = error;
  return new AdapterError(kind, `After a write: ${message}`, {
    applied: 'unknown',
    cause: error,
    ...(field === undefined ? {} : { field }),
    ...(reason === undefined ? {} : { reason }),
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
  });
}
