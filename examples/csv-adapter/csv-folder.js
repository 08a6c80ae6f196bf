// @ts-check
import { AdapterError, hasEnded, RecordStore } from 'scimbridge/adapter';
import { lockFolder } from './lock.js';

/** @typedef {import('scimbridge/adapter').BackendRecord} BackendRecord */
/** @typedef {import('scimbridge/adapter').EntityUse} EntityUse */
/** @typedef {import('scimbridge/adapter').OperationContext} OperationContext */
/** @typedef {import('./csv-file.js').CsvFile} CsvFile */
/** @typedef {import('./csv-file.js').Content} Content */

/** @typedef {ReadonlyMap<CsvFile, Content>} Contents */

/**
 * What was read of all files, and the records that this makes.
 * @typedef {object} State
 * @property {Contents} contents
 * @property {RecordStore} store
 */

/**
 * A change that waits for its turn.
 * @typedef {object} Job
 * @property {OperationContext} context
 * @property {(store: RecordStore, contents: Contents) => unknown} change throws AdapterError when it is not possible
 * @property {(store: RecordStore, made: any) => unknown} answer what the caller gets, of the records as they were written
 * @property {(answer: any) => void} resolve
 * @property {(error: unknown) => void} reject
 */

const maxTries = 5;

/** The files of a gateway together, since their records refer to each other. */
export class CsvFolder {
  /** @type {State | undefined} */
  #state;
  /** @type {Job[]} */
  #jobs = [];
  /** @type {Promise<void> | undefined} */
  #working;

  /**
   * @param {string} folder where the lock is
   * @param {readonly CsvFile[]} files
   */
  constructor(folder, files) {
    this.folder = folder;
    this.files = files;
  }

  /** The records as they are now. @returns {Promise<RecordStore>} */
  async read() {
    return (await this.#load()).store;
  }

  /**
   * Carries out a change and answers when it is on the disk. Those that come while the files are being written are written
   * together, next time.
   * @template Made, Answer
   * @param {OperationContext} context
   * @param {(store: RecordStore, contents: Contents) => Made} change
   * @param {(store: RecordStore, made: Made) => Answer} answer
   * @returns {Promise<Answer>}
   */
  write(context, change, answer) {
    return new Promise((resolve, reject) => {
      this.#jobs.push({ context, change, answer, resolve, reject });
      this.#working ??= this.#work().finally(() => {
        this.#working = undefined;
      });
    });
  }

  /** Waits for what is being written. */
  async finish() {
    await this.#working;
  }

  async #work() {
    // Those that are asked for in one go come together.
    await Promise.resolve();
    while (this.#jobs.length > 0) {
      const jobs = this.#jobs.splice(0);
      try {
        await this.#carryOut(jobs);
      } catch (error) {
        for (const { reject } of jobs) reject(error);
      }
    }
  }

  /** @param {readonly Job[]} jobs */
  async #carryOut(jobs) {
    const lock = await lockFolder(this.folder, () => jobs.every(({ context }) => hasEnded(context)));
    if (lock === undefined)
      throw new AdapterError('timeout', 'The files were locked by another process.', { applied: 'no' });
    try {
      for (let tries = 0; tries < maxTries; tries++) {
        const answers = await this.#attempt(jobs, lock.isHeld);
        if (answers === undefined) continue;
        const { store } = await this.#load();
        for (const finish of answers) finish(store);
        return;
      }
      throw new AdapterError('unavailable', 'Another program writes to the files all the time.');
    } finally {
      await lock.release();
    }
  }

  /**
   * @param {readonly Job[]} jobs
   * @param {() => Promise<boolean>} isHeld
   * @returns {Promise<readonly ((store: RecordStore) => void)[] | undefined>} undefined when it has to be tried again
   */
  async #attempt(jobs, isHeld) {
    const { contents } = await this.#load();
    const store = this.#storeOf(contents);
    const answers = jobs.map((job) => tryJob(job, store, contents));
    // A file that only lost references comes first: should the next one fail, repeating the request mends the rest.
    const changed = this.files.filter((file) => isChanged(file, contents, store));
    const order = [...changed].sort((a, b) => sizeChange(b, contents, store) - sizeChange(a, contents, store));
    for (const [index, file] of order.entries()) {
      const before = contents.get(file);
      if (before === undefined) continue;
      const records = inFileOrder(before, store.records(file.use.entity), file);
      const isWritten =
        index === 0 ? await file.write(before, records, isHeld) : await writeNext(file, before, records, isHeld);
      if (!isWritten) return undefined;
    }
    return answers;
  }

  /** @returns {Promise<State>} */
  async #load() {
    const contents = new Map(
      await Promise.all(this.files.map(async (file) => /** @type {const} */ ([file, await file.read()]))),
    );
    const isSame = this.files.every((file) => this.#state?.contents.get(file) === contents.get(file));
    if (this.#state === undefined || !isSame) this.#state = { contents, store: this.#storeOf(contents) };
    return this.#state;
  }

  /** @param {Contents} contents */
  #storeOf(contents) {
    const store = new RecordStore(
      this.files.map(({ use }) => use),
      { order: 'id' },
    );
    for (const [file, { records, table }] of contents) {
      for (const [index, record] of records.entries()) {
        try {
          store.seed(file.use.entity, record);
        } catch (error) {
          const place = `${file.name}, line ${table.rows[index]?.line}`;
          const reason = error instanceof AdapterError ? error.message : 'The row cannot be used.';
          throw new AdapterError('unavailable', `${place}: ${reason}`, { cause: error });
        }
      }
    }
    return store;
  }
}

