/**
 * The target of the first link whose relation is `next`, wherever `rel` stands among the parameters.
 * @returns `malformed` when the header cannot be read to its end: it might name a next page
 * @see RFC 8288 §3
 */
export function nextLinkOf(header: string | readonly string[] | undefined): NextLink {
  const text = typeof header === 'string' ? header : (header ?? []).join(', ');
  const links = linksIn(text);
  if (links === undefined) return 'malformed';
  return { target: links.find(({ relations }) => relations.includes('next'))?.target };
}

export type NextLink = 'malformed' | { readonly target: string | undefined };

interface Link {
  readonly target: string;
  readonly relations: readonly string[];
}

const targetPattern = /[\s,]*<([^>]*)>/y;
const parameterPattern = /\s*;\s*(?:([^\s=;,"<>]+)\s*(?:=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;,"]*)))?)?/y;
const endPattern = /\s*(,|$)/y;

/** @returns undefined when a part of it is no link */
function linksIn(text: string): readonly Link[] | undefined {
  const links: Link[] = [];
  let at = 0;
  while (/[^\s,]/.test(text.slice(at))) {
    targetPattern.lastIndex = at;
    const target = targetPattern.exec(text)?.[1];
    if (target === undefined) return undefined;
    at = targetPattern.lastIndex;
    let relations: readonly string[] | undefined;
    parameterPattern.lastIndex = at;
    for (let match = parameterPattern.exec(text); match !== null; match = parameterPattern.exec(text)) {
      const [, name = '', quoted, plain = ''] = match;
      at = parameterPattern.lastIndex;
      // Of several `rel` the first counts.
      if (name.toLowerCase() === 'rel') relations ??= (quoted ?? plain).toLowerCase().split(/\s+/);
    }
    endPattern.lastIndex = at;
    if (endPattern.exec(text) === null) return undefined;
    at = endPattern.lastIndex;
    links.push({ target: target.trim(), relations: relations ?? [] });
  }
  return links;
}
