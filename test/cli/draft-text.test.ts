import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { DraftEntry } from '../../src/backend/draft.js';
import { draftText } from '../../src/cli/draft-text.js';

describe('a drafted configuration', () => {
  it('is YAML with comments behind lines, before them, and in their place', () => {
    const entries: readonly DraftEntry[] = [
      { key: 'version', value: 1, note: 'of the format' },
      {
        key: 'outer',
        value: {
          entries: [
            { key: 'emails[type eq "work"].value', value: 'mail', above: ['One.', 'Two.'] },
            { key: 'later', value: { entries: [{ key: 'a', value: true }] }, isOffer: true },
          ],
        },
      },
    ];
    expect(draftText(entries)).toBe(`version: 1 # of the format
outer:
  # One.
  # Two.
  emails[type eq "work"].value: mail
  # later:
  #   a: true
`);
  });

  it.each([
    'plain',
    'uid={uid},ou=people',
    '# no comment',
    'true',
    '017',
    "it's",
    'a: b',
    '',
    ' x ',
    'Zoë, "the" [first]',
    'line\nbreak',
    ['a, b', '{c}', []],
    { list: ['x'], nested: { 'odd key: #': '- y' }, flag: false, number: 5 },
  ] satisfies readonly DraftEntry['value'][])('keeps the value %j', (value) => {
    expect(
      parse(
        draftText([
          { key: 'key', value, note: 'why' },
          { key: 'next', value: 1 },
        ]),
      ),
    ).toEqual({
      key: value,
      next: 1,
    });
  });
});