/**
 * The files before it are written already.
 * @param {CsvFile} file
 * @param {Content} before
 * @param {readonly BackendRecord[]} records
 * @param {() => Promise<boolean>} isHeld
 * @returns {Promise<true>}
 */
async function writeNext(file, before, records, isHeld) {
  /** @type {unknown} */
  let cause;
  try {
    if (await file.write(before, records, isHeld)) return true;
  } catch (error) {
    cause = error;
  }
  const message = `${file.name} could not be written after another file was. Repeat the request.`;
  throw new AdapterError('unavailable', message, { applied: 'unknown', cause });
}

/**
 * @param {Job} job
 * @param {RecordStore} store
 * @param {Contents} contents
 * @returns {(store: RecordStore) => void} to be called when all is written
 */
function tryJob({ context, change, answer, resolve, reject }, store, contents) {
  try {
    if (hasEnded(context)) {
      throw new AdapterError('timeout', 'The request ended before its turn came.', { applied: 'no' });
    }
    const made = change(store, contents);
    return (written) => {
      try {
        resolve(answer(written, made));
      } catch (error) {
        reject(error);
      }
    };
  } catch (error) {
    return () => reject(error);
  }
}

/**
 * @param {CsvFile} file
 * @param {Contents} contents
 * @param {RecordStore} store
 */
function isChanged(file, contents, store) {
  const before = contents.get(file)?.records ?? [];
  const after = store.records(file.use.entity);
  const revisions = new Set(before.map(({ $revision }) => $revision));
  return before.length !== after.length || !after.every(({ $revision }) => revisions.has($revision ?? ''));
}

/**
 * How many records a file gains.
 * @param {CsvFile} file
 * @param {Contents} contents
 * @param {RecordStore} store
 */
function sizeChange(file, contents, store) {
  return store.records(file.use.entity).length - (contents.get(file)?.records.length ?? 0);
}

/**
 * Rows stay where they are, new ones come last.
 * @param {Content} before
 * @param {readonly BackendRecord[]} records
 * @param {CsvFile} file
 */
function inFileOrder(before, records, { use }) {
  const prefix = use.idPrefix ?? '';
  const byId = new Map(records.map((record) => [String(record.$id).slice(prefix.length), record]));
  const known = before.records.flatMap(({ $id }) => {
    const record = byId.get(String($id));
    byId.delete(String($id));
    return record === undefined ? [] : [{ ...record, $id: String($id) }];
  });
  return [...known, ...[...byId].map(([$id, record]) => ({ ...record, $id }))];
}
