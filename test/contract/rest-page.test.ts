import { describeRestContract } from './rest-subject.js';

/** The target has no place for contacts and owners of groups. */
await describeRestContract('page', ['contact', 'owners']);
