import { spawnServer } from '../support/spawned-server.js';
import { describeTranscripts } from './transcript-suite.js';
import { basicOf, builtInWithBasic } from './with-basic.js';

describeTranscripts('the program without a configuration, over HTTP', { start: () => spawnServer() });
describeTranscripts('the program with HTTP Basic', {
  start: () => spawnServer({ config: builtInWithBasic }),
  basic: basicOf,
});
