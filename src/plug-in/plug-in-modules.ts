import { dirname, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { AdapterModule } from '../backend/adapter.js';
import { containModule } from './contained-module.js';
import { loadFailure } from './load-failure.js';
import { moduleFiles } from './module-files.js';
import { type ModulePlace, placeOf } from './module-place.js';
import { shapeOf } from './module-shape.js';
import { offerOwnPackage } from './own-package.js';

/** What became of one `type:` that is no built-in adapter. */
export interface PlugIn {
  /** Undefined when it cannot be used; then `message` says why. */
  readonly module: AdapterModule | undefined;
  /** What is to be told at `type:`, if anything. With a module it is a warning, else an error. */
  readonly message: string | undefined;
  /** SHA-256, in hex, of its files as they were when it was loaded; undefined for those that are missing. */
  readonly files: ReadonlyMap<string, string | undefined>;
}

export interface PlugInOptions {
  /** How long a module may take to load, in milliseconds. */
  readonly loadTimeoutMs?: number;
  readonly importModule?: (url: string) => Promise<unknown>;
}

async function importWithOwnPackage(url: string): Promise<unknown> {
  offerOwnPackage();
  return import(url);
}

interface Attempt {
  readonly module: AdapterModule | undefined;
  readonly message: string | undefined;
  readonly files: ReadonlyMap<string, string | undefined>;
  readonly number: number;
}

const programFolder = dirname(fileURLToPath(import.meta.url));
/** Node remembers what it failed to load, as a module or as a part of one. */
const remembered = 'If that was corrected, restart the gateway: Node remembers parts that it could not load.';

/**
 * Loads other people's adapters, each once in the life of the process, as Node never lets go of a module. A module that
 * could not be loaded is tried again when its file has changed.
 */
export class PlugInModules {
  readonly #attempts = new Map<string, Attempt>();
  readonly #loadTimeoutMs: number;
  readonly #import: (url: string) => Promise<unknown>;

  constructor({ loadTimeoutMs = 10_000, importModule = importWithOwnPackage }: PlugInOptions = {}) {
    this.#loadTimeoutMs = loadTimeoutMs;
    this.#import = importModule;
  }

  /**
   * @param type as it stands in gateway.yaml: a path that starts with a dot or a slash, or the name of a package
   * @param baseDir the folder of gateway.yaml
   * @param hint what else may have been meant, where no package has the name: `; did you mean "ldap"?`
   */
  async load(type: string, baseDir: string, hint = '.'): Promise<PlugIn> {
    const place = placeOf(type, [baseDir, programFolder]);
    if (place.kind !== 'file') return { module: undefined, message: unplaced(type, place, hint), files: new Map() };
    const { file } = place;
    const former = this.#attempts.get(file);
    const files = moduleFiles(file);
    const changed = former === undefined ? undefined : changedFile(former.files, files);
    if (former?.module !== undefined) {
      return { ...former, message: changed === undefined ? undefined : outdated(type, relative(baseDir, changed)) };
    }
    if (former !== undefined && changed === undefined) return former;
    const attempt = await this.#load(type, file, baseDir, { files, number: (former?.number ?? 0) + 1 });
    this.#attempts.set(file, attempt);
    return attempt;
  }

  async #load(
    type: string,
    file: string,
    baseDir: string,
    { files, number }: Pick<Attempt, 'files' | 'number'>,
  ): Promise<Attempt> {
    const url = pathToFileURL(file);
    if (number > 1) url.search = `?attempt=${number}`;
    const failed = (reason: string): Attempt => {
      const advice = number > 1 ? ` ${remembered}` : '';
      return { module: undefined, message: `The module ${type} ${reason}${advice}`, files, number };
    };
    try {
      const shape = shapeOf(await this.#withinTime(this.#import(url.href)));
      if ('fault' in shape) return failed(shape.fault);
      return { module: containModule(type, file, shape.module), message: undefined, files, number };
    } catch (error) {
      return failed(error === lateness ? this.#lateness() : loadFailure(error, files.keys(), baseDir));
    }
  }

  #lateness(): string {
    return `was not loaded within ${this.#loadTimeoutMs / 1000} seconds: it must not wait for anything (an "await" outside of functions) while it is loaded.`;
  }

  async #withinTime(loading: Promise<unknown>): Promise<unknown> {
    // What comes after the time is nobody's any more.
    loading.catch(() => undefined);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(lateness), this.#loadTimeoutMs);
    });
    try {
      return await Promise.race([loading, late]);
    } finally {
      clearTimeout(timer);
    }
  }
}

const lateness = new Error('late');

function unplaced(type: string, place: Exclude<ModulePlace, { kind: 'file' }>, hint: string): string {
  if (place.kind === 'problem') return place.message;
  const { packageName } = place;
  return `There is no adapter of type "${type}"${hint} A module of your own is named by its path, such as "./${packageName.replace(/^.*\//, '')}.js", or by its package, which "npm install ${packageName}" in the folder of gateway.yaml would bring.`;
}

function changedFile(
  before: ReadonlyMap<string, string | undefined>,
  now: ReadonlyMap<string, string | undefined>,
): string | undefined {
  const all = new Set([...before.keys(), ...now.keys()]);
  return [...all].find((file) => before.get(file) !== now.get(file));
}

function outdated(type: string, file: string): string {
  return `${file} has changed since the module ${type} was loaded: the gateway goes on with the former one. Restart it to use the new one.`;
}
