/**
 * The target of the first link whose relation is `next`, wherever `rel` stands among the parameters.
 * @see RFC 8288 §3
 */
export function nextLinkOf(header: string | readonly string[] | undefined): string | undefined {
  const text = typeof header === 'string' ? header : (header ?? []).join(', ');
  for (const { target, relations } of linksIn(text)) if (relations.includes('next')) return target;
  return undefined;
}

interface Link {
  readonly target: string;
  readonly relations: readonly string[];
}

const parameterPattern = /\s*;\s*([^\s=;,]+)\s*(?:=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;,]*)))?/y;

function linksIn(text: string): readonly Link[] {
  const links: Link[] = [];
  let at = text.indexOf('<');
  while (at >= 0) {
    const end = text.indexOf('>', at);
    if (end < 0) break;
    const target = text.slice(at + 1, end);
    let relations: readonly string[] | undefined;
    parameterPattern.lastIndex = end + 1;
    let next = end + 1;
    for (let match = parameterPattern.exec(text); match !== null; match = parameterPattern.exec(text)) {
      const [, name = '', quoted, plain = ''] = match;
      next = parameterPattern.lastIndex;
      // Of several `rel` the first counts.
      if (name.toLowerCase() === 'rel') relations ??= (quoted ?? plain).toLowerCase().split(/\s+/);
    }
    links.push({ target: target.trim(), relations: relations ?? [] });
    at = text.indexOf('<', next);
  }
  return links;
}
