export type Fetch = typeof fetch;

/** A document that could not be fetched: where, and why, for the log. */
export class KeyFetchError extends Error {
  override readonly name = 'KeyFetchError';
  constructor(url: string, why: string) {
    super(`${url}: ${why}`);
  }
}

export const fetchTimeoutMs = 5_000;
/** Entra ID's key set has some 20 KB. */
export const maxDocumentBytes = 524_288;
const maxRedirects = 3;

/**
 * Fetches JSON. The address comes from the configuration or from a document that it led to, never from a token.
 * Encrypted, except on this machine; redirects stay on the host; time and size are bounded.
 * @throws KeyFetchError
 */
export async function fetchJson(url: string, fetchDocument: Fetch): Promise<unknown> {
  const signal = AbortSignal.timeout(fetchTimeoutMs);
  let address = url;
  try {
    for (let redirects = 0; ; redirects++) {
      checkAddress(address);
      const response = await fetchDocument(address, {
        redirect: 'manual',
        signal,
        headers: { accept: 'application/json' },
      });
      if (response.status < 300 || response.status > 399) return await readJson(response, url);
      await response.body?.cancel();
      if (redirects === maxRedirects) throw new KeyFetchError(url, 'it redirects again and again');
      address = redirectTarget(response, address);
    }
  } catch (error) {
    if (error instanceof KeyFetchError) throw error;
    throw new KeyFetchError(url, reasonOf(error));
  }
}

/** @throws KeyFetchError for an address that would show keys to, or take them from, whoever is on the way */
export function checkAddress(url: string): void {
  if (!URL.canParse(url)) throw new KeyFetchError(url, 'this is no URL');
  const { protocol, username, password } = new URL(url);
  if (protocol !== 'https:' && !(protocol === 'http:' && isLoopback(url))) {
    throw new KeyFetchError(url, 'keys are fetched over https only');
  }
  if (username !== '' || password !== '') throw new KeyFetchError(url.replace(/\/\/.*@/, '//'), 'it holds a password');
}

/** True for an address on this machine. */
export function isLoopback(url: string): boolean {
  const { hostname } = new URL(url);
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(hostname);
}

function redirectTarget(response: Response, from: string): string {
  const location = response.headers.get('location');
  if (location === null || !URL.canParse(location, from)) {
    throw new KeyFetchError(from, `it answered ${response.status} without an address to go to`);
  }
  const target = new URL(location, from);
  if (target.origin !== new URL(from).origin) {
    throw new KeyFetchError(from, `it redirects to another host (${target.origin}), which is not followed`);
  }
  return target.href;
}

async function readJson(response: Response, url: string): Promise<unknown> {
  if (!response.ok) {
    await response.body?.cancel();
    throw new KeyFetchError(url, `it answered ${response.status}`);
  }
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    bytes += chunk.byteLength;
    // Leaving the loop cancels the body.
    if (bytes > maxDocumentBytes) throw new KeyFetchError(url, `the answer is longer than ${maxDocumentBytes} bytes`);
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'));
  } catch {
    throw new KeyFetchError(url, 'the answer is not JSON');
  }
}

/** fetch tells the cause one level down: `fetch failed`, with ECONNREFUSED or the certificate's fault inside. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'it cannot be reached';
  if (error.name === 'TimeoutError') return `no answer within ${fetchTimeoutMs / 1000} seconds`;
  const { cause } = error;
  if (!(cause instanceof Error)) return error.message;
  const code = 'code' in cause && typeof cause.code === 'string' ? cause.code : cause.message;
  return `it cannot be reached (${code})`;
}
