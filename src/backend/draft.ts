import type { AdapterLog } from './adapter.js';

/** What `init` was told of a backend: enough to connect and to look around. */
export interface DraftRequest {
  readonly url: string;
  /** How gateway.yaml names it, where it is a file. */
  readonly written?: string;
  /** The gateway's own account there. */
  readonly account?: string;
  /** Its password for this one look, and how gateway.yaml names it: `${env:NAME}`. The value is never written. */
  readonly secret?: { readonly value: string; readonly reference: string };
  /** Where to look, where the backend does not say so itself. */
  readonly base?: string;
  /** By resource type: where its records are, where that was said. */
  readonly places: Readonly<Partial<Record<DraftedType, string>>>;
  /** Certificates of authorities to trust: the file, and its name in gateway.yaml. */
  readonly ca?: { readonly file: string; readonly written: string };
  readonly log: AdapterLog;
  readonly signal: AbortSignal;
}

export type DraftedType = 'User' | 'Group';

/** One key of gateway.yaml. Entries come in the order in which a person wants to read them. */
export interface DraftEntry {
  readonly key: string;
  /** Written on one line, or the keys below this one. */
  readonly value: DraftValue | DraftSection;
  /** Stands behind the line. */
  readonly note?: string;
  /** Lines before it. */
  readonly above?: readonly string[];
  /** Written as a comment, for people to switch on. */
  readonly isOffer?: boolean;
}

export interface DraftSection {
  readonly entries: readonly DraftEntry[];
}

export type DraftValue =
  | string
  | number
  | boolean
  | readonly DraftValue[]
  | { readonly [key: string]: DraftValue | undefined; readonly entries?: undefined };

/** Parts of a gateway.yaml that works with the backend as it was found. */
export interface Draft {
  /** What was found, one sentence each, for people: no secret and nobody's name. */
  readonly found: readonly string[];
  /** The adapter's section, `type` first. */
  readonly adapter: readonly DraftEntry[];
  readonly resources: readonly {
    readonly type: DraftedType;
    readonly entity: string;
    /** Where two types could issue the same id. */
    readonly idPrefix?: string;
    /** A preset with the usual rules of such a backend. */
    readonly preset?: string;
    /** Whether records of the entity can have the field, which a rule of the preset may use. */
    readonly holds?: (field: string) => boolean;
    readonly mapping: readonly DraftEntry[];
  }[];
}
