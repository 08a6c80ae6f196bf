import type { Comparison } from '../scim/comparison.js';
import type { CompareOp, Filter } from '../scim/filter.js';
import type { Draft, DraftRequest } from './draft.js';
import type { Pace } from './pace.js';

/**
 * The port between the gateway and a backend. Records and fields are the backend's own words: an adapter never sees a
 * SCIM path, a PATCH or an HTTP request. Every adapter passes the suite in `test/contract`.
 */
export const contractVersion = 1;

/** Instants are ISO 8601 text in UTC with a "Z" and full precision; bytes are `Uint8Array`. */
export type Scalar = string | number | bigint | boolean | Uint8Array;
/** One row of a child table, one object of an array: e.g. an e-mail address with its type. */
export type ChildRecord = Readonly<Record<string, Scalar>>;
/** One value, many values (a set: no order is promised), or many child records. Never null and never an empty list. */
export type FieldValue = Scalar | readonly Scalar[] | readonly ChildRecord[];

/**
 * One entry of an entity. A field without a value is left out. `$id` is always there when the adapter gives a record;
 * `$revision`, `$created`, `$modified` where it has them and they were asked for.
 */
export type BackendRecord = Readonly<Record<string, FieldValue>>;

/** Fields that every adapter knows, usable in `fields`, and `$id`, `$created`, `$modified` in filters and sorts too. */
export const reservedFields = ['$id', '$revision', '$created', '$modified'] as const;

/**
 * What a condition calls the claim that all bits of a mask are set in a number (`userAccountControl&2`): `eq true` and no
 * other operator. Asked only of fields whose capability has `flags`.
 */
export function flagField(field: string, mask: number): string {
  return `${field}&${mask}`;
}

/** The number's field and the mask. @returns undefined for a plain field's name */
export function parseFlagField(path: string): { readonly field: string; readonly mask: number } | undefined {
  const at = path.lastIndexOf('&');
  const mask = Number(path.slice(at + 1));
  return at > 0 && Number.isSafeInteger(mask) && mask > 0 ? { field: path.slice(0, at), mask } : undefined;
}

/** A filter over field names; inside a `valuePath` over the child's fields. `ne` does not occur: it is `not eq`. */
export type Condition = Filter<string>;

/** Value-level changes. `add` of what is there and `remove` of what is not there are successes that change nothing. */
export type Change =
  /** The field's new value as a whole; an empty list clears it. */
  | { readonly op: 'set'; readonly field: string; readonly values: readonly Scalar[] | readonly ChildRecord[] }
  /**
   * Child records are equal when all their fields are; in a field whose child has a `reference` (members), when that
   * child is: `remove` then needs only it, and `add` of one that is there changes nothing.
   */
  | {
      readonly op: 'add' | 'remove';
      readonly field: string;
      readonly values: readonly Scalar[] | readonly ChildRecord[];
    }
  /** Changes fields of the child records that match; null clears one. No match is a success. */
  | {
      readonly op: 'updateWhere';
      readonly field: string;
      readonly where: Condition;
      readonly set: Readonly<Record<string, Scalar | null>>;
    }
  | { readonly op: 'removeWhere'; readonly field: string; readonly where: Condition };

/** What the mapping asks of a field. The composition root hands these to `open`, so that an adapter can check itself. */
export interface FieldUse {
  readonly name: string;
  readonly type: 'string' | 'number' | 'boolean' | 'instant' | 'bytes' | 'records';
  /** True when it may hold many values; always so for `records`. */
  readonly multiple: boolean;
  /** How the attribute's characteristics want it compared. What the backend really does is in the capabilities. */
  readonly comparison: Comparison;
  /** No two records of the entity may share the value. */
  readonly unique: boolean;
  readonly read: boolean;
  readonly written: boolean;
  /** Set for values that name other records: the entities that they may be in, and the field that they hold. */
  readonly reference?: { readonly targets: readonly string[]; readonly by: string };
  /** The field is the other end of `field` in `entity`: which records there refer to this one. Never written. */
  readonly inverseOf?: { readonly entity: string; readonly field: string };
  /** For `records`: the child's fields. */
  readonly children?: readonly FieldUse[];
}

export interface EntityUse {
  readonly entity: string;
  /** The field that holds the id, where the mapping names one (`id: entryUUID`). */
  readonly id?: string;
  /** Put before ids of this entity when one adapter could issue the same id in two entities. */
  readonly idPrefix?: string;
  readonly fields: readonly FieldUse[];
}

export type FilterOp = Exclude<CompareOp, 'ne'> | 'pr';

/** `exact`: selects what the in-memory evaluator would. `superset`: may select more, never less. Absent: cannot. */
export type Precision = 'exact' | 'superset';

