import { resolve } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect } from 'vitest';
import type { Rejected, Verdict } from '../../src/auth/authentication.js';
import { createJwtAuthenticator, type JwtAuthenticator } from '../../src/auth/jwt.js';
import type { JwtIssuerSettings } from '../../src/auth/jwt-policy.js';
import type { Caller } from '../../src/provisioning/service.js';
import { AuthorizationServer } from '../support/authorization-server.js';

/** An authorization server, a clock, and the authenticators of gateways that trust it. */
export class JwtBench {
  server!: AuthorizationServer;
  /** The gateway's clock, in milliseconds since 1970. */
  nowMs = 0;
  /** What was logged: level, message and fields. */
  readonly lines: string[] = [];
  /** URLs that the gateway asked for, allowed or not. */
  readonly fetched: string[] = [];

  /** A gateway of the server's own tenant, as the settings say. */
  authenticator(...issuers: readonly Partial<JwtIssuerSettings>[]): JwtAuthenticator {
    const sections = issuers.length === 0 ? [{}] : issuers;
    const log = (level: string) => (fields: object, message: string) => {
      this.lines.push(`${level} ${message} ${JSON.stringify(fields)}`);
    };
    return createJwtAuthenticator({
      issuers: sections.map((section) => ({ issuer: this.server.issuer(), ...section })),
      realm: 'corp',
      resolveFile: (name) => resolve(name),
      log: { info: log('info'), warn: log('warn'), error: log('error') },
      now: () => this.nowMs,
      fetch: (input, init) => {
        this.fetched.push(String(input));
        return fetch(input, init);
      },
    });
  }

  pass(seconds: number): void {
    this.nowMs += seconds * 1000;
  }
}

/** One for each test; the server is the file's own, and well again before each. */
export function useJwtBench(alg = 'RS256'): JwtBench {
  const bench = new JwtBench();
  beforeAll(async () => {
    bench.server = await AuthorizationServer.start(alg);
  });
  afterAll(() => bench.server.stop());
  beforeEach(() => {
    bench.nowMs = Date.now();
    bench.lines.length = 0;
    bench.fetched.length = 0;
    bench.server.requests.length = 0;
    bench.server.mood = 'well';
    bench.server.publish = undefined;
  });
  return bench;
}

/** The token is taken. @returns who calls */
export async function accepted(authenticator: JwtAuthenticator, token: string): Promise<Caller> {
  const verdict = await authenticator.verify(token);
  if (verdict?.caller === undefined) expect.fail(verdict?.reason ?? 'The token is of another kind.');
  return verdict.caller;
}

/** The token is refused with 401, for that reason and no other. */
export async function refused(authenticator: JwtAuthenticator, token: string, reason: string | RegExp): Promise<void> {
  const verdict = await rejection(authenticator, token);
  expect(verdict.reason).toMatch(reason);
  expect(verdict.status).toBeUndefined();
}

export async function rejection(authenticator: JwtAuthenticator, token: string): Promise<Rejected> {
  const verdict: Verdict = await authenticator.verify(token);
  if (verdict === undefined || verdict.caller !== undefined) expect.fail(JSON.stringify(verdict ?? 'another kind'));
  // Whatever the reason, nothing of the credential is in it.
  for (const part of token.split('.').filter(({ length }) => length > 20)) expect(verdict.reason).not.toContain(part);
  return verdict;
}
