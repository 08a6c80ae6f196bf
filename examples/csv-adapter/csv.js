// @ts-check

/**
 * One row of a file.
 * @typedef {object} Row
 * @property {readonly string[]} cells as many as the header has
 * @property {string} raw the row as it stands in the file, without its line break
 * @property {number} line where it starts, counted from 1
 */

/**
 * @typedef {object} Table
 * @property {readonly string[]} header names of the columns
 * @property {string} rawHeader
 * @property {readonly Row[]} rows
 * @property {string} eol the line break that the file uses
 * @property {string} bom the mark that some programs put first, or nothing
 */

/** The text is not CSV. `line` is where. */
export class CsvError extends Error {
  /**
   * @param {number} line
   * @param {string} message
   */
  constructor(line, message) {
    super(message);
    this.line = line;
  }
}

/**
 * Comma-separated values as RFC 4180 has them. Empty lines are passed over, short rows are filled up.
 * @param {string} text
 * @param {string} delimiter
 * @returns {Table}
 * @throws {CsvError}
 */
export function parseCsv(text, delimiter) {
  const bom = text.startsWith('\ufeff') ? '\ufeff' : '';
  const body = text.slice(bom.length);
  const eol = /\r\n|\n/.exec(body)?.[0] ?? '\n';
  /** @type {Row[]} */
  const rows = [];
  let position = 0;
  let line = 1;
  while (position < body.length) {
    const row = parseRow(body, position, line, delimiter);
    if (row.raw !== '') rows.push(row);
    line = row.nextLine;
    position = row.end;
  }
  const [first, ...rest] = rows;
  if (first === undefined) throw new CsvError(1, 'There is no header: the first line names the columns.');
  const header = first.cells;
  const twice = header.find((name, index) => header.indexOf(name) !== index);
  if (twice !== undefined) throw new CsvError(first.line, `Two columns are called "${twice}".`);
  return { header, rawHeader: first.raw, rows: rest.map((row) => filled(row, header.length)), eol, bom };
}

/**
 * @param {Row} row
 * @param {number} length
 * @returns {Row}
 */
function filled({ cells, raw, line }, length) {
  if (cells.length > length) throw new CsvError(line, `The row has ${cells.length} cells, and the header ${length}.`);
  return { cells: [...cells, ...Array(length - cells.length).fill('')], raw, line };
}

/**
 * @param {string} body
 * @param {number} start
 * @param {number} line
 * @param {string} delimiter
 */
function parseRow(body, start, line, delimiter) {
  /** @type {string[]} */
  const cells = [];
  let position = start;
  for (;;) {
    const cell = body[position] === '"' ? quotedCell(body, position, line) : plainCell(body, position, delimiter);
    cells.push(cell.text);
    position = cell.end;
    if (body[position] !== delimiter) break;
    position += 1;
  }
  const raw = body.slice(start, position);
  const lineBreak = /\r?\n/y;
  lineBreak.lastIndex = position;
  const end = position + (lineBreak.exec(body)?.[0].length ?? 0);
  if (end === position && position < body.length)
    throw new CsvError(line, 'A quoted cell goes on after its last quote.');
  return { cells, raw, line, end, nextLine: line + 1 + (raw.match(/\n/g)?.length ?? 0) };
}

/**
 * @param {string} body
 * @param {number} start
 * @param {number} line
 */
function quotedCell(body, start, line) {
  let text = '';
  let position = start + 1;
  for (;;) {
    const quote = body.indexOf('"', position);
    if (quote < 0) throw new CsvError(line, 'A quoted cell does not end.');
    text += body.slice(position, quote);
    if (body[quote + 1] !== '"') return { text, end: quote + 1 };
    text += '"';
    position = quote + 2;
  }
}

/**
 * @param {string} body
 * @param {number} start
 * @param {string} delimiter
 */
function plainCell(body, start, delimiter) {
  let end = start;
  while (end < body.length && body[end] !== delimiter && body[end] !== '\n') end += 1;
  if (end > start && body[end] === '\n' && body[end - 1] === '\r') end -= 1;
  return { text: body.slice(start, end), end };
}

/**
 * @param {readonly string[]} cells
 * @param {string} delimiter
 */
export function printRow(cells, delimiter) {
  // A row of one empty cell would be an empty line.
  if (cells.length === 1 && cells[0] === '') return '""';
  const needsQuotes = (/** @type {string} */ cell) => /["\r\n]|^\s|\s$|^\ufeff/.test(cell) || cell.includes(delimiter);
  return cells.map((cell) => (needsQuotes(cell) ? `"${cell.replaceAll('"', '""')}"` : cell)).join(delimiter);
}
