import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { repositoryRoot } from '../support/gateway.js';
import type { HttpTarget } from '../support/rest/http-target.js';
import { builtInTarget, startScimTarget } from '../support/rest/scim-target.js';
import { restStyles, startRestGateway, startRestTarget } from '../support/rest/targets.js';
import { type NotKept, withoutNotKept } from './not-kept.js';
import { loadTranscript, stepsOf } from './transcript-runner.js';
import { describeTranscripts, transcriptFiles } from './transcript-suite.js';
import { basicOf } from './with-basic.js';

/** What a target has no place for. */
const notKept: Readonly<Record<(typeof restStyles)[number] | 'scim', readonly NotKept[]>> = {
  page: [],
  cursor: [],
  link: [],
  scim: [],
};

function describeTarget(
  name: keyof typeof notKept,
  start: () => Promise<{ config: string; secret: string } & HttpTarget>,
) {
  let target: HttpTarget | undefined;
  afterAll(() => target?.close());
  const list = notKept[name];
  describeTranscripts(`a REST target, ${name}`, {
    start: async () => {
      const started = await start();
      target = started;
      return startRestGateway(started);
    },
    basic: basicOf,
    notKept: list,
  });
  if (list.length === 0) return;
  describe('not kept, and so not expected', () => {
    const asked = transcriptFiles.flatMap((file) => loadTranscript(file).flatMap(stepsOf));
    const taken = new Set(asked.flatMap((exchange) => withoutNotKept(exchange, list).taken));
    it.each(list)('$type $path: $reason', ({ path }) => {
      expect(taken).toContain(path);
    });
  });
}

for (const style of restStyles) {
  describe(style, () => describeTarget(style, () => startRestTarget(style)));
}

describe('scim', () => {
  describeTarget('scim', async () => {
    // Some values that callers send are none by the RFC, such as locales: what they are is for the last server to say.
    const target = await startScimTarget(builtInTarget({ strict: false }));
    const text = readFileSync(join(repositoryRoot, 'test/transcripts/rest/scim.yaml'), 'utf8');
    return { ...target, config: text.replace('BASE_URL', target.baseUrl), secret: target.token };
  });
});
