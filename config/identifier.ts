/** Letters that Unicode does not take apart into a basic one and a mark. */
const others: Readonly<Record<string, string>> = {
  ß: 'ss',
  æ: 'ae',
  Æ: 'AE',
  œ: 'oe',
  Œ: 'OE',
  ø: 'o',
  Ø: 'O',
  ł: 'l',
  Ł: 'L',
  đ: 'd',
  Đ: 'D',
  ð: 'd',
  Ð: 'D',
  þ: 'th',
  Þ: 'TH',
  ı: 'i',
};

/**
 * An identifier for what people call by a name: English letters, digits and "_", a letter first.
 * @returns undefined when the name has no letter that could be one of them
 */
export function identifierFrom(name: string): string | undefined {
  const letters = name
    .replace(/[^\p{ASCII}]/gu, (letter) => others[letter] ?? letter)
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .replace(/[^A-Za-z0-9]+/g, '_')
    .replace(/^[^A-Za-z]+|_+$/g, '');
  return letters === '' ? undefined : letters;
}
