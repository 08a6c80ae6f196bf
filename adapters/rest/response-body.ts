import { promisify } from 'node:util';
import { brotliDecompress, gunzip, inflate } from 'node:zlib';
import type { Json } from './json.js';
import { type Headers, headerOf } from './notices.js';

/** The body of an answer that was read. */
export type ResponseBody =
  /** Nothing but white space. */
  | { readonly kind: 'empty' }
  | { readonly kind: 'json'; readonly value: Json }
  /** Some other media type, or a body that is not what its media type says. */
  | { readonly kind: 'other'; readonly mediaType: string; readonly isHtml: boolean }
  | { readonly kind: 'tooLong' };

interface Readable extends AsyncIterable<Buffer> {
  on(event: 'error', listener: (error: unknown) => void): unknown;
  destroy(): unknown;
}

const decompressors = {
  gzip: promisify(gunzip),
  'x-gzip': promisify(gunzip),
  deflate: promisify(inflate),
  br: promisify(brotliDecompress),
} as const;

/** Reads a body to its end, or until it is too long; then the connection is given up. */
export async function readBody(stream: Readable, headers: Headers, maxBytes: number): Promise<ResponseBody> {
  if (Number(headerOf(headers, 'content-length')) > maxBytes) {
    giveUp(stream);
    return { kind: 'tooLong' };
  }
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of stream) {
    length += chunk.length;
    if (length > maxBytes) {
      giveUp(stream);
      return { kind: 'tooLong' };
    }
    chunks.push(chunk);
  }
  const bytes = chunks.length === 1 ? chunks[0] : Buffer.concat(chunks, length);
  return bytes === undefined ? { kind: 'empty' } : parseBody(bytes, headers, maxBytes);
}

/** Ends the connection. That it was ended is nobody's concern, and an error that nobody hears would end the process. */
function giveUp(stream: Readable): void {
  stream.on('error', () => undefined);
  stream.destroy();
}

async function parseBody(received: Buffer, headers: Headers, maxBytes: number): Promise<ResponseBody> {
  const bytes = await decompressed(received, headers, maxBytes);
  const [mediaType = '', ...parameters] = (headerOf(headers, 'content-type') ?? '').toLowerCase().split(';');
  const other = { kind: 'other', mediaType: mediaType.trim(), isHtml: /html/.test(mediaType) } as const;
  if (bytes === 'tooLong') return { kind: 'tooLong' };
  if (bytes === undefined) return other;
  const text = decoded(bytes, parameters);
  if (text?.trim() === '') return { kind: 'empty' };
  if (text === undefined || (mediaType.trim() !== '' && !mediaType.includes('json'))) return other;
  try {
    return { kind: 'json', value: JSON.parse(text) as Json };
  } catch {
    return { ...other, isHtml: other.isHtml || text.trimStart().startsWith('<') };
  }
}

/** @returns undefined when it is not in the encoding that it claims */
async function decompressed(
  bytes: Buffer,
  headers: Headers,
  maxBytes: number,
): Promise<Buffer | 'tooLong' | undefined> {
  const encoding = headerOf(headers, 'content-encoding')?.trim().toLowerCase() ?? 'identity';
  if (encoding === 'identity' || encoding === '' || bytes.length === 0) return bytes;
  if (!Object.hasOwn(decompressors, encoding)) return undefined;
  try {
    return await decompressors[encoding as keyof typeof decompressors](bytes, { maxOutputLength: maxBytes });
  } catch (error) {
    return (error as { code?: unknown }).code === 'ERR_BUFFER_TOO_LARGE' ? 'tooLong' : undefined;
  }
}

/** JSON is UTF-8 (RFC 8259 §8.1); some say something else, and mean it. */
function decoded(bytes: Buffer, parameters: readonly string[]): string | undefined {
  const charset = parameters
    .map((parameter) => /^\s*charset\s*=\s*"?([^"\s]+)"?\s*$/.exec(parameter)?.[1])
    .find((name) => name !== undefined);
  try {
    return new TextDecoder(charset ?? 'utf-8', { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
