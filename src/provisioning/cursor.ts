import { createHash } from 'node:crypto';
import { ScimError } from '../scim/error.js';

/** Encrypts and authenticates cursors, so that they show nothing and cannot be made up (RFC 9865 §5.2). */
export interface CursorSealer {
  seal(payload: object, context: string): string;
  /** @returns undefined when the text was not sealed with this key and context */
  open(text: string, context: string): object | undefined;
}

/** Where the next page of a query starts. */
export interface CursorPosition {
  /** The adapter's own position. */
  readonly after?: string;
  /** Resources that came before, by which the gateway itself pages. */
  readonly offset?: number;
}

interface Payload extends CursorPosition {
  readonly query: string;
  readonly count: number;
  readonly expires: number;
}

/** What a cursor belongs to: it is of no use anywhere else. */
export interface CursorScope {
  readonly gateway: string;
  readonly type: string;
  readonly caller: string;
  /** Text that is equal for equal queries: filter, sort, the mapping's fingerprint. */
  readonly query: string;
}

export interface Cursors {
  issue(scope: CursorScope, count: number, position: CursorPosition): string;
  /**
   * @param count what the caller asks for now; undefined: as before
   * @throws ScimError invalidCursor, expiredCursor, invalidCount
   */
  open(
    scope: CursorScope,
    cursor: string,
    count: number | undefined,
  ): { readonly count: number; readonly position: CursorPosition };
}

export function createCursors(
  sealer: CursorSealer,
  timeoutSeconds: number,
  now: () => number = () => Date.now(),
): Cursors {
  const contextOf = ({ gateway, type, caller }: CursorScope): string =>
    JSON.stringify(['cursor', gateway, type, caller]);
  const hashOf = (query: string): string => createHash('sha256').update(query).digest('base64url').slice(0, 22);
  return {
    issue(scope, count, position) {
      const payload: Payload = {
        ...position,
        query: hashOf(scope.query),
        count,
        expires: now() + timeoutSeconds * 1000,
      };
      return sealer.seal(payload, contextOf(scope));
    },
    open(scope, cursor, count) {
      const payload = sealer.open(cursor, contextOf(scope)) as Payload | undefined;
      if (payload === undefined) {
        throw ScimError.badRequest(
          'invalidCursor',
          'The cursor is not one that this endpoint gave to this caller; start again with an empty cursor.',
        );
      }
      if (payload.expires < now()) {
        throw ScimError.badRequest(
          'expiredCursor',
          `The cursor is older than ${timeoutSeconds} seconds; start again with an empty cursor.`,
        );
      }
      if (payload.query !== hashOf(scope.query)) {
        throw ScimError.badRequest(
          'invalidCursor',
          'The cursor belongs to another query; repeat filter, sortBy and sortOrder unchanged.',
        );
      }
      if (count !== undefined && count !== payload.count) {
        throw ScimError.badRequest(
          'invalidCount',
          `The first page was asked for with count ${payload.count}; repeat it unchanged.`,
        );
      }
      const { after, offset } = payload;
      return {
        count: payload.count,
        position: { ...(after === undefined ? {} : { after }), ...(offset === undefined ? {} : { offset }) },
      };
    },
  };
}
