import { afterAll, beforeAll, describe, it } from 'vitest';
import type { TestGateway, TestServer } from '../support/gateway.js';
import { type NotKept, withoutNotKept } from './not-kept.js';
import type { Scope } from './placeholders.js';
import { loadTranscript, runExchange, startTranscript, stepsOf, unmetRequirement } from './transcript-runner.js';

export const transcriptFiles = [
  'entra-id.json',
  'okta.json',
  'onelogin.json',
  'pingfederate.json',
  'jumpcloud.json',
] as const;

export interface TranscriptSubject {
  start(): Promise<TestServer>;
  /** base64 of `user:password`, made from the gateway's token, where the server takes Basic. */
  basic?(gateway: TestGateway): string;
  /** What the backend has no place for. Tests whose expectations are reduced by it say so in their names. */
  readonly notKept?: readonly NotKept[];
}

/** Every recorded exchange as a test, in order, each file with names and marks of its own. */
export function describeTranscripts(what: string, subject: TranscriptSubject): void {
  describe(`${what}: transcripts`, () => {
    let server: TestServer;
    let gateway: TestGateway;
    let basic: string | undefined;
    let serviceProviderConfig: Readonly<Record<string, unknown>>;

    beforeAll(async () => {
      server = await subject.start();
      gateway = await server.gateway();
      basic = subject.basic?.(gateway);
      serviceProviderConfig = (await gateway.request('GET', '/ServiceProviderConfig')).body;
    });
    afterAll(() => server?.close());

    describe.each(transcriptFiles)('%s', (file) => {
      let scope: Scope;
      beforeAll(() => {
        scope = startTranscript(gateway, basic);
      });

      for (const item of loadTranscript(file)) {
        let failed = false;
        for (const recorded of stepsOf(item)) {
          const { exchange: step, taken } = withoutNotKept(recorded, subject.notKept ?? []);
          const suffix = taken.length === 0 ? '' : ` (not kept: ${taken.join(', ')})`;
          it(`${file}: ${step.name}${suffix}`, async ({ skip }) => {
            const reason = unmetRequirement(
              [...(item.requires ?? []), ...(step.requires ?? [])],
              serviceProviderConfig,
              basic !== undefined,
            );
            if (reason !== undefined) skip(reason);
            if (failed) throw new Error(`An earlier step of "${item.name}" failed.`);
            failed = true;
            await runExchange(step, gateway, scope);
            failed = false;
          });
        }
      }
    });
  });
}
