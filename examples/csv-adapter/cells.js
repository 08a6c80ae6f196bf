// @ts-check
import { instantKey, isChildRecord, valuesOf } from 'scimbridge/adapter';

/** @typedef {import('scimbridge/adapter').FieldUse} FieldUse */
/** @typedef {import('scimbridge/adapter').FieldValue} FieldValue */
/** @typedef {import('scimbridge/adapter').Scalar} Scalar */
/** @typedef {import('scimbridge/adapter').ChildRecord} ChildRecord */

/**
 * What a cell holds: one value as text, many values with ";" between them (`\;` and `\\` inside), child records as JSON.
 * An empty cell is no value.
 * @param {FieldUse} field
 * @param {string} cell
 * @returns {FieldValue | undefined}
 * @throws {Error} with what belongs into the cell
 */
export function parseCell(field, cell) {
  if (cell === '') return undefined;
  if (field.type === 'records') return parseChildren(field, cell);
  if (!field.multiple) return parseScalar(field.type, cell);
  const values = splitList(cell).map((part) => parseScalar(field.type, part));
  return values.length === 0 ? undefined : values;
}

/**
 * @param {FieldUse} field
 * @param {FieldValue | undefined} value
 */
export function printCell(field, value) {
  const values = valuesOf(value);
  if (values.length === 0) return '';
  if (field.type === 'records')
    return JSON.stringify(values, (_, part) => (part instanceof Uint8Array ? base64(part) : part));
  const texts = values.map((one) => (isChildRecord(one) ? '' : printScalar(one)));
  if (!field.multiple) return texts[0] ?? '';
  return texts.map((text) => text.replace(/[\\;]/g, (character) => `\\${character}`)).join(';');
}

/**
 * @param {FieldUse['type']} type
 * @param {string} text
 * @returns {Scalar}
 */
function parseScalar(type, text) {
  switch (type) {
    case 'number':
      if (/^[+-]?\d+$/.test(text)) return Number.isSafeInteger(Number(text)) ? Number(text) : BigInt(text);
      if (text.trim() !== '' && Number.isFinite(Number(text))) return Number(text);
      throw new Error('must be a number');
    case 'boolean':
      if (/^(true|1)$/i.test(text)) return true;
      if (/^(false|0)$/i.test(text)) return false;
      throw new Error('must be true or false');
    case 'instant':
      if (instantKey(text) !== undefined) return text;
      throw new Error('must be a date and time such as 2026-05-13T04:42:34Z');
    case 'bytes':
      return Buffer.from(text, 'base64');
    default:
      return text;
  }
}

/** @param {Scalar} value */
function printScalar(value) {
  return value instanceof Uint8Array ? base64(value) : String(value);
}

/** @param {Uint8Array} bytes */
function base64(bytes) {
  return Buffer.from(bytes).toString('base64');
}

/** @param {string} cell */
function splitList(cell) {
  const parts = [''];
  for (let index = 0; index < cell.length; index++) {
    const character = cell[index] ?? '';
    const next = cell[index + 1] ?? '';
    if (character === ';') {
      parts.push('');
      continue;
    }
    const isEscape = character === '\\' && (next === ';' || next === '\\');
    parts[parts.length - 1] += isEscape ? next : character;
    if (isEscape) index++;
  }
  return parts.filter((part) => part !== '');
}

/**
 * @param {FieldUse} field
 * @param {string} cell
 * @returns {readonly ChildRecord[] | undefined}
 */
function parseChildren(field, cell) {
  const wrong = new Error('must be JSON such as [{"value":"a@example.com","type":"work"}]');
  /** @type {unknown} */
  let rows;
  try {
    rows = JSON.parse(cell);
  } catch {
    throw wrong;
  }
  if (!Array.isArray(rows)) throw wrong;
  const children = rows.map((row) => {
    if (typeof row !== 'object' || row === null) throw wrong;
    return Object.fromEntries(
      Object.entries(row).map(([name, part]) => {
        const type = field.children?.find((child) => child.name === name)?.type;
        if (!['string', 'number', 'boolean'].includes(typeof part)) throw wrong;
        return [name, type === 'bytes' ? Buffer.from(String(part), 'base64') : part];
      }),
    );
  });
  return children.length === 0 ? undefined : children;
}
