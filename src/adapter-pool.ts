/** Adapters that stay open when a gateway is composed anew and asks for the same one. */
import { isDeepStrictEqual } from 'node:util';
import type { AdapterEnvironment, AdapterModule, EntityUse } from './backend/adapter.js';
import { type GuardedAdapter, guardAdapter } from './backend/guard.js';
import type { Observe } from './backend/guarded-operation.js';
import { BackendPace } from './backend/pace.js';
import type { Rate } from './backend/rate-window.js';

/** An adapter as a gateway wants it. Two orders for the same gateway that say the same share one adapter. */
export interface AdapterOrder {
  readonly gateway: string;
  /** The name in the configuration. */
  readonly name: string;
  readonly type: string;
  readonly settings: unknown;
  /** How fast and how much at a time it may be asked. */
  readonly guard?: { readonly rate?: Rate; readonly concurrency?: number };
  /** What the mapping asks of it. */
  readonly entities: readonly EntityUse[];
}

export interface AdapterLease {
  readonly adapter: GuardedAdapter;
  /** To be called once. Whoever is the last closes the adapter. */
  release(): Promise<void>;
}

interface OpenAdapter {
  readonly order: AdapterOrder;
  readonly guarded: GuardedAdapter;
  readonly pace: BackendPace;
  uses: number;
}

export interface PoolOptions {
  /** By type. */
  readonly modules: ReadonlyMap<string, AdapterModule>;
  readonly baseDir: string;
  readonly dataDir: string;
  /** Told how each operation of an adapter ended. */
  readonly observe?: (gateway: string, adapter: string) => Observe;
}

/** Counts who uses which adapter. Memory's records, connections and the circuit's state live as long as an adapter does. */
export class AdapterPool {
  readonly #options: PoolOptions;
  #open: readonly OpenAdapter[] = [];

  constructor(options: PoolOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#open.length;
  }

  /**
   * @param timeoutMs how long one operation may take
   * @throws whatever the adapter throws when it cannot be opened, which a backend that is down is no reason for; Error when
   * it cannot be opened beside one that is in use
   */
  async acquire(order: AdapterOrder, timeoutMs: number, log: AdapterEnvironment['log']): Promise<AdapterLease> {
    const known = this.#open.find((candidate) => isDeepStrictEqual(candidate.order, order));
    const used = known ?? (await this.#openNew(order, timeoutMs, log));
    used.uses++;
    return { adapter: used.guarded.withTimeout(timeoutMs), release: () => this.#release(used) };
  }

  async #openNew(order: AdapterOrder, timeoutMs: number, log: AdapterEnvironment['log']): Promise<OpenAdapter> {
    const { modules, baseDir, dataDir } = this.#options;
    const module = modules.get(order.type);
    if (module === undefined) throw new Error(`There is no adapter of type "${order.type}".`);
    const { gateway, entities } = order;
    for (const { order: other } of this.#open) {
      const reason =
        other.gateway === gateway && other.type === order.type ? exclusion(module, other, order) : undefined;
      if (reason !== undefined) throw new Error(reason);
    }
    const { rate, concurrency } = order.guard ?? {};
    // What a backend allows, it allows all gateways together.
    const pace = this.#open.find((other) => isSameBackend(other.order, order))?.pace ?? new BackendPace({ rate });
    const adapter = await module.open(order.settings, {
      gateway,
      adapter: order.name,
      entities,
      baseDir,
      dataDir,
      log,
      pace,
    });
    const observe = this.#options.observe?.(gateway, order.name);
    const { pacedBy, retryAfter } = module;
    const guarded = guardAdapter(adapter, {
      timeoutMs,
      pace,
      ...(concurrency === undefined ? {} : { concurrency }),
      ...(pacedBy === undefined ? {} : { pacedBy }),
      ...(retryAfter === undefined ? {} : { retryAfter }),
      ...(observe === undefined ? {} : { observe }),
    });
    const opened: OpenAdapter = { order, guarded, pace, uses: 0 };
    this.#open = [...this.#open, opened];
    return opened;
  }

  async #release(used: OpenAdapter): Promise<void> {
    used.uses--;
    if (used.uses > 0) return;
    this.#open = this.#open.filter((candidate) => candidate !== used);
    await used.guarded.close();
  }
}

function isSameBackend(one: AdapterOrder, other: AdapterOrder): boolean {
  const sectionOf = ({ name, type, settings, guard }: AdapterOrder): object => ({ name, type, settings, guard });
  return isDeepStrictEqual(sectionOf(one), sectionOf(other));
}

function exclusion(module: AdapterModule, open: AdapterOrder, next: AdapterOrder): string | undefined {
  const { entities } = next;
  return module.excludes?.({ config: open.settings, entities: open.entities }, { config: next.settings, entities });
}
