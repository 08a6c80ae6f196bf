import { describeRestContract } from './rest-subject.js';

/** The target with page numbers, asked for pages that begin at a record's number. */
await describeRestContract('page', ['contact', 'owners'], {
  name: 'offset',
  edit: (text) => text.replaceAll('kind: page, sizeParam', 'kind: offset, offsetParam: offset, sizeParam'),
});
