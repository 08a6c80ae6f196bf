import type { AdapterModule } from '../backend/adapter.js';
import { PlugInModules, type PlugInOptions } from './plug-in-modules.js';

/** Adapter modules that a configuration names. */
export interface NamedModules {
  /** By what stands in `type:`, those included that earlier configurations named. */
  readonly modules: ReadonlyMap<string, AdapterModule>;
  /** Of those that are not among them, why; of others, what an operator should know. */
  readonly messages: ReadonlyMap<string, string>;
  /** Files that modules of others are made of, with the SHA-256 of what was loaded. */
  readonly files: ReadonlyMap<string, string | undefined>;
}

/** The adapters of one process: those that are built in and those of others, each loaded when a configuration names it. */
export class AdapterRegistry {
  readonly #builtIn: ReadonlyMap<string, () => Promise<AdapterModule>>;
  readonly #hint: (type: string) => string;
  readonly #plugIns: PlugInModules;
  /** Those of former configurations stay, as Node lets go of no module. */
  readonly #modules = new Map<string, AdapterModule>();

  /** @param hint what an unknown type may have been meant for, as the end of a sentence */
  constructor(
    builtIn: ReadonlyMap<string, () => Promise<AdapterModule>>,
    hint: (type: string) => string = () => '.',
    options: PlugInOptions = {},
  ) {
    this.#builtIn = builtIn;
    this.#hint = hint;
    this.#plugIns = new PlugInModules(options);
  }

  /**
   * Loads the modules of these types and no others. A module that cannot be loaded is a message.
   * @param baseDir the folder of gateway.yaml
   */
  async load(types: readonly string[], baseDir: string): Promise<NamedModules> {
    const messages = new Map<string, string>();
    const files = new Map<string, string | undefined>();
    for (const type of types) {
      const loadBuiltIn = this.#builtIn.get(type);
      if (loadBuiltIn !== undefined) {
        this.#modules.set(type, await loadBuiltIn());
        continue;
      }
      const plugIn = await this.#plugIns.load(type, baseDir, this.#hint(type));
      if (plugIn.module === undefined) this.#modules.delete(type);
      else this.#modules.set(type, plugIn.module);
      if (plugIn.message !== undefined) messages.set(type, plugIn.message);
      for (const [file, hash] of plugIn.files) files.set(file, hash);
    }
    return { modules: this.#modules, messages, files };
  }
}
