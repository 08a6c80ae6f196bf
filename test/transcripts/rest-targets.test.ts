import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe } from 'vitest';
import { repositoryRoot } from '../support/gateway.js';
import type { HttpTarget } from '../support/rest/http-target.js';
import { builtInTarget, startScimTarget } from '../support/rest/scim-target.js';
import { type RestTarget, restStyles, startRestGateway, startRestTarget } from '../support/rest/targets.js';
import { describeTranscripts } from './transcript-suite.js';
import { basicOf } from './with-basic.js';

type Started = Pick<RestTarget, 'config' | 'secret' | 'close'>;

/** Every recorded exchange, with all that is expected: the targets have a place for every attribute in them. */
function describeTarget(name: string, start: () => Promise<Started>): void {
  describe(name, () => {
    let target: Pick<HttpTarget, 'close'> | undefined;
    afterAll(() => target?.close());
    describeTranscripts(`a REST target, ${name}`, {
      start: async () => {
        const started = await start();
        target = started;
        return startRestGateway(started);
      },
      basic: basicOf,
    });
  });
}

for (const style of restStyles) describeTarget(style, () => startRestTarget(style));

describeTarget('scim', async () => {
  // Some values that callers send are none by the RFC, such as locales: what they are is for the last server to say.
  const target = await startScimTarget(builtInTarget({ strict: false }));
  const text = readFileSync(join(repositoryRoot, 'test/transcripts/rest/scim.yaml'), 'utf8');
  return { ...target, config: text.replace('BASE_URL', target.baseUrl), secret: target.token };
});
