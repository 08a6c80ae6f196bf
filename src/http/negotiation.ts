/** The types that answers come in (RFC 7644 §3.8, §8.1). */
export type MediaType = 'application/scim+json' | 'application/json';

/**
 * The type to answer in: SCIM's own unless the client prefers, or only takes, plain JSON.
 * @param accept the Accept header
 * @returns undefined when the client takes neither
 */
export function negotiate(accept: string | undefined): MediaType | undefined {
  if (accept === undefined || accept === 'application/scim+json' || accept === '*/*' || accept.trim() === '') {
    return 'application/scim+json';
  }
  const ranges = accept.split(',').map(parseRange);
  const scim = quality(ranges, 'application/scim+json');
  const json = quality(ranges, 'application/json');
  if (scim === 0 && json === 0) return undefined;
  return scim >= json ? 'application/scim+json' : 'application/json';
}

interface MediaRange {
  readonly range: string;
  readonly quality: number;
}

function parseRange(text: string): MediaRange {
  const [range = '', ...parameters] = text.split(';').map((part) => part.trim().toLowerCase());
  const weight = parameters.find((parameter) => parameter.startsWith('q='));
  const parsed = weight === undefined ? 1 : Number(weight.slice(2));
  return { range, quality: Number.isNaN(parsed) ? 0 : parsed };
}

/** The most specific range that names the type decides (RFC 9110 §12.5.1). */
function quality(ranges: readonly MediaRange[], type: MediaType): number {
  for (const candidate of [type, 'application/*', '*/*']) {
    const found = ranges.find((range) => range.range === candidate);
    if (found !== undefined) return found.quality;
  }
  return 0;
}

/** True for JSON in UTF-8, the only form that bodies come in (RFC 7644 §3.8). No type at all is taken as JSON. */
export function isJsonContent(contentType: string | undefined): boolean {
  if (contentType === undefined || contentType === 'application/scim+json' || contentType.trim() === '') return true;
  const [essence = '', ...parameters] = contentType.split(';').map((part) => part.trim().toLowerCase());
  if (essence !== 'application/scim+json' && essence !== 'application/json') return false;
  const charset = parameters.find((parameter) => parameter.startsWith('charset='));
  return charset === undefined || /^charset="?utf-?8"?$/.test(charset);
}
