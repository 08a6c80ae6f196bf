import { AdapterError } from '../../src/backend/adapter-error.js';
import type { ErrorsConfig } from './config.js';
import type { Json } from './json.js';
import { type Headers, retryAfterOf } from './notices.js';
import { type Pointer, parsePointer, valueAt } from './pointer.js';
import type { ResponseBody } from './response-body.js';

/** Where a target's refusals say what. */
export interface RefusalPlan {
  readonly message: Pointer | undefined;
  readonly code: Pointer | undefined;
  readonly field: Pointer | undefined;
  readonly conflicts: NonNullable<ErrorsConfig['conflicts']>;
}

/** What the refused request was about. */
export interface Refused {
  readonly operation: string;
  readonly isWrite: boolean;
  /** It may be sent again without doing anything twice. */
  readonly isRepeatable: boolean;
  /** It holds tests that a change by another makes fail. */
  readonly isTested?: boolean;
  /** Unique fields of the entity that are written. */
  readonly uniqueFields?: readonly string[];
  /** Texts that were sent, which no reason may repeat. */
  readonly sent?: readonly string[];
  /** The field that a place in the record belongs to. */
  readonly fieldAt?: (place: string) => string | undefined;
}

export interface Answered {
  readonly status: number;
  readonly headers: Headers;
  readonly body: ResponseBody;
}

export function planRefusals(config: ErrorsConfig | undefined): RefusalPlan {
  return {
    message: config?.message === undefined ? undefined : parsePointer(config.message),
    code: config?.code === undefined ? undefined : parsePointer(config.code),
    field: config?.field === undefined ? undefined : parsePointer(config.field),
    conflicts: config?.conflicts ?? [],
  };
}

/** The AdapterError for an answer that is no success. The one table from statuses to kinds. */
export function refusalError(plan: RefusalPlan, answer: Answered, refused: Refused, nowMs: number): AdapterError {
  const { status, headers } = answer;
  const { operation } = refused;
  const said = `${operation} was answered with ${status}`;
  const conflict = conflictError(plan, answer, refused);
  if (conflict !== undefined) return conflict;
  if (status >= 300 && status < 400) {
    const message = `${said}, a redirect, which is not followed: "baseUrl" has to be the address itself.`;
    return new AdapterError('unavailable', message, { applied: refused.isWrite ? 'unknown' : 'no' });
  }
  switch (status) {
    case 400:
    case 422:
    case 413:
      return rejected(plan, answer, refused, said);
    case 401:
      return new AdapterError('denied', `${said}: the target does not accept the gateway's credentials.`);
    case 403:
      return new AdapterError('denied', `${said}: the gateway's account may not do this.`);
    case 404:
    case 410:
      return new AdapterError('notFound', `${said}.`);
    case 405:
    case 415:
    case 501:
      return new AdapterError('unsupported', `${said}: the target does not do this.`);
    case 412:
    case 428:
      return new AdapterError('revisionMismatch', `${said}: the record changed since it was read.`);
    default:
      break;
  }
  const retryAfterSeconds = retryAfterOf(headers, nowMs);
  const later = retryAfterSeconds === undefined ? {} : { retryAfterSeconds };
  if ([407, 408, 421, 423, 425, 429].includes(status)) return new AdapterError('unavailable', `${said}.`, later);
  if (status < 500) {
    return refused.isWrite ? rejected(plan, answer, refused, said) : new AdapterError('unavailable', `${said}.`, later);
  }
  // Of an answer like these nobody knows who gave it, and what had been done before.
  const applied = refused.isWrite && !(status === 503 && refused.isRepeatable) ? 'unknown' : 'no';
  return new AdapterError('unavailable', `${said}.`, { ...later, applied });
}

function conflictError(plan: RefusalPlan, answer: Answered, refused: Refused): AdapterError | undefined {
  const { status } = answer;
  if (status < 400 || status === 401) return undefined;
  const [message, code] = [textIn(plan.message, answer), textIn(plan.code, answer)];
  const own = plan.conflicts.filter(({ field }) => refused.uniqueFields?.includes(field) ?? true);
  const declared = own.find(
    (conflict) =>
      (conflict.status === undefined || conflict.status === status) &&
      (conflict.code === undefined || conflict.code === code) &&
      (conflict.contains === undefined || message?.includes(conflict.contains) === true),
  );
  if (declared === undefined && status !== 409) return undefined;
  if (declared === undefined && own.length > 0) return otherConflict(plan, answer, refused);
  const { uniqueFields = [] } = refused;
  const named = fieldIn(plan, answer, refused);
  const field = declared?.field ?? named ?? (uniqueFields.length === 1 ? uniqueFields[0] : undefined);
  const text = `${refused.operation} was answered with ${status}: another record has this value.`;
  return new AdapterError('conflict', text, field === undefined ? {} : { field });
}

/** A 409 that is none of the declared ones. */
function otherConflict(plan: RefusalPlan, answer: Answered, refused: Refused): AdapterError {
  const said = `${refused.operation} was answered with ${answer.status}`;
  if (refused.isTested === true) return new AdapterError('revisionMismatch', `${said}: a test of the patch failed.`);
  return rejected(plan, answer, refused, said);
}

function rejected(plan: RefusalPlan, answer: Answered, refused: Refused, said: string): AdapterError {
  const words = answer.status === 413 ? 'The record is too large for the target.' : textIn(plan.message, answer);
  // What is said about a read may be about records that the caller does not ask for.
  const reason = words === undefined || !refused.isWrite ? undefined : presentable(words, refused.sent ?? []);
  const field = fieldIn(plan, answer, refused);
  return new AdapterError('rejected', `${said}.`, {
    ...(reason === undefined ? {} : { reason }),
    ...(field === undefined ? {} : { field }),
  });
}

function fieldIn(plan: RefusalPlan, answer: Answered, { fieldAt }: Refused): string | undefined {
  const place = textIn(plan.field, answer);
  return place === undefined ? undefined : fieldAt?.(place);
}

function textIn(pointer: Pointer | undefined, { body }: Answered): string | undefined {
  if (pointer === undefined || body.kind !== 'json') return undefined;
  const value: Json | undefined = valueAt(body.value, pointer);
  return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined;
}

const maxReason = 300;

/** An e-mail address is personal, also where it was not sent: the target may name the holder of a value. */
const address = /[^\s"'<>(),;:]+@[^\s"'<>(),;:]+/g;

/** What the target says, on one line, without any value that was sent. @returns undefined when it is not for people */
function presentable(text: string, sent: readonly string[]): string | undefined {
  if (/<\/?[a-z][^>]*>/i.test(text)) return undefined;
  const values = sent.map(onOneLine).filter((value) => value.length >= 3);
  const masked = values
    .sort((a, b) => b.length - a.length)
    .reduce((masking, value) => replaceAllFolded(masking, value), onOneLine(text))
    .replace(address, '…');
  return masked === '' ? undefined : masked.slice(0, maxReason);
}

function onOneLine(text: string): string {
  return text.replace(/[\p{Cc}\s]+/gu, ' ').trim();
}

function replaceAllFolded(text: string, value: string): string {
  const pattern = value.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
  return text.replace(new RegExp(pattern, 'giu'), '…');
}