export interface FieldCapability {
  readonly comparison: Comparison;
  readonly operators: Readonly<Partial<Record<FilterOp, Precision>>>;
  /** Of a number: how well single bits can be asked for (`flagField`). Absent: not at all. */
  readonly flags?: Precision;
  /** Records without a value come last ascending and first descending (RFC 7644 §3.4.2.3). */
  readonly sortable: boolean;
  /** For child records. A `valuePath` over them holds when one and the same child meets the whole inner condition. */
  readonly children?: Readonly<Record<string, FieldCapability>>;
}

export interface EntityCapabilities {
  /** By field name, reserved fields included where they can be filtered or sorted by. */
  readonly fields: Readonly<Record<string, FieldCapability>>;
  /** How conditions combine. `not` is only ever asked of an exact condition. */
  readonly combine: { readonly and: boolean; readonly or: boolean; readonly not: boolean };
  /** `search` understands `offset`. Without it, only `after`. */
  readonly offset: boolean;
  /** `search` gives an exact total when asked. */
  readonly total: boolean;
  /** `$revision` is there, changes with every change and only then, and `ifRevision` is checked with the write as one step. */
  readonly revision: boolean;
  readonly write: boolean;
  /** One `update` is carried out whole or not at all. */
  readonly atomicUpdate: boolean;
  /** Fields marked `unique` are enforced by `create` and `update`, whoever writes at the same time. */
  readonly enforcesUnique: boolean;
  /** Deleting or renaming a record mends the fields that refer to it, in the same step. */
  readonly referentialIntegrity: boolean;
  /** Reference fields that hold ids keep one that names no record (yet). Without it such ids are dropped and reported. */
  readonly keepsUnknownIds?: boolean;
}

export interface Capabilities {
  /** Another number when they changed: push-down plans are compiled anew. */
  readonly version: number;
  readonly entities: Readonly<Record<string, EntityCapabilities>>;
}

/** One native operation, for the transaction: `SELECT …` with its parameters left out, and how long it took. */
export interface TraceEntry {
  readonly operation: string;
  readonly durationMs: number;
}

export interface OperationContext {
  readonly signal: AbortSignal;
  /** What `signal.aborted` tells, for operations that are too quick to be worth a signal: see `hasEnded`. */
  readonly hasEnded?: boolean;
  /** When the signal ends by itself at the latest, on the clock of `performance.now()`. Absent: nobody knows. */
  readonly deadlineMs?: number | undefined;
  readonly requestId: string;
  /**
   * The same for every try of one operation, another one for every operation, and not to be guessed: what a backend can
   * know a repeated write by. The guard gives it.
   */
  readonly operationId?: string | undefined;
  readonly trace?: ((entry: TraceEntry) => void) | undefined;
}

export interface ReadOptions {
  /** Fields to give; nothing else is read. `$id` always comes. */
  readonly fields: readonly string[];
}

export interface Sort {
  readonly field: string;
  /** For child records: the child's field, of the child whose `prefer` field is true, else of the first. */
  readonly child?: string;
  readonly prefer?: string;
  readonly descending: boolean;
}

export interface SearchQuery extends ReadOptions {
  readonly entity: string;
  /** Absent: all records. */
  readonly filter?: Condition;
  /** Absent: the adapter's own stable order. With it, ties are broken stably. */
  readonly sort?: Sort;
  /** Skip so many records (0-based). Not together with `after`. */
  readonly offset?: number;
  /** Go on after this position, which an earlier result of the same query gave as `next`. */
  readonly after?: string;
  /** At most so many records; 0 asks for the total alone. */
  readonly limit: number;
  readonly wantTotal: boolean;
}

export interface SearchResult {
  readonly records: readonly BackendRecord[];
  /** All records that match, not only those given. There when `wantTotal` and the capability `total`. */
  readonly total?: number;
  /** Where the next page starts: opaque text of at most 1,000 characters, valid in every replica. Absent at the end. */
  readonly next?: string;
}

export interface UpdateOptions extends ReadOptions {
  /** Carry out only when this is still the revision; else `revisionMismatch`. */
  readonly ifRevision?: string;
}

export interface UpdateResult {
  /** False when the record was already so: nothing was written, and the revision is the same. */
  readonly changed: boolean;
  /** The record after the update, with the fields asked for (none asked: `$id` and what came for free). */
  readonly record: BackendRecord;
}

export interface LookupQuery extends ReadOptions {
  /** A field, or `$id`. */
  readonly by: string;
  readonly values: readonly Scalar[];
}

/** What is really there, for `check --connect` and `init`. */
export interface Inspection {
  readonly entities: readonly {
    readonly entity: string;
    readonly fields: readonly {
      readonly name: string;
      readonly type: string;
      readonly multiple: boolean;
      readonly writable: boolean;
    }[];
  }[];
  readonly problems: readonly InspectionProblem[];
}

export interface InspectionProblem {
  readonly severity: 'error' | 'warning';
  /** Where in the adapter's own section of the configuration: `['entities', 'people', 'fields', 'mail']`. */
  readonly configPath: readonly (string | number)[];
  readonly message: string;
}

