// @ts-check
import { createHash, randomUUID } from 'node:crypto';
import { open, readFile, realpath, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { AdapterError } from 'scimbridge/adapter';
import { parseCell, printCell } from './cells.js';
import { CsvError, parseCsv, printRow } from './csv.js';
import { codeOf } from './lock.js';

/** @typedef {import('scimbridge/adapter').BackendRecord} BackendRecord */
/** @typedef {import('scimbridge/adapter').EntityUse} EntityUse */
/** @typedef {import('scimbridge/adapter').FieldUse} FieldUse */
/** @typedef {import('./csv.js').Table} Table */

/**
 * What a file held at one moment.
 * @typedef {object} Content
 * @property {string} stamp other than this: somebody wrote to the file since
 * @property {Table} table
 * @property {readonly BackendRecord[]} records one for each row, in their order, with `$id` and `$revision`
 */

/** The file of one entity: each row a record, each column a field of that name. Other columns stay as they are. */
export class CsvFile {
  /** @type {Content | undefined} */
  #content;

  /**
   * @param {EntityUse} use
   * @param {string} file absolute
   * @param {string} idColumn
   * @param {string} delimiter
   */
  constructor(use, file, idColumn, delimiter) {
    this.use = use;
    this.file = file;
    this.delimiter = delimiter;
    this.idColumn = use.id !== undefined && !use.id.startsWith('$') ? use.id : idColumn;
    /** Fields that are kept in the file; others are the other end of a reference. */
    this.fields = use.fields.filter(({ inverseOf, name }) => inverseOf === undefined && name !== this.idColumn);
    this.name = basename(file);
  }

  /**
   * Reads the file when it is not as it was.
   * @returns {Promise<Content>}
   * @throws {AdapterError} `unavailable`, with the line where something is wrong
   */
  async read() {
    try {
      const stamp = await stampOf(this.file);
      if (this.#content?.stamp !== stamp) {
        const table = parseCsv(await readFile(this.file, 'utf8'), this.delimiter);
        // Somebody may have written between the two; then the next call reads again.
        this.#content = { stamp, table, records: this.#recordsOf(table) };
      }
      return this.#content;
    } catch (error) {
      throw this.#unreadable(error);
    }
  }

  /**
   * Puts the records into the file's place: after a crash it holds either all of the old rows or all of the new ones.
   * @param {Content} before
   * @param {readonly BackendRecord[]} records those that stay, and new ones
   * @param {() => Promise<boolean>} mayWrite asked last
   * @returns {Promise<boolean>} false when somebody else has written in the meantime, and nothing was done
   */
  async write(before, records, mayWrite) {
    const text = this.#textOf(before, records);
    // A link stays a link.
    const target = await realpath(this.file).catch(() => this.file);
    const temporary = `${target}.${randomUUID()}.tmp`;
    try {
      const { mode } = await stat(target);
      const handle = await open(temporary, 'wx', mode);
      try {
        await handle.writeFile(text);
        await handle.sync();
      } finally {
        await handle.close();
      }
      if ((await stampOf(this.file)) !== before.stamp || !(await mayWrite())) return false;
      await rename(temporary, target);
    } catch (error) {
      const kind = ['EACCES', 'EPERM', 'EROFS'].includes(codeOf(error) ?? '') ? 'denied' : 'unavailable';
      throw new AdapterError(kind, `${this.name} cannot be written (${codeOf(error)}).`, { cause: error });
    } finally {
      await rm(temporary, { force: true });
    }
    await this.#syncFolder(dirname(target));
    return true;
  }

  /** Columns that the mapping needs and the file does not have. */
  async missingColumns() {
    const { table } = await this.read();
    return [this.idColumn, ...this.fields.map(({ name }) => name)].filter((name) => !table.header.includes(name));
  }

  /**
   * So that the new name of the file survives a power failure. Some systems cannot do it.
   * @param {string} folder
   */
  async #syncFolder(folder) {
    try {
      const handle = await open(folder);
      await handle.sync().finally(() => handle.close());
    } catch (error) {
      if (['EISDIR', 'EPERM', 'EINVAL', 'ENOTSUP'].includes(codeOf(error) ?? '')) return;
      const details = /** @type {const} */ ({ applied: 'unknown', cause: error });
      throw new AdapterError('unavailable', `It is not certain that ${this.name} was written.`, details);
    }
  }

  /** @param {Table} table */
  #recordsOf({ header, rows }) {
    const idAt = header.indexOf(this.idColumn);
    if (idAt < 0) throw new CsvError(1, `There is no column "${this.idColumn}" with an id for each row.`);
    /** @type {Set<string>} */
    const ids = new Set();
    const columns = this.#columnsOf(header);
    return rows.map(({ cells, line }) => {
      const id = cells[idAt] ?? '';
      if (id === '') throw new CsvError(line, `The row has nothing in "${this.idColumn}".`);
      if (ids.has(id)) throw new CsvError(line, `Another row has the same "${this.idColumn}".`);
      ids.add(id);
      /** @type {Record<string, BackendRecord[string]>} */
      const record = { $id: id, $revision: revisionOf(cells) };
      for (const { field, at } of columns) {
        const value = this.#valueIn(field, cells[at] ?? '', line);
        if (value !== undefined) record[field.name] = value;
      }
      return record;
    });
  }

  /**
   * @param {FieldUse} field
   * @param {string} cell
   * @param {number} line
   */
  #valueIn(field, cell, line) {
    try {
      return parseCell(field, cell);
    } catch (error) {
      throw new CsvError(line, `"${field.name}" ${error instanceof Error ? error.message : 'cannot be read'}.`);
    }
  }

  /** @param {readonly string[]} header */
  #columnsOf(header) {
    return this.fields.map((field) => ({ field, at: header.indexOf(field.name) })).filter(({ at }) => at >= 0);
  }

  /**
   * Rows and cells that nobody changed stay as they were written, to the last quote.
   * @param {Content} before
   * @param {readonly BackendRecord[]} records
   */
  #textOf({ table, records: former }, records) {
    const { header, rawHeader, rows, eol, bom } = table;
    const byId = new Map(former.map((record, index) => [record.$id, { record, row: rows[index] }]));
    const columns = this.#columnsOf(header);
    const lines = records.map((record) => {
      const known = byId.get(record.$id);
      const cells = [...(known?.row?.cells ?? Array(header.length).fill(''))];
      cells[header.indexOf(this.idColumn)] = String(record.$id);
      let isChanged = known === undefined;
      for (const { field, at } of columns) {
        if (known !== undefined && isDeepStrictEqual(known.record[field.name], record[field.name])) continue;
        cells[at] = printCell(field, record[field.name]);
        isChanged = true;
      }
      return isChanged ? printRow(cells, this.delimiter) : (known?.row?.raw ?? '');
    });
    return `${bom}${[rawHeader, ...lines].join(eol)}${eol}`;
  }

  /**
   * @param {Content} content
   * @param {readonly string[]} fields that are to be written
   * @throws {AdapterError} when one has no home
   */
  requireColumns({ table }, fields) {
    const homeless = this.fields.find(({ name }) => fields.includes(name) && !table.header.includes(name));
    if (homeless === undefined) return;
    const reason = 'The file has no column for it.';
    throw new AdapterError('rejected', `${this.name} has no column "${homeless.name}".`, {
      field: homeless.name,
      reason,
    });
  }

  /** @param {unknown} error */
  #unreadable(error) {
    const problem =
      error instanceof CsvError ? `, line ${error.line}: ${error.message}` : ` cannot be read (${codeOf(error)}).`;
    return new AdapterError('unavailable', `${this.name}${problem}`, { cause: error });
  }
}

/** @param {readonly string[]} cells */
function revisionOf(cells) {
  return createHash('sha256').update(JSON.stringify(cells)).digest('base64url').slice(0, 22);
}

/** @param {string} file */
async function stampOf(file) {
  const { ino, size, mtimeNs, ctimeNs } = await stat(file, { bigint: true });
  return [ino, size, mtimeNs, ctimeNs].join('-');
}
