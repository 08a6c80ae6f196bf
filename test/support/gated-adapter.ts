import { memoryModule } from '../../adapters/memory/adapter.js';
import {
  type Adapter,
  type AdapterEnvironment,
  type AdapterModule,
  contractVersion,
} from '../../src/backend/adapter.js';
import { AdapterError } from '../../src/backend/adapter-error.js';

/** What became of the adapters that a module opened. */
export interface GatedModule {
  readonly module: AdapterModule;
  /** How many are open now, and how many ever were. */
  readonly open: () => number;
  readonly opened: () => number;
  /** The settings of each, in the order in which they were opened. */
  readonly settings: readonly Readonly<Record<string, unknown>>[];
  /** What each was opened with. */
  readonly environments: readonly AdapterEnvironment[];
  /** Whether searches fail from now on, as those of a backend that is down. */
  readonly fail: (isDown: boolean) => void;
  /** What searches and creates reject with from now on; undefined: they work. */
  readonly rejectWith: (error: AdapterError | undefined) => void;
  /** Searches and creates that reached the backend. */
  readonly calls: () => number;
  /** Searches wait from now on, until what comes back is called. */
  readonly hold: () => () => void;
  /** Searches that wait now. */
  readonly held: () => number;
}

/** Adapters with records in memory whose searches can be made to wait, and which tell when they are opened and closed. */
export function createGatedModule(): GatedModule {
  const settings: Readonly<Record<string, unknown>>[] = [];
  const environments: AdapterEnvironment[] = [];
  let isDown = false;
  let rejection: AdapterError | undefined;
  let calls = 0;
  let open = 0;
  let held = 0;
  let gate: Promise<void> | undefined;
  const module: AdapterModule = {
    contractVersion,
    type: 'gated',
    configSchema: {
      type: 'object',
      additionalProperties: false,
      properties: { password: { type: 'string' }, fails: { type: 'boolean' }, records: { type: 'object' } },
    },
    async open(config, environment) {
      const own = config as Readonly<Record<string, unknown>>;
      if (own.fails === true) throw new AdapterError('unsupported', 'This backend is too old.');
      const { records } = own as { readonly records?: Record<string, { [field: string]: unknown }[]> };
      const adapter = await memoryModule.open({ type: 'memory', ...(records && { records }) }, environment);
      open++;
      settings.push(own);
      environments.push(environment);
      return gated(adapter);
    },
  };
  const gated = (adapter: Adapter): Adapter => {
    let isOpen = true;
    return Object.assign(Object.create(adapter) as Adapter, {
      async create(...args: Parameters<Adapter['create']>) {
        calls++;
        if (rejection !== undefined) throw rejection;
        return adapter.create(...args);
      },
      async search(...args: Parameters<Adapter['search']>) {
        calls++;
        if (rejection !== undefined) throw rejection;
        if (gate !== undefined) {
          held++;
          await gate.finally(() => held--);
        }
        if (isDown) throw new AdapterError('denied', 'The account was refused.');
        if (!isOpen) throw new AdapterError('unavailable', 'The adapter was closed.');
        return adapter.search(...args);
      },
      async close() {
        if (isOpen) open--;
        isOpen = false;
        await adapter.close();
      },
    });
  };
  return {
    module,
    open: () => open,
    opened: () => settings.length,
    settings,
    environments,
    fail: (isDownNow) => {
      isDown = isDownNow;
    },
    rejectWith: (error) => {
      rejection = error;
    },
    calls: () => calls,
    hold: () => {
      let release = (): void => undefined;
      gate = new Promise((resolve) => {
        release = resolve;
      });
      return () => {
        gate = undefined;
        release();
      };
    },
    held: () => held,
  };
}
