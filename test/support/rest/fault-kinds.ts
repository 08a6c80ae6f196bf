import { gzipSync } from 'node:zlib';
import type { Fault } from './fault.js';
import { jsonAnswer, type TargetAnswer } from './http-exchange.js';

/** A fault with its name in tests, and whether what was asked is carried out nevertheless. */
export interface NamedFault {
  readonly name: string;
  readonly fault: Fault;
}

function answers(name: string, answer: TargetAnswer): NamedFault {
  return { name, fault: { kind: 'answer', answer } };
}

function alters(name: string, alter: (answer: TargetAnswer) => TargetAnswer): NamedFault {
  return { name, fault: { kind: 'alter', alter } };
}

const page = '<!DOCTYPE html><title>Sign in</title>';

function withBody(answer: TargetAnswer, body: string | Buffer, headers: Readonly<Record<string, string>> = {}) {
  return { ...answer, body, headers: { ...answer.headers, ...headers } };
}

function textOf({ body = '' }: TargetAnswer): string {
  return body.toString();
}

/** The target refuses, is busy or is somebody else: nothing is carried out. */
export const refusals: readonly NamedFault[] = [
  answers('429, come again in a second', { status: 429, headers: { 'retry-after': '1' } }),
  answers('429 without a word', { status: 429 }),
  answers('503, come again in a second', jsonAnswer(503, { error: { message: 'busy' } }, { 'retry-after': '1' })),
  answers('503 without a word', { status: 503 }),
  answers('500', jsonAnswer(500, { error: { message: 'oops' } })),
  answers('502 of a proxy', { status: 502, headers: { 'content-type': 'text/html' }, body: page }),
  answers('408', { status: 408 }),
  answers('401', { status: 401, headers: { 'www-authenticate': 'Bearer' } }),
  answers('403', jsonAnswer(403, { error: { message: 'no' } })),
  answers('200 with a page for people', { status: 200, headers: { 'content-type': 'text/html' }, body: page }),
];

/** @param other the origin of a host that nobody is to be asked at */
export function redirects(other: string): readonly NamedFault[] {
  return [301, 302, 303, 307, 308].flatMap((status) => [
    answers(`${status} to the same host`, { status, headers: { location: '/elsewhere' } }),
    answers(`${status} to another host`, { status, headers: { location: `${other}/elsewhere` } }),
  ]);
}

/** The request or the answer is lost on the way. */
export const losses: readonly NamedFault[] = [
  { name: 'the request is lost', fault: { kind: 'loseRequest' } },
  { name: 'nobody answers, nothing is done', fault: { kind: 'blackHole' } },
  { name: 'done, and the answer is lost', fault: { kind: 'loseAnswer' } },
  { name: 'done, and nobody answers', fault: { kind: 'silentAnswer' } },
  { name: 'done, and the answer is cut', fault: { kind: 'cutBody', bytes: 5 } },
  { name: 'done, and the answer is cut at its start', fault: { kind: 'cutBody', bytes: 0 } },
  { name: 'done, and the answer comes too late', fault: { kind: 'slow', ms: 5_000 } },
  { name: 'done, and the answer comes late', fault: { kind: 'slow', ms: 50 } },
];

/** Done, but what comes is not what was agreed. */
export const strangeAnswers: readonly NamedFault[] = [
  ...['', 'null', '42', '"text"', '[]', '{}', '[[]]', '{"data":{}}', '{"item":null}', '{"id":7}', '{"id":""}'].map(
    (body) => alters(`the body ${body === '' ? 'is empty' : body}`, (answer) => withBody(answer, body)),
  ),
  alters('the body ends in the middle', (answer) => withBody(answer, textOf(answer).slice(0, -3))),
  alters('two bodies', (answer) => withBody(answer, textOf(answer) + textOf(answer))),
  alters('a page for people', (answer) => withBody(answer, page, { 'content-type': 'text/html' })),
  alters('JSON that says it is a page', (answer) => withBody(answer, textOf(answer), { 'content-type': 'text/html' })),
  alters('no content type', ({ headers: { 'content-type': _, ...headers } = {}, ...answer }) => ({
    ...answer,
    headers,
  })),
  alters('compressed, unasked', (answer) => withBody(answer, gzipSync(textOf(answer)), { 'content-encoding': 'gzip' })),
  alters('says it is compressed', (answer) => withBody(answer, textOf(answer), { 'content-encoding': 'gzip' })),
  alters('an unknown encoding', (answer) => withBody(answer, textOf(answer), { 'content-encoding': 'x-own' })),
  alters('Latin 1', (answer) =>
    withBody(answer, Buffer.from(textOf(answer), 'latin1'), { 'content-type': 'application/json; charset=iso-8859-1' }),
  ),
  alters('UTF-16', (answer) =>
    withBody(answer, Buffer.from(`\ufeff${textOf(answer)}`, 'utf16le'), {
      'content-type': 'application/json; charset=utf-16',
    }),
  ),
  alters('a byte order mark', (answer) => withBody(answer, `\ufeff${textOf(answer)}`)),
  alters('broken UTF-8', (answer) =>
    withBody(answer, Buffer.concat([Buffer.from('{"name":"'), Buffer.from([0xff, 0xfe]), Buffer.from('"}')])),
  ),
  { name: 'without end', fault: { kind: 'oversize', bytes: 30_000_000 } },
];
