// @ts-check
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseCell, printCell } from './cells.js';
import { CsvError, parseCsv, printRow } from './csv.js';

const cellsOf = (/** @type {string} */ text) => parseCsv(text, ',').rows.map(({ cells }) => cells);

describe('CSV', () => {
  it('is read as RFC 4180 has it', () => {
    const text = 'a,b\r\n1,"x, ""y""\r\nz"\r\n"",\r\n\r\n3\r\n';
    assert.deepEqual(cellsOf(text), [
      ['1', 'x, "y"\r\nz'],
      ['', ''],
      ['3', ''],
    ]);
    assert.equal(parseCsv(text, ',').eol, '\r\n');
    assert.deepEqual(parseCsv('\ufeffa\n1', ',').header, ['a']);
  });

  it('names the line of what is wrong', () => {
    const cases = /** @type {const} */ ([
      ['', 1],
      ['a,a\n', 1],
      ['a,b\n1,2\n1,2,3\n', 3],
      ['a\n"x\ny"\n"z\n', 4],
      ['a\n"x"y\n', 2],
    ]);
    for (const [text, line] of cases) {
      assert.throws(
        () => parseCsv(text, ','),
        (error) => error instanceof CsvError && error.line === line,
        text,
      );
    }
  });

  it('is read back as it was printed', () => {
    const odd = ['', ' ', 'a', '"', ',', '\n', '\r', '\r\n', ' x', 'x ', '\ufeff', 'a,b"c\nd', '\0', '😀', "' OR 1=1"];
    for (const one of odd) {
      for (const other of odd) {
        for (const eol of ['\n', '\r\n']) {
          const row = printRow([one, other], ',');
          assert.deepEqual(cellsOf(`a,b${eol}${row}${eol}`), [[one, other]]);
        }
      }
      assert.deepEqual(cellsOf(`a\n${printRow([one], ',')}\n`), [[one]]);
    }
  });
});

describe('cells', () => {
  const list = /** @type {import('./cells.js').FieldUse} */ (
    /** @type {unknown} */ ({ name: 'tags', type: 'string', multiple: true })
  );

  it('keep many values apart, whatever is in them', () => {
    for (const values of [['a'], ['a', 'b'], ['a;b', ';', '\\', '\\;'], ['DOMAIN\\user']]) {
      assert.deepEqual(parseCell(list, printCell(list, values)), values);
    }
    assert.deepEqual(parseCell(list, 'DOMAIN\\user;other'), ['DOMAIN\\user', 'other']);
    assert.equal(parseCell(list, ''), undefined);
  });

  it('say what belongs into them', () => {
    for (const type of /** @type {const} */ (['number', 'boolean', 'instant', 'records'])) {
      assert.throws(() => parseCell({ ...list, type, multiple: false }, 'perhaps'), /must be/);
    }
  });
});
