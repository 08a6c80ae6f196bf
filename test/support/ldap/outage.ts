import { setTimeout as delay } from 'node:timers/promises';
import { expect, vi } from 'vitest';
import type { Answer } from '../gateway.js';

/** An answer and how long it took. */
export interface Timed {
  readonly answer: Answer;
  readonly tookMs: number;
}

export async function timed(request: Promise<Answer>): Promise<Timed> {
  const start = performance.now();
  const answer = await request;
  return { answer, tookMs: performance.now() - start };
}

/** 503 that says when to come again (RFC 7644 section 3.12, RFC 9110 section 15.6.4), and nothing about the directory. */
export function expectUnavailable({ status, headers, body, text }: Answer): void {
  expect(status, text).toBe(503);
  expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
  expect(body).toMatchObject({ schemas: ['urn:ietf:params:scim:api:messages:2.0:Error'], status: '503' });
  expect(text).not.toMatch(/dc=|ou=|127\.0\.0|ECONN/i);
}

/** The right answer, or 503: never another one. @returns whether it was the right one */
export function isRightOrUnavailable(answer: Answer, right: readonly number[]): boolean {
  if (right.includes(answer.status)) return true;
  expectUnavailable(answer);
  return false;
}

/** Asks again, as callers do after 503, until the answer is another. */
export async function untilAvailable(request: () => Promise<Answer>, withinMs = 10_000): Promise<Answer> {
  const deadline = Date.now() + withinMs;
  for (;;) {
    const answer = await request();
    if (answer.status !== 503 || Date.now() > deadline) return answer;
    await delay(50);
  }
}

let skippedMs = 0;

/**
 * Lets the gateway's clock, in this process, run ahead, so that nobody has to wait until the guard asks a backend again
 * that did not answer (10 s). To be used while no request is under way.
 */
export function skipTime(ms: number): void {
  if (skippedMs === 0) {
    const now = performance.now.bind(performance);
    vi.spyOn(performance, 'now').mockImplementation(() => now() + skippedMs);
  }
  skippedMs += ms;
}
