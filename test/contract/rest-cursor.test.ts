import { describeRestContract } from './rest-subject.js';

/** The target has no place for contacts of groups. */
await describeRestContract('cursor', ['contact']);
