/**
 * Whether a filter names one of the attributes, by itself, with a sub-attribute, or behind its schema's URN. Looks at
 * words outside of quotes only, so that it needs no valid filter.
 * @see RFC 7644 §7.5.2
 */
export function namesSensitiveAttribute(filter: string, attributes: readonly string[]): boolean {
  if (attributes.length === 0) return false;
  const words = filter
    .replace(/"(?:[^"\\]|\\.)*"?/g, ' ')
    .toLowerCase()
    .split(/[^\w.:$-]+/);
  return attributes.some((attribute) => {
    const sensitive = attribute.toLowerCase();
    return words.some((word) => `${word}.`.startsWith(`${sensitive}.`) || `${word}.`.includes(`:${sensitive}.`));
  });
}
