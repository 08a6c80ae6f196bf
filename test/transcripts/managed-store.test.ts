import { startServer } from '../support/in-process-server.js';
import { describeTranscripts } from './transcript-suite.js';

describeTranscripts('the built-in configuration', { start: () => startServer() });
