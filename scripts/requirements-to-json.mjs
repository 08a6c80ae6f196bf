// Reads the requirements matrix written as Markdown tables and prints it as data:
//   node scripts/requirements-to-json.mjs matrix.md > docs/requirements.json
import { readFileSync } from 'node:fs';

const [file] = process.argv.slice(2);
if (file === undefined) throw new Error('Usage: node scripts/requirements-to-json.mjs <matrix.md>');

/** The cells of a table row; "\|" is a bar inside a cell. */
function cellsOf(line) {
  return line
    .slice(1, line.lastIndexOf('|'))
    .split(/(?<!\\)\|/)
    .map((cell) => cell.trim().replaceAll('\\|', '|'));
}

const groups = [];
const rows = [];
const gaps = [];
const errata = [];
let heading = '';
let group;
let header = [];
for (const line of readFileSync(file, 'utf8').split('\n')) {
  const section = /^## (?:([A-Z]{1,2})\. )?(.+)$/.exec(line);
  if (section !== null) {
    heading = section[2];
    group = section[1];
    header = [];
    if (group !== undefined) groups.push({ id: group, name: heading });
    continue;
  }
  if (!line.startsWith('|')) continue;
  const cells = cellsOf(line);
  if (cells.every((cell) => /^-+$/.test(cell))) continue;
  if (header.length === 0) {
    header = cells;
    continue;
  }
  if (cells.length !== header.length) throw new Error(`${cells.length} cells instead of ${header.length}: ${line}`);
  if (group !== undefined) {
    const [id, level, requirement, check] = cells;
    rows.push({ id, group, level, requirement, check });
  } else if (header[0] === 'id') {
    const [id, question, answer] = cells;
    gaps.push({ id, question, answer });
  } else if (header[1] === 'erratum') {
    const [rfc, numbers, status, subject, seen] = cells;
    errata.push({ rfc, numbers, status, subject, seen });
  }
}

process.stdout.write(`${JSON.stringify({ groups, rows, gaps, errata }, null, 2)}\n`);
