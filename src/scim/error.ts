/**
 * Error keywords of RFC 7644 Table 9, and those of RFC 9865 §2.1 for cursors.
 * @see RFC 7644 §3.12, RFC 9865 §2.1
 */
export type ScimType =
  | 'invalidFilter'
  | 'tooMany'
  | 'uniqueness'
  | 'mutability'
  | 'invalidSyntax'
  | 'invalidPath'
  | 'noTarget'
  | 'invalidValue'
  | 'invalidVers'
  | 'sensitive'
  | 'invalidCursor'
  | 'expiredCursor'
  | 'invalidCount';

export type ScimStatus = 400 | 401 | 403 | 404 | 405 | 406 | 408 | 409 | 412 | 413 | 415 | 428 | 429 | 500 | 501 | 503;

export type BadRequestType = Exclude<ScimType, 'uniqueness' | 'sensitive'>;

export const errorSchemaUri = 'urn:ietf:params:scim:api:messages:2.0:Error';

/** The body of every refusal. `status` is a JSON string (RFC 7644 §3.12). */
export interface ScimErrorBody {
  readonly schemas: readonly [typeof errorSchemaUri];
  readonly status: string;
  readonly scimType?: ScimType;
  readonly detail: string;
}

/**
 * What the caller is told. `message` is the client's `detail`: it names what to change, and holds no DN, SQL,
 * host, secret or stack; those go in `cause`. The constructor is private, so that an impossible pair
 * (409 with `invalidPath`) cannot be written.
 * @see RFC 7644 §3.12
 */
export class ScimError extends Error {
  override readonly name = 'ScimError';
  readonly status: ScimStatus;
  readonly scimType: ScimType | undefined;
  /** Seconds until a retry is worthwhile; becomes Retry-After. */
  readonly retryAfterSeconds: number | undefined;
  /** Methods that the resource allows; becomes Allow. */
  readonly allow: readonly string[] | undefined;

  private constructor(
    status: ScimStatus,
    scimType: ScimType | undefined,
    detail: string,
    more: { cause?: unknown; retryAfterSeconds?: number; allow?: readonly string[] } = {},
  ) {
    super(detail, { cause: more.cause });
    this.status = status;
    this.scimType = scimType;
    this.retryAfterSeconds = more.retryAfterSeconds;
    this.allow = more.allow;
  }

  static badRequest(scimType: BadRequestType, detail: string, cause?: unknown): ScimError {
    return new ScimError(400, scimType, detail, { cause });
  }
  static unauthorized(detail: string): ScimError {
    return new ScimError(401, undefined, detail);
  }
  static forbidden(detail: string, scimType?: 'sensitive'): ScimError {
    return new ScimError(403, scimType, detail);
  }
  static notFound(detail: string): ScimError {
    return new ScimError(404, undefined, detail);
  }
  static methodNotAllowed(detail: string, allow: readonly string[]): ScimError {
    return new ScimError(405, undefined, detail, { allow });
  }
  static notAcceptable(detail: string): ScimError {
    return new ScimError(406, undefined, detail);
  }
  static requestTimeout(detail: string): ScimError {
    return new ScimError(408, undefined, detail);
  }
  static uniqueness(detail: string, cause?: unknown): ScimError {
    return new ScimError(409, 'uniqueness', detail, { cause });
  }
  /** 409 without a keyword, for a bulk reference that cannot be resolved (RFC 7644 §3.7.1). */
  static conflict(detail: string): ScimError {
    return new ScimError(409, undefined, detail);
  }
  static preconditionFailed(detail: string): ScimError {
    return new ScimError(412, undefined, detail);
  }
  static tooLarge(detail: string): ScimError {
    return new ScimError(413, undefined, detail);
  }
  static unsupportedMediaType(detail: string): ScimError {
    return new ScimError(415, undefined, detail);
  }
  static preconditionRequired(detail: string): ScimError {
    return new ScimError(428, undefined, detail);
  }
  static tooManyRequests(detail: string, retryAfterSeconds: number): ScimError {
    return new ScimError(429, undefined, detail, { retryAfterSeconds });
  }
  static internal(cause: unknown, detail = 'Internal error.'): ScimError {
    return new ScimError(500, undefined, detail, { cause });
  }
  static notImplemented(detail: string): ScimError {
    return new ScimError(501, undefined, detail);
  }
  static unavailable(detail: string, retryAfterSeconds: number, cause?: unknown): ScimError {
    return new ScimError(503, undefined, detail, { cause, retryAfterSeconds });
  }

  /** The same refusal with words around its detail, e.g. the number of the PATCH operation. */
  withDetail(detail: string): ScimError {
    return new ScimError(this.status, this.scimType, detail, {
      cause: this,
      ...(this.retryAfterSeconds === undefined ? {} : { retryAfterSeconds: this.retryAfterSeconds }),
      ...(this.allow === undefined ? {} : { allow: this.allow }),
    });
  }

  toBody(): ScimErrorBody {
    return {
      schemas: [errorSchemaUri],
      status: String(this.status),
      ...(this.scimType === undefined ? {} : { scimType: this.scimType }),
      detail: this.message,
    };
  }
}
