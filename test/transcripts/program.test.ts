import { spawnServer } from '../support/spawned-server.js';
import { describeTranscripts } from './transcript-suite.js';

describeTranscripts('the program, over HTTP', { start: () => spawnServer() });
