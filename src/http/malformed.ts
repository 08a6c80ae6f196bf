import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { errorSchemaUri, ScimError } from '../scim/error.js';

/** Room for a large JWT beside a long filter. */
export const maxHeadBytes = 32_768;
/** Node keeps no more, and drops the rest in silence; so as many are refused. Proxies and clients together send some 50. */
export const maxHeaders = 256;

interface Fault {
  readonly status: number;
  readonly phrase: string;
  readonly detail: string;
}

const badRequest = (detail: string): Fault => ({ status: 400, phrase: 'Bad Request', detail });
const wrongVersion: Fault = {
  status: 505,
  phrase: 'HTTP Version Not Supported',
  detail: 'Only HTTP/1.1 and HTTP/1.0 are spoken here.',
};
const noHost = badRequest('A request in HTTP/1.1 has one Host header, neither more nor less.');
const userInUrl = badRequest('The URL names a user; credentials belong in the Authorization header.');
const wrongFraming = badRequest('A request in HTTP/1.0 has no Transfer-Encoding.');
const headTooLarge = (detail: string): Fault => ({ status: 431, phrase: 'Request Header Fields Too Large', detail });
const tooManyHeaders = headTooLarge(`The request has ${maxHeaders} headers or more.`);
const unknownCoding: Fault = {
  status: 501,
  phrase: 'Not Implemented',
  detail: 'The only transfer coding that is understood is "chunked".',
};
const wrongExpectation: Fault = {
  status: 417,
  phrase: 'Expectation Failed',
  detail: 'The expectation of "Expect" cannot be met: only "100-continue" can.',
};

/**
 * What Node lets through although a proxy may understand it otherwise, which is what smuggling of requests lives on: several
 * Host headers, transfer codings that nobody decodes, versions that are none; and users in URLs.
 * @returns whether it was refused; then the connection ends
 * @see RFC 9112 §3.2, §6.1
 */
export function refuseAmbiguous(request: IncomingMessage, response: ServerResponse): boolean {
  const fault = faultOf(request);
  if (fault !== undefined) end(response, fault);
  return fault !== undefined;
}

function faultOf(request: IncomingMessage): Fault | undefined {
  if (request.httpVersionMajor !== 1) return wrongVersion;
  if (request.rawHeaders.length >= maxHeaders * 2) return tooManyHeaders;
  const hosts = countHosts(request.rawHeaders);
  // Health checks in HTTP/1.0 send none.
  if (hosts !== 1 && (hosts > 1 || request.httpVersionMinor !== 0)) return noHost;
  // Locations in the answer would repeat it.
  if (!request.url?.startsWith('/') && withUser.test(request.url ?? '')) return userInUrl;
  const coding = request.headers['transfer-encoding'];
  if (coding === undefined) return undefined;
  if (request.httpVersionMinor === 0) return wrongFraming;
  return coding.toLowerCase() === 'chunked' ? undefined : unknownCoding;
}

/** A whole URL with userinfo (RFC 7644 §7.1). */
const withUser = /^[a-z]+:\/\/[^/?#]*@/i;

/** @param rawHeaders names and values in turn */
function countHosts(rawHeaders: readonly string[]): number {
  let hosts = 0;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] as string;
    if (name.length === 4 && name.toLowerCase() === 'host') hosts++;
  }
  return hosts;
}

/** `Expect` with anything but 100-continue. */
export function refuseExpectation(_request: IncomingMessage, response: ServerResponse): void {
  end(response, wrongExpectation);
}

/** Connections that have had their last answer. What follows on them may be no HTTP, and is not answered. */
const refused = new WeakSet<Duplex>();

function end(response: ServerResponse, fault: Fault): void {
  if (response.socket !== null) refused.add(response.socket);
  const body = bodyOf(fault);
  response.writeHead(fault.status, fault.phrase, {
    'Content-Type': 'application/scim+json',
    'Content-Length': Buffer.byteLength(body),
    Connection: 'close',
  });
  response.end(body);
}

function bodyOf({ status, detail }: Fault): string {
  return JSON.stringify({ schemas: [errorSchemaUri], status: String(status), detail });
}

/** What Node let through but is no URL: a wrong Host header, a backslash in the path. */
export function malformed(): Response {
  const error = ScimError.badRequest('invalidSyntax', 'The URL or the Host header is malformed.');
  return new Response(JSON.stringify(error.toBody()), {
    status: 400,
    headers: { 'Content-Type': 'application/scim+json', Connection: 'close' },
  });
}

const unparsable: Readonly<Record<string, Fault>> = {
  HPE_HEADER_OVERFLOW: headTooLarge(
    `The URL and the headers are larger than ${maxHeadBytes} bytes: send long queries as POST to "/.search".`,
  ),
  ERR_HTTP_REQUEST_TIMEOUT: {
    status: 408,
    phrase: 'Request Timeout',
    detail: 'The request did not arrive in time.',
  },
};
const noHttp = badRequest('This is not valid HTTP.');

/** Node refuses what is no HTTP before any handler sees it; the answer is in SCIM's form all the same. */
export function answerUnparsable(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  if (refused.has(socket)) {
    socket.end();
    return;
  }
  const fault = unparsable[error.code ?? ''] ?? noHttp;
  const body = bodyOf(fault);
  socket.end(
    `HTTP/1.1 ${fault.status} ${fault.phrase}\r\nConnection: close\r\nContent-Type: application/scim+json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}
