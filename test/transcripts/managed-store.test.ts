import { startServer } from '../support/in-process-server.js';
import { describeTranscripts } from './transcript-suite.js';
import { basicOf, builtInWithBasic } from './with-basic.js';

describeTranscripts('the managed store', { start: () => startServer({ config: builtInWithBasic }), basic: basicOf });
