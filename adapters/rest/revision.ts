/**
 * A revision as the gateway shows it in an ETag of its own: the target's tag without its quotes, since an entity tag
 * holds none (RFC 9110 §8.8.3). What could not be undone exactly is written as base64url.
 */
export function revisionOfTag(tag: string): string {
  const [, weak = '', opaque = ''] = /^(W\/)?"(.*)"$/s.exec(tag) ?? [undefined, '', tag];
  const isPlain = /^[!#-~]+$/.test(opaque) && !opaque.startsWith('W/') && !opaque.startsWith(coded);
  return isPlain ? `${weak}${opaque}` : `${coded}${Buffer.from(tag).toString('base64url')}`;
}

const coded = '~';

/** The tag to send as If-Match. A revision that is a plain member of the record becomes a strong tag. */
export function tagOfRevision(revision: string): string {
  if (revision.startsWith(coded)) {
    const tag = Buffer.from(revision.slice(coded.length), 'base64url').toString();
    return headerSafe.test(tag) ? (isTag.test(tag) ? tag : `"${tag}"`) : '""';
  }
  return revision.startsWith('W/') ? `W/"${revision.slice(2)}"` : `"${revision}"`;
}

const headerSafe = /^[\x20-\x7e]*$/;
const isTag = /^(W\/)?".*"$/;
