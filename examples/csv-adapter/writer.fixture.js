// @ts-check
// Adds people one after the other, and prints each login once it is on the disk: for files.test.js.
import { entitiesWithout, environmentIn } from 'scimbridge/testing';
import adapter from './adapter.js';

const [folder = '.', name = '', count = '0'] = process.argv.slice(2);
const entities = entitiesWithout('people.photo', 'people.hired', 'people.mails', 'groups.contact', 'groups.owners');
const files = { people: { file: 'people.csv', id: 'no' }, groups: { file: 'groups.csv', id: 'no' } };
const csv = await adapter.open({ folder: '.', delimiter: ',', entities: files }, environmentIn(folder, entities));
for (let number = 0; number < Number(count); number++) {
  const context = { signal: AbortSignal.timeout(60_000), requestId: 'writer' };
  const { login } = await csv.create('people', { login: `${name}${number}` }, { fields: ['login'] }, context);
  process.stdout.write(`${login}\n`);
}
await csv.close();
