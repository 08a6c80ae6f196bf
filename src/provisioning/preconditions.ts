import type { Preconditions } from './service.js';
import type { TypeRuntime } from './type-runtime.js';

/** What If-Match asks of a write. */
export type IfMatch =
  | { readonly kind: 'none' }
  /** Exactly this revision: handed to the backend, which checks it together with the write. */
  | { readonly kind: 'revision'; readonly revision: string }
  /** One of several, or none that can match: the present one has to be read, since 404 comes before 412 (RFC 9110 §13.2.1). */
  | { readonly kind: 'oneOf'; readonly revisions: ReadonlySet<string> }
  /** Any but these, by If-None-Match; 'all' for "*": there must be no such resource, so 404 or 412 is the answer. */
  | { readonly kind: 'noneOf'; readonly revisions: ReadonlySet<string> | 'all' };

/** Whether the present revision has to be read before anything is written. */
export function needsRevision({ kind }: IfMatch): boolean {
  return kind === 'oneOf' || kind === 'noneOf';
}

/**
 * Reads If-Match, and If-None-Match where that stands alone. Tags are compared weakly, since SCIM's own examples send weak ones (requirements GAP-16). A tag of
 * another mapping never matches.
 * @see RFC 7644 §3.14, RFC 9110 §13.1
 */
export function parseIfMatch({ ifMatch, ifNoneMatch }: Preconditions, runtime: TypeRuntime): IfMatch {
  if (ifMatch === undefined && ifNoneMatch !== undefined && ifNoneMatch.trim() !== '') {
    const revisions = ifNoneMatch.trim() === '*' ? 'all' : new Set(revisionsIn(ifNoneMatch, runtime));
    return { kind: 'noneOf', revisions };
  }
  if (ifMatch === undefined || ifMatch.trim() === '*' || ifMatch.trim() === '') return { kind: 'none' };
  const revisions = revisionsIn(ifMatch, runtime);
  const [only] = revisions;
  return only !== undefined && revisions.length === 1
    ? { kind: 'revision', revision: only }
    : { kind: 'oneOf', revisions: new Set(revisions) };
}

/** Whether If-None-Match names this version: the answer is then 304. */
export function matchesNone({ ifNoneMatch }: Preconditions, version: string | undefined): boolean {
  if (ifNoneMatch === undefined || version === undefined) return false;
  if (ifNoneMatch.trim() === '*') return true;
  const own = opaquePart(version);
  return entityTags(ifNoneMatch).some((tag) => opaquePart(tag) === own);
}

/** `W/"a", "b"` as its tags. */
function entityTags(header: string): readonly string[] {
  return header.match(/(?:W\/)?"[^"]*"|[^\s,"]+/gi) ?? [];
}

function revisionsIn(header: string, runtime: TypeRuntime): readonly string[] {
  return entityTags(header).flatMap((tag) => revisionIn(tag, runtime) ?? []);
}

function opaquePart(tag: string): string {
  return tag.replace(/^W\//i, '').replace(/^"|"$/g, '');
}

function revisionIn(tag: string, runtime: TypeRuntime): string | undefined {
  const opaque = opaquePart(tag);
  const prefix = `${runtime.plan.fingerprint}.`;
  return opaque.startsWith(prefix) ? opaque.slice(prefix.length) : undefined;
}
