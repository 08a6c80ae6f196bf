import type { Logger } from 'pino';
import type { GatewayConfig } from '../../config/gateway-config.js';
import type { Problem } from '../../config/problem.js';
import type { TransactionRecorder } from '../transactions/request-record.js';
import { type ConfigChanges, describeChanges, isNothing, keepFixed } from './config-changes.js';
import type { Configuration, ConfigurationReader } from './configuration.js';
import { type FileWatch, watchFiles } from './file-watch.js';
import type { LiveGateways, UsableConfiguration } from './live-gateways.js';

/** Why the configuration is read again. */
export type ReloadCause =
  /** An operator asked for it: every file is read again. */
  | 'SIGHUP'
  /** A file of the configuration changed, and `reloadOnChange` is on: likewise. */
  | 'configuration'
  /** A secret, a key set or a certificate changed: the rest stands as it was read, even if it was edited since. */
  | 'secret';

export interface ReloadOptions {
  readonly environment: ConfigurationReader;
  /** The `--config` that is served. */
  readonly file: string | undefined;
  /** What the process was started with. */
  readonly configuration: Configuration;
  readonly live: LiveGateways;
  /** Puts what the command line says over a configuration. */
  readonly override: (config: GatewayConfig) => GatewayConfig;
  readonly log: Logger;
  readonly recorder?: Pick<TransactionRecorder, 'act'>;
  /** Reads the certificate again. */
  readonly reloadTls?: () => Promise<unknown>;
  /** Called after another configuration was taken. */
  readonly onChanged?: (changes: ConfigChanges) => Promise<void>;
  /** How often files are looked at, in milliseconds. */
  readonly everyMs?: number;
}

/** Reads the configuration again while the gateways are served. A faulty one changes nothing. */
export class Reloader {
  readonly #options: ReloadOptions;
  readonly #watch: FileWatch;
  #current: Configuration;
  /** Of the last attempt, so that the missing file of a faulty one is waited for. */
  #last: Pick<Configuration, 'files' | 'fingerprints'>;
  #queue: Promise<void> = Promise.resolve();
  #waiting: Promise<void> | undefined;
  #isClosed = false;

  constructor(options: ReloadOptions) {
    this.#options = options;
    this.#current = options.configuration;
    this.#last = options.configuration;
    this.#watch = watchFiles(
      () => this.#watched(),
      (changed) => this.#filesChanged(changed),
      options.everyMs,
      () => this.#last.fingerprints,
    );
  }

  /**
   * One after the other; what is asked for while one waits for its turn is done by that one. Never rejects: what is wrong
   * is in the log.
   */
  reload(cause: ReloadCause): Promise<void> {
    if (cause !== 'secret' && this.#waiting !== undefined) return this.#waiting;
    const turn = this.#queue.then(async () => {
      if (this.#waiting === turn) this.#waiting = undefined;
      if (this.#isClosed) return;
      await this.#reload(cause);
    });
    if (cause !== 'secret') this.#waiting = turn;
    this.#queue = turn;
    return turn;
  }

  /** Waits for a reload that is under way. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#watch.close();
    await this.#queue;
  }

  #watched(): readonly string[] {
    const { secretFiles, files, reloadOnChange } = this.#options.live.config;
    return reloadOnChange ? [...new Set([...files, ...this.#last.files])] : secretFiles;
  }

  #filesChanged(changed: readonly string[]): void {
    const { secretFiles, tls } = this.#options.live.config;
    this.#options.log.info({ files: changed }, 'Files have changed.');
    if (tls !== undefined && changed.some((file) => file === tls.certificate || file === tls.key)) {
      void this.#options.reloadTls?.();
    }
    void this.reload(changed.every((file) => secretFiles.includes(file)) ? 'secret' : 'configuration');
  }

  async #reload(cause: ReloadCause): Promise<void> {
    const { environment, file, live, log, reloadTls } = this.#options;
    try {
      const read = await environment.configure(file, cause === 'secret' ? this.#current.texts : undefined);
      this.#last = read;
      const usable = this.#usable(read, cause);
      if (usable === undefined) return;
      const changes = await live.change(usable);
      this.#current = read;
      await this.#tell(changes, cause);
      if (cause === 'SIGHUP') await reloadTls?.();
    } catch (error) {
      const isUnforeseen = error instanceof TypeError || error instanceof ReferenceError;
      const reason = error instanceof Error ? error.message : String(error);
      log.error(isUnforeseen ? { err: error } : { reason }, 'The configuration stays as it was.');
    }
  }

  /** With what cannot change while the process runs left as it is; undefined for a faulty one. */
  #usable(read: Configuration, cause: ReloadCause): UsableConfiguration | undefined {
    const { environment, live, log, override } = this.#options;
    const errors = read.problems.filter(({ severity }) => severity === 'error');
    if (read.config === undefined || errors.length > 0) {
      for (const problem of errors) log.error(place(problem), environment.formatProblem(problem));
      log.error({ errors: errors.length }, 'The configuration stays as it was: what was read has errors.');
      return undefined;
    }
    const { config, nextStart } = keepFixed(live.config, override(read.config));
    if (cause !== 'secret') {
      for (const problem of read.problems) log.warn(place(problem), environment.formatProblem(problem));
    }
    // Of secrets, those of the state are in use since the start.
    const told = cause === 'secret' ? nextStart.filter((name) => name === 'state') : nextStart;
    if (told.length > 0) log.warn({ settings: told }, `This takes effect at the next start: ${told.join(', ')}.`);
    return { config, plans: read.plans, sources: read.sources };
  }

  async #tell(changes: ConfigChanges, cause: ReloadCause): Promise<void> {
    const { live, log, onChanged } = this.#options;
    if (isNothing(changes)) {
      log[cause === 'SIGHUP' ? 'info' : 'debug']({ cause }, 'The configuration was read again: nothing has changed.');
      return;
    }
    log.level = live.config.log.level;
    log.info({ cause }, `The configuration has changed: ${describeChanges(changes)}.`);
    this.#record(changes);
    await onChanged?.(changes).catch((error: unknown) => {
      log.warn({ err: error }, 'The configuration was taken, but where its gateways are cannot be told.');
    });
  }

  /** For each gateway what concerns it, its adapters included; for the process what concerns no gateway. */
  #record({ gateways, adapters, settings }: ConfigChanges): void {
    const { live, recorder } = this.#options;
    if (recorder === undefined) return;
    const operation = 'reload';
    const ids = new Set([...gateways.keys(), ...live.config.gateways.map(({ id }) => id)]);
    for (const gateway of ids) {
      const used = new Set(live.config.gateways.find(({ id }) => id === gateway)?.resources.map((one) => one.adapter));
      const own = gateways.get(gateway) ?? [];
      const ofAdapters = [...adapters].flatMap(([name, names]) =>
        used.has(name) ? [`adapter ${name}: ${names.join(', ')}`] : [],
      );
      if (own.length + ofAdapters.length > 0) recorder.act({ gateway, operation, meant: [...own, ...ofAdapters] });
    }
    if (settings.length > 0) recorder.act({ gateway: '', operation, meant: settings });
  }
}

function place({ file, line, column }: Problem): object {
  return { file, line, column };
}