export type DescribableOperation =
  | { readonly kind: 'search'; readonly query: SearchQuery }
  | { readonly kind: 'update'; readonly entity: string; readonly id: string; readonly changes: readonly Change[] }
  | { readonly kind: 'create'; readonly entity: string; readonly record: BackendRecord };

/** Methods reject with AdapterError and nothing else. Calls may overlap. `close` is safe to call twice. */
export interface Adapter {
  /** May change after connecting: see `Capabilities.version`. */
  readonly capabilities: Capabilities;
  /** @returns undefined when there is no such record in the entity */
  get(entity: string, id: string, options: ReadOptions, context: OperationContext): Promise<BackendRecord | undefined>;
  search(query: SearchQuery, context: OperationContext): Promise<SearchResult>;
  /** All matching records in pages of the adapter's choice; memory stays bounded. `limit` and `offset` do not apply. */
  scan(
    query: Omit<SearchQuery, 'limit' | 'offset' | 'wantTotal'>,
    context: OperationContext,
  ): AsyncIterable<BackendRecord>;
  /** `record` holds no reserved field. @returns the record with the fields asked for */
  create(
    entity: string,
    record: BackendRecord,
    options: ReadOptions,
    context: OperationContext,
  ): Promise<BackendRecord>;
  update(
    entity: string,
    id: string,
    changes: readonly Change[],
    options: UpdateOptions,
    context: OperationContext,
  ): Promise<UpdateResult>;
  delete(
    entity: string,
    id: string,
    options: { readonly ifRevision?: string },
    context: OperationContext,
  ): Promise<void>;
  /** The records whose field has one of the values, in one round trip, in any order. */
  lookup(entity: string, query: LookupQuery, context: OperationContext): Promise<readonly BackendRecord[]>;
  inspect(context: OperationContext): Promise<Inspection>;
  /** The operation in the backend's own language, one line or several, for `explain`. Nothing is carried out. */
  describe(operation: DescribableOperation): string;
  /** Rejects when the backend cannot be reached or refuses the gateway's account. */
  check(context: OperationContext): Promise<void>;
  close(): Promise<void>;
}

export interface AdapterEnvironment {
  /** The gateway that this instance serves; a managed store keeps gateways apart by it. */
  readonly gateway: string;
  /** The name that the adapter has in the configuration, for people: `adapters.<name>`. */
  readonly adapter?: string;
  readonly entities: readonly EntityUse[];
  /** Where relative file names in the configuration start: the folder of gateway.yaml. */
  readonly baseDir: string;
  /** The gateway's own data folder. */
  readonly dataDir: string;
  readonly log: AdapterLog;
  /** How fast the backend may be asked. To be asked by adapters with `pacedBy: 'requests'`; all may tell it what they learn. */
  readonly pace: Pace;
}

/** The part of pino's logger that adapters use. */
export interface AdapterLog {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** What an adapter is opened with, as far as the configuration says it. */
export interface AdapterSetup<Config = unknown> {
  readonly config: Config;
  readonly entities: readonly EntityUse[];
}

/** What a module exports to be an adapter. `configSchema` (JSON Schema) checks and completes its section of the YAML. */
export interface AdapterModule<Config = unknown> {
  readonly contractVersion: typeof contractVersion;
  readonly type: string;
  readonly configSchema: object;
  /**
   * What the declared rate counts. `operations` (the default): the guard waits before it makes a call. `requests`: the
   * adapter may make several for one operation, asks `AdapterEnvironment.pace` before each, and tells it what it learns.
   */
  readonly pacedBy?: 'operations' | 'requests';
  /**
   * Whose word `retryAfterSeconds` of an `unavailable` is. `backend` (the default): it asked to be left alone until then,
   * and is. `adapter`: a guess, for the caller only.
   */
  readonly retryAfter?: 'backend' | 'adapter';
  /**
   * The entities and their fields that the configuration itself names, where it names all of them: a rule that uses
   * another is then found without connecting.
   */
  readonly declared?: (config: Config) => ReadonlyMap<string, ReadonlySet<string>> | undefined;
  /**
   * Why the field of the entity cannot hold ids of records that live in another backend, as far as the configuration
   * tells. Undefined: it can.
   */
  readonly refusesForeignIds?: (config: Config, entity: string, field: string) => string | undefined;
  /**
   * Why the second adapter cannot be opened while the first, of the same gateway, is in use: what it does to the backend
   * would make the first one fail. Undefined: it can. A configuration that is read again opens the new one first.
   */
  readonly excludes?: (open: AdapterSetup<Config>, next: AdapterSetup<Config>) => string | undefined;
  /**
   * Looks at a backend and drafts a configuration for it, for `init`. Nothing is changed there.
   * @throws AdapterError, in words for whoever types the command
   */
  readonly draft?: (request: DraftRequest) => Promise<Draft>;
  /** Opens without waiting for the backend: the gateway starts with a backend that is down. */
  open(config: Config, environment: AdapterEnvironment): Promise<Adapter>;
}
