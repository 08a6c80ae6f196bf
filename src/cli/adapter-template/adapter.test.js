// @ts-check
import { tmpdir } from 'node:os';
import { contractEntities, describeAdapterContract, environmentIn } from 'scimbridge/testing';
import adapter from './adapter.js';

// Everything that the gateway relies on, each promise as a test. For fields that the backend cannot hold:
// const entities = entitiesWithout('people.photo', 'people.mails');
const entities = contractEntities;

describeAdapterContract('__NAME__', {
  entities,
  // Called for every test, on an empty backend. Where that is dear, add `reset: (opened) => deleteEverything(opened, entities)`.
  open: () => adapter.open({ url: 'https://__NAME__.example.com' }, environmentIn(tmpdir(), entities)),
});
