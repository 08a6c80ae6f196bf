import { describe, expect, it } from 'vitest';
import type { AttributePath } from '../../src/scim/attribute-path.js';
import { tolerantDialect } from '../../src/scim/dialect.js';
import { always, type Filter, never } from '../../src/scim/filter.js';
import { parseFilter } from '../../src/scim/filter-parser.js';
import { printFilter } from '../../src/scim/filter-printer.js';
import { enterpriseUrn } from './person-type.js';

const reprint = (text: string): string => printFilter(parseFilter(text, tolerantDialect));

describe('printFilter', () => {
  it.each([
    'userName eq "bjensen"',
    'a eq "quote \\" back \\\\ line \\n é 😀"',
    'a eq -1.5 or a eq true or a eq false or a eq null',
    'a pr and b pr and c pr',
    'a pr or b pr and c pr',
    '(a pr or b pr) and c pr',
    'not (a pr) and not (b pr or c pr)',
    'not (not (a pr))',
    'emails[type eq "work" or not (value co "@x" and primary eq true)]',
    `${enterpriseUrn}:manager.displayName eq "x"`,
    'a pr and (b pr or c pr and (d pr or e pr))',
  ])('leaves %s as it is', (text) => {
    expect(reprint(text)).toBe(text);
  });

  it.each([
    ['((a PR))  and\t(b EQ "x")', 'a pr and b eq "x"'],
    ['(a pr and b pr) or (c pr)', 'a pr and b pr or c pr'],
    ['not(a pr)', 'not (a pr)'],
    ['a eq 1e3', 'a eq 1000'],
    ['a eq "\\u0041\\/"', 'a eq "A/"'],
    ['emails[type eq "work"].value pr', 'emails[type eq "work" and value pr]'],
  ])('prints %s as %s', (text, expected) => {
    expect(reprint(text)).toBe(expected);
  });

  it('keeps the meaning of what no parser makes: operands alone or nested in their own kind', () => {
    const pr = (text: string): Filter<AttributePath> => ({ kind: 'present', path: { text } });
    const either: Filter<AttributePath> = { kind: 'or', operands: [pr('a'), pr('b')] };
    const alone: Filter<AttributePath> = { kind: 'or', operands: [either] };
    expect(printFilter({ kind: 'and', operands: [alone, pr('c')] })).toBe('(a pr or b pr) and c pr');
    expect(printFilter({ kind: 'and', operands: [{ kind: 'and', operands: [either] }, pr('c')] })).toBe(
      '(a pr or b pr) and c pr',
    );
    expect(printFilter({ kind: 'or', operands: [either, pr('c')] })).toBe('a pr or b pr or c pr');
    expect(printFilter(always)).toBe('true');
    expect(printFilter(never)).toBe('false');
  });
});
