import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Answer, TestGateway } from '../support/gateway.js';
import { mismatch } from './matching.js';
import { createScope, fill, fillText, type Scope } from './placeholders.js';
import { valueAt } from './saved-path.js';

export interface Expectation {
  readonly status: readonly number[];
  readonly headers?: Readonly<Record<string, unknown>>;
  readonly body?: unknown;
  readonly text?: unknown;
}

export interface Exchange {
  readonly name: string;
  readonly method: string;
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | null>>;
  readonly headers?: Readonly<Record<string, string | null>>;
  readonly body?: unknown;
  readonly rawBody?: string;
  /** One of them must hold. */
  readonly expect: Expectation | readonly Expectation[];
  readonly save?: Readonly<Record<string, string>>;
  readonly repeat?: number;
  readonly requires?: readonly string[];
  readonly setup?: boolean;
  readonly note?: string;
}

/** Passes when all its steps pass, and stops at the first that does not. */
export interface TranscriptCase {
  readonly name: string;
  readonly steps: readonly Exchange[];
  readonly requires?: readonly string[];
  readonly setup?: boolean;
}

export type TranscriptItem = Exchange | TranscriptCase;

export function loadTranscript(file: string): readonly TranscriptItem[] {
  return JSON.parse(readFileSync(join(import.meta.dirname, file), 'utf8')) as readonly TranscriptItem[];
}

export function stepsOf(item: TranscriptItem): readonly Exchange[] {
  return 'steps' in item ? item.steps : [item];
}

/** The names that one file's exchanges share, for one run. */
export function startTranscript(gateway: TestGateway, basic?: string): Scope {
  return createScope({ token: gateway.token, base: gateway.base, basic });
}

/**
 * Why an item cannot be asked of this server: a feature that ServiceProviderConfig does not claim, or basic credentials
 * that the runner was not given.
 */
export function unmetRequirement(
  requires: readonly string[] | undefined,
  serviceProviderConfig: Readonly<Record<string, unknown>>,
  hasBasic: boolean,
): string | undefined {
  for (const name of requires ?? []) {
    if (name === 'basic') {
      if (!hasBasic) return 'no basic credentials were given';
      continue;
    }
    const feature = serviceProviderConfig[name] as { readonly supported?: unknown } | undefined;
    if (feature?.supported !== true) return `ServiceProviderConfig does not claim "${name}"`;
  }
  return undefined;
}

/**
 * Sends one exchange, as often as it says, and holds each answer against what is expected.
 * @throws Error that names what does not hold
 */
export async function runExchange(exchange: Exchange, gateway: TestGateway, scope: Scope): Promise<void> {
  for (let round = 1; round <= (exchange.repeat ?? 1); round++) {
    const names = scope.withIndex(round);
    const answer = await send(exchange, gateway, names);
    checkAnswer(answer, fill(exchange.expect, names) as Exchange['expect']);
    for (const [name, source] of Object.entries(exchange.save ?? {})) {
      names.save(fillText(name, names), savedValue(source, answer));
    }
  }
}

function send(exchange: Exchange, gateway: TestGateway, names: Scope): Promise<Answer> {
  return gateway.request(exchange.method, fillText(exchange.path, names, encodeURIComponent), {
    query: fill(exchange.query, names) as Exchange['query'],
    headers: fill(exchange.headers, names) as Exchange['headers'],
    body: fill(exchange.body, names),
    rawBody: fill(exchange.rawBody, names) as string | undefined,
  });
}

function savedValue(source: string, answer: Answer): unknown {
  if (!source.startsWith('header:')) return valueAt(source, answer.body);
  const value = answer.headers.get(source.slice('header:'.length));
  if (value === null) throw new Error(`The answer has no ${source}.`);
  return value;
}

/** @throws Error unless one of the expectations holds */
export function checkAnswer(answer: Answer, expect: Exchange['expect']): void {
  const expectations = Array.isArray(expect) ? (expect as readonly Expectation[]) : [expect as Expectation];
  const problems: string[] = [];
  for (const expectation of expectations) {
    const problem = expectationProblem(answer, expectation);
    if (problem === undefined) return;
    problems.push(problem);
  }
  throw new Error(`${problems.join('\nor ')}\nThe answer: ${answer.status} ${answer.text.slice(0, 2_000)}`);
}

function expectationProblem(answer: Answer, expectation: Expectation): string | undefined {
  if (!expectation.status.includes(answer.status)) {
    return `expected status ${expectation.status.join(' or ')}, got ${answer.status}`;
  }
  for (const [name, wanted] of Object.entries(expectation.headers ?? {})) {
    const problem = mismatch(wanted, answer.headers.get(name) ?? undefined, `header ${name}`);
    if (problem !== undefined) return problem;
  }
  if ('text' in expectation) {
    const problem = mismatch(expectation.text, answer.text, 'text');
    if (problem !== undefined) return problem;
  }
  if (!('body' in expectation)) return undefined;
  try {
    return mismatch(expectation.body, answer.text === '' ? undefined : JSON.parse(answer.text));
  } catch (error) {
    return `the body is no JSON: ${String(error)}`;
  }
}
