/** An entry as a client printed it: attribute names as the server spells them, several values in its order. */
export interface LdifEntry {
  readonly dn: string;
  readonly attributes: Readonly<Record<string, readonly string[]>>;
}

/** Reads unwrapped LDIF of entries (RFC 2849); values in base64 are decoded as UTF-8. */
export function parseLdif(text: string): readonly LdifEntry[] {
  return text
    .split(/\n{2,}/)
    .map((block) => block.split('\n').flatMap(parseLine))
    .flatMap(([first, ...rest]) => {
      if (first?.[0] !== 'dn') return [];
      const attributes: Record<string, string[]> = {};
      for (const [name, value] of rest) {
        attributes[name] ??= [];
        attributes[name].push(value);
      }
      return [{ dn: first[1], attributes }];
    });
}

function parseLine(line: string): readonly (readonly [string, string])[] {
  const [, name, encoded, value] = /^([^#:\s][^:]*):(:?) ?(.*)$/.exec(line) ?? [];
  if (name === undefined || value === undefined) return [];
  return [[name, encoded === ':' ? Buffer.from(value, 'base64').toString() : value]];
}
