import { randomUUID } from 'node:crypto';
import { fold } from '../../../src/scim/comparison.js';
import { Refusal } from './http-exchange.js';
import type { JsonObject } from './shape.js';

/** One document of a collection; replaced as a whole, never changed. */
export interface Stored {
  readonly id: string;
  /** Where it stands: documents are listed in the order in which they came. */
  readonly place: number;
  readonly version: number;
  readonly created: string;
  readonly modified: string;
  readonly body: JsonObject;
}

/** Documents in memory, one member of which is unique without regard to case. Each call is one transaction. */
export class Collection {
  private readonly uniqueMember: string;
  private readonly byId = new Map<string, Stored>();
  private readonly byUnique = new Map<string, string>();
  private readonly gone = new Set<string>();
  private listed: readonly Stored[] | undefined;
  private places = 0;

  constructor(uniqueMember: string) {
    this.uniqueMember = uniqueMember;
  }

  get size(): number {
    return this.byId.size;
  }

  get(id: string): Stored | undefined {
    return this.byId.get(id);
  }

  /** Whether there was such a document once. */
  wasDeleted(id: string): boolean {
    return this.gone.has(id);
  }

  withUnique(value: string): Stored | undefined {
    return this.byId.get(this.byUnique.get(fold(value)) ?? '');
  }

  all(): readonly Stored[] {
    this.listed ??= [...this.byId.values()];
    return this.listed;
  }

  /** @throws Refusal 409 when the unique value is taken */
  insert(body: JsonObject): Stored {
    this.checkUnique(body, undefined);
    const now = new Date().toISOString();
    const stored = { id: randomUUID(), place: ++this.places, version: 1, created: now, modified: now, body };
    this.keep(stored);
    return stored;
  }

  /** @throws Refusal 409 when the unique value is taken */
  replace(former: Stored, body: JsonObject): Stored {
    this.checkUnique(body, former.id);
    const stored = { ...former, version: former.version + 1, modified: new Date().toISOString(), body };
    this.byUnique.delete(this.uniqueKey(former.body));
    this.keep(stored);
    return stored;
  }

  delete(id: string): void {
    const former = this.byId.get(id);
    if (former === undefined) return;
    this.byId.delete(id);
    this.byUnique.delete(this.uniqueKey(former.body));
    this.gone.add(id);
    this.listed = undefined;
  }

  clear(): void {
    for (const id of [...this.byId.keys()]) this.delete(id);
  }

  private keep(stored: Stored): void {
    this.byId.set(stored.id, stored);
    this.byUnique.set(this.uniqueKey(stored.body), stored.id);
    this.listed = undefined;
  }

  private checkUnique(body: JsonObject, ownId: string | undefined): void {
    if (typeof body[this.uniqueMember] !== 'string') {
      throw new Refusal(422, 'required', `"${this.uniqueMember}" is needed.`, `/${this.uniqueMember}`);
    }
    const holder = this.byUnique.get(this.uniqueKey(body));
    if (holder !== undefined && holder !== ownId) {
      throw new Refusal(409, 'taken', 'Another one has this name.', `/${this.uniqueMember}`);
    }
  }

  private uniqueKey(body: JsonObject): string {
    return fold(String(body[this.uniqueMember]));
  }
}
